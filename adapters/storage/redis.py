"""Standalone sessions in Redis: one script per commit, and one round trip for all that waits to be written or read.

It knows the records and questions of standalone sessions and no others: the desk does not run here. Each session is a
few keys under one hash tag, so that a commit touches one slot.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, TypeVar

from adapters.redis_server import ANSWERED_WITHIN, CONNECTED_WITHIN, RedisAddress, clear_errors, driver
from adapters.storage.redis_values import Values, commit_values, query_values, rows_of, session_of
from core.errors import ChangedError, ConfigError, ConflictError, RefusedError, SchemaError, StoreError
from core.ports import Outcome
from core.queries.people import StandOf, StandRow
from core.queries.query import Query
from core.records.record import Commit

RowT = TypeVar("RowT")
log = logging.getLogger(__name__)

CONNECTIONS = 2
"""One that writes and one that reads, whatever the number of sessions."""
PARTS = ("session", "turns", "ids", "items", "branches", "moves", "usage")
_REFUSED = {
    b"changed": ChangedError("the session was changed meanwhile"),
    b"conflict": ConflictError("a row of this key is there already"),
    b"full": RefusedError("a turn holds at most 1,048,576 items: begin a new one with a user item"),
}
_warned: set[str] = set()


@dataclass(slots=True)
class _Asked:
    """A question in line, and who waits for its answer."""

    values: Values
    keys: list[str]
    answer: "asyncio.Future[list[Any]]"


class RedisStore:
    """A `core.ports.SessionStore`, for one event loop. Made by `open`; closed by who opened it."""

    def __init__(self, address: RedisAddress, client: Any) -> None:  # noqa: ANN401 - the driver comes late
        self._redis = driver()
        self._address = address
        self._client = client
        self._kept = (address.ttl or 0) * 1000
        self._scripts = {name: _script(name) for name in ("write", "ask")}
        self._named: dict[str, str] = {}
        self._asked: list[_Asked] = []
        self._asking: asyncio.Task[None] | None = None

    @classmethod
    async def open(cls, address: RedisAddress) -> "RedisStore":
        """Connect. Raises ConfigError without the driver or for an address that cannot be, StoreError for a server that
        cannot be used. One that may lose what it was told is warned of, once.
        """
        redis = driver()
        pool = redis.asyncio.BlockingConnectionPool.from_url(
            address.url,
            max_connections=CONNECTIONS,
            timeout=None,  # who waits for a connection waits for an answer, which has its own limit
            socket_connect_timeout=CONNECTED_WITHIN,
            socket_timeout=None,  # a limit of the driver's on each step costs more than one round all of them
            # A commit whose answer was lost must not be sent again by the driver: it may have been written.
            retry=redis.asyncio.retry.Retry(redis.backoff.NoBackoff(), 0),
        )
        store = cls(address, redis.asyncio.Redis(connection_pool=pool))
        try:
            with clear_errors(address.name):
                # At once, so that both connections are there and what opens them later is only a break.
                await asyncio.gather(store._load_scripts(), store._look())
        except TypeError as error:
            await store.close()
            raise ConfigError(f"the address of Redis has a setting that is none: {error}") from error
        except BaseException:
            await store.close()
            raise
        return store

    async def write(self, batch: Sequence[Commit]) -> list[Outcome]:
        """Write a batch in one round trip, each commit by itself. Raises StoreError where it may be written or not."""
        calls = [(commit_values(commit), self._keys(session_of(commit))) for commit in batch]
        replies = await self._run("write", calls)
        if replies and all(isinstance(reply, Exception) for reply in replies):
            raise self._error(replies[0])
        return [self._outcome(reply) for reply in replies]

    async def ask(self, session: bytes, query: Query[RowT]) -> list[RowT]:
        """Answer a question about a session; all that is asked meanwhile goes over in one round trip."""
        answer: asyncio.Future[list[Any]] = asyncio.get_running_loop().create_future()
        self._asked.append(_Asked(query_values(query), self._keys(session), answer))
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._answer_all())
        return rows_of(query, await answer)

    async def read_all(self, queries: Sequence[StandOf]) -> list[list[StandRow]]:
        """Say where sessions stand, all in one round trip."""
        return await asyncio.gather(*(self.ask(query.session, query) for query in queries))

    def stamp(self) -> int | None:
        """None: whether others wrote is only known by asking."""
        return None

    async def has_sessions(self) -> bool:
        """Whether any session is kept under this prefix."""
        with clear_errors(self._address.name):
            async for _ in self._client.scan_iter(f"{self._address.prefix}:{{*}}:session", count=1000):
                return True
        return False

    async def close(self) -> None:
        """Finish what was begun and disconnect. To close twice is no error."""
        if self._asking is not None:
            await self._asking
        with clear_errors(self._address.name):
            await self._client.aclose()
            await self._client.connection_pool.disconnect()

    def _keys(self, session: bytes) -> list[str]:
        tagged = f"{self._address.prefix}:{{{session.hex()}}}:"
        return [tagged + part for part in PARTS]

    async def _answer_all(self) -> None:
        while self._asked:
            asked, self._asked = self._asked, []
            calls = [(one.values, one.keys) for one in asked]
            try:
                try:
                    replies = await self._run("ask", calls)
                except StoreError:  # a connection that was cut; to ask twice does no harm
                    replies = await self._run("ask", calls)
            except Exception as error:  # whatever it is, it belongs to those who wait: here nobody would see it
                replies = [error] * len(asked)
            for one, reply in zip(asked, replies, strict=True):
                if one.answer.done():  # who asked was cancelled
                    continue
                if isinstance(reply, Exception):
                    one.answer.set_exception(self._error(reply))
                else:
                    one.answer.set_result(reply)

    async def _run(self, script: str, calls: Sequence[tuple[Values, list[str]]]) -> list[Any]:
        """Run a script many times in one round trip; what it raises stands where its answer would."""
        replies = await self._send(script, calls)
        unknown = self._redis.exceptions.NoScriptError
        missed = [at for at, reply in enumerate(replies) if isinstance(reply, unknown)]
        if missed:  # the server was started anew; none of these was run
            with clear_errors(self._address.name):
                await self._load_scripts()
            for at, reply in zip(missed, await self._send(script, [calls[at] for at in missed]), strict=True):
                replies[at] = reply
        return replies

    async def _send(self, script: str, calls: Sequence[tuple[Values, list[str]]]) -> list[Any]:
        """Send all and read all answers, on a connection of the pool: the driver's pipeline costs twice as much."""
        named = self._named[script]
        with clear_errors(self._address.name):
            connection = await self._client.connection_pool.get_connection()
            try:
                async with asyncio.timeout(ANSWERED_WITHIN):
                    await connection.send_packed_command(
                        connection.pack_commands(
                            ("EVALSHA", named, len(keys), *keys, self._kept, *values) for values, keys in calls
                        ),
                        check_health=False,
                    )
                    return [await self._answer(connection) for _ in calls]
            except BaseException:
                # What is still to be read must not be taken for the answer to something else.
                await connection.disconnect(nowait=True)
                raise
            finally:
                await self._client.connection_pool.release(connection)

    async def _answer(self, connection: Any) -> Any:  # noqa: ANN401 - the driver's
        try:
            return await connection.read_response()
        except self._redis.exceptions.ResponseError as error:
            return error

    async def _load_scripts(self) -> None:
        for name, script in self._scripts.items():
            self._named[name] = await self._client.script_load(script)

    def _outcome(self, reply: object) -> Outcome:
        if reply == b"written":
            return ()
        if isinstance(reply, Exception):
            return RefusedError(str(self._error(reply)))
        refusal = _REFUSED[reply]  # type: ignore[index]  # the script answers words
        return type(refusal)(str(refusal))

    def _error(self, reply: Exception) -> StoreError:
        """Say what a script could not do."""
        if isinstance(reply, StoreError):
            return reply
        word, _, rest = str(reply).partition(" ")
        if word == "DESKTYPE":
            return SchemaError(
                f"{rest} in Redis at {self._address.name} is not of ours: set another prefix in the address"
            )
        if word == "DESKLAYOUT":
            return SchemaError(f"{rest} in Redis at {self._address.name} comes from a newer Deskmate: use that one")
        if word == "DESKLOST":
            return StoreError(
                f"Redis at {self._address.name} has lost a part of {rest}: set maxmemory-policy noeviction"
            )
        return StoreError(f"Redis at {self._address.name} cannot do it: {reply}")

    async def _look(self) -> None:
        """Refuse a cluster, and warn once of a server that may lose what it was told."""
        pipeline = self._client.pipeline(transaction=False)
        for section in ("cluster", "memory", "persistence"):
            pipeline.info(section)
        pipeline.config_get("save")
        cluster, memory, persistence, save = await pipeline.execute(raise_on_error=False)
        for reply in (cluster, memory, persistence):
            # A managed server may keep these to itself.
            forbidden = isinstance(reply, self._redis.exceptions.NoPermissionError) or "unknown command" in str(reply)
            if isinstance(reply, Exception) and not forbidden:
                raise reply
        if _told(cluster).get("cluster_enabled"):
            raise ConfigError(
                f"Redis at {self._address.name} is a cluster, which sessions cannot use: name a single server"
            )
        self._warn(_told(memory), _told(persistence), _told(save))

    def _warn(self, memory: dict[str, Any], persistence: dict[str, Any], save: dict[str, Any]) -> None:
        policy = memory.get("maxmemory_policy", "noeviction")
        wrong = []
        if persistence.get("aof_enabled") == 0 and save.get("save") == "":
            wrong.append("keeps nothing on disk (set appendonly yes)")
        if policy != "noeviction":
            wrong.append(f"drops keys when memory is short (maxmemory-policy {policy}, set noeviction)")
        if wrong and self._address.name not in _warned:
            _warned.add(self._address.name)
            log.warning("Redis at %s %s: sessions can be lost.", self._address.name, " and ".join(wrong))


def _script(name: str) -> str:
    folder = files(__package__).joinpath("scripts")
    return "\n".join(folder.joinpath(f"{part}.lua").read_text(encoding="utf-8") for part in ("shared", name))


def _told(reply: object) -> dict[str, Any]:
    return reply if isinstance(reply, dict) else {}
