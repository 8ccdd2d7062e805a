"""Whole turns by `deskmate worker` processes on one PostgreSQL: what a second one adds, and how soon a turn begins.

A process that works nothing itself takes in what customers say and delivers the answers; the workers, each the command
as it is with a ScriptedModel in it, do the turns: a question, one tool call, an answer. How long an event waits is what
the desk itself measures, from accept to the moment its handler begins; one event at a time, so that nothing is in its
way. `python -m benchmarks workers [--quick] [--write]`; another server than the local one: `--store URL`.
"""

import argparse
import asyncio
import gc
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from adapters.sealing import default_keyring, master_key, open_sealer
from adapters.storage import open_store
from benchmarks import servers
from benchmarks.desk import Sink, say, scripted
from benchmarks.memory import machine
from benchmarks.page import tell
from core.config import Settings, WorkSettings
from core.counted import NoMetrics
from core.desk import Desk

SERVER = "postgresql://postgres@127.0.0.1/postgres"
KEY = "ab" * 32
CUSTOMERS, TURNS = 40, 25
ROUNDS = 3
ALONE = 100
"""Events of which the start is measured."""
FEW = 16
"""How many in a quick run."""
WARMING = 8
"""Events before them."""
MOST = 20_000
"""Turns the script of a process lasts for."""
WORK = "--as-a-worker"
AIM_FACTOR, AIM_START = 1.3, 5.0


class Starts(NoMetrics):
    """Notes how many milliseconds events waited from accept to their handler."""

    def __init__(self) -> None:
        self.took_ms: list[float] = []

    def took(self, stage: str, seconds: float) -> None:
        if stage == "claimed":
            self.took_ms.append(seconds * 1000)


@dataclass(frozen=True)
class Figures:
    """Turns per second of each round by number of workers; milliseconds from accept to handler, by who works."""

    per_second: dict[int, list[float]]
    starts: dict[str, list[float]]

    @property
    def factor(self) -> float:
        """What two workers do of what one does: the middle of the rounds."""
        return median(two / one for one, two in zip(self.per_second[1], self.per_second[2], strict=True))


# --- a worker ---------------------------------------------------------------------------------------------------------


def work() -> int:
    """Be `deskmate worker`, with a script for a model; when it is told to end it says how long its events waited."""
    import core.llm
    from bots.cli import main as deskmate

    starts, make = Starts(), Desk.__init__

    def init(self: Desk, **parts: Any) -> None:
        make(self, **{**parts, "metrics": starts})

    # The two seams this needs: the model's place, and the port that is told what took how long.
    core.llm.model_of = lambda _: scripted(MOST)
    Desk.__init__ = init  # type: ignore[method-assign]
    # What was imported is no work for the collector, in the desk whose turns are compared as little as here.
    gc.collect()
    gc.freeze()
    code = deskmate(["worker"])
    print(json.dumps(starts.took_ms), flush=True)
    return code


@dataclass
class Crew:
    """Worker processes on one store."""

    url: str
    processes: list[asyncio.subprocess.Process] = field(default_factory=list)

    async def be(self, count: int) -> None:
        """Have so many of them at work: newcomers, or the newest leave."""
        while len(self.processes) > count:
            await self.leave()
        while len(self.processes) < count:
            environment = {name: value for name, value in os.environ.items() if not name.startswith("DESK_")}
            environment |= {"DESK_STORE": self.url, "DESK_MASTER_KEY": KEY, "DESK_MODEL": "offline"}
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", __spec__.name, WORK, env=environment, stdout=asyncio.subprocess.PIPE
            )
            self.processes.append(process)
            assert process.stdout is not None
            if not (await process.stdout.readline()).startswith(b"Working"):
                raise RuntimeError("a worker did not begin: see above")

    async def leave(self) -> list[float]:
        """Let the newest one go; how long its events waited."""
        process = self.processes.pop()
        process.send_signal(signal.SIGTERM)
        said, _ = await process.communicate()
        return list(json.loads(said))

    async def stop(self) -> None:
        """End whoever is left."""
        for process in self.processes:
            process.kill()
            await process.communicate()


# --- what is measured -------------------------------------------------------------------------------------------------


