"""Stores: where turns, tickets and customers are kept."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from adapters.redis_server import is_redis
from core.errors import ConfigError
from core.ports import Store

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
    """Whether a URL is one of those, or `postgres://...` for `postgresql://...`."""
    scheme, _, rest = url.partition(":")
    on_file = scheme == "sqlite" and rest.startswith("///") and rest != "///"
    return url == "memory:" or on_file or scheme in ("postgresql", "postgres")


async def _open(url: str, *, desk: bool, patience: float, writers: int) -> Store:
    scheme, _, rest = url.partition(":")
    if is_redis(url):
        raise ConfigError(
            "DESK_STORE cannot be Redis: a turn of the desk is one commit over all it touches, and Redis keeps single "
            f"sessions, for `open_session`. It must be {ALLOWED}"
        )
    if not names_store(url):
        # The URL itself may hold a password.
        raise ConfigError(f"DESK_STORE names no store ({scheme[:20]}:...): it must be {ALLOWED}")
    if scheme in ("sqlite", "memory"):
        from adapters.storage.sqlite import SqliteStore
        from adapters.storage.sqlite_file import MEMORY

        return await SqliteStore.open(MEMORY if scheme == "memory" else rest.removeprefix("///"), desk=desk)
    try:
        from adapters.storage.postgres import PostgresStore
    except ImportError as error:
        raise ConfigError(f"DESK_STORE names PostgreSQL: {error.name} is missing, {_EXTRA}") from error

    return await PostgresStore.open(url, patience=patience, writers=writers)
