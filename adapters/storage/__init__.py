"""Stores: where turns, tickets and customers are kept."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from adapters.redis_server import is_redis
from core.errors import ConfigError
from core.ports import Store

FILE = "sqlite:///"
ALLOWED = "sqlite:///FILE (sqlite:////FILE for an absolute path), postgresql://USER@HOST/DATABASE or memory:"
_EXTRA = "install it with `pip install deskmate[postgres]`"
PATIENCE = 30.0
"""Seconds to wait for a server that is away."""


@asynccontextmanager
async def open_store(
    url: str, *, desk: bool = False, patience: float = PATIENCE, writers: int = 1
) -> AsyncIterator[Store]:
    """Open the store a URL names and close it at the end: `async with open_store(url) as store`.

    `desk` takes it for the one desk that works its lanes, where a store allows only one; `patience` is how many seconds
    to wait for a server that is away, at the start and whenever it goes away later. A server is given up to `writers`
    batches at a time, which may be written in any order; a file takes one after the other. Raises ConfigError for a URL
    that names no store, StoreBusyError, SchemaError and StoreError for one that cannot be opened.
    """
    store = await _open(url, desk=desk, patience=patience, writers=writers)
    try:
        yield store
    finally:
        await store.close()


def names_store(url: str) -> bool:
    """Whether a URL names a store: one of `ALLOWED`, or `postgres:` for `postgresql:`."""
    return url == "memory:" or url.startswith(("postgresql:", "postgres:")) or (url.startswith(FILE) and url != FILE)


def names_none(what: str, url: str, allowed: str = ALLOWED) -> str:
    """Say that a URL names no store, and what would; no more of it than its scheme, for it may hold a password."""
    return f"{what} names no store ({url.partition(':')[0][:20]}:...): it must be {allowed}"


async def _open(url: str, *, desk: bool, patience: float, writers: int) -> Store:
    if is_redis(url):
        raise ConfigError(
            "DESK_STORE cannot be Redis: a turn of the desk is one commit over all it touches, and Redis keeps single "
            f"sessions, for `open_session`. It must be {ALLOWED}"
        )
    if not names_store(url):
        raise ConfigError(names_none("DESK_STORE", url))
    if url == "memory:" or url.startswith(FILE):
        from adapters.storage.sqlite import SqliteStore
        from adapters.storage.sqlite_file import MEMORY

        return await SqliteStore.open(url.removeprefix(FILE) if url.startswith(FILE) else MEMORY, desk=desk)
    try:
        from adapters.storage.postgres import PostgresStore
    except ImportError as error:
        raise ConfigError(f"DESK_STORE names PostgreSQL: {error.name} is missing, {_EXTRA}") from error

    return await PostgresStore.open(url, patience=patience, writers=writers)
