"""The keyring: wrapped data keys in an SQLite file of their own, safe beside other processes that have it open."""

import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from urllib.parse import quote

from adapters.sealing.files import locked, require_private, sync_folder
from adapters.sealing.keyring import Contents, KeyRow, missing, newer
from core.errors import KeyringError, StoreError

APPLICATION_ID = 0x4465736B  # "Desk"
SCHEMA_VERSION = 1
AT_ONCE = 100
"""Owners read while others wait for the connection: half a millisecond."""
CONTENTS = (
    "SELECT owner, version, state, wrapped, made FROM key ORDER BY owner, version",
    "SELECT owner, at FROM erasure ORDER BY seq",
)
SCHEMA = f"""
-- `owner` is a keyed hash (empty for the look-up key): the file does not tell who is known here. Times are microseconds
-- since 1970 UTC.
CREATE TABLE key (
    owner   BLOB NOT NULL,
    version INTEGER NOT NULL,
    state   TEXT NOT NULL CHECK (state IN ('live', 'erased')),
    wrapped BLOB NOT NULL,
    made    INTEGER NOT NULL,
    PRIMARY KEY (owner, version)
) STRICT, WITHOUT ROWID;
-- One line per erased owner, and one without for new keys, so that a desk that serves sees what the command line did.
CREATE TABLE erasure (seq INTEGER PRIMARY KEY AUTOINCREMENT, owner BLOB NOT NULL, at INTEGER NOT NULL) STRICT;
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {SCHEMA_VERSION};
"""


class SqliteKeyring:
    """A `adapters.sealing.keyring.Keyring` in a file; `rows` and `erasures` are quick, the others wait for the disk."""

    far = False

    def __init__(self, path: Path | None, writer: sqlite3.Connection, reader: sqlite3.Connection) -> None:
        self.name = str(path)
        self._path = path
        self._writer = writer
        self._reader = reader
        self._reading = threading.Lock()
        # In memory both are one connection, and a reader must not look into an open transaction.
        self._writing = self._reading if reader is writer else threading.Lock()

    def rows(self, owners: Sequence[bytes]) -> list[KeyRow]:
        """Read all versions of these owners' keys, each owner's oldest first; none for who never had one."""
        return [row for at in range(0, len(owners), AT_ONCE) for row in self._some_rows(owners[at : at + AT_ONCE])]

    def _some_rows(self, owners: Sequence[bytes]) -> list[KeyRow]:
        marks = ",".join("?" * len(owners))
        query = f"SELECT owner, version, state, wrapped FROM key WHERE owner IN ({marks}) ORDER BY owner, version"  # noqa: S608 - marks only
        with self._reading, _errors_of(self._path):
            return [KeyRow(*row) for row in self._reader.execute(query, owners).fetchall()]

    def erasures(self) -> int:
        """Count erasures: when the number has grown, keys in memory may be erased ones."""
        with self._reading, _errors_of(self._path):
            (count,) = self._reader.execute("SELECT coalesce(max(seq), 0) FROM erasure").fetchone()
        return int(count)

    def add(self, rows: Sequence[KeyRow]) -> None:
        """Keep new keys, durable when this returns. A key that is there already stays: read back which one it is."""
        statement = "INSERT INTO key VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
        made = _now()
        with self._transaction() as writer:
            writer.executemany(statement, [(*row, made) for row in rows])

    def erase(self, owner: bytes) -> None:
        """Overwrite an owner's keys for good; no copy of them is left in the file or beside it. May be repeated."""
        with self._transaction() as writer:
            overwritten = writer.execute(
                "UPDATE key SET state = 'erased', wrapped = zeroblob(length(wrapped))"
                " WHERE owner = ? AND state = 'live'",
                (owner,),
            )
            if overwritten.rowcount:
                writer.execute("INSERT INTO erasure (owner, at) VALUES (?, ?)", (owner, _now()))
        self._scrub()

    def owners(self, made_before: int | None = None) -> list[bytes]:
        """Name every owner, or those whose newest key was made before a time."""
        query = "SELECT owner FROM key GROUP BY owner HAVING ?1 IS NULL OR max(made) < ?1 ORDER BY owner"
        with self._reading, _errors_of(self._path):
            return [owner for (owner,) in self._reader.execute(query, (made_before,)).fetchall()]

    def rewrap(self, pairs: Sequence[tuple[KeyRow, bytes]]) -> None:
        """Put another wrapping in the place of a live row's, where it is still as given."""
        statement = "UPDATE key SET wrapped = ? WHERE owner = ? AND version = ? AND state = 'live' AND wrapped = ?"
        with self._transaction() as writer:
            writer.executemany(statement, [(new, row.owner, row.version, row.wrapped) for row, new in pairs])

    def tell(self) -> None:
        """Let everybody read keys anew."""
        with self._transaction() as writer:
            writer.execute("INSERT INTO erasure (owner, at) VALUES (x'', ?)", (_now(),))

    def contents(self) -> Contents:
        """Read everything, of one moment."""
        with self._reading, _errors_of(self._path):
            self._reader.execute("BEGIN")
            try:
                return Contents(*(self._reader.execute(query).fetchall() for query in CONTENTS))
            finally:
                self._reader.execute("COMMIT")

    def take_in(self, contents: Contents) -> None:
        """Have everything in a keyring that holds nothing."""
        with self._transaction() as writer:
            writer.executemany("INSERT INTO key VALUES (?, ?, ?, ?, ?)", contents.keys)
            writer.executemany("INSERT INTO erasure (owner, at) VALUES (?, ?)", contents.erasures)

    def close(self) -> None:
        """Let go of the file. The last one out folds the log into it, which is a write like any other."""
        with _errors_of(self._path), _write_lock(self._path):
            self._reader.close()
            self._writer.close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._writing, _errors_of(self._path), _write_lock(self._path):
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
                self._writer.execute("COMMIT")
            finally:
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")

    def _scrub(self) -> None:
        """Empty the write-ahead log, which still holds the pages as they were."""
        with self._writing, _errors_of(self._path), _write_lock(self._path):
            (busy, _, _) = self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise StoreError(f"the log of the keyring at {self._path} is in use: erase once more")


