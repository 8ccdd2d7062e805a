"""Standalone sessions: `open_session` gives one on any store; all of a process on one store share its connections."""

import logging
import os
import re
import secrets
import threading
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from adapters.redis_server import address_of, is_redis
from adapters.sealing import (
    KeyringSealer,
    MasterKey,
    default_keyring,
    is_address,
    keyring_exists,
    open_sealer,
    patiently,
)
from adapters.sealing import master_key as find_master_key
from adapters.storage import ALLOWED, FILE, PATIENCE, names_none, names_store, open_store
from core.errors import ConfigError, KeyringAwayError, KeyringError, StoreError
from core.ports import SessionStore, Store
from core.queries.counts import Counts
from core.queries.query import Query
from core.standalone.desk_session import DeskSession
from core.standalone.line import Lines
from core.standalone.shared_store import Parts, SharedStore

if TYPE_CHECKING:
    from core.standalone.desk_session import GivenSettings

RowT = TypeVar("RowT")
log = logging.getLogger(__name__)

WRITERS = 2
"""Batches on their way to a server at a time: while it writes one, the next is made ready."""
MEMORY = "memory:"


def open_session(
    url: str,
    session_id: str,
    *,
    master_key: str | None = None,
    keyring: str | None = None,
    session_settings: "GivenSettings" = None,
) -> DeskSession:
    """Give the session of that id on the store a URL names; nothing is opened yet.

    The store is `sqlite:///FILE`, `memory:`, which ends with the last session on it, `postgresql://HOST/DATABASE`, or
    `redis://HOST:PORT/NUMBER` (`rediss://` over TLS), where `?ttl=SECONDS` lets a session that long unused expire and
    `?prefix=WORD` begins all keys. Content is sealed under `master_key` (32 bytes as base64 or hex), or without one
    under the key in FILE.key, for a server in ~/.local/share/deskmate, made where the store is new. `keyring` says
    where the wrapped data keys are: a file, or `postgresql://...`; without it they are in FILE.keys, on PostgreSQL in
    the database DATABASE_keys, for Redis in that Redis. A key that is wrong or missing is a KeyringError at first use.
    A URL that names no store is a ConfigError at once.
    """
    if not (is_redis(url) or names_store(url)):
        raise ConfigError(names_none("the URL of a session", url, f"{ALLOWED}, or redis://HOST:PORT/NUMBER"))
    if url.startswith(FILE):
        url = FILE + os.path.abspath(url.removeprefix(FILE))
    return DeskSession(session_id, Use(Address(url, master_key, keyring)), session_settings)


@dataclass(frozen=True, slots=True)
class Address:
    """A store and the key to it. Sessions that give the same share it."""

    url: str
    master_key: str | None
    keyring: str | None

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Parts]:
        """Open the store and its sealer, in the loop that uses them."""
        async with AsyncExitStack() as stack:
            kept = await stack.enter_async_context(_open_kept(self.url))
            yield Parts(kept.sessions, await self._sealer(kept, stack), kept.writers)

    async def _sealer(self, kept: "Kept", stack: AsyncExitStack) -> KeyringSealer:
        place = self.keyring or default_keyring(self.url)
        key = await patiently(lambda: self._key(place), PATIENCE)
        if key.made:
            log.warning("Key made at %s. Back it up: without it nothing here can be read.", key.made)
        try:
            return await stack.enter_async_context(open_sealer(place, key, fresh=False, patience=PATIENCE))
        except KeyringAwayError:
            raise
        except KeyringError:
            # Counting takes long in a large store, so only where there may be nothing in it yet.
            if await kept.holds_content():
                raise
        return await stack.enter_async_context(open_sealer(place, key, fresh=True))

    def _key(self, place: str) -> MasterKey:
        if self.master_key is not None:
            return find_master_key(self.master_key, Path())
        if self.url == MEMORY:
            return MasterKey(secrets.token_bytes(32))
        path = self._key_file()
        made_before = keyring_exists(place)
        if not (made_before or path.parent.exists()) and is_address(self.url):
            path.parent.mkdir(mode=0o700, parents=True)
        return find_master_key(None, path, make=not made_before)

    def _key_file(self) -> Path:
        """Beside the store's file; for a server, in the user's data folder, under the name of what it opens."""
        if not is_address(self.url):
            return Path(f"{self.url.removeprefix(FILE)}.key")
        name = re.sub(r"[^\w.-]+", "-", _name_of(self.url))
        return Path.home() / ".local/share/deskmate" / f"{name}.key"


