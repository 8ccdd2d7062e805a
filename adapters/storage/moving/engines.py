"""Which store a URL names, opened to be copied from or to: the one place that knows the engines there are."""

import asyncio
import itertools
import os
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing

from adapters.storage import FILE, names_none
from adapters.storage.moving.sqlite_rows import SqliteRows, backup_file, require_store, schema_of, snapshot, taken
from adapters.storage.moving.sqlite_target import is_empty, new_file
from adapters.storage.moving.tables import TableReader, TableWriter
from adapters.storage.sqlite_file import clear_errors
from core.errors import BadInputError, StoreError

ALLOWED = "sqlite:///FILE (sqlite:////FILE for an absolute path) or postgresql://USER@HOST/DATABASE"
SERVERS = ("postgresql://", "postgres://")


@asynccontextmanager
async def take_source(url: str) -> AsyncIterator[TableReader]:
    """Open a store to be moved away, taken for life. Raises StoreBusyError where a desk works it."""
    if url.startswith(SERVERS):
        from adapters.storage.moving import postgres_rows

        async with postgres_rows.take_source(url) as rows:
            yield rows
        return
    path = file_of(url)
    require_store(path)
    with taken(path), clear_errors(path, "read"), closing(_connected(path)) as connection:
        connection.execute("BEGIN")
        yield SqliteRows(connection, path, schema_of(connection, path))


@asynccontextmanager
async def read_now(url: str) -> AsyncIterator[TableReader]:
    """Open a store as it is now; whoever serves it goes on."""
    if url.startswith(SERVERS):
        from adapters.storage.moving import postgres_rows

        async with postgres_rows.read_now(url) as rows:
            yield rows
        return
    async with snapshot(file_of(url)) as rows:
        yield rows


@asynccontextmanager
async def new_store(url: str, source: TableReader) -> AsyncIterator[TableWriter]:
    """Open the store to move into, taken for life: one that is not there, is empty, or was begun from that source."""
    if url.startswith(SERVERS):
        from adapters.storage.moving import postgres_rows

        async with postgres_rows.new_store(url, source) as rows:
            yield rows
        return
    path = file_of(url)
    with taken(path):
        await asyncio.to_thread(_require_empty, path)
        async with new_file(path, source, resume=True) as target:
            yield target


@asynccontextmanager
async def new_backup(path: str, source: TableReader) -> AsyncIterator[TableWriter]:
    """Open a backup to be written, under a name that is not taken."""
    if await asyncio.to_thread(os.path.lexists, path):
        raise BadInputError(f"{path} is there already: name another file")
    async with new_file(path, source, resume=False) as target:
        yield target


@asynccontextmanager
async def open_backup(path: str) -> AsyncIterator[TableReader]:
    """Open a backup to restore from; nothing of it is changed, and nothing made beside it."""
    async with backup_file(path) as rows:
        yield rows


@asynccontextmanager
async def restored_store(url: str, source: TableReader, *, replace: bool) -> AsyncIterator[tuple[TableWriter, str]]:
    """Open the store to restore into, taken for life, and say under what name the one before is kept ('': none is).

    Raises StoreError where one is there that is not empty, unless it may be replaced.
    """
    if url.startswith(SERVERS):
        if replace:
            raise BadInputError("--replace keeps a file aside: in PostgreSQL restore into another, empty database")
        async with new_store(url, source) as rows:
            yield rows, ""
        return
    path = file_of(url)
    with taken(path):
        full = await asyncio.to_thread(_holds_rows, path)
        if full and not replace:
            raise StoreError(f"{path} holds content: restore elsewhere, or with --replace, which keeps it under a name")
        aside = await asyncio.to_thread(_free_name, path) if full else ""
        async with new_file(path, source, resume=False) as target:
            yield target, aside
            if aside:
                with clear_errors(aside, "made"):
                    os.link(path, aside)


def _free_name(path: str) -> str:
    """A name to keep a store under, by the time; there is one of this second where a killed restore is repeated."""
    name = f"{path}.before-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}"
    names = itertools.chain([name], (f"{name}-{number}" for number in itertools.count(2)))
    return next(name for name in names if not os.path.exists(name))


def place_of(url: str) -> str:
    """What a URL stands for: two that stand for the same store are equal. Raises BadInputError for what names none."""
    return url if url.startswith(SERVERS) else file_of(url)


def file_of(url: str) -> str:
    """The file a URL names. Raises BadInputError for what names none."""
    if not url.startswith(FILE) or url == FILE:
        raise BadInputError(names_none("that", url, ALLOWED))
    return os.path.realpath(url.removeprefix(FILE))


def _require_empty(path: str) -> None:
    if _holds_rows(path):
        raise StoreError(f"{path} holds content already: move to a store that is not there yet, or is empty")


def _holds_rows(path: str) -> bool:
    """Whether a store that was taken holds anything; its log is moved into its file, for the file will be replaced."""
    if not os.path.exists(path):
        return False
    with clear_errors(path, "read"), closing(_connected(path)) as connection:
        full = bool(connection.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone())
        full = full and not is_empty(connection, schema_of(connection, path))
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    if os.path.exists(f"{path}-wal") or os.path.exists(f"{path}-shm"):
        raise StoreError(f"{path} is in use: end what has it open first")
    return full


def _connected(path: str) -> sqlite3.Connection:
    return sqlite3.connect(path, isolation_level=None, timeout=10, check_same_thread=False)
