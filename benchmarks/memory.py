"""Session memory alone: our standalone sessions, sealed and durable, beside those of the Agents SDK in the same run.

A turn is what the SDK's Runner does to a session in a turn with one tool call: read the newest 50 items, then add the
question, the call with its output, and the answer. `python -m benchmarks memory [--quick] [--write]`.
"""

import argparse
import asyncio
import gc
import os
import platform
import resource
import sqlite3
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from typing import Any

from agents import SQLiteSession
from agents.extensions.memory import AdvancedSQLiteSession
from agents.extensions.memory.sqlalchemy_session import SQLAlchemySession
from sqlalchemy.ext.asyncio import create_async_engine

from adapters.storage.sessions import open_session
from benchmarks.memory_report import Figures, Reads, Run, print_tables, write_page

OURS = "DeskSession"
KINDS = (OURS, "SQLiteSession", "AdvancedSQLiteSession", "SQLAlchemySession")
WINDOW = 50
LIVE = {1: 400, 50: 60, 500: 24}
"""How many sessions at once, and how many turns each of ours takes; the others take a sixth."""
HISTORIES = (50, 500, 5_000, 50_000, 100_000)
ROUNDS = 3
READS = 21
SECONDS = 240.0
WORDS = "The printer on the second floor prints only half of each page since this morning. "


@dataclass(frozen=True)
class Task:
    """What one process measures."""

    kind: str
    what: str
    count: int
    turns: int = 0


def one_turn(number: int) -> list[list[dict[str, Any]]]:
    """The three additions of a turn, in the shapes the Runner stores; items of about 300 bytes."""
    call, text = f"call_{number:012}", f"{number}: {WORDS}"
    answer = {"type": "output_text", "text": text + WORDS[:60], "annotations": [], "logprobs": []}
    return [
        [{"role": "user", "content": text + WORDS * 2}],
        [
            {
                "type": "function_call",
                "call_id": call,
                "id": f"fc_{number:012}",
                "name": "look_up_device",
                "arguments": f'{{"place": "second floor", "why": "{WORDS}{WORDS}"}}',
                "status": "completed",
            },
            {"type": "function_call_output", "call_id": call, "output": WORDS * 3},
        ],
        [
            {
                "type": "message",
                "id": f"msg_{number:012}",
                "role": "assistant",
                "status": "completed",
                "content": [answer],
            }
        ],
    ]


async def take_turn(session: Any, number: int) -> None:
    """Read the window, then add what the turn brought, each addition durable before the next."""
    await session.get_items(limit=WINDOW)
    for items in one_turn(number):
        await session.add_items(items)


