"""Reading and writing the rows of a store in PostgreSQL: the same tables and keys, in the same order."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING

from adapters.storage.migrations import load_migrations
from adapters.storage.moving.tables import PAGE, Row, Table, TableReader, Value, newest_schema, tables_at
from adapters.storage.postgres_schema import prepare_schema
from adapters.storage.postgres_server import TROUBLE, Server
from core.errors import StoreBusyError, StoreError

if TYPE_CHECKING:
    from asyncpg import Connection

LONG = 24 * 3600.0
"""Seconds a statement may take: a table is asked for in pages, but a check asks for all of it."""
PATIENCE = 10.0
_SETTINGS = {
    "statement_timeout": "0",
    # One side is read while nothing is asked of the other.
    "idle_in_transaction_session_timeout": "0",
    # A desk looks rows up; here whole tables are joined.
    "enable_seqscan": "on",
    "enable_hashjoin": "on",
    "enable_mergejoin": "on",
    "plan_cache_mode": "auto",
}
_MARK = re.compile(r"\?(\d+)")
_MOVER = 0x4465736B6D6F7665
"""The advisory lock of whoever moves a whole store ("Deskmove")."""


class PostgresRows:
    """A `TableReader` over one connection, in a transaction that sees one moment; or a `TableWriter`."""

    def __init__(self, connection: "Connection", server: Server) -> None:
        self.name = server.place
        self.schema = newest_schema()
        self._connection = connection
        self._server = server

    async def page(self, table: Table, after: Row | None) -> list[Row]:
        """Read rows; see `TableReader`."""
        key = ", ".join(table.key)
        marks = ", ".join(f"${number}" for number in range(1, len(table.key) + 1))
        where = f"WHERE ({key}) > ({marks})" if after else ""
        columns = ", ".join(table.columns)
        query = f"SELECT {columns} FROM {table.name} {where} ORDER BY {key} LIMIT {PAGE}"  # noqa: S608 - names of our own schema
        return await self._fetch(query, *(after or ()))

    async def ask(self, question: str) -> list[Row]:
        """Answer a question in SQL."""
        return await self._fetch(question)

    async def counters(self) -> dict[str, int]:
        """Read the counters; see `TableReader`."""
        found = {}
        for table in self._counted():
            ((last, given),) = await self._fetch(f"SELECT last_value, is_called FROM {await self._sequence(table)}")  # noqa: S608
            if given:
                found[table.name] = int(last or 0)
        return dict(sorted(found.items()))

    async def place(self, table: Table) -> Row | None:
        """The key of the last row; see `TableWriter`."""
        key, order = ", ".join(table.key), ", ".join(f"{column} DESC" for column in table.key)
        rows = await self._fetch(f"SELECT {key} FROM {table.name} ORDER BY {order} LIMIT 1")  # noqa: S608
        return rows[0] if rows else None

    async def add(self, table: Table, rows: list[Row]) -> None:
        """Write rows; see `TableWriter`."""
        with errors_of(self._server):
            await self._connection.copy_records_to_table(table.name, records=rows, columns=table.columns, timeout=LONG)

    async def count_on(self, counters: dict[str, int]) -> None:
        """Set the counters; see `TableWriter`."""
        for table in self._counted():
            last = counters.get(table.name)
            await self._fetch(
                "SELECT setval($1::text::regclass, $2, $3)", await self._sequence(table), last or 1, bool(last)
            )

    async def finish(self) -> None:
        """Let it be a store; see `TableWriter`."""
        with errors_of(self._server):
            async with self._connection.transaction():
                for one in load_migrations("postgres"):
                    await self._connection.execute(
                        "UPDATE migration SET checksum = $1 WHERE number = $2", one.checksum, one.number
                    )
                await self._connection.execute("DROP TABLE copying")
            # What was copied has no statistics yet; without them the first questions would be planned badly.
            await self._connection.execute("ANALYZE", timeout=LONG)

    def _counted(self) -> list[Table]:
        return [table for table in tables_at(self.schema) if table.counted]

    async def _sequence(self, table: Table) -> str:
        ((name,),) = await self._fetch("SELECT pg_get_serial_sequence($1, $2)", table.name, table.key[0])
        return str(name)

    async def _fetch(self, query: str, *values: object) -> list[Row]:
        with errors_of(self._server):
            return [tuple(row) for row in await self._connection.fetch(query, *values, timeout=LONG)]


@contextmanager
def errors_of(server: Server) -> Iterator[None]:
    """Turn what the driver raises into a StoreError of one line."""
    try:
        yield
    except TROUBLE as error:
        raise server.error(error) from error


@asynccontextmanager
async def read_now(url: str) -> AsyncIterator[PostgresRows]:
    """Open a store as it is now; whoever serves it goes on."""
    async with _connected(url) as (connection, server):
        with errors_of(server):
            await connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            await _require_store(connection, server)
        yield PostgresRows(connection, server)


@asynccontextmanager
async def take_source(url: str) -> AsyncIterator[PostgresRows]:
    """Open a store to be moved away, and keep everybody from writing to it meanwhile."""
    async with _connected(url) as (connection, server):
        with errors_of(server):
            await _take(connection, server)
            await connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
            await _require_store(connection, server)
            tables = ", ".join(table.name for table in tables_at(newest_schema()))
            await connection.execute(f"LOCK TABLE {tables} IN SHARE MODE")
        yield PostgresRows(connection, server)


@asynccontextmanager
async def take_to_mend(url: str) -> AsyncIterator["PostgresMending"]:
    """Open a store to be repaired, in one transaction, and keep everybody from it meanwhile."""
    async with _connected(url) as (connection, server):
        with errors_of(server):
            await _take_soon(connection, server)
            async with connection.transaction():
                await _require_store(connection, server)
                tables = ", ".join(table.name for table in tables_at(newest_schema()))
                await connection.execute(f"LOCK TABLE {tables} IN EXCLUSIVE MODE")
                yield PostgresMending(connection)


class PostgresMending:
    """A `adapters.storage.checking.repairs.Mending` over one connection."""

    def __init__(self, connection: "Connection") -> None:
        self.tables: Sequence[Table] = tables_at(newest_schema())
        self._connection = connection

    async def run(self, sql: str, *values: Value) -> list[Row]:
        """Run a statement; see `Mending`."""
        numbered = _MARK.sub(r"$\1", sql)
        return [tuple(row) for row in await self._connection.fetch(numbered, *values, timeout=LONG)]


@asynccontextmanager
async def new_store(url: str, source: TableReader) -> AsyncIterator[PostgresRows]:
    """Open the database to move into: an empty one, or one that was begun from that source."""
    if source.schema != newest_schema():
        raise StoreError(f"{source.name} is at schema {source.schema}: run `deskmate migrate` on it first")
    async with _connected(url) as (connection, server):
        with errors_of(server):
            await _take(connection, server)
            await _begin(connection, server, source)
        yield PostgresRows(connection, server)


@asynccontextmanager
async def _connected(url: str) -> AsyncIterator[tuple["Connection", Server]]:
    server = Server(url, PATIENCE)
    connection = await server.patiently(lambda: server.connect(**_SETTINGS))
    try:
        yield connection, server
    finally:
        await connection.close(timeout=10)


async def _take_soon(connection: "Connection", server: Server) -> None:
    """Take a store that this process itself had open a moment ago: the server may not have noticed its leaving."""
    for _ in range(20):
        try:
            return await _take(connection, server)
        except StoreBusyError:
            await asyncio.sleep(0.1)
    return await _take(connection, server)


async def _take(connection: "Connection", server: Server) -> None:
    """Refuse where somebody else moves the store, or a desk works it."""
    if not await connection.fetchval("SELECT pg_try_advisory_lock($1)", _MOVER):
        raise StoreBusyError(f"{server.place} is being moved by another process: let that one finish")
    others = await connection.fetchval(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        " AND application_name LIKE 'deskmate%'"
    )
    held = 0
    if await connection.fetchval("SELECT to_regclass('lane')") is not None:
        held = await connection.fetchval("SELECT count(*) FROM lane, clock WHERE worker IS NOT NULL AND lease > now")
    if others or held:
        raise StoreBusyError(
            f"{server.place} is worked ({others} connections, {held} lanes held): stop its desks and programs first"
        )


async def _begin(connection: "Connection", server: Server, source: TableReader) -> None:
    if await connection.fetchval("SELECT to_regclass('copying')") is not None:
        begun = await connection.fetchval("SELECT source FROM copying")
        if begun != source.name:
            raise StoreError(f"{server.place} holds the unfinished copy of {begun}: copy from there again, or empty it")
        return
    await prepare_schema(connection, server.place)
    for table in tables_at(newest_schema()):
        if not table.seeded and await connection.fetchval(f"SELECT 1 FROM {table.name} LIMIT 1"):  # noqa: S608 - names of our own schema
            raise StoreError(f"{server.place} holds content already: move to a database that is empty")
    async with connection.transaction():
        for table in tables_at(newest_schema()):
            await connection.execute(f"DELETE FROM {table.name}")  # noqa: S608 - names of our own schema
        await connection.execute("CREATE TABLE copying (source text NOT NULL)")
        await connection.execute("INSERT INTO copying VALUES ($1)", source.name)
        # No desk opens a store whose schema it does not know: not before all is there.
        await connection.execute("UPDATE migration SET checksum = 'unfinished copy'")


async def _require_store(connection: "Connection", server: Server) -> None:
    if await connection.fetchval("SELECT to_regclass('migration')") is None:
        raise StoreError(f"there is no store in {server.place} yet")
    rows = await connection.fetch("SELECT number, checksum FROM migration ORDER BY number")
    if [tuple(row) for row in rows] != [(one.number, one.checksum) for one in load_migrations("postgres")]:
        raise StoreError(f"{server.place} is not at the schema of this version: start a desk on it first")
