"""Copying a keyring: its rows as they are, wrapped under the same master key."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from adapters.sealing.files import locked, require_private, sync_folder
from adapters.sealing.keyring import Contents
from adapters.sealing.places import is_address, open_movable
from adapters.sealing.sqlite_keyring import APPLICATION_ID, SCHEMA_VERSION
from core.errors import KeyringAwayError, KeyringError, StoreError

_ROWS = (
    "SELECT owner, version, state, wrapped, made FROM key ORDER BY owner, version",
    "SELECT seq, owner, at FROM erasure ORDER BY seq",
)


def copy_keyring(source: str, target: str) -> int:
    """Copy a keyring to where none is, durable when this returns; how many keys it holds. Blocks.

    Each is a file or `postgresql://HOST/DATABASE`, a database that is made where the role may. One that is there
    already and equal is left as it is. Raises KeyringError for one that is not.
    """
    if is_address(source) or is_address(target):
        return _copy_rows(source, target)
    return _copy_file(Path(source), Path(target))


def _copy_rows(source: str, target: str) -> int:
    """Copy row by row between keyrings of which one at least is on a server."""
    kept = _contents_of(source)
    try:
        with closing(open_movable(target, fresh=True)) as writing:
            there = writing.contents()
            if not there.keys:
                writing.take_in(kept)
                there = writing.contents()
            elif there != kept:
                raise _another(writing.name)
    except KeyringAwayError as error:
        raise StoreError(str(error)) from error
    if there != kept:
        raise StoreError("the keyring was not written well: is its disk sound?")
    return len(kept.keys)


def _contents_of(source: str) -> Contents:
    try:
        with closing(open_movable(source, fresh=False)) as reading:
            return reading.contents()
    except KeyringError as error:
        raise type(error)(str(error).replace("DESK_KEYRING", "--keyring-from")) from error


def _another(target: object) -> KeyringError:
    return KeyringError(f"another keyring is at {target}: set --keyring-to to a place where none is")


def _copy_file(source: Path, target: Path) -> int:
    if not source.exists():
        raise KeyringError(f"there is no keyring at {source}: set --keyring-from to where it is")
    require_private(source, instead="--keyring-from to a file")
    try:
        if target.exists():
            return _require_equal(source, target)
        part = target.with_name(f"{target.name}.part")
        part.unlink(missing_ok=True)
        os.close(os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        keys = _copied(source, part)
        os.replace(part, target)
        sync_folder(target.absolute().parent)
    except (OSError, sqlite3.Error) as error:
        raise StoreError(f"the keyring at {source} cannot be copied to {target}: {error}") from error
    return keys


def _copied(source: Path, part: Path) -> int:
    # Whoever has the source open writes under this lock; and the last one out moves its log, which is a write.
    with locked(source.with_name(f"{source.name}.write")), closing(_opened(source)) as reading:
        _require_keyring(reading, source)
        with closing(sqlite3.connect(part, isolation_level=None)) as writing:
            reading.backup(writing)
            # In the file whole, with nothing beside it that would have to be renamed as well.
            writing.execute("PRAGMA synchronous = FULL")
            writing.execute("PRAGMA journal_mode = DELETE")
        kept = _rows(reading)
    with closing(_opened(part)) as written:
        if _rows(written) != kept:
            raise StoreError(f"the keyring was not written well to {part}: is the disk sound?")
        # As every keyring is; and this writes the file down for good.
        written.execute("PRAGMA journal_mode = WAL")
    opened = os.open(part, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
    return len(kept[0])


def _require_equal(source: Path, target: Path) -> int:
    found = []
    for path in (source, target):
        with locked(path.with_name(f"{path.name}.write")), closing(_opened(path)) as connection:
            _require_keyring(connection, path)
            found.append(_rows(connection))
    if found[0] != found[1]:
        raise _another(target)
    return len(found[0][0])


def _require_keyring(connection: sqlite3.Connection, path: Path) -> None:
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if (application, version) != (APPLICATION_ID, SCHEMA_VERSION):
        raise KeyringError(f"{path} is no keyring of this version: set --keyring-from to where it is")


def _opened(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, isolation_level=None, timeout=10)


def _rows(connection: sqlite3.Connection) -> list[list[tuple[object, ...]]]:
    return [connection.execute(query).fetchall() for query in _ROWS]