@asynccontextmanager
async def opened(url: str, *, turns_at_once: int, starts: Starts) -> AsyncIterator[tuple[Desk, Sink]]:
    """A desk on the database that takes in and delivers; with `turns_at_once` it works as well."""
    settings, sink = Settings(work=WorkSettings(turns_at_once=turns_at_once)), Sink()
    key = master_key(KEY, Path())
    async with open_store(url, desk=True) as store, open_sealer(default_keyring(url), key, fresh=True) as sealer:
        parts: dict[str, Any] = {"settings": settings, "store": store, "sealer": sealer, "model": scripted(MOST)}
        async with Desk(**parts, platforms=[sink], metrics=starts) as desk:
            yield desk, sink


async def speed(desk: Desk, sink: Sink, name: str, *, customers: int, turns: int) -> float:
    """Turns per second of customers who talk at once, each going on when they are answered; the first is not timed."""

    async def talk(user: str, first: int, last: int) -> None:
        for number in range(first, last):
            await say(desk, sink, user, number)

    names = [f"{name}-{number}" for number in range(customers)]
    await asyncio.gather(*(talk(user, 0, 1) for user in names))
    begun = time.perf_counter()
    await asyncio.gather(*(talk(user, 1, turns + 1) for user in names))
    return customers * turns / (time.perf_counter() - begun)


async def alone(desk: Desk, sink: Sink, name: str, events: int) -> None:
    """Say one thing after the other, each by another one of a few customers."""
    for number in range(events):
        await say(desk, sink, f"{name}-{number % 8}", number)


async def measure(url: str, *, quick: bool) -> Figures:
    """Let workers come and go, and customers talk."""
    size = {"customers": 8, "turns": 2} if quick else {"customers": CUSTOMERS, "turns": TURNS}
    events = WARMING + (FEW if quick else ALONE)
    figures, own, crew = Figures({1: [], 2: []}, {}), Starts(), Crew(url)
    async with opened(url, turns_at_once=64, starts=own) as (desk, sink):
        await alone(desk, sink, "own", events)
        figures.starts["the process that took it in"] = own.took_ms[WARMING:]
    try:
        async with opened(url, turns_at_once=0, starts=Starts()) as (desk, sink):
            await crew.be(1)
            await alone(desk, sink, "other", events)
            for number in range(1 if quick else ROUNDS):
                # By turns the one and the other first, so that who was there stays.
                for count in (1, 2) if number % 2 == 0 else (2, 1):
                    await crew.be(count)
                    figures.per_second[count].append(await speed(desk, sink, f"{count}-{number}", **size))
            await crew.be(1)
            figures.starts["another process"] = (await crew.leave())[WARMING:events]
    finally:
        await crew.stop()
    return figures


def run(url: str, *, quick: bool) -> Figures:
    """Measure on an empty database."""
    gc.collect()
    gc.freeze()
    return asyncio.run(measure(url, quick=quick))


# --- what is said -----------------------------------------------------------------------------------------------------


def table_of(figures: Figures, where: str) -> str:
    """The tables of the page, and what they were measured on."""
    one, two = (median(figures.per_second[count]) for count in (1, 2))
    lines = ["| whole turns a second | one worker | two workers | | aim |", "|---|---|---|---|---|"]
    aim = f"{figures.factor:.2f} x | at least {AIM_FACTOR} x"
    lines.append(f"| {CUSTOMERS} customers at once | {one:.0f} | {two:.0f} | {aim} |")
    lines += ["", "| from accept to its handler, worked by | p50 | p95 | aim |", "|---|---|---|---|"]
    for who, took in figures.starts.items():
        found = sorted(took)
        p95 = found[int(len(found) * 0.95)]
        lines.append(f"| {who} | {median(found):.2f} ms | {p95:.2f} ms | p50 under {AIM_START:.0f} ms |")
    return "\n".join([*lines, "", f"Measured on {where}."])


def main() -> None:
    if WORK in sys.argv:
        sys.exit(work())
    parser = argparse.ArgumentParser(prog="python -m benchmarks workers", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="less of everything: to see that it runs")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/bench.md")
    parser.add_argument("--store", metavar="URL", default=SERVER, help="the PostgreSQL server to measure on")
    options = parser.parse_args()
    with servers.database_on(options.store) as url:
        assert url is not None
        figures = run(url, quick=options.quick)
    tell("workers", table_of(figures, machine(options.store)), write=options.write)


if __name__ == "__main__":
    main()
