"""Where keyrings are kept: in a file, in memory, in a database of PostgreSQL or in Redis."""

from pathlib import Path
from typing import cast
from urllib.parse import urlsplit, urlunsplit

from adapters.redis_server import is_redis
from adapters.sealing.keyring import Keyring, Movable
from core.errors import KeyringError

MEMORY = ":memory:"
POSTGRES = ("postgresql://", "postgres://")
_FILE = "sqlite:///"


def default_keyring(store: str) -> str:
    """Where the keyring of a store is unless said otherwise: beside its file, in another database of its server, or in
    the same Redis under keys of its own.
    """
    if store.startswith(POSTGRES):
        parts = urlsplit(store)
        return urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}_keys"))
    if is_redis(store):
        return store
    return f"{store.removeprefix(_FILE)}.keys" if store.startswith(_FILE) else MEMORY


def is_address(place: str) -> bool:
    """Whether a keyring is on a server."""
    return place.startswith(POSTGRES) or is_redis(place)


def open_keyring(place: str | Path, *, fresh: bool) -> Keyring:
    """Open the keyring at a place. A missing one is made if `fresh`, else it is a KeyringError. Blocks."""
    text = str(place)
    if text.startswith(POSTGRES):
        from adapters.sealing.postgres_keyring import open_postgres_keyring

        return open_postgres_keyring(text, fresh=fresh)
    if is_redis(text):
        from adapters.sealing.redis_keyring import open_redis_keyring

        return open_redis_keyring(text, fresh=fresh)
    from adapters.sealing.sqlite_keyring import open_sqlite_keyring

    path = _path(text)
    return open_sqlite_keyring(path, fresh=fresh or path is None)


def open_movable(place: str | Path, *, fresh: bool) -> Movable:
    """Open a keyring that can be copied whole: one in a file or in a database of PostgreSQL. Blocks."""
    if is_redis(str(place)):
        raise KeyringError(
            "a keyring in Redis belongs to the sessions beside it: copy its keys PREFIX:key:* and PREFIX:keyring with "
            "redis-cli, or name a file or postgresql://HOST/DATABASE"
        )
    return cast(Movable, open_keyring(place, fresh=fresh))


def keyring_exists(place: str | Path) -> bool:
    """Whether there is a keyring, so that no master key made now could fit it. Blocks."""
    text = str(place)
    if text.startswith(POSTGRES):
        from adapters.sealing.postgres_keyring import has_keys
    elif is_redis(text):
        from adapters.sealing.redis_keyring import has_keys
    else:
        path = _path(text)
        return path is not None and path.exists()
    return has_keys(text)


def _path(place: str) -> Path | None:
    """The file of a keyring; None for one in memory."""
    text = place.removeprefix(_FILE)
    if text in {MEMORY, "memory:"}:
        return None
    if "://" in text:
        raise KeyringError(
            f"DESK_KEYRING is {text.split(':')[0]}://...: give the path of a file, or postgresql://HOST/DATABASE"
        )
    # Resolved, so that all who open one file lock each other out by one name.
    return Path(text).resolve()