async def fill(session: Any, items: int) -> None:
    """Give a session a history of so many items."""
    for first in range(0, items, 400):
        turns = range(first // 4, (min(first + 400, items) + 3) // 4)
        said = [item for number in turns for part in one_turn(number) for item in part]
        await session.add_items(said[: items - first])


# --- one process each -------------------------------------------------------------------------------------------------


async def measure_turns(sessions: Sequence[Any], turns: int) -> Run:
    """Let each session take its turns one after the other, all sessions at once."""
    took: list[float] = []

    async def live(session: Any) -> None:
        for number in range(turns):
            begun = time.perf_counter()
            await take_turn(session, number)
            took.append((time.perf_counter() - begun) * 1000)

    begun = time.perf_counter()
    await asyncio.gather(*(live(session) for session in sessions))
    whole = time.perf_counter() - begun
    took.sort()
    descriptors = len(os.listdir("/proc/self/fd"))
    return Run(len(took) / whole, median(took), took[int(len(took) * 0.99)], descriptors)


async def warm(task: Task, file: Path) -> Run:
    """Turns of sessions that are in use: each has a full window, and has taken turns before."""
    async with opened(task.kind, file) as make:
        sessions = [make(f"{number}") for number in range(task.count)]
        await asyncio.gather(*(fill(session, WINDOW) for session in sessions))
        await measure_turns(sessions, 2)
        gc.collect()
        return await measure_turns(sessions, task.turns)


async def cold(task: Task, file: Path) -> Run:
    """The first turn of sessions that have a history, but that this process has not seen before."""
    async with opened(task.kind, file) as make:
        # The store is opened by another session: what is measured is the sessions, not the store.
        await make("first").get_items()
        return await measure_turns([make(f"{number}") for number in range(task.count)], 1)


async def prepare(task: Task, file: Path) -> None:
    """Make the file that `cold` and `read` measure in another process."""
    async with opened(task.kind, file) as make:
        if task.what == "cold":
            await asyncio.gather(*(fill(make(f"{number}"), WINDOW) for number in range(task.count)))
        else:
            await fill(make("long"), task.count)


async def read(task: Task, file: Path) -> float:
    """Milliseconds of the first read of the newest 50 of a long history, in a process that has not seen it."""
    async with opened(task.kind, file) as make:
        await make("first").get_items(limit=WINDOW)
        begun = time.perf_counter()
        found = await make("long").get_items(limit=WINDOW)
        took = (time.perf_counter() - begun) * 1000
        assert len(found) == WINDOW
        return took


async def read_again(task: Task, file: Path) -> float:
    """Milliseconds of reading the newest 50 of a history that was read before."""
    async with opened(task.kind, file) as make:
        session, took = make("long"), []
        for _ in range(READS):
            begun = time.perf_counter()
            await session.get_items(limit=WINDOW)
            took.append((time.perf_counter() - begun) * 1000)
        return median(took)


@asynccontextmanager
async def opened(kind: str, file: Path) -> AsyncIterator[Callable[[str], Any]]:
    """Make sessions of a kind on one file, and close what has to be closed."""
    if kind == "SQLAlchemySession":
        engine = create_async_engine(f"sqlite+aiosqlite:///{file}")
        await SQLAlchemySession("tables", engine=engine, create_tables=True).get_items()
        try:
            yield lambda name: SQLAlchemySession(name, engine=engine)
        finally:
            await engine.dispose()
        return
    made: list[Any] = []

    def make(name: str) -> Any:
        made.append(MAKERS[kind](name, file))
        return made[-1]

    try:
        yield make
    finally:
        for session in made:
            session.close()


MAKERS: dict[str, Callable[[str, Path], Any]] = {
    OURS: lambda name, file: open_session(f"sqlite:///{file}", name),
    "SQLiteSession": SQLiteSession,
    "AdvancedSQLiteSession": lambda name, file: AdvancedSQLiteSession(
        session_id=name, db_path=file, create_tables=True
    ),
}
MEASURES: dict[str, Callable[[Task, Path], Coroutine[Any, Any, Any]]] = {
    "warm": warm,
    "cold": cold,
    "prepare": prepare,
    "read": read,
    "read again": read_again,
}


def in_a_process(name: str, task: Task, file: Path) -> Any:
    """Measure in a process of its own, forked after all imports; what was imported is no work for its collector."""
    here, there = get_context("fork").Pipe(duplex=False)
    process = get_context("fork").Process(target=_child, args=(name, task, file, there))
    process.start()
    there.close()
    try:
        answer = here.recv() if here.poll(SECONDS) else TimeoutError(f"no answer in {SECONDS:.0f} s")
    except EOFError:
        answer = RuntimeError("the process died")
    process.kill()
    process.join()
    if isinstance(answer, BaseException):
        raise answer
    return answer


def _child(name: str, task: Task, file: Path, answer: Connection) -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    try:
        answer.send(asyncio.run(MEASURES[name](task, file)))
    except Exception as error:
        answer.send(RuntimeError(f"{type(error).__name__}: {error}"[:120]))


# --- all of it --------------------------------------------------------------------------------------------------------


def turns_of(what: str, live: int, *, quick: bool) -> dict[str, Run | str]:
    """Measure every kind a few times, by turns so that a slow minute meets all; the middle one of each counts."""
    runs: dict[str, list[Run]] = {kind: [] for kind in KINDS}
    failed: dict[str, str] = {}
    for _ in range(1 if quick else ROUNDS):
        for kind in KINDS:
            turns = LIVE[live] if kind == OURS else max(4, LIVE[live] // 6)
            try:
                runs[kind].append(_turns(Task(kind, what, live, turns if not quick else max(2, turns // 4))))
            except (RuntimeError, TimeoutError) as error:
                failed[kind] = str(error)
    return {kind: sorted(found)[len(found) // 2] if found else failed[kind] for kind, found in runs.items()}


def _turns(task: Task) -> Run:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "sessions.db"
        if task.what == "cold":
            in_a_process("prepare", task, file)
        run: Run = in_a_process(task.what, task, file)
        return run


def reads_of(kind: str, *, quick: bool) -> Reads:
    """Measure the newest 50 of longer and longer histories, the first time and again, until a kind needs too long."""
    first: dict[int, float] = {}
    again: dict[int, float] = {}
    for items in HISTORIES[: 3 if quick else None]:
        task = Task(kind, "read", items)
        with tempfile.TemporaryDirectory() as folder, suppress(RuntimeError, TimeoutError):
            file = Path(folder) / "sessions.db"
            in_a_process("prepare", task, file)
            first[items] = median(in_a_process("read", task, file) for _ in range(5 if quick else READS))
            again[items] = in_a_process("read again", task, file)
    return Reads(first, again)


def machine() -> str:
    """Say what this was measured on."""
    python, sqlite = platform.python_version(), sqlite3.sqlite_version
    return f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {python}, SQLite {sqlite}"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks memory", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="less of everything: to see that it runs")
    parser.add_argument("--write", action="store_true", help="write the page and the chart in docs/")
    options = parser.parse_args()
    gc.collect()
    gc.freeze()
    figures = Figures(
        machine=machine(),
        warm={live: turns_of("warm", live, quick=options.quick) for live in LIVE},
        cold={live: turns_of("cold", live, quick=options.quick) for live in LIVE},
        reads={kind: reads_of(kind, quick=options.quick) for kind in KINDS},
    )
    print_tables(figures)
    if options.write:
        write_page(figures)


if __name__ == "__main__":
    main()
