"""Sessions in Redis: ours, sealed, with turns and branches, beside the Agents SDK's RedisSession on the same server.

A turn is what the SDK's Runner does to a session in a turn with one tool call (see `benchmarks/memory.py`), on 1,000
items of history: read the newest 50, or all as the Runner does where nobody sets a limit, then three additions.
`python -m benchmarks redis [--quick] [--write]`; another server than the local one: TEST_REDIS=redis://...
"""

import argparse
import asyncio
import gc
import os
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from statistics import median
from typing import Any

import redis.asyncio
from agents.extensions.memory.redis_session import RedisSession

from adapters.storage.sessions import open_session
from benchmarks.memory import fill, one_turn
from benchmarks.page import tell

SERVER = os.environ.get("TEST_REDIS", "redis://127.0.0.1:6379/0")
HISTORY = 1_000
LIVE = 500
ROUNDS = 5
OURS, THEIRS = "DeskSession", "RedisSession"


@dataclass(frozen=True)
class Run:
    """What some turns came to: turns per second, milliseconds of a turn, errors, connections the server has more."""

    per_second: float
    p50: float
    p99: float
    errors: int
    connections: int


@asynccontextmanager
async def opened(kind: str) -> AsyncIterator[Callable[[str], Any]]:
    """Make sessions of a kind under a prefix of their own, and delete all that is there at the end."""
    prefix = f"deskmate-bench-{uuid.uuid4().hex}"
    # One client for all of theirs, as its page advises; it waits for a connection, else 500 sessions end in errors.
    pool = redis.asyncio.BlockingConnectionPool.from_url(SERVER, max_connections=50, timeout=None)
    client: Any = redis.asyncio.Redis(connection_pool=pool)
    made: list[Any] = []

    def make(name: str) -> Any:
        if kind == OURS:
            made.append(open_session(f"{SERVER}?prefix={prefix}", name, master_key="00" * 32))
            return made[-1]
        return RedisSession(name, redis_client=client, key_prefix=prefix)

    try:
        yield make
    finally:
        for session in made:
            session.close()
        keys = [key async for key in client.scan_iter(f"{prefix}:*", count=1000)]
        for key in keys:
            await client.delete(key)
        await client.aclose()
        await pool.disconnect()


async def turns_of(sessions: list[Any], turns: int, *, limit: int | None) -> Run:
    """Let each session take its turns one after the other, all sessions at once."""
    took: list[float] = []
    errors = 0

    async def live(session: Any) -> None:
        nonlocal errors
        for number in range(turns):
            begun = time.perf_counter()
            try:
                await session.get_items(limit=limit)
                for items in one_turn(number):
                    await session.add_items(items)
            except Exception:
                errors += 1
            took.append((time.perf_counter() - begun) * 1000)

    begun = time.perf_counter()
    await asyncio.gather(*map(live, sessions))
    whole = time.perf_counter() - begun
    took.sort()
    return Run(len(took) / whole, median(took), took[int(len(took) * 0.99)], errors, await connections())


async def connections() -> int:
    """How many clients the server has, but for the one that asks."""
    async with redis.asyncio.Redis.from_url(SERVER) as client:
        return int((await client.info("clients"))["connected_clients"]) - 1


async def one(kind: str, limit: int | None, *, quick: bool) -> Run:
    """Turns of one session with a history, after a few that warm up."""
    before = await connections()
    async with opened(kind) as make:
        session = make("long")
        await fill(session, HISTORY)
        await turns_of([session], 3, limit=limit)
        gc.collect()
        run = await turns_of([session], 10 if quick else 60, limit=limit)
        return Run(run.per_second, run.p50, run.p99, run.errors, run.connections - before)


async def many(kind: str, limit: int | None, *, quick: bool) -> Run:
    """Turns of many live sessions, each with a full window."""
    before = await connections()
    async with opened(kind) as make:
        sessions = [make(f"{number}") for number in range(LIVE)]
        await asyncio.gather(*(fill(session, 50) for session in sessions))
        gc.collect()
        run = await turns_of(sessions, 1 if quick else 6, limit=limit)
        return Run(run.per_second, run.p50, run.p99, run.errors, run.connections - before)


def both(measure: Callable[..., Any], limit: int | None, *, quick: bool) -> dict[str, Run]:
    """Measure both kinds a few times, by turns so that a slow minute meets both; the middle one of each counts."""
    runs: dict[str, list[Run]] = {OURS: [], THEIRS: []}
    for _ in range(1 if quick else ROUNDS):
        for kind, found in runs.items():
            found.append(asyncio.run(measure(kind, limit, quick=quick)))
    return {kind: sorted(found, key=lambda run: run.p50)[len(found) // 2] for kind, found in runs.items()}


def row(name: str, runs: dict[str, Run]) -> str:
    """One line of the table."""
    ours, theirs = runs[OURS], runs[THEIRS]
    cells = [
        name,
        *(f"{run.p50:.2f} ms, p99 {run.p99:.1f}" for run in (ours, theirs)),
        f"{theirs.p50 / ours.p50:.1f} x",
        *(f"{run.per_second:,.0f}" for run in (ours, theirs)),
        f"{ours.errors} / {theirs.errors}",
        f"{ours.connections} / {theirs.connections}",
    ]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks redis", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="less of everything: to see that it runs")
    parser.add_argument("--write", action="store_true", help="put the table into docs/bench.md")
    options = parser.parse_args()
    gc.collect()
    gc.freeze()
    found = [
        (f"one session, {HISTORY:,} items, the newest 50 read", both(one, 50, quick=options.quick)),
        (f"one session, {HISTORY:,} items, all read", both(one, None, quick=options.quick)),
        (f"{LIVE} live sessions, the newest 50 read", both(many, 50, quick=options.quick)),
    ]
    head = ["| | DeskSession | RedisSession | | turns/s | turns/s | errors | connections |", "|---" * 8 + "|"]
    tell("redis", "\n".join([*head, *(row(name, runs) for name, runs in found)]))


if __name__ == "__main__":
    main()
