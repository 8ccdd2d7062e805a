"""Reaching a PostgreSQL server: how messages call it, how long it is waited for, what went wrong in one line."""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import unquote, urlsplit

import asyncpg

from core.errors import ConfigError, SchemaError, StoreError

if TYPE_CHECKING:
    from asyncpg import Connection
else:
    Connection = Any

log = logging.getLogger(__name__)
ResultT = TypeVar("ResultT")

ANSWER = 60.0
"""Seconds a statement may take; then the server gives it up, and a little later so does the client."""
SETTINGS = {
    "application_name": "deskmate",
    "statement_timeout": f"{ANSWER:.0f}s",
    # A process that was stopped between two steps of a commit must not hold its locks for ever.
    "idle_in_transaction_session_timeout": "20s",
    # Every statement looks rows up by key, and is planned once, maybe while its table is still small.
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "jit": "off",
    # The parts of a question that several workers share out come in any order, and ours are short.
    "max_parallel_workers_per_gather": "0",
}
FIRST_PAUSE, LONGEST_PAUSE = 0.05, 2.0

AWAY = (
    OSError,
    asyncio.TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
    asyncpg.InterfaceError,
    # A connection that was cut a moment ago and does not know yet.
    asyncpg.InternalClientError,
)
"""What is raised while a server is down, starting, full or unreachable: it may be different in a moment."""
TROUBLE = (*AWAY, asyncpg.PostgresError)
"""All that the driver raises."""


@dataclass(frozen=True, slots=True)
class Server:
    """A database by its URL, and how many seconds to try to reach it."""

    url: str
    patience: float

    @property
    def place(self) -> str:
        """How messages call it: without the password."""
        parts = urlsplit(self.url)
        return f"PostgreSQL at {parts.netloc.rpartition('@')[2] or 'localhost'}, database {self.database}"

    @property
    def user(self) -> str:
        """The user's name, as far as the URL says it."""
        name = urlsplit(self.url).username
        return unquote(name) if name else "(none in the URL)"

    @property
    def database(self) -> str:
        """The database's name."""
        return unquote(urlsplit(self.url).path.lstrip("/")) or self.user

    async def connect(self, **settings: str) -> "Connection":
        """Connect, once. Raises what the driver raises."""
        try:
            return await asyncpg.connect(self.url, **options(**settings))
        except (ValueError, asyncpg.ClientConfigurationError):
            # Its message may show the URL.
            raise ConfigError(f"DESK_STORE is no address of a database: {self.place}") from None

    async def patiently(self, attempt: Callable[[], Awaitable[ResultT]]) -> ResultT:
        """Attempt something that may be repeated until it succeeds, for as long as the server is away.

        Raises StoreError in one line after `patience` seconds, and at once for what waiting does not mend.
        """
        end, pause = time.monotonic() + self.patience, FIRST_PAUSE
        while True:
            try:
                return await attempt()
            except AWAY as error:
                left = end - time.monotonic()
                if left <= 0:
                    raise self.error(error, f" (tried for {self.patience:g} s)") from error
                if pause == FIRST_PAUSE:
                    log.warning("%s; trying for %g s", self.error(error), self.patience)
            except asyncpg.PostgresError as error:
                raise self.error(error) from error
            await asyncio.sleep(min(pause * random.uniform(0.8, 1.2), left))  # noqa: S311 - spreads retries only
            pause = min(pause * 2, LONGEST_PAUSE)

    def error(self, error: BaseException, more: str = "") -> StoreError:
        """Say in one line what is wrong and what to do."""
        kind: type[StoreError] = StoreError
        text = str(error).split("\n")[0] or type(error).__name__
        for known, say in _ADVICE:
            if isinstance(error, known):
                text = say(self, text)
                break
        else:
            text = f"could not be reached: {text}" if isinstance(error, AWAY) else text
        if isinstance(error, asyncpg.DuplicateTableError | asyncpg.UndefinedColumnError):
            kind = SchemaError
        return kind(f"{self.place}: {text}{more}")


def options(**settings: str) -> dict[str, Any]:
    """The options of every connection."""
    return {
        "timeout": 10,
        "command_timeout": ANSWER + 5,
        "statement_cache_size": 500,
        "max_cached_statement_lifetime": 0,
        "server_settings": SETTINGS | settings,
    }


_ADVICE: tuple[tuple[Any, Callable[[Server, str], str]], ...] = (
    (
        asyncpg.InvalidAuthorizationSpecificationError,
        lambda server, _: f"user {server.user} was not let in: check the name and password in DESK_STORE",
    ),
    (
        asyncpg.InvalidCatalogNameError,
        lambda server, _: f"there is no such database: make it with `createdb {server.database}`",
    ),
    (
        asyncpg.InsufficientPrivilegeError,
        lambda server, text: f"{text}: let the owner run `GRANT CREATE, USAGE ON SCHEMA public TO {server.user}`",
    ),
    (
        asyncpg.TooManyConnectionsError,
        lambda _, text: f"{text}: raise max_connections or run fewer processes (each takes up to 6)",
    ),
    (asyncpg.DiskFullError, lambda _, text: f"the server's disk is full: {text}"),
    (asyncpg.QueryCanceledError, lambda _, text: f"no answer in {ANSWER:.0f} s: {text}"),
    (
        (asyncpg.DuplicateTableError, asyncpg.UndefinedColumnError),
        lambda _, text: f"the database holds tables of another program ({text}): set DESK_STORE to another database",
    ),
)
