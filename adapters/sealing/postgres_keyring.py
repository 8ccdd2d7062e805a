"""A keyring in a database of PostgreSQL, for stores that many machines share.

Sealing asks without waiting, so the driver works in a thread with a loop of its own; whoever asks is held up for a
round trip. It is the driver that the store brings along, so that `deskmate[postgres]` needs no second one.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from importlib.resources import files
from typing import Any, TypeVar
from urllib.parse import urlsplit, urlunsplit

from adapters.sealing.keyring import Contents, KeyRow, missing, newer
from core.errors import ConfigError, DeskError, KeyringAwayError, KeyringError, StoreError

AnswerT = TypeVar("AnswerT")
LAYOUT = 1
CONNECTIONS = 2
"""One for who waits with something to seal or open, and one for what takes longer."""
ANSWERED_WITHIN = 10.0
"""Seconds until a server that does not answer counts as gone."""
COPIED_WITHIN = 600.0
"""Seconds until that of a whole keyring does."""
_ROWS = """
SELECT owner, version, state, wrapped FROM deskmate_keyring.key WHERE owner = ANY ($1::bytea[]) ORDER BY owner, version
"""
_ADD = """
INSERT INTO deskmate_keyring.key (owner, version, state, wrapped, made)
SELECT *, $5 FROM unnest($1::bytea[], $2::integer[], $3::text[], $4::bytea[]) AS new (owner, version, state, wrapped)
-- In one order, so that two who add the same owners do not wait for each other in a circle.
ORDER BY owner, version ON CONFLICT DO NOTHING
"""
_ERASE = """
UPDATE deskmate_keyring.key SET state = 'erased', wrapped = decode(repeat('00', length(wrapped)), 'hex')
WHERE owner = $1 AND state = 'live' RETURNING 1
"""
_OWNERS = """
SELECT owner FROM deskmate_keyring.key GROUP BY owner HAVING $1::bigint IS NULL OR max(made) < $1 ORDER BY owner
"""
_REWRAP = """
UPDATE deskmate_keyring.key AS key SET wrapped = new.wrapped
FROM unnest($1::bytea[], $2::integer[], $3::bytea[], $4::bytea[]) AS new (owner, version, before, wrapped)
WHERE key.owner = new.owner AND key.version = new.version AND key.state = 'live' AND key.wrapped = new.before
"""
_CONTENTS = (
    "SELECT owner, version, state, wrapped, made FROM deskmate_keyring.key ORDER BY owner, version",
    "SELECT owner, at FROM deskmate_keyring.erasure ORDER BY seq",
)
_LOCK = "SELECT pg_advisory_xact_lock(hashtext('deskmate keyring'))"


class PostgresKeyring:
    """A `adapters.sealing.keyring.Keyring` in a database."""

    far = True

    def __init__(self, place: str) -> None:
        parts = urlsplit(place)
        self.name = f"postgresql://{parts.hostname or 'localhost'}:{parts.port or 5432}{parts.path}"
        self._place = place
        self._driver = _driver()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="keyring server", daemon=True)
        self._thread.start()
        self._pool: Any = None

    def rows(self, owners: Sequence[bytes]) -> list[KeyRow]:
        """Read all versions of these owners' keys in one round trip."""
        return [KeyRow(*row) for row in self._do(lambda: self._pool.fetch(_ROWS, list(owners)))]

    def erasures(self) -> int:
        """Count erasures."""
        # They are numbered under a lock that is held until the commit: none becomes visible after a later one.
        return int(self._do(lambda: self._pool.fetchval("SELECT coalesce(max(seq), 0) FROM deskmate_keyring.erasure")))

    def add(self, rows: Sequence[KeyRow]) -> None:
        """Keep new keys; one that is there already stays."""
        columns = [list(column) for column in zip(*rows, strict=True)]
        self._do(lambda: self._pool.execute(_ADD, *columns, _now()))

    def erase(self, owner: bytes) -> None:
        """Overwrite an owner's keys. What the server still has of the old rows, its VACUUM and its log decide."""
        self._do(lambda: self._erase(owner))

    def owners(self, made_before: int | None = None) -> list[bytes]:
        """Name every owner, or those whose newest key was made before a time."""
        return [row[0] for row in self._do(lambda: self._pool.fetch(_OWNERS, made_before))]

    def rewrap(self, pairs: Sequence[tuple[KeyRow, bytes]]) -> None:
        """Put another wrapping in the place of a live row's, where it is still as given."""
        rows = [(row.owner, row.version, row.wrapped, new) for row, new in pairs]
        columns = [[row[at] for row in rows] for at in range(4)]
        self._do(lambda: self._pool.execute(_REWRAP, *columns))

    def tell(self) -> None:
        """Let everybody read keys anew."""
        self._do(self._tell)

    def contents(self) -> Contents:
        """Read everything, of one moment."""
        return self._do(self._contents)

    def take_in(self, contents: Contents) -> None:
        """Have everything in a keyring that holds nothing."""
        self._do(lambda: self._take_in(contents))

    def open(self, *, fresh: bool) -> None:
        """Connect, and have the tables there. Raises KeyringError for a keyring that is missing or newer."""
        self._do(lambda: self._open(fresh=fresh), KeyringError)

    def has_keys(self) -> bool:
        """Whether there is any key."""
        return bool(self._do(self._has_keys, KeyringError))

    def close(self) -> None:
        """Disconnect and end the thread."""
        try:
            if self._pool is not None:
                self._do(self._pool.close)
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    # --- in the thread ------------------------------------------------------------------------------------------------

    async def _open(self, *, fresh: bool) -> None:
        if fresh:
            await self._provide_database()
        elif not await self._has_keys():
            raise missing(self.name, restore="database")
        self._pool = await self._driver.create_pool(
            self._place, min_size=0, max_size=CONNECTIONS, command_timeout=ANSWERED_WITHIN, **_durable()
        )
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(_LOCK)
            if not await _has_tables(connection):
                await connection.execute(_tables())
            if await connection.fetchval("SELECT max(number) FROM deskmate_keyring.layout") > LAYOUT:
                raise newer(self.name)

    async def _provide_database(self) -> None:
        try:
            await (await self._connect(self._place)).close()
        except self._driver.InvalidCatalogNameError:
            await self._create_database()

    async def _create_database(self) -> None:
        parts = urlsplit(self._place)
        name = parts.path.strip("/")
        connection = await self._connect(urlunsplit(parts._replace(path="/postgres")))
        try:
            await connection.execute('CREATE DATABASE "{}"'.format(name.replace('"', '""')))
        except (self._driver.DuplicateDatabaseError, self._driver.UniqueViolationError):
            return  # another process was first
        except self._driver.InsufficientPrivilegeError as error:
            role = await connection.fetchval("SELECT current_user")
            raise KeyringError(
                f"there is no database {name} for the keyring, and {role} may not make one: run  "
                f"createdb --host {parts.hostname or 'localhost'} --port {parts.port or 5432} --owner {role} {name}"
            ) from error
        finally:
            await connection.close()

    async def _has_keys(self) -> bool:
        try:
            connection = await self._connect(self._place)
        except self._driver.InvalidCatalogNameError:
            return False
        try:
            return await _has_tables(connection) and await connection.fetchval(
                "SELECT EXISTS (SELECT 1 FROM deskmate_keyring.key)"
            )
        finally:
            await connection.close()

    async def _connect(self, place: str) -> Any:  # noqa: ANN401 - the driver comes late
        return await self._driver.connect(place, timeout=ANSWERED_WITHIN, command_timeout=ANSWERED_WITHIN)

    async def _erase(self, owner: bytes) -> None:
        async with self._pool.acquire() as connection:
            async with connection.transaction():
                await connection.execute("LOCK TABLE deskmate_keyring.erasure IN SHARE ROW EXCLUSIVE MODE")
                if await connection.fetch(_ERASE, owner):
                    noted = "INSERT INTO deskmate_keyring.erasure (owner, at) VALUES ($1, $2)"
                    await connection.execute(noted, owner, _now())
            await connection.execute("VACUUM deskmate_keyring.key")

    async def _tell(self) -> None:
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute("LOCK TABLE deskmate_keyring.erasure IN SHARE ROW EXCLUSIVE MODE")
            await connection.execute("INSERT INTO deskmate_keyring.erasure (owner, at) VALUES ('', $1)", _now())

    async def _contents(self) -> Contents:
        async with (
            self._pool.acquire() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            found = [await connection.fetch(query, timeout=COPIED_WITHIN) for query in _CONTENTS]
        keys, erasures = ([tuple(row) for row in rows] for rows in found)
        return Contents(keys, erasures)

    async def _take_in(self, contents: Contents) -> None:
        async with self._pool.acquire() as connection, connection.transaction():
            for table, columns, rows in (
                ("key", ("owner", "version", "state", "wrapped", "made"), contents.keys),
                ("erasure", ("owner", "at"), contents.erasures),
            ):
                await connection.copy_records_to_table(
                    table, schema_name="deskmate_keyring", columns=columns, records=rows, timeout=COPIED_WITHIN
                )

    # --- from any thread ----------------------------------------------------------------------------------------------

    def _do(self, ask: Callable[[], Coroutine[Any, Any, AnswerT]], kind: type[DeskError] = StoreError) -> AnswerT:
        cut = (
            *(self._driver.PostgresConnectionError, self._driver.AdminShutdownError),
            *(self._driver.InterfaceError, self._driver.InternalClientError, ConnectionError),
        )

        async def asked() -> AnswerT:
            # Each connection of the pool may have been cut; to do any of this twice does no harm.
            for _ in range(CONNECTIONS):
                with suppress(*cut):
                    return await ask()
            return await ask()

        with self._clear_errors(kind):
            return asyncio.run_coroutine_threadsafe(asked(), self._loop).result()

    def _away(self) -> tuple[type[BaseException], ...]:
        """What is raised while a server is down, starting, full or unreachable."""
        raised = ("PostgresConnectionError", "CannotConnectNowError", "AdminShutdownError", "CrashShutdownError",
                  "TooManyConnectionsError", "InterfaceError", "InternalClientError")  # fmt: skip
        return (*(getattr(self._driver, name) for name in raised), OSError, TimeoutError)

    @contextmanager
    def _clear_errors(self, kind: type[DeskError]) -> Iterator[None]:
        try:
            yield
        except (
            *(self._driver.PostgresError, self._driver.InterfaceError),
            *(self._driver.InternalClientError, OSError, TimeoutError),
        ) as error:
            said = str(error) or "it does not answer"
            if kind is KeyringError and isinstance(error, self._away()):
                kind = KeyringAwayError
            raise kind(f"the keyring at {self.name} cannot be used: {said}") from error


def open_postgres_keyring(place: str, *, fresh: bool) -> PostgresKeyring:
    """Open the keyring in a database. A missing one is made if `fresh`, with its database where the role may."""
    keyring = PostgresKeyring(place)
    try:
        keyring.open(fresh=fresh)
    except BaseException:
        keyring.close()
        raise
    return keyring


def has_keys(place: str) -> bool:
    """Whether a keyring is in a database."""
    keyring = PostgresKeyring(place)
    try:
        return keyring.has_keys()
    finally:
        keyring.close()


async def _has_tables(connection: Any) -> bool:  # noqa: ANN401 - the driver comes late
    return await connection.fetchval("SELECT to_regclass('deskmate_keyring.erasure')") is not None


def _tables() -> str:
    return files(__package__).joinpath("postgres_keyring.sql").read_text(encoding="utf-8")


def _durable() -> dict[str, Any]:
    """Settings of a connection on which a commit is on the disk when it returns, whatever the server's default is."""
    return {"server_settings": {"synchronous_commit": "on"}, "timeout": ANSWERED_WITHIN}


def _driver() -> Any:  # noqa: ANN401 - the driver comes late
    try:
        return import_module("asyncpg")
    except ImportError as error:
        raise ConfigError("PostgreSQL needs a driver that is not here: pip install 'deskmate[postgres]'") from error


def _now() -> int:
    return time.time_ns() // 1000