def _name_of(url: str) -> str:
    """What is on a server, whoever logs in there."""
    if is_redis(url):
        at = address_of(url)
        return f"redis-{at.name}-{at.prefix}"
    parts = urlsplit(url)
    return f"postgresql-{parts.hostname or 'localhost'}-{parts.port or 5432}{parts.path}"


@dataclass(frozen=True, slots=True)
class Kept:
    """An open store of sessions, and how to learn whether anything is in it that a key of before would have sealed."""

    sessions: SessionStore
    holds_content: Callable[[], Awaitable[bool]]
    writers: int = 1


@asynccontextmanager
async def _open_kept(url: str) -> AsyncIterator[Kept]:
    if is_redis(url):
        from adapters.storage.redis import RedisStore

        redis = await RedisStore.open(address_of(url))
        try:
            yield Kept(redis, redis.has_sessions)
        finally:
            await redis.close()
    else:
        async with open_store(url, writers=WRITERS) as store:
            whole = WholeStore(store)
            yield Kept(whole, whole.holds_content, WRITERS if store.shared else 1)


class WholeStore:
    """A `core.ports.SessionStore` in a store that keeps all in one: it finds what is asked without the session."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.write = store.write
        self.read_all = store.read_all
        self.stamp = store.stamp

    async def ask(self, session: bytes, query: Query[RowT]) -> list[RowT]:
        """Answer a question."""
        return await self._store.read(query)

    async def holds_content(self) -> bool:
        """Whether anything is in it."""
        return any(count.rows for count in await self._store.read(Counts()))


@dataclass(slots=True)
class Open:
    """A store that is open, and how many sessions use it."""

    lines: Lines
    users: int = 0


class Use:
    """One session's use of a store: a `core.standalone.desk_session.Connection`."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._leave: Callable[[], Callable[[], None] | None] | None = None

    def attach(self, session: object) -> Lines:
        """Open the store, if it is not open, for as long as `session` lives or until `release`."""
        self.release()
        opened = _stores.enter(self._address)
        leave = weakref.finalize(session, _stores.leave, self._address, opened)
        leave.atexit = False
        self._leave = leave
        return opened.lines

    def release(self) -> Callable[[], None]:
        """Let go of the store, which ends when nobody uses it; what is returned waits for that."""
        leave, self._leave = self._leave, None
        return (leave() if leave else None) or _nothing


class OpenStores:
    """All stores this process has open for sessions."""

    def __init__(self) -> None:
        # A session may be collected, and leave, while this very thread enters.
        self._lock = threading.RLock()
        self._open: dict[Address, Open] = {}
        self._abandoned: list[Open] = []
        self._ending = False
        self._will_end = False

    def enter(self, address: Address) -> Open:
        """Count one more user of a store, opened where it is not."""
        with self._lock:
            if self._ending:
                raise StoreError("the process is ending: sessions cannot be opened any more")
            self._end_with_process()
            opened = self._open.get(address)
            if opened is None or opened.lines.shared.ended:
                opened = self._open[address] = Open(Lines(SharedStore(address.open)))
                opened.lines.shared.start()
            opened.users += 1
            return opened

    def leave(self, address: Address, opened: Open) -> Callable[[], None] | None:
        """Count one user less, and let the store end with the last; then returns what waits for that."""
        with self._lock:
            opened.users -= 1
            if opened.users or opened in self._abandoned:
                return None
            if self._open.get(address) is opened:
                del self._open[address]
        opened.lines.shared.stop()
        return opened.lines.shared.join

    def end(self) -> None:
        """Close all: the process ends, and the threads of open connections would keep it."""
        with self._lock:
            self._ending = True
            ending = list(self._open.values())
        for opened in ending:
            opened.lines.shared.stop()
        for opened in ending:
            opened.lines.shared.join()

    def forget(self) -> None:
        """Begin anew in a forked child: the threads are not here, and to close the connections is the parent's."""
        self._lock = threading.RLock()
        for opened in self._open.values():
            opened.lines.shared.abandon()
        self._abandoned += self._open.values()
        self._open = {}

    def _end_with_process(self) -> None:
        if not self._will_end:
            self._will_end = True
            # `atexit` is too late: before it, the interpreter waits for the threads of the connections. The thread
            # pools of the standard library end themselves in the same way.
            threading._register_atexit(self.end)  # type: ignore[attr-defined]


def _nothing() -> None:
    """Wait for nothing."""


_stores = OpenStores()
os.register_at_fork(after_in_child=_stores.forget)
