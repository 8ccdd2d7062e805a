"""A Redis server: its address as it is set, and what goes wrong there in one clear line."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from core.errors import ConfigError, DeskError, StoreError

SCHEMES = ("redis://", "rediss://")
PREFIX = "deskmate"
CONNECTED_WITHIN = 5.0
"""Seconds until a server that does not answer counts as not reachable."""
ANSWERED_WITHIN = 30.0
"""Seconds until a server that stopped answering counts as gone."""


@dataclass(frozen=True, slots=True)
class RedisAddress:
    """Where sessions are kept: `url` for the driver, `prefix` of all keys, seconds they live unused (None: for ever).

    `name` is host, port and number of the database, which may be shown: the URL may hold a password.
    """

    url: str
    prefix: str
    ttl: int | None
    name: str


def is_redis(place: str) -> bool:
    """Whether an address is a Redis server's."""
    return place.startswith(SCHEMES)


def address_of(place: str) -> RedisAddress:
    """Read `redis://[USER:PASSWORD@]HOST[:PORT][/DATABASE][?ttl=SECONDS&prefix=WORD]`. Raises ConfigError."""
    try:
        parts = urlsplit(place)
        name = f"{parts.hostname or 'localhost'}:{parts.port or 6379}/{int(parts.path.strip('/') or 0)}"
    except ValueError as error:
        raise ConfigError("the address of Redis is redis://HOST:PORT/NUMBER: the port or the number is none") from error
    given = dict(parse_qsl(parts.query))
    prefix, ttl = given.pop("prefix", PREFIX), given.pop("ttl", None)
    if not prefix or set(prefix) & set("{}* \n"):
        raise ConfigError("prefix in the address of Redis must be a word without braces, stars and spaces")
    if ttl is not None and not (ttl.isascii() and ttl.isdigit() and 0 < int(ttl) < 2**31):
        raise ConfigError(f"ttl in the address of Redis is the seconds an unused session is kept, found {ttl[:20]!r}")
    url = urlunsplit(parts._replace(query=urlencode(given)))
    return RedisAddress(url, prefix, int(ttl) if ttl else None, name)


def driver() -> ModuleType:
    """Import the driver. Raises ConfigError that names what brings it."""
    try:
        import hiredis  # noqa: F401 - reads its answers
        import redis.asyncio
    except ImportError as error:
        raise ConfigError("Redis needs a driver that is not here: pip install 'deskmate[redis]'") from error
    return redis


@contextmanager
def clear_errors(
    name: str, kind: type[DeskError] = StoreError, *, away: type[DeskError] | None = None
) -> Iterator[None]:
    """Raise what the driver raises as an error of ours that says what to do: `away` where waiting may mend it."""
    from redis import exceptions

    try:
        yield
    except (exceptions.AuthenticationError, exceptions.NoPermissionError) as error:
        raise kind(f"Redis at {name} refuses the user or its password, look at its address: {error}") from error
    except (exceptions.ConnectionError, exceptions.TimeoutError, OSError) as error:
        raise (away or kind)(f"Redis at {name} cannot be reached: is it running there? {error}") from error
    except exceptions.RedisError as error:
        raise kind(f"Redis at {name} cannot be used: {error}") from error