def open_sqlite_keyring(path: Path | None, *, fresh: bool) -> SqliteKeyring:
    """Open the keyring at `path`, None for one in memory. A missing one is made if `fresh`, else it is an error."""
    try:
        if path:
            _provide_file(path, fresh=fresh)
        with _write_lock(path):
            writer = _connected(path)
            try:
                _provide_tables(writer, path, fresh=fresh)
                return SqliteKeyring(path, writer, _connected(path) if path else writer)
            except BaseException:
                writer.close()
                raise
    except (OSError, sqlite3.Error) as error:
        raise KeyringError(f"the keyring at {path} cannot be opened: {error}") from error


def _provide_file(path: Path, *, fresh: bool) -> None:
    """Have a file that nobody else reads; SQLite gives the files beside it the same mode."""
    # Never open the file by hand once SQLite may have it open: closing it drops SQLite's own locks on it.
    if fresh and not path.exists():
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        sync_folder(path.parent)
    if not path.exists():
        raise missing(path)
    require_private(path, instead="DESK_KEYRING to a file")


def _connected(path: Path | None) -> sqlite3.Connection:
    target = f"file:{quote(str(path))}?mode=rw" if path else ":memory:"
    connection = sqlite3.connect(target, uri=True, timeout=10, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA secure_delete = ON")
    return connection


def _provide_tables(connection: sqlite3.Connection, path: Path | None, *, fresh: bool) -> None:
    """Make the tables in an empty file, and leave a file that is no keyring of ours as it is."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if tables and application != APPLICATION_ID:
        raise KeyringError(f"{path} is a database, but not a keyring: set DESK_KEYRING to another path")
    if version > SCHEMA_VERSION:
        raise newer(path)
    if not fresh and not (tables and connection.execute("SELECT 1 FROM key LIMIT 1").fetchone()):
        raise missing(path)
    if not tables:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(f"BEGIN IMMEDIATE; {SCHEMA} COMMIT;")


def _write_lock(path: Path | None) -> AbstractContextManager[None]:
    """Keep other processes, and other sealers of this one, from writing at the same time.

    SQLite before 3.51.3 can corrupt a file in WAL mode when two connections write or checkpoint at the same instant:
    https://sqlite.org/wal.html#walresetbug
    """
    return locked(path.with_name(f"{path.name}.write")) if path else nullcontext()


@contextmanager
def _errors_of(path: Path | None) -> Iterator[None]:
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        raise StoreError(f"the keyring at {path} cannot be used: {error}") from error


def _now() -> int:
    return time.time_ns() // 1000
