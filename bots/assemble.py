"""The parts put together: store, keys and model, as the settings say."""

import asyncio
import os
import secrets
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from adapters.anchors import AnchorFile
from adapters.presidio import open_presidio
from adapters.sealing import (
    KeyringSealer,
    MasterKey,
    key_from_command,
    keyring_exists,
    master_key,
    open_sealer,
    patiently,
)
from adapters.storage import open_store
from bots.absent import absent_platforms
from bots.logs import write_as
from bots.settings import anchor_file, default_folder, default_store, key_file, keyring_place, store_file
from bots.tracing import traced
from bots.watching import metrics_of, shown
from core.audit_chain import AuditChain
from core.config import Settings
from core.errors import ConfigError, StoreError
from core.model_name import is_offline
from core.ports import Platform, Store
from core.queries.counts import Counts
from core.writer import GroupWriter

if TYPE_CHECKING:
    from core.desk import Desk


@dataclass(frozen=True, slots=True)
class Records:
    """What the commands read: a store, beside a desk that may be serving it, and what opens its content."""

    settings: Settings
    store: Store
    sealer: KeyringSealer

    def writer(self) -> GroupWriter:
        """What writes to the store; to be entered."""
        return GroupWriter(AuditChain(self.store, self.sealer, _anchor(self.settings)))


@asynccontextmanager
async def open_desk(settings: Settings, platforms: Sequence[Platform], *, serving: bool) -> AsyncIterator["Desk"]:
    """Open the desk that works the store; `serving` says that real people are at the other end.

    A master key is made on the first start, and said so once.
    """
    # The Agents SDK takes seconds to import: commands that only read do without.
    from core.desk import Desk
    from core.llm import model_of

    if serving:
        settings = _for_people(settings)
    write_as(settings.log)
    metrics = metrics_of(settings) if serving else None
    model = model_of(settings)
    async with AsyncExitStack() as parts:
        parts.push_async_callback(model.close)
        spans = await parts.enter_async_context(traced()) if serving else None
        presidio = await asyncio.to_thread(open_presidio, settings.personal_data)
        await asyncio.to_thread(_make_data_folder, settings)
        store = await parts.enter_async_context(open_store(settings.store, desk=True, patience=settings.store_seconds))
        fresh = await _is_fresh(store)
        key = await patiently(lambda: _master_key(settings, make=fresh), settings.store_seconds)
        opened = open_sealer(keyring_place(settings), key, fresh=fresh, patience=settings.store_seconds)
        sealer = await parts.enter_async_context(opened)
        if key.made:
            print(f"Key made at {key.made}. Back it up: without it nothing here can be read.", file=sys.stderr)
        desk = Desk(
            settings=settings,
            store=store,
            sealer=sealer,
            model=model,
            platforms=platforms,
            absent=absent_platforms(platforms) if store.shared else (),
            stand_in=serving and is_offline(settings),
            anchor=_anchor(settings),
            recognisers=[presidio] if presidio else (),
            metrics=metrics,
            spans=spans,
        )
        await parts.enter_async_context(desk)
        await parts.enter_async_context(shown(settings, metrics, desk))
        yield desk


@asynccontextmanager
async def open_records(settings: Settings) -> AsyncIterator[Records]:
    """Open a store that is there to read it, also while a desk serves it."""
    path = store_file(settings)
    if path is not None and not await asyncio.to_thread(path.exists):
        raise StoreError(
            f"there is no store at {path} yet: `deskmate chat` makes one, or set DESK_STORE to where it is"
        )
    async with open_store(settings.store, patience=settings.store_seconds) as store:
        fresh = await _is_fresh(store)
        place, key = await patiently(lambda: _what_opens(settings, fresh=fresh), settings.store_seconds)
        async with open_sealer(place, key, fresh=fresh, patience=settings.store_seconds) as sealer:
            yield Records(settings, store, sealer)


def _what_opens(settings: Settings, *, fresh: bool) -> tuple[str, MasterKey]:
    """The keyring and the key that open what is kept. A `fresh` store may hold no more than what a platform remembers,
    or nothing: then any key opens all there is.
    """
    place = keyring_place(settings)
    if fresh and not (
        keyring_exists(place) and (settings.master_key or settings.master_key_command or key_file(settings).exists())
    ):
        return ":memory:", MasterKey(secrets.token_bytes(32))
    return place, _master_key(settings, make=False)


def _anchor(settings: Settings) -> AnchorFile:
    return AnchorFile(anchor_file(settings), every=settings.audit.anchor_every)


async def _is_fresh(store: Store) -> bool:
    return not any(row.rows for row in await store.read(Counts()) if row.table == "customer")


def _master_key(settings: Settings, *, make: bool) -> MasterKey:
    if settings.master_key is not None:
        return master_key(settings.master_key.get_secret_value(), key_file(settings))
    if settings.master_key_command is not None:
        return key_from_command(settings.master_key_command)
    if keyring_place(settings) == ":memory:":
        # What is sealed goes with this process, and so does its key.
        return MasterKey(secrets.token_bytes(32))
    make = make and not keyring_exists(keyring_place(settings))
    if make and key_file(settings).parent == default_folder(os.environ):
        _make_folder(key_file(settings).parent)
    return master_key(None, key_file(settings), make=make)


def _for_people(settings: Settings) -> Settings:
    """The settings of a desk that serves real people: with a model that somebody chose, and with limits."""
    if is_offline(settings) and settings.model is None:
        raise ConfigError("no model is set: set OPENAI_API_KEY, or DESK_MODEL=offline to serve with the stand-in")
    return settings.model_copy(update={"pace": settings.pace.for_people()})


def _make_data_folder(settings: Settings) -> None:
    """Make the folder of the store where nobody named another place; any other folder somebody else has to make."""
    path = store_file(settings)
    if path is None or path.parent.exists() or settings.store != default_store(os.environ):
        return
    _make_folder(path.parent)


def _make_folder(folder: Path) -> None:
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise StoreError(f"{folder} cannot be made: {error.strerror}; set DESK_STORE to another file") from error
