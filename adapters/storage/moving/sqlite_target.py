"""Writing a store into a new SQLite file, which gets its name when it is whole: until then it is called `NAME.part`."""

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path

from adapters.file_locks import FileLock
from adapters.storage.migrations import load_migrations, migrate
from adapters.storage.moving.sqlite_rows import SqliteRows
from adapters.storage.moving.tables import Row, Table, TableReader, tables_at, triggers_at
from adapters.storage.sqlite_file import APPLICATION_ID, clear_errors
from core.errors import StoreBusyError, StoreError

BESIDE = ("-journal", "-wal", "-shm")
"""What SQLite keeps beside a file while it is written."""


class SqliteTarget(SqliteRows):
    """A `TableWriter` into a file that is nobody's store yet."""

    async def place(self, table: Table) -> Row | None:
        """The key of the last row; see `TableWriter`."""
        return await asyncio.to_thread(self._place, table)

    async def add(self, table: Table, rows: list[Row]) -> None:
        """Write rows; see `TableWriter`."""
        await asyncio.to_thread(self._add, table, rows)

    async def count_on(self, counters: dict[str, int]) -> None:
        """Set the counters; see `TableWriter`."""
        await asyncio.to_thread(self._count_on, counters)

    async def finish(self) -> None:
        """Make it a store; it is closed, and renamed by who opened it."""
        await asyncio.to_thread(self._finish)

    def _place(self, table: Table) -> Row | None:
        key, order = ", ".join(table.key), ", ".join(f"{column} DESC" for column in table.key)
        with clear_errors(self.name, "read"):
            row: Row | None = self.connection.execute(
                f"SELECT {key} FROM {table.name} ORDER BY {order} LIMIT 1"  # noqa: S608 - names of our own schema
            ).fetchone()
        return row

    def _add(self, table: Table, rows: list[Row]) -> None:
        marks = ", ".join("?" * len(table.columns))
        insert = f"INSERT INTO {table.name} ({', '.join(table.columns)}) VALUES ({marks})"  # noqa: S608 - names of our own schema
        self._write_all(insert, rows)

    def _count_on(self, counters: dict[str, int]) -> None:
        # Rows that were added counted their tables up already; a table that lost its newest row has to go on after it.
        counted = [(table.name,) for table in tables_at(self.schema) if table.counted]
        self._write_all("DELETE FROM sqlite_sequence WHERE name = ?", counted)
        self._write_all("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", list(counters.items()))

    def _write_all(self, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
        with clear_errors(self.name, "written"):
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                self.connection.executemany(statement, rows)
                self.connection.execute("COMMIT")
            except BaseException:
                if self.connection.in_transaction:
                    self.connection.execute("ROLLBACK")
                raise

    def _finish(self) -> None:
        with clear_errors(self.name, "written"):
            self.connection.execute("BEGIN IMMEDIATE")
            for statement in triggers_at(self.schema).values():
                self.connection.execute(statement)
            self.connection.execute("DROP TABLE copying")
            self.connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            self.connection.execute("COMMIT")
            ((found,), *_) = self.connection.execute("PRAGMA integrity_check(1)").fetchall()
            # As every store is: else whoever reads it first would keep a desk from starting on it.
            self.connection.execute("PRAGMA journal_mode = WAL")
            self.connection.close()
        if found != "ok":
            raise StoreError(f"{self.name} was not written well ({found}): is the disk sound?")


@asynccontextmanager
async def new_file(path: str, source: TableReader, *, resume: bool) -> AsyncIterator[SqliteTarget]:
    """Write a copy of `source` that is called `path` once it is finished; whoever has that name loses it then.

    With `resume` a copy that was cut off is gone on with, and kept where it is cut off again.
    """
    part = f"{path}.part"
    with clear_errors(part, "written"), closing(FileLock(part, patience=0)) as lock:
        try:
            lock.__enter__()
        except StoreError:
            raise StoreBusyError(f"{part} is being written by another process: let that one finish") from None
        try:
            async with _target(part, source, resume=resume) as target:
                yield target
            await asyncio.to_thread(_give_name, part, path)
        except BaseException:
            if not resume:
                _remove(part, "", *BESIDE)
            raise


@asynccontextmanager
async def _target(part: str, source: TableReader, *, resume: bool) -> AsyncIterator[SqliteTarget]:
    target = await asyncio.to_thread(_open, part, source, resume=resume)
    try:
        yield target
    finally:
        target.connection.close()


def _open(part: str, source: TableReader, *, resume: bool) -> SqliteTarget:
    if resume:
        began = _began(part)
        if began == (source.name, source.schema):
            return SqliteTarget(_connected(part), part, source.schema)
        if began is not None:
            raise StoreError(f"{part} is the unfinished copy of {began[0]}: copy from there again, or remove it")
    _remove(part, *BESIDE)
    os.truncate(part, 0)
    return SqliteTarget(_made(part, source), part, source.schema)


def _began(part: str) -> tuple[str, int] | None:
    """What an unfinished copy is of, and its schema; None where nothing was begun."""
    with closing(_connected(part)) as connection, suppress(sqlite3.DatabaseError):
        found: tuple[str, int] | None = connection.execute("SELECT source, schema FROM copying").fetchone()
        return found
    return None


def _made(part: str, source: TableReader) -> sqlite3.Connection:
    connection = _connected(part)
    try:
        migrate(connection, part, load_migrations("sqlite")[: source.schema])
        # Lanes are copied as they are, not made by the events that are copied.
        for name in triggers_at(source.schema):
            connection.execute(f"DROP TRIGGER {name}")
        for table in tables_at(source.schema):
            connection.execute(f"DELETE FROM {table.name}")  # noqa: S608 - names of our own schema
        connection.execute("CREATE TABLE copying (source TEXT NOT NULL, schema INTEGER NOT NULL) STRICT")
        connection.execute("INSERT INTO copying VALUES (?, ?)", (source.name, source.schema))
    except BaseException:
        connection.close()
        raise
    return connection


def _connected(part: str) -> sqlite3.Connection:
    connection = sqlite3.connect(part, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA temp_store = MEMORY")
    return connection


def _give_name(part: str, path: str) -> None:
    _sync(part)
    os.replace(part, path)
    _sync(str(Path(path).absolute().parent))


def _sync(path: str) -> None:
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _remove(path: str, *ends: str) -> None:
    for end in ends:
        with suppress(FileNotFoundError):
            os.unlink(f"{path}{end}")


def is_empty(connection: sqlite3.Connection, schema: int) -> bool:
    """Whether a store holds no more than a new one."""
    tables = (table.name for table in tables_at(schema) if not table.seeded)
    return not any(connection.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone() for table in tables)  # noqa: S608
