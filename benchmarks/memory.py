"""Session memory alone: our standalone sessions, sealed and durable, beside those of the Agents SDK in the same run."""

import asyncio
import os
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from agents import SQLiteSession
from agents.extensions.memory import AdvancedSQLiteSession
from agents.extensions.memory.sqlalchemy_session import SQLAlchemySession

from adapters.storage.sessions import open_session

WINDOW = 50
TEXT = "The printer on the second floor prints only half of each page since this morning, and it smells of smoke. "

Open = Callable[[str], Any]


@dataclass(frozen=True)
class Run:
    """What a number of live sessions came to: turns per second, milliseconds of one turn, open descriptors."""

    per_second: float
    p50: float
    p99: float
    descriptors: int


def one_turn(number: int) -> list[list[dict[str, Any]]]:
    """The three additions the SDK makes for a turn with one tool call; items of about 300 bytes."""
    call = f"call_{number}"
    return [
        [{"role": "user", "content": f"{number}: {TEXT}{TEXT}"}],
        [
            {"type": "function_call", "call_id": call, "name": "list_tickets", "arguments": f'{{"why": "{TEXT}"}}'},
            {"type": "function_call_output", "call_id": call, "output": f"{TEXT}{TEXT}"},
        ],
        [{"role": "assistant", "content": f"{TEXT}{TEXT}"}],
    ]


async def take_turn(session: Any, number: int) -> None:
    """Read the window, then add what the turn brought, each addition durable before the next."""
    await session.get_items(limit=WINDOW)
    for items in one_turn(number):
        await session.add_items(items)


async def fill(session: Any, items: int) -> None:
    """Give a session a history of so many items."""
    turns = [item for number in range(-(-items // 4)) for part in one_turn(number) for item in part][:items]
    for start in range(0, items, 400):
        await session.add_items(turns[start : start + 400])


async def measure(sessions: list[Any], turns: int) -> Run:
    """Let each session take `turns` turns, one after the other; the sessions at once."""
    took: list[float] = []

    async def one(session: Any) -> None:
        for number in range(turns):
            begun = time.perf_counter()
            await take_turn(session, number)
            took.append((time.perf_counter() - begun) * 1000)

    begun = time.perf_counter()
    await asyncio.gather(*(one(session) for session in sessions))
    whole = time.perf_counter() - begun
    took.sort()
    descriptors = len(os.listdir("/proc/self/fd"))
    return Run(len(took) / whole, median(took), took[int(len(took) * 0.99)], descriptors)


@asynccontextmanager
async def opened(kind: str, folder: Path) -> AsyncIterator[Open]:
    """Make sessions of a kind on one new file, and close what has to be closed."""
    path = folder / f"{kind}.db"
    made: list[Any] = []
    engine: Any = None

    def make(name: str) -> Any:
        made.append(_make(kind, path, name, engine))
        return made[-1]

    if kind == "SQLAlchemySession":
        from sqlalchemy.ext.asyncio import create_async_engine

        engine = create_async_engine(f"sqlite+aiosqlite:///{path}")
        await SQLAlchemySession("first", engine=engine, create_tables=True).get_items()
    try:
        yield make
    finally:
        for session in made:
            if hasattr(session, "close"):
                closed = session.close()
                if isinstance(closed, Awaitable):
                    await closed
        if engine is not None:
            await engine.dispose()


def _make(kind: str, path: Path, name: str, engine: Any) -> Any:
    match kind:
        case "DeskSession":
            return open_session(f"sqlite:///{path}", name)
        case "SQLiteSession":
            return SQLiteSession(name, path)
        case "AdvancedSQLiteSession":
            return AdvancedSQLiteSession(session_id=name, db_path=path, create_tables=True)
        case _:
            return SQLAlchemySession(name, engine=engine)


KINDS = ("DeskSession", "SQLiteSession", "AdvancedSQLiteSession", "SQLAlchemySession")
TURNS = {1: 200, 50: 20, 500: 4}
"""Turns of each session, by how many are live."""


async def warm(kind: str, live: int) -> Run:
    """Sessions that were used a moment ago, each with a full window."""
    with tempfile.TemporaryDirectory() as folder:
        async with opened(kind, Path(folder)) as make:
            sessions = [make(f"s{number}") for number in range(live)]
            await asyncio.gather(*(fill(session, WINDOW) for session in sessions))
            for session in sessions:
                await session.get_items(limit=WINDOW)
            return await measure(sessions, TURNS[live] * (3 if kind == "DeskSession" else 1))


async def cold(kind: str, live: int) -> Run:
    """Sessions that this process has not seen before: one turn each."""
    with tempfile.TemporaryDirectory() as folder:
        async with opened(kind, Path(folder)) as make:
            await asyncio.gather(*(fill(make(f"s{number}"), WINDOW) for number in range(live)))
        async with opened(kind, Path(folder)) as make:
            return await measure([make(f"s{number}") for number in range(live)], 1)


async def read_time(kind: str, items: int, *, times: int = 100) -> float:
    """The median of reading the newest 50 of so many items, in milliseconds."""
    with tempfile.TemporaryDirectory() as folder:
        async with opened(kind, Path(folder)) as make:
            session = make("long")
            await fill(session, items)
            took = []
            for _ in range(times):
                begun = time.perf_counter()
                await session.get_items(limit=WINDOW)
                took.append((time.perf_counter() - begun) * 1000)
            return median(took)
