"""Standalone sessions in Redis: one script per commit, and one round trip for all that waits to be written or read.

It knows the records and questions of standalone sessions and no others: the desk does not run here. Each session is a
few keys under one hash tag, so that a commit touches one slot.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, TypeVar

from adapters.redis_server import CONNECTED_WITHIN, RedisAddress, clear_errors, driver
from adapters.storage.redis_fitness import look
from adapters.storage.redis_link import Link
from adapters.storage.redis_values import Values, commit_values, query_values, rows_of, session_of
from core.errors import ChangedError, ConfigError, ConflictError, RefusedError, SchemaError, StoreError
from core.ports import Outcome
from core.queries.people import StandOf, StandRow
from core.queries.query import Query
from core.records.record import Commit

RowT = TypeVar("RowT")

PARTS = ("session", "turns", "ids", "items", "branches", "moves", "usage")
_REFUSED = {
    b"changed": ChangedError("the session was changed meanwhile"),
    b"conflict": ConflictError("a row of this key is there already"),
    b"full": RefusedError("a turn holds at most 1,048,576 items: begin a new one with a user item"),
}


@dataclass(slots=True)
class _Asked:
    """A question in line, and who waits for its answer."""

    values: Values
    keys: list[str]
    answer: "asyncio.Future[Any]"


class RedisStore:
    """A `core.ports.SessionStore`, for one event loop. Made by `open`; closed by who opened it."""

    def __init__(self, address: RedisAddress, *, writing: Link, asking: Link) -> None:
        """Two connections, whatever the number of sessions: a long answer holds up no commit."""
        self._address = address
        self._links = {"write": writing, "ask": asking}
        self._unknown = driver().exceptions.NoScriptError
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
        pool = redis.asyncio.ConnectionPool.from_url(
            address.url,
            socket_connect_timeout=CONNECTED_WITHIN,
            socket_timeout=None,  # a limit of the driver's on each step costs more than one round all of them
            # A commit whose answer was lost must not be sent again by the driver: it may have been written.
            retry=redis.asyncio.retry.Retry(redis.backoff.NoBackoff(), 0),
        )
        try:
            with clear_errors(address.name):
                async with redis.asyncio.Redis.from_pool(pool) as client:
                    await look(address.name, client)
            writing, asking = (Link(address.name, pool.make_connection()) for _ in range(2))
        except TypeError as error:
            raise ConfigError(f"the address of Redis has a setting that is none: {error}") from error
        store = cls(address, writing=writing, asking=asking)
        try:
            await store._load_scripts()
            # At once, so that both connections are there and what opens them later is only a break.
            await asking.exchange([("PING",)])
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
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._asked.append(_Asked(query_values(query), self._keys(session), answer))
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._answer_all())
        reply = await answer
        if isinstance(reply, Exception):
            raise self._error(reply)
        return rows_of(query, reply)

    async def read_all(self, queries: Sequence[StandOf]) -> list[list[StandRow]]:
        """Say where sessions stand, all in one round trip. A broken one stands nowhere: who reads it learns why."""
        replies = await self._answers([(query_values(query), self._keys(query.session)) for query in queries])
        return [
            [] if isinstance(reply, Exception) else rows_of(query, reply)
            for query, reply in zip(queries, replies, strict=True)
        ]

    def stamp(self) -> int | None:
        """None: whether others wrote is only known by asking."""
        return None

    async def has_sessions(self) -> bool:
        """Whether any session is kept under this prefix."""
        cursor: bytes | int = 0
        while True:
            scan = ("SCAN", cursor, "MATCH", f"{self._address.prefix}:{{*}}:session", "COUNT", 1000)
            ((cursor, found),) = self._checked(await self._links["ask"].exchange([scan]))
            if found:
                return True
            if int(cursor) == 0:
                return False

    async def close(self) -> None:
        """Finish what was begun and disconnect. To close twice is no error."""
        if self._asking is not None:
            await self._asking
        for link in self._links.values():
            await link.close()

    def _keys(self, session: bytes) -> list[str]:
        tagged = f"{self._address.prefix}:{{{session.hex()}}}:"
        return [tagged + part for part in PARTS]

    async def _answer_all(self) -> None:
        while self._asked:
            asked, self._asked = self._asked, []
            try:
                replies = await self._answers([(one.values, one.keys) for one in asked])
            except Exception as error:  # whatever it is, it belongs to those who wait: here nobody would see it
                replies = [error] * len(asked)
            for one, reply in zip(asked, replies, strict=True):
                if not one.answer.done():  # who asked may have been cancelled
                    one.answer.set_result(reply)

    async def _answers(self, calls: Sequence[tuple[Values, list[str]]]) -> list[Any]:
        """Ask in one round trip; what was refused stands where its answer would."""
        try:
            return await self._run("ask", calls)
        except StoreError:  # a connection that was cut; to ask twice does no harm
            return await self._run("ask", calls)

    async def _run(self, script: str, calls: Sequence[tuple[Values, list[str]]]) -> list[Any]:
        """Run a script many times in one round trip; what it raises stands where its answer would."""
        replies = await self._send(script, calls)
        missed = [at for at, reply in enumerate(replies) if isinstance(reply, self._unknown)]
        if missed:  # the server was started anew; none of these was run
            await self._load_scripts()
            for at, reply in zip(missed, await self._send(script, [calls[at] for at in missed]), strict=True):
                replies[at] = reply
        return replies

    async def _send(self, script: str, calls: Sequence[tuple[Values, list[str]]]) -> list[Any]:
        named, kept = self._named[script], self._kept
        commands = [("EVALSHA", named, len(keys), *keys, kept, *values) for values, keys in calls]
        return await self._links[script].exchange(commands)

    async def _load_scripts(self) -> None:
        texts = [("SCRIPT", "LOAD", text) for text in self._scripts.values()]
        self._named = dict(zip(self._scripts, self._checked(await self._links["write"].exchange(texts)), strict=True))

    def _checked(self, replies: list[Any]) -> list[Any]:
        with clear_errors(self._address.name):
            for reply in replies:
                if isinstance(reply, Exception):
                    raise reply
        return replies

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


def _script(name: str) -> str:
    folder = files(__package__).joinpath("scripts")
    return "\n".join(folder.joinpath(f"{part}.lua").read_text(encoding="utf-8") for part in ("shared", name))
