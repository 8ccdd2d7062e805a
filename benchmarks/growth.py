"""Ten million customers on paper: `python -m benchmarks.growth [--write]` simulates their busiest hour.

What a turn costs the desk is measured (`costs.py`); what people and language models do is assumed, and said here. The
figures are kept in `measured.json`, and the page's tables and chart are written from those.
"""

import argparse
import gc
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

from benchmarks.chart import Bars, Lines, draw
from benchmarks.measured import PAGE, keep, kept
from benchmarks.page import put
from benchmarks.queues import Outcome, Simulation, Town, exponential, lognormal

CUSTOMERS = 10_000_000
DAYS_BETWEEN = 7.0
"""Each customer begins a conversation once a week."""
CURVE = (
    *(0.8, 0.5, 0.4, 0.4, 0.5, 0.8, 1.6, 3.0, 5.2, 7.2, 8.4, 8.6),
    *(7.6, 7.8, 8.6, 8.2, 7.2, 6.0, 5.0, 4.2, 3.4, 2.4, 1.4, 0.8),
)
"""How a day's conversations fall on its hours, in percent."""
TURNS = 4.0
CALLS = 2
MODEL_MEDIAN, MODEL_SIGMA = 2.0, 0.7
"""Of one model call, in seconds: 2 s in the middle, 10 s for one in a hundred."""
THINK, HASTY, HURRY = 45.0, 0.10, 3.0
SEED = 20_260_101
HOUR, WARM = 3600.0, 600.0
SLOTS = {64: (11, 12, 14), 512: (3, 4, 6)}
"""Turns at once in a worker (64 is the default of `turns_at_once`): the numbers of workers that are tried."""
STORE = "PostgreSQL"


@dataclass(frozen=True, slots=True)
class Load:
    """What the busiest hour asks for."""

    conversations_per_second: float
    turns_per_second: float
    turns_per_day: float


def load() -> Load:
    """The busiest hour of the curve."""
    per_day = CUSTOMERS / DAYS_BETWEEN
    rate = per_day * max(CURVE) / sum(CURVE) / 3600
    return Load(rate, rate * TURNS, per_day * TURNS)


def town(cpu_ms: float, *, workers: int, turns_at_once: int) -> Town:
    """The busiest hour of ten million customers."""
    return Town(
        rate=load().conversations_per_second,
        workers=workers,
        turns_at_once=turns_at_once,
        cpu=cpu_ms / 1000,
        calls=CALLS,
        model=lognormal(MODEL_MEDIAN, MODEL_SIGMA),
        turns=TURNS,
        think=exponential(THINK),
        hasty=HASTY,
        hurry=exponential(HURRY),
        seconds=HOUR,
        warm=WARM,
        seed=SEED,
    )


def probe(cpu_ms: float) -> dict[str, Any]:
    """A hundredth of it for ten minutes: kept too, so that a test can say that the code still gives these figures."""
    small = town(cpu_ms, workers=1, turns_at_once=8)
    small = replace(small, rate=small.rate / 100, seconds=600.0, warm=60.0)
    return _rounded(Simulation(small).run())


def measured_cpu() -> tuple[str, float]:
    """The store whose figures are used, and the milliseconds of CPU a turn took there."""
    costs = kept("costs")
    name = STORE if STORE in costs else "SQLite"
    return name, costs[name]["cpu_ms"]


def simulate() -> dict[str, Any]:
    """Run every town, two at a time, and keep what went into it beside what came out."""
    store, cpu_ms = measured_cpu()
    towns = [(slots, workers) for slots, numbers in SLOTS.items() for workers in numbers]
    runs: dict[str, dict[str, Any]] = {str(slots): {} for slots in SLOTS}
    with ProcessPoolExecutor(2, initializer=gc.disable) as processes:
        for (slots, workers), outcome in zip(towns, processes.map(partial(_busy_hour, cpu_ms), towns), strict=True):
            runs[str(slots)][str(workers)] = outcome
            print(f"{workers} workers of {slots} turns at once: {outcome}", flush=True)
    return {"store": store, "cpu_ms": cpu_ms, "seed": SEED, "runs": runs, "probe": probe(cpu_ms)}


def _busy_hour(cpu_ms: float, size: tuple[int, int]) -> dict[str, Any]:
    # Without a collector (see above): millions of small objects, none of which refers back to itself.
    slots, workers = size
    return _rounded(Simulation(town(cpu_ms, workers=workers, turns_at_once=slots)).run())


def _rounded(outcome: Outcome) -> dict[str, Any]:
    return {name: round(value, 4) for name, value in asdict(outcome).items()}


# --- the page ---------------------------------------------------------------------------------------------------------

