"""What the commands that move a whole store do, and what they tell."""

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from adapters.sealing import default_keyring, is_address, keyring_exists
from adapters.sealing.copying import copy_keyring
from adapters.storage import open_store
from adapters.storage.moving.copying import TableReport, copy_store
from adapters.storage.moving.engines import (
    SERVERS,
    new_backup,
    new_store,
    open_backup,
    place_of,
    read_now,
    restored_store,
    take_source,
)
from adapters.storage.moving.tables import TableReader, TableWriter
from bots.checking import check
from bots.settings import keyring_place, shown
from core.config import Settings
from core.errors import BadInputError, StoreError

Values = dict[str, Any]


async def move(source: str, target: str, *, keyring: tuple[str | None, str | None], settings: Settings) -> Values:
    """Copy a whole store with its keyring; `keyring` says from where to where, None: beside the stores."""
    for option, url in (("--from", source), ("--to", target)):
        _check(option, url)
    if _same(source, target):
        raise BadInputError("--from and --to are the same store: there is nothing to move")
    async with _named(), take_source(source) as rows:
        keys = await asyncio.to_thread(_move_keyring, source, target, keyring, settings)
        async with new_store(target, rows) as writer:
            tables = await _copy(rows, writer)
    return {"from": shown(source), "to": shown(target), "keyring": keys, "tables": told(tables)}


async def back_up(settings: Settings, path: str) -> Values:
    """Write a backup of the store, which may be served meanwhile."""
    async with _named(), read_now(settings.store) as rows:
        _refuse_itself(rows, path)
        async with new_backup(path, rows) as writer:
            tables = await _copy(rows, writer)
    keyring = shown(keyring_place(settings))
    return {"store": shown(settings.store), "backup": path, "keyring": keyring, "tables": told(tables)}


async def restore(settings: Settings, path: str, *, replace: bool) -> Values:
    """Write the store anew from a backup."""
    async with _named(), open_backup(path) as rows:
        _refuse_itself(rows, place_of(settings.store))
        async with restored_store(settings.store, rows, replace=replace) as (writer, aside):
            tables = await _copy(rows, writer)
    # To open it is to bring it to the newest schema, which is what is checked.
    async with open_store(settings.store):
        checked = await check(settings, deep=False)
    return {
        "backup": path,
        "store": shown(settings.store),
        "aside": aside or None,
        "tables": told(tables),
        "ok": checked["ok"],
        "checks": checked["checks"],
    }


@asynccontextmanager
async def _named() -> AsyncIterator[None]:
    """Let errors speak of what was named here, where the store would speak of the setting that names it else."""
    try:
        yield
    except StoreError as error:
        raise type(error)(str(error).replace("set DESK_STORE to", "name")) from error


async def _copy(source: TableReader, target: TableWriter) -> list[TableReport]:
    """Copy, and show how far it is where somebody watches."""
    if sys.stderr is None or not sys.stderr.isatty():
        return await copy_store(source, target, lambda doing, table, rows: None)
    try:
        return await copy_store(source, target, _show)
    finally:
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def _show(doing: str, table: str, rows: int) -> None:
    print(f"\r\x1b[K{doing} {table}: {rows:,} rows", end="", file=sys.stderr, flush=True)


def told(tables: Sequence[TableReport]) -> list[Values]:
    return [asdict(table) for table in tables]


def _move_keyring(source: str, target: str, given: tuple[str | None, str | None], settings: Settings) -> Values:
    """Have the keyring where the moved store is opened with it; where a setting names one, that one stays for both."""
    from_ = given[0] or settings.keyring or _beside(source)
    stays = settings.keyring is not None and given[0] is None
    # A file is not put on a server unasked: the database would have to be made there.
    if given[1] is None and (stays or (target.startswith(SERVERS) and not is_address(from_))):
        return {"at": shown(from_), "keys": None}
    to = given[1] or default_keyring(target)
    if _place(from_) == _place(to):
        raise BadInputError("--keyring-from and --keyring-to are the same: leave both away to keep it where it is")
    return {"at": shown(to), "keys": copy_keyring(from_, to)}


def _beside(store: str) -> str:
    place = default_keyring(store)
    if is_address(place) and not keyring_exists(place):
        raise BadInputError(f"there is no keyring at {shown(place)}: say where it is with --keyring-from")
    return place


def _place(keyring: str) -> str:
    return keyring if is_address(keyring) else str(Path(keyring).resolve())


def _check(option: str, url: str) -> None:
    try:
        place_of(url)
    except BadInputError as error:
        raise BadInputError(f"{option}: {error}") from None


def _same(one: str, other: str) -> bool:
    return place_of(one) == place_of(other)


def _refuse_itself(rows: TableReader, path: str) -> None:
    if Path(rows.name).resolve() == Path(path).resolve():
        raise BadInputError(f"{path} is the store itself: name another file")
