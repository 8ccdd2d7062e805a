"""What a turn costs and what a session weighs, in a store: `python -m benchmarks.costs [URL ...] [--write]`.

A turn here is a question, one tool call with its output and an answer, sealed, with a ScriptedModel in place of a
language model. Without a URL a SQLite file is measured; a PostgreSQL database has to be an empty one of its own.
"""

import argparse
import asyncio
import os
import sqlite3
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from adapters.sealing import MasterKey, open_sealer
from adapters.storage import open_store
from benchmarks.desk import Sink, say, scripted
from benchmarks.measured import PAGE, keep, kept
from benchmarks.page import put
from core.config import Settings
from core.desk import Desk
from core.ports import Outcome, Store
from core.queries.query import Query
from core.records.record import Commit

CUSTOMERS = 50
SHORT, LONG = 5, 20
"""Turns of each customer at which the store is weighed."""
ALONE = 20
RowT = TypeVar("RowT")


class Timed:
    """A store that is looked at while it works."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.seconds = 0.0
        self.writes = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def write(self, batch: Sequence[Commit]) -> list[Outcome]:
        self.writes += 1
        return await self._timed(self._store.write(batch))

    async def read(self, query: Query[RowT]) -> list[RowT]:
        return await self._timed(self._store.read(query))

    async def _timed(self, call: Awaitable[Any]) -> Any:
        begun = time.perf_counter()
        try:
            return await call
        finally:
            self.seconds += time.perf_counter() - begun


@dataclass(frozen=True)
class Scales:
    """How a store is weighed: all bytes it holds by table with its indices, bytes of log it wrote, seconds of CPU of
    its server (0 where it has none)."""

    tables: Callable[[], Awaitable[dict[str, int]]]
    written: Callable[[], Awaitable[int]]
    server: Callable[[], Awaitable[float]]


async def measure(url: str, scales: Scales) -> dict[str, Any]:
    """Let customers talk, and weigh what came of it."""
    with tempfile.TemporaryDirectory() as folder:
        keys = Path(folder) / "keys"
        async with open_store(url, desk=True) as store, open_sealer(keys, MasterKey(bytes(32)), fresh=True) as sealer:
            timed, sink = Timed(store), Sink()
            model = scripted(CUSTOMERS * LONG + ALONE)
            desk = Desk(settings=Settings(), store=timed, sealer=sealer, model=model, platforms=[sink])
            empty = await scales.tables()
            async with desk:
                await _talk(desk, sink, 0, SHORT)
                short = await scales.tables()
                before = await _reading(scales, timed)
                await _talk(desk, sink, SHORT, LONG)
                after = await _reading(scales, timed)
                long = await scales.tables()
                alone = await _alone(desk, sink, timed)
        found = _figures(_turns(before, after), empty, short, long)
        return found | {"store_ms": alone, "keyring_bytes_per_customer": _size(keys)}


async def _talk(desk: Desk, sink: Sink, first: int, last: int) -> None:
    async def one(user: str) -> None:
        for number in range(first, last):
            await say(desk, sink, user, number)

    await asyncio.gather(*(one(f"u{number}") for number in range(CUSTOMERS)))
    await desk.drain()
    await desk.writer.flush()


async def _alone(desk: Desk, sink: Sink, timed: Timed) -> float:
    """Milliseconds one customer's turn waits for the store, when nobody else is there."""
    before = timed.seconds
    for number in range(LONG, LONG + ALONE):
        await say(desk, sink, "u0", number)
    return (timed.seconds - before) * 1000 / ALONE


async def _reading(scales: Scales, timed: Timed) -> tuple[float, ...]:
    server, written = await scales.server(), await scales.written()
    return time.process_time(), server, written, timed.writes, time.perf_counter()


def _turns(before: tuple[float, ...], after: tuple[float, ...]) -> dict[str, float]:
    """Each of the differences, for one turn."""
    turns = CUSTOMERS * (LONG - SHORT)
    cpu, server, written, writes, passed = ((late - early) / turns for early, late in zip(before, after, strict=True))
    return {
        "cpu_ms": cpu * 1000,
        "server_cpu_ms": server * 1000,
        "bytes_written": written,
        "commits": writes,
        "turns_per_second": 1 / passed,
    }


def _figures(
    turn: dict[str, float], empty: dict[str, int], short: dict[str, int], long: dict[str, int]
) -> dict[str, Any]:
    """Bytes by table: so many for one more turn, so many for a session without its turns."""
    by_turn = {
        table: (long[table] - short[table]) / (CUSTOMERS * (LONG - SHORT))
        for table in long
        if long[table] > short[table]
    }
    whole = sum(by_turn.values())
    session = (sum(short.values()) - sum(empty.values())) / CUSTOMERS - whole * SHORT
    return turn | {"bytes_per_turn": whole, "bytes_per_session": max(0.0, session), "bytes_by_table": by_turn}


def _size(keys: Path) -> float:
    return sum(file.stat().st_size for file in keys.parent.glob("keys*")) / CUSTOMERS


