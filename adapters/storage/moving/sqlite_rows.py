"""Reading the rows of a store in one SQLite file, as they are at one moment, also while a desk serves it."""

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from urllib.parse import quote

from adapters.storage.locks import FileLock
from adapters.storage.migrations import applied, load_migrations
from adapters.storage.moving.tables import PAGE, Row, Table, tables_at
from adapters.storage.sqlite_file import check_file, clear_errors, open_reading
from core.errors import StoreError


class SqliteRows:
    """A `TableReader` over a connection that has a transaction open, or its file for itself."""

    def __init__(self, connection: sqlite3.Connection, path: str, schema: int) -> None:
        self.name = path
        self.schema = schema
        self.connection = connection

    async def page(self, table: Table, after: Row | None) -> list[Row]:
        """Read rows; see `TableReader`."""
        return await asyncio.to_thread(self._page, table, after)

    async def counters(self) -> dict[str, int]:
        """Read the counters; see `TableReader`."""
        return await asyncio.to_thread(self._counters)

    async def ask(self, question: str) -> list[Row]:
        """Answer a question in SQL."""
        with clear_errors(self.name, "read"):
            return await asyncio.to_thread(lambda: self.connection.execute(question).fetchall())

    def _page(self, table: Table, after: Row | None) -> list[Row]:
        key = ", ".join(table.key)
        marks = ", ".join("?" * len(table.key))
        where = f"WHERE ({key}) > ({marks})" if after else ""
        query = f"SELECT {', '.join(table.columns)} FROM {table.name} {where} ORDER BY {key} LIMIT {PAGE}"  # noqa: S608 - names of our own schema
        with clear_errors(self.name, "read"):
            return self.connection.execute(query, after or ()).fetchall()

    def _counters(self) -> dict[str, int]:
        counted = {table.name for table in tables_at(self.schema) if table.counted}
        with clear_errors(self.name, "read"):
            rows = self.connection.execute("SELECT name, seq FROM sqlite_sequence ORDER BY name").fetchall()
        return {name: seq for name, seq in rows if name in counted and seq}


@asynccontextmanager
async def snapshot(path: str) -> AsyncIterator[SqliteRows]:
    """Open a store as it is now; it may be written to meanwhile, and what is written is not seen."""
    lock, connection = await asyncio.to_thread(_open_snapshot, path)
    try:
        yield SqliteRows(connection, path, schema_of(connection, path))
    finally:
        await asyncio.to_thread(_close_snapshot, path, lock, connection)


@asynccontextmanager
async def backup_file(path: str) -> AsyncIterator[SqliteRows]:
    """Open a backup without leaving a trace beside it."""
    if await asyncio.to_thread(_has_more_beside, path):
        # It is no backup but a store's own file: a part of it is in its log.
        async with snapshot(path) as rows:
            yield rows
        return
    with closing(await asyncio.to_thread(_open_still, path)) as connection:
        yield SqliteRows(connection, path, schema_of(connection, path))


@contextmanager
def taken(path: str) -> Iterator[None]:
    """Take a store for life, as no desk works it and nobody else writes. Raises StoreBusyError where one does."""
    with clear_errors(path, "opened"):
        check_file(path)
        with closing(FileLock(f"{path}.desk")) as desk, closing(FileLock(f"{path}.write")) as write:
            desk.hold(path)
            with write:
                yield


def require_store(path: str) -> None:
    """Make sure that there is a store of ours at a path. Raises StoreError or SchemaError."""
    if not os.path.exists(path):
        raise StoreError(f"there is no store at {path}: name one that is there")
    with clear_errors(path, "read"):
        check_file(path)


def _has_more_beside(path: str) -> bool:
    require_store(path)
    return any(os.path.exists(f"{path}{end}") for end in ("-wal", "-journal"))


def schema_of(connection: sqlite3.Connection, path: str) -> int:
    """How many migrations a store has. Raises SchemaError for one that is not ours, or of a newer version."""
    with clear_errors(path, "read"):
        schema = applied(connection, path, load_migrations("sqlite"))
    if not schema:
        raise StoreError(f"{path} holds nothing: it is not a store yet")
    return schema


def _open_snapshot(path: str) -> tuple[FileLock, sqlite3.Connection]:
    require_store(path)
    with clear_errors(path, "read"):
        lock = FileLock(f"{path}.write")
        try:
            # The first to open it after a crash reads its log in, which is a write like any other.
            with lock:
                connection = open_reading(path)
                connection.execute("BEGIN")
                connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        except BaseException:
            lock.close()
            raise
    return lock, connection


def _close_snapshot(path: str, lock: FileLock, connection: sqlite3.Connection) -> None:
    # The last one out moves the log into the file.
    with closing(lock), clear_errors(path, "closed"), lock:
        connection.close()


def _open_still(path: str) -> sqlite3.Connection:
    with clear_errors(path, "read"):
        uri = f"file:{quote(os.path.abspath(path))}?mode=ro&immutable=1"
        connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
        try:
            ((found,), *_) = connection.execute("PRAGMA integrity_check(1)").fetchall()
        except BaseException:
            connection.close()
            raise
    if found != "ok":
        connection.close()
        raise StoreError(f"{path} is damaged ({found}): use another backup")
    return connection