HEADS = (
    *("workers", "turns at once in each", "wait p50", "wait p99", "answer p50", "answer p99"),
    *("slots in use", "CPU in use", "bound by"),
)
LIMITS = (
    *("store", "turns/s", "transactions/s", "cores of desks", "cores of its server"),
    *("log written", "stored a day", "stored a year"),
)


def table_of(growth: dict[str, Any]) -> str:
    """The page's table: a line for each number of workers."""
    asked = load()
    lines = [
        f"{CUSTOMERS:,} customers, one conversation of {TURNS:.0f} turns in {DAYS_BETWEEN:.0f} days: "
        f"{asked.turns_per_day:,.0f} turns a day, {asked.turns_per_second:,.0f} a second in the busiest hour. "
        f"{growth['cpu_ms']:.1f} ms of CPU a turn, as measured on {growth['store']}; seed {growth['seed']}.",
        "",
        f"| {' | '.join(HEADS)} |",
        "|" + "---|" * len(HEADS),
    ]
    for slots, by_workers in growth["runs"].items():
        lines += [_line(workers, slots, run) for workers, run in by_workers.items()]
    return "\n".join(lines)


def _line(workers: str, slots: str, run: dict[str, Any]) -> str:
    waits = f"{_seconds(run['wait_p50'])} | {_seconds(run['wait_p99'])}"
    answers = f"{_seconds(run['answer_p50'])} | {_seconds(run['answer_p99'])}"
    shares = f"{run['slots_busy']:.0%} | {run['cpu_busy']:.0%}"
    return f"| {workers} | {slots} | {waits} | {answers} | {shares} | {_bound(run)} |"


def _bound(run: dict[str, Any]) -> str:
    if max(run["slots_busy"], run["cpu_busy"]) < 0.85:
        return "the model's own time"
    return "CPU" if run["cpu_busy"] > run["slots_busy"] else "slots, which wait for the model"


def _seconds(value: float) -> str:
    return f"{value * 1000:,.0f} ms" if value < 1 else f"{value:,.1f} s"


def chart_of(growth: dict[str, Any]) -> str:
    """The page's chart: how busy the cores are, and the longest waits."""
    runs = {f"{slots} turns at once in a worker": by_workers for slots, by_workers in growth["runs"].items()}
    every = sorted({int(workers) for by_workers in runs.values() for workers in by_workers})
    busy = {
        f"{workers}": {
            kind: 100 * by_workers[str(workers)]["cpu_busy"]
            for kind, by_workers in runs.items()
            if str(workers) in by_workers
        }
        for workers in every
    }
    waits = {
        kind: {int(workers): run["wait_p99"] for workers, run in by_workers.items()}
        for kind, by_workers in runs.items()
    }
    return draw(
        Bars("Share of the workers' CPU in use, percent, by workers", busy),
        Lines("Longest wait of ninety-nine in a hundred, seconds, by workers", waits),
    )


def limits_of(costs: dict[str, dict[str, Any]]) -> str:
    """What the store of a town has to carry in its busiest hour, and to keep."""
    lines = [f"| customers | {' | '.join(LIMITS)} |", "|---|" + "---|" * len(LIMITS)]
    for name, cost in costs.items():
        for customers in (1_000_000, CUSTOMERS, 100_000_000):
            asked, scale = load(), customers / CUSTOMERS
            rate, daily = asked.turns_per_second * scale, asked.turns_per_day * scale * cost["bytes_per_turn"]
            cells = (
                name,
                f"{rate:,.0f}",
                f"{rate * cost['commits']:,.0f}",
                f"{rate * cost['cpu_ms'] / 1000:,.1f}",
                f"{rate * cost['server_cpu_ms'] / 1000:,.1f}",
                f"{rate * cost['bytes_written'] / 1e6:,.1f} MB/s",
                f"{daily / 1e9:,.1f} GB",
                f"{daily * 365 / 1e12:,.1f} TB",
            )
            lines.append(f"| {customers:,} | {' | '.join(cells)} |")
    return "\n".join(lines)


def write_page() -> None:
    """Write what is kept into the page and its chart."""
    growth = kept("growth")
    put("growth", table_of(growth), PAGE)
    put("limits", limits_of(kept("costs")), PAGE)
    PAGE.with_suffix(".svg").write_text(chart_of(growth))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.growth", description=__doc__)
    parser.add_argument("--write", action="store_true", help="keep the figures, and write the page and its chart")
    options = parser.parse_args()
    growth = simulate()
    print(table_of(growth))
    if options.write:
        keep("growth", growth)
        write_page()


if __name__ == "__main__":
    main()