# --- the scales -------------------------------------------------------------------------------------------------------


def sqlite_scales(file: Path) -> Scales:
    """Weigh a SQLite file by its own account of pages; what is written is what the process wrote to files."""

    async def tables() -> dict[str, int]:
        opened = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
        try:
            names = "SELECT m.tbl_name, sum(s.pgsize) FROM dbstat s JOIN sqlite_schema m ON m.name = s.name GROUP BY 1"
            return dict(opened.execute(names).fetchall())
        finally:
            opened.close()

    async def written() -> int:
        return _written_by_us()

    async def server() -> float:
        return 0.0

    return Scales(tables, written, server)


@asynccontextmanager
async def postgres_scales(url: str) -> AsyncIterator[Scales]:
    """Weigh a database by its server's account; its processes' CPU is read from this machine's /proc."""
    import asyncpg

    connection = await asyncpg.connect(url)

    async def tables() -> dict[str, int]:
        rows = await connection.fetch("SELECT relname, pg_total_relation_size(relid) FROM pg_stat_user_tables")
        return {name: int(size) for name, size in rows}

    async def written() -> int:
        return int(await connection.fetchval("SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')"))

    async def server() -> float:
        rows = await connection.fetch(OUR_PROCESSES)
        return sum(_cpu_seconds(pid) for (pid,) in rows)

    try:
        yield Scales(tables, written, server)
    finally:
        await connection.close()


OUR_PROCESSES = """
SELECT pid FROM pg_stat_activity
WHERE pid <> pg_backend_pid() AND (datname = current_database() OR datname IS NULL)
"""
"""Who serves this database, and the server's own chores (a few of which may be for others)."""


def _written_by_us() -> int:
    words = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    return int(words["wchar"])


def _cpu_seconds(pid: int) -> float:
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


# --- the page ---------------------------------------------------------------------------------------------------------


def tables_of(costs: dict[str, dict[str, Any]]) -> str:
    """The page's tables: of a turn, and of what is stored."""
    names = list(costs)
    lines = [f"| of one turn | {' | '.join(names)} |", "|---|" + "---|" * len(names)]
    for label, key, unit, digits in (
        ("CPU of the desk's process", "cpu_ms", "ms", 1),
        ("CPU of the database's server", "server_cpu_ms", "ms", 2),
        ("waited for in the store, one customer alone", "store_ms", "ms", 1),
        ("written to files, or to the server's log", "bytes_written", "bytes", 0),
        ("transactions, 50 customers at once", "commits", "", 2),
        ("stored, indices included", "bytes_per_turn", "bytes", 0),
    ):
        lines.append(f"| {label} | {' | '.join(f'{costs[name][key]:,.{digits}f} {unit}'.strip() for name in names)} |")
    lines += ["", f"| stored | {' | '.join(names)} |", "|---|" + "---|" * len(names)]
    lines.append(f"| a session and its customer, without turns | {_each(costs, 'bytes_per_session')} |")
    lines.append(f"| a customer's key, in the keyring | {_each(costs, 'keyring_bytes_per_customer')} |")
    lines.append(f"| a session of 20 turns | {_each_session(costs)} |")
    every = sorted({table for name in names for table in costs[name]["bytes_by_table"]})
    for table in every:
        cells = [f"{costs[name]['bytes_by_table'].get(table, 0):,.0f} bytes" for name in names]
        lines.append(f"| of a turn: `{table}` | {' | '.join(cells)} |")
    return "\n".join(lines)


def _each(costs: dict[str, dict[str, Any]], key: str) -> str:
    return " | ".join(f"{cost[key]:,.0f} bytes" for cost in costs.values())


def _each_session(costs: dict[str, dict[str, Any]]) -> str:
    sizes = (cost["bytes_per_session"] + 20 * cost["bytes_per_turn"] for cost in costs.values())
    return " | ".join(f"{size / 1024:,.0f} KiB" for size in sizes)


async def _measure_sqlite() -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "desk.db"
        return await measure(f"sqlite:///{file}", sqlite_scales(file))


async def _measure_postgres(url: str) -> dict[str, Any]:
    async with postgres_scales(url) as scales:
        return await measure(url, scales)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.costs", description=__doc__)
    parser.add_argument("urls", nargs="*", metavar="URL", help="of an empty PostgreSQL database")
    parser.add_argument("--write", action="store_true", help="keep the figures, and write the page")
    options = parser.parse_args()
    costs = {"SQLite": asyncio.run(_measure_sqlite())}
    for url in options.urls:
        costs["PostgreSQL"] = asyncio.run(_measure_postgres(url))
    costs = {name: {key: _rounded(value) for key, value in cost.items()} for name, cost in costs.items()}
    print(tables_of(costs))
    if options.write:
        keep("costs", kept("costs") | costs)
        put("costs", tables_of(kept("costs")), PAGE)


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _rounded(each) for name, each in value.items()}
    return round(value, 3)


if __name__ == "__main__":
    main()
