"""Where a comparison takes place: servers on this machine, a database of its own, and the handler all engines call."""

import asyncio
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg

from benchmarks.engines.truth import Handled

DATABASE = "deskmate_engines"
LANES = 40
AT_ONCE = 20
"""Events one worker process handles at once."""
HANDLER_SECONDS = 0.003
FOR_EVER = 3600.0


@dataclass(frozen=True, slots=True)
class House:
    """The servers: `postgres` without a database, ours and theirs are `DATABASE`."""

    postgres: str = os.environ.get("ENGINES_POSTGRES", "postgresql://postgres@127.0.0.1:5432")
    redis: str = os.environ.get("ENGINES_REDIS", "redis://127.0.0.1:6379")
    nats: str = os.environ.get("ENGINES_NATS", "nats://127.0.0.1:4222")

    @property
    def database(self) -> str:
        """The address of the database all engines on PostgreSQL share."""
        return f"{self.postgres}/{DATABASE}"


@dataclass(frozen=True, slots=True)
class Event:
    """What is handed in. An event that `holds` never ends the first time: its worker is killed with it."""

    lane: str
    number: int
    sent: float
    holds: bool = False

    def words(self) -> dict[str, str | int | float | bool]:
        """Make it JSON."""
        return {"lane": self.lane, "number": self.number, "sent": self.sent, "holds": self.holds}


async def make_database(house: House) -> None:
    """Make the database anew, with the tables the truth is written into."""
    await drop_database(house)
    connection = await asyncpg.connect(f"{house.postgres}/postgres")
    await connection.execute(f"CREATE DATABASE {DATABASE}")
    await connection.close()
    connection = await asyncpg.connect(house.database)
    await connection.execute(
        """
        CREATE TABLE handled (
            lane text, number integer, sent float8, begun float8, ended float8, worker text
        );
        CREATE TABLE held (lane text, at float8, pid integer);
        """
    )
    await connection.close()


async def drop_database(house: House) -> None:
    """Leave nothing behind."""
    connection = await asyncpg.connect(f"{house.postgres}/postgres")
    await connection.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
    await connection.close()


class Truth:
    """Handles events: a few milliseconds of work, then a row. One per worker process and event loop."""

    def __init__(self, house: House, worker: str) -> None:
        self._house = house
        self._worker = worker
        self._pool: asyncpg.Pool | None = None
        self._opening = asyncio.Lock()

    async def handle(self, event: Event) -> None:
        """Work on an event and write down when and by whom."""
        begun = time.time()
        pool = await self.pool()
        if event.holds and await self._holds(pool, event, begun):
            await asyncio.sleep(FOR_EVER)
        await asyncio.sleep(HANDLER_SECONDS)
        await pool.execute(
            "INSERT INTO handled VALUES ($1, $2, $3, $4, $5, $6)",
            event.lane,
            event.number,
            event.sent,
            begun,
            time.time(),
            self._worker,
        )

    async def _holds(self, pool: asyncpg.Pool, event: Event, begun: float) -> bool:
        await pool.execute("INSERT INTO held VALUES ($1, $2, $3)", event.lane, begun, os.getpid())
        return await pool.fetchval("SELECT count(*) FROM held WHERE lane = $1", event.lane) == 1

    async def pool(self) -> asyncpg.Pool:
        """The connections the truth is written over, opened before the first event where an engine lets us."""
        async with self._opening:
            if self._pool is None:
                self._pool = await asyncpg.create_pool(self._house.database, min_size=4, max_size=8)
        return self._pool


class Books:
    """Reads the truth, for who runs the comparison."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._open: asyncpg.Connection | None = None

    async def renew(self) -> None:
        """Begin a scene: on a database made anew, so that an engine meets nothing of the one before."""
        await self.close()
        await make_database(self._house)
        self._open = await asyncpg.connect(self._house.database)

    async def close(self) -> None:
        """Let go of the database."""
        if self._open:
            await self._open.close()

    @property
    def _connection(self) -> asyncpg.Connection:
        assert self._open, "renew comes first"
        return self._open

    async def handled(self) -> list[Handled]:
        """All that was handled."""
        return [Handled(*row) for row in await self._connection.fetch("SELECT * FROM handled")]

    async def held(self, lane: str, runs: int, *, within: float) -> Sequence[tuple[float, int]]:
        """When an event that holds was begun, and in which process: so many runs of it, or fewer when time is up."""
        rows: list[asyncpg.Record] = []
        end = time.monotonic() + within
        while len(rows) < runs and time.monotonic() < end:
            await asyncio.sleep(0.02)
            rows = await self._connection.fetch("SELECT at, pid FROM held WHERE lane = $1 ORDER BY at", lane)
        return [(row["at"], row["pid"]) for row in rows]

    async def until(self, count: int, *, within: float) -> bool:
        """Wait for so many handled events; False when they did not come in time."""
        end = time.monotonic() + within
        while time.monotonic() < end:
            if await self._connection.fetchval("SELECT count(*) FROM handled") >= count:
                return True
            await asyncio.sleep(0.05)
        return False
