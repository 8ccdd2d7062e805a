"""Opening the SQLite file of a store: is it ours, made private, brought to the newest schema."""

import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TypeVar
from urllib.parse import quote

from adapters.storage.migrations import load_migrations, migrate
from core.errors import SchemaError, StoreError

MEMORY = ":memory:"
APPLICATION_ID = 0x4465736B
"""Marks our files in the header of the database ("Desk")."""

_ELSEWHERE = "set DESK_STORE to another file"
_ConnectionT = TypeVar("_ConnectionT", bound=sqlite3.Connection)


@contextmanager
def clear_errors(path: str, doing: str) -> Iterator[None]:
    """Turn what the system and SQLite raise into a StoreError of one line."""
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        raise StoreError(f"{path} cannot be {doing}: {error}") from error


def check_file(path: str) -> None:
    """Make sure that a path is free, or a store of ours; nothing is changed.

    Raises StoreError for a place where no file can be, SchemaError for a file that is something else.
    """
    try:
        mode = os.stat(path).st_mode
    except (FileNotFoundError, NotADirectoryError):
        if not os.path.isdir(os.path.dirname(path) or "."):
            raise StoreError(f"the folder of {path} is not there: make it first, or {_ELSEWHERE}") from None
        return
    if stat.S_ISDIR(mode):
        raise StoreError(f"{path} is a folder: set DESK_STORE to a file in it")
    _check_header(path)


def _check_header(path: str) -> None:
    # Through SQLite and not by reading the file: to close a file drops the locks of every connection this process has
    # on it (https://www.sqlite.org/howtocorrupt.html, 2.2). `immutable` leaves no trace beside the file.
    uri = f"file:{quote(os.path.abspath(path))}?mode=ro&immutable=1"
    try:
        with closing(sqlite3.connect(uri, uri=True)) as connection:
            (pages,) = connection.execute("PRAGMA page_count").fetchone()
            (mark,) = connection.execute("PRAGMA application_id").fetchone()
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError as error:
        if _has_log(path):
            # Whoever was killed while the log was moved into the file left it half new: with its log it is whole.
            return
        raise SchemaError(f"{path} is not a database: {_ELSEWHERE}") from error
    _check_mark(path, pages, mark)


def _has_log(path: str) -> bool:
    try:
        return os.stat(f"{path}-wal").st_size > 0
    except FileNotFoundError:
        return False


def _check_mark(path: str, pages: int, mark: int) -> None:
    if pages and mark != APPLICATION_ID:
        raise SchemaError(f"{path} is the database of another program: {_ELSEWHERE}")


def open_database(path: str, factory: type[_ConnectionT]) -> _ConnectionT:
    """Open the writing connection of a store that was checked; the caller holds the write lock."""
    if path != MEMORY:
        _make_private(path)
    connection = sqlite3.connect(
        path, factory=factory, isolation_level=None, timeout=10, cached_statements=512, check_same_thread=False
    )
    try:
        (mark,) = connection.execute("PRAGMA application_id").fetchone()
        if mark != APPLICATION_ID:
            _check_mark(path, connection.execute("PRAGMA page_count").fetchone()[0], mark)
            # Before anything else is written, so that a file whose making is cut short is still known as ours.
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA temp_store = MEMORY")
        # Each session writes to pages of its own. With the default (2 MB) a turn of 500 busy sessions took half as long
        # again, for pages read anew.
        connection.execute("PRAGMA cache_size = -32768")
        # Within a commit only where few commits write many pages; else the log is moved when nobody waits (LONG_LOG).
        connection.execute("PRAGMA wal_autocheckpoint = 8000")
        migrate(connection, path, load_migrations("sqlite"))
    except BaseException:
        sqlite3.Connection.close(connection)
        raise
    return connection


def open_reading(path: str) -> sqlite3.Connection:
    """Open the connection that answers questions; it cannot write."""
    with clear_errors(path, "read"):
        connection = sqlite3.connect(path, isolation_level=None, timeout=10, check_same_thread=False)
        connection.execute("PRAGMA query_only = ON")
        connection.execute("PRAGMA temp_store = MEMORY")
    return connection


def _make_private(path: str) -> None:
    """Make a new file with mode 0600; SQLite gives the same to those it makes beside it."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        return
