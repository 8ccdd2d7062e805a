"""Taking a store to repair it: nobody else works it, and all repairs are one transaction."""

import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing

from adapters.storage.checking.repairs import Mending
from adapters.storage.moving.engines import SERVERS, file_of
from adapters.storage.moving.sqlite_rows import require_store, schema_of, taken
from adapters.storage.moving.tables import Row, Table, Value, tables_at
from adapters.storage.sqlite_file import clear_errors
from adapters.storage.stamp import WriteStamp


@asynccontextmanager
async def take_to_mend(url: str) -> AsyncIterator[Mending]:
    """Take the store of a URL; what was run is there when this ends, or nothing of it. Raises StoreBusyError."""
    if url.startswith(SERVERS):
        from adapters.storage.moving import postgres_rows

        async with postgres_rows.take_to_mend(url) as rows:
            yield rows
        return
    path = file_of(url)
    with taken(path), closing(WriteStamp(f"{path}.write")) as stamp, stamp, clear_errors(path, "repaired"):
        connection = sqlite3.connect(path, isolation_level=None)
        try:
            for setting in ("synchronous = FULL", "secure_delete = ON"):
                connection.execute(f"PRAGMA {setting}")
            connection.execute("BEGIN IMMEDIATE")
            yield SqliteMending(connection, path)
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            connection.close()


class SqliteMending:
    """A `Mending` in a file; nothing else runs in the process, so it blocks."""

    def __init__(self, connection: sqlite3.Connection, path: str) -> None:
        self.tables: Sequence[Table] = tables_at(schema_of(connection, path))
        self._connection = connection

    async def run(self, sql: str, *values: Value) -> list[Row]:
        """Run a statement; see `Mending`."""
        return self._connection.execute(sql, values).fetchall()


def aside_of(url: str) -> str:
    """How the name of the file begins that rows are set aside in: beside the store, or for a server in this folder."""
    if url.startswith(SERVERS):
        return url.partition("?")[0].rstrip("/").rpartition("/")[2]
    return file_of(url)


def require_there(url: str) -> None:
    """Raise StoreError where a file is no store: to open it would make one."""
    if not url.startswith(SERVERS):
        require_store(file_of(url))
