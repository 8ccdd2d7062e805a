"""What the memory bench says: tables in the terminal, a page and a chart in docs/."""

from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.chart import Bars, Lines, draw

DOCS = Path(__file__).parents[1] / "docs"
OURS = "DeskSession"


@dataclass(frozen=True, order=True)
class Run:
    """What a number of live sessions came to: turns per second, milliseconds of a turn, open descriptors."""

    per_second: float
    p50: float
    p99: float
    descriptors: int


@dataclass(frozen=True)
class Reads:
    """Milliseconds of reading the newest 50, by the length of the history: by who never read it, and again."""

    first: dict[int, float]
    again: dict[int, float]


@dataclass(frozen=True)
class Figures:
    """All that was measured; a text stands where it failed."""

    machine: str
    warm: dict[int, dict[str, Run | str]]
    cold: dict[int, dict[str, Run | str]]
    reads: dict[str, Reads]
    peer: str = "SQLiteSession"


@dataclass(frozen=True)
class Aim:
    """What was to be reached, what was, and whether that is enough."""

    what: str
    wanted: str
    found: str
    holds: bool


def print_tables(figures: Figures) -> None:
    """Print all figures."""
    for name, rows in _tables(figures):
        _print(name, rows)
    Console().print(figures.machine)


def print_runs(name: str, runs: dict[int, dict[str, Run | str]], machine: str) -> None:
    """Print the figures of one measurement."""
    _print(name, _runs(runs))
    Console().print(machine)


def table_of(runs: dict[int, dict[str, Run | str]]) -> str:
    """The figures of one measurement for a page."""
    return _markdown(_runs(runs))


def _print(name: str, rows: list[list[str]]) -> None:
    table = Table(title=name, title_justify="left")
    for number, head in enumerate(rows[0]):
        table.add_column(head, justify="right" if number else "left")
    for row in rows[1:]:
        table.add_row(*row)
    Console().print(table)


def write_page(figures: Figures) -> None:
    """Write the page and its chart."""
    (DOCS / "bench-memory.svg").write_text(_chart(figures))
    parts = [f"## {name}\n\n{_markdown(rows)}" for name, rows in _tables(figures)]
    (DOCS / "bench-memory.md").write_text("\n\n".join([HEAD.format(machine=figures.machine), *parts]) + "\n")


HEAD = """# What session memory costs

A turn is what the Agents SDK's Runner does to a session in a turn with one tool call: read the newest 50 items, add the
question, add the call with its output, add the answer; items of about 300 bytes. `DeskSession` seals every item with
AES-256-GCM and every addition is on the disk before it returns (WAL, `synchronous=FULL`); the others are the SDK's own,
as they come, on the same disk in the same run. Written by `make bench ARGS="memory --write"` on {machine}.

![turns per second, and the time to read the newest 50 items](bench-memory.svg)

Sessions take turns without a pause, each one after the other, all of them at once. *Warm*: they were used a moment ago.
*Cold*: they have a history of 50 items, but the process meets them for the first time. Each figure is the middle one of
three runs, each run in a process of its own, forked after all imports, which are set aside for its garbage collector
(`gc.freeze`, as a server does after its start); the kinds take turns, so that a slow minute meets all of them."""


def aims(figures: Figures) -> list[Aim]:
    """Compare with what was to be reached."""
    warm = figures.warm
    found: list[Aim] = []
    ours, theirs = warm[500][OURS], warm[500][figures.peer]
    if isinstance(ours, Run):
        found.append(
            Aim("500 sessions, warm", "at least 5,000 turns/s", f"{ours.per_second:,.0f}", ours.per_second >= 5000)
        )
        found.append(Aim("", "a turn's p99 at most 100 ms", f"{ours.p99:.0f} ms", ours.p99 <= 100))
    if isinstance(ours, Run) and isinstance(theirs, Run):
        ratio = ours.per_second / theirs.per_second
        found.append(Aim("", f"at least 5 times {figures.peer}", f"{ratio:.1f} times", ratio >= 5))
    alone, other = warm[1][OURS], warm[1][figures.peer]
    if isinstance(alone, Run) and isinstance(other, Run):
        ratio = alone.per_second / other.per_second
        found.append(Aim("one session", f"at least 0.8 times {figures.peer}", f"{ratio:.2f} times", ratio >= 0.8))
    held = {run.descriptors for runs in warm.values() if isinstance(run := runs[OURS], Run)}
    found.append(Aim("descriptors", "constant", " to ".join(map(str, sorted(held))), max(held) - min(held) <= 2))
    first = figures.reads[OURS].first
    ratio = first[max(first)] / first[min(first)]
    found.append(
        Aim(f"newest 50 of {max(first):,}", "at most 1.5 times those of 50", f"{ratio:.2f} times", ratio <= 1.5)
    )
    return found


def _tables(figures: Figures) -> list[tuple[str, list[list[str]]]]:
    reached = [["", "wanted", "measured", ""]]
    reached += [[aim.what, aim.wanted, aim.found, "holds" if aim.holds else "falls short"] for aim in aims(figures)]
    lengths = sorted(figures.reads[OURS].first)
    reads = [["newest 50 of so many items, ms", *(f"{length:,}" for length in lengths)]]
    for kind, measured in figures.reads.items():
        reads.append([f"{kind}, first", *(_ms(measured.first.get(length)) for length in lengths)])
        reads.append([f"{kind}, again", *(_ms(measured.again.get(length)) for length in lengths)])
    return [
        ("Aims", reached),
        ("Warm sessions", _runs(figures.warm)),
        ("Cold sessions", _runs(figures.cold)),
        ("Reading", reads),
    ]


def _ms(took: float | None) -> str:
    return "too long to make" if took is None else f"{took:.2f}"


def _runs(runs: dict[int, dict[str, Run | str]]) -> list[list[str]]:
    rows = [["sessions", "", "turns/s", "p50 ms", "p99 ms", "descriptors"]]
    for live, by_kind in runs.items():
        for kind, run in by_kind.items():
            if isinstance(run, Run):
                figures = [f"{run.per_second:,.0f}", f"{run.p50:.1f}", f"{run.p99:.1f}", f"{run.descriptors:,}"]
            else:
                figures = [f"failed: {run}", "", "", ""]
            rows.append([f"{live}", kind, *figures])
    return rows


def _markdown(rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    lines.insert(1, "|" + "---|" * len(rows[0]))
    return "\n".join(lines)


def _chart(figures: Figures) -> str:
    groups = {
        f"{live} live": {kind: run.per_second if isinstance(run, Run) else 0.0 for kind, run in by_kind.items()}
        for live, by_kind in figures.warm.items()
    }
    reads = {kind: measured.first for kind, measured in figures.reads.items()}
    return draw(
        Bars("Turns per second, warm sessions", groups),
        Lines("First read of the newest 50 items, ms, by length of history", reads),
    )
