"""Session memory alone: our standalone sessions, sealed and durable, beside those of the Agents SDK in the same run.

A turn is what the SDK's Runner does to a session in a turn with one tool call: read the newest 50 items, then add the
question, the call with its output, and the answer. `python -m benchmarks memory [--quick] [--write]`. With `--store
postgresql://USER@HOST/DATABASE` all of it is on that server, in databases of its own that are dropped afterwards, and
`--warm 500 --write` puts its table into docs/bench.md.
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
from dataclasses import dataclass, replace
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
from benchmarks import servers
from benchmarks.memory_report import Figures, Reads, Run, print_runs, print_tables, table_of, write_page
from benchmarks.page import tell

OURS = "DeskSession"
KINDS = (OURS, "SQLiteSession", "AdvancedSQLiteSession", "SQLAlchemySession")
WINDOW = 50
ON_SERVERS = (OURS, "SQLAlchemySession")
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
    server: str | None = None


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
    async with opened(task, file) as make:
        sessions = [make(f"{number}") for number in range(task.count)]
        await asyncio.gather(*(fill(session, WINDOW) for session in sessions))
        await measure_turns(sessions, 2)
        gc.collect()
        return await measure_turns(sessions, task.turns)


async def cold(task: Task, file: Path) -> Run:
    """The first turn of sessions that have a history, but that this process has not seen before."""
    async with opened(task, file) as make:
        # The store is opened by another session: what is measured is the sessions, not the store.
        await make("first").get_items()
        return await measure_turns([make(f"{number}") for number in range(task.count)], 1)


async def prepare(task: Task, file: Path) -> None:
    """Make the file that `cold` and `read` measure in another process."""
    async with opened(task, file) as make:
        if task.what == "cold":
            await asyncio.gather(*(fill(make(f"{number}"), WINDOW) for number in range(task.count)))
        else:
            await fill(make("long"), task.count)


async def read(task: Task, file: Path) -> float:
    """Milliseconds of the first read of the newest 50 of a long history, in a process that has not seen it."""
    async with opened(task, file) as make:
        await make("first").get_items(limit=WINDOW)
        begun = time.perf_counter()
        found = await make("long").get_items(limit=WINDOW)
        took = (time.perf_counter() - begun) * 1000
        assert len(found) == WINDOW
        return took


async def read_again(task: Task, file: Path) -> float:
    """Milliseconds of reading the newest 50 of a history that was read before."""
    async with opened(task, file) as make:
        session, took = make("long"), []
        for _ in range(READS):
            begun = time.perf_counter()
            await session.get_items(limit=WINDOW)
            took.append((time.perf_counter() - begun) * 1000)
        return median(took)


@asynccontextmanager
async def opened(task: Task, file: Path) -> AsyncIterator[Callable[[str], Any]]:
    """Make sessions of a kind on one file or database, and close what has to be closed."""
    kind = task.kind
    if kind == "SQLAlchemySession":
        url = f"sqlite+aiosqlite:///{file}" if task.server is None else servers.for_sqlalchemy(task.server)
        # On a server as many connections as a careful operator would give it, and all the time it needs for its turn.
        engine = create_async_engine(url, **({"pool_size": 20, "pool_timeout": SECONDS} if task.server else {}))
        await SQLAlchemySession("tables", engine=engine, create_tables=True).get_items()
        try:
            yield lambda name: SQLAlchemySession(name, engine=engine)
        finally:
            await engine.dispose()
        return
    made: list[Any] = []

    def make(name: str) -> Any:
        made.append(MAKERS[kind](name, file) if task.server is None else _on_server(name, file, task.server))
        return made[-1]

    try:
        yield make
    finally:
        for session in made:
            session.close()


def _on_server(name: str, file: Path, server: str) -> Any:
    return open_session(server, name, keyring=f"{file}.keys", master_key="ab" * 32)


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


def turns_of(what: str, live: int, *, quick: bool, server: str | None) -> dict[str, Run | str]:
    """Measure every kind a few times, by turns so that a slow minute meets all; the middle one of each counts."""
    kinds = KINDS if server is None else ON_SERVERS
    runs: dict[str, list[Run]] = {kind: [] for kind in kinds}
    failed: dict[str, str] = {}
    for _ in range(1 if quick else ROUNDS):
        for kind in kinds:
            turns = LIVE.get(live, 60) if kind == OURS else max(4, LIVE.get(live, 60) // 6)
            try:
                turns = turns if not quick else max(2, turns // 4)
                runs[kind].append(_turns(Task(kind, what, live, turns, server)))
            except (RuntimeError, TimeoutError) as error:
                failed[kind] = str(error)
    return {kind: sorted(found)[len(found) // 2] if found else failed[kind] for kind, found in runs.items()}


def _turns(task: Task) -> Run:
    with tempfile.TemporaryDirectory() as folder, servers.database_on(task.server) as server:
        task = replace(task, server=server)
        file = Path(folder) / "sessions.db"
        if task.what == "cold":
            in_a_process("prepare", task, file)
        run: Run = in_a_process(task.what, task, file)
        return run


def reads_of(kind: str, *, quick: bool, server: str | None) -> Reads:
    """Measure the newest 50 of longer and longer histories, the first time and again, until a kind needs too long."""
    first: dict[int, float] = {}
    again: dict[int, float] = {}
    for items in HISTORIES[: 3 if quick else None]:
        with (
            tempfile.TemporaryDirectory() as folder,
            servers.database_on(server) as url,
            suppress(RuntimeError, TimeoutError),
        ):
            task = Task(kind, "read", items, server=url)
            file = Path(folder) / "sessions.db"
            in_a_process("prepare", task, file)
            first[items] = median(in_a_process("read", task, file) for _ in range(5 if quick else READS))
            again[items] = in_a_process("read again", task, file)
    return Reads(first, again)


def machine(server: str | None) -> str:
    """Say what this was measured on."""
    engine = f"SQLite {sqlite3.sqlite_version}" if server is None else servers.version_of(server)
    python = platform.python_version()
    return f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {python}, {engine}"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks memory", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="less of everything: to see that it runs")
    parser.add_argument("--write", action="store_true", help="write the page and the chart in docs/")
    parser.add_argument("--store", metavar="URL", help="a PostgreSQL server to measure on, instead of files")
    parser.add_argument("--warm", type=int, metavar="SESSIONS", help="only warm turns of so many sessions at once")
    options = parser.parse_args()
    if options.write and options.store and not options.warm:
        parser.error("--write has a page for files, and with --warm a table for a server")
    gc.collect()
    gc.freeze()
    how = {"quick": options.quick, "server": options.store}
    if options.warm:
        runs, where = {options.warm: turns_of("warm", options.warm, **how)}, machine(options.store)
        if options.store and options.write:
            return tell("sessions on a server", f"{table_of(runs)}\n\nMeasured on {where}.")
        return print_runs("Warm sessions", runs, where)
    figures = Figures(
        machine=machine(options.store),
        warm={live: turns_of("warm", live, **how) for live in LIVE},
        cold={live: turns_of("cold", live, **how) for live in LIVE},
        reads={kind: reads_of(kind, **how) for kind in (KINDS if options.store is None else ON_SERVERS)},
        peer="SQLiteSession" if options.store is None else "SQLAlchemySession",
    )
    print_tables(figures)
    if options.write:
        write_page(figures)


if __name__ == "__main__":
    main()
