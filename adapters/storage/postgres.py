"""A store in a PostgreSQL database: one or two connections that write, a few that read, one for words."""

import asyncio
import json
import random
from collections import defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeVar

import asyncpg

from adapters.storage.batches import Sorted, passes, sort_records, stretches
from adapters.storage.guards import GUARDS
from adapters.storage.postgres_locks import locks_of
from adapters.storage.postgres_schema import prepare_schema
from adapters.storage.postgres_server import AWAY, TROUBLE, Server, options
from adapters.storage.postgres_sql import call, load_engine
from adapters.storage.postgres_words import Words
from core.errors import (
    ChangedError,
    ConflictError,
    RefusedError,
    StoreError,
)
from core.ports import Outcome
from core.queries.query import Query
from core.records.bill import ReserveBudget, SettleBudget
from core.records.people import Reserve
from core.records.record import Commit, Record, Rows

if TYPE_CHECKING:
    from asyncpg import Connection, Pool

RowT = TypeVar("RowT")
ResultT = TypeVar("ResultT")

READERS = 4
"""Connections that read, at most; further questions wait for one of them."""
TRIES = 20
"""How often a batch is tried beside others that it got in a circle with."""

_UNFIT = (asyncpg.IntegrityConstraintViolationError, asyncpg.DataError)
"""What a commit's own content raises; anything else is the store's trouble and fails the whole batch."""
_AGAIN = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError)
"""What says that surely nothing was written, through no fault of the batch."""
_COUNTERS: dict[type[Record], str] = {Reserve: "name", ReserveBudget: "counter", SettleBudget: "counter"}
"""Records that count, and the field that names their counter."""


class PostgresStore:
    """A `core.ports.Store` that many processes share, for one event loop here. Made by `open`."""

    def __init__(self, server: Server, writers: "Sequence[Connection | None]", readers: "Pool") -> None:
        """A writer that is None is connected when it is needed."""
        self._server = server
        self._writers = list(writers)
        self._readers = readers
        self._words = Words(server)
        self._engine = load_engine()
        self._turns = asyncio.Semaphore(len(self._writers))
        self._writes: set[asyncio.Task[list[Outcome]]] = set()
        self._closed = False

    @classmethod
    async def open(cls, url: str, *, patience: float, writers: int = 1) -> "PostgresStore":
        """Open the store in a database that is there; its tables are made where there are none.

        `patience` is how many seconds to wait for a server that is away, now and later, and `writers` how many batches
        it may be given at a time. Raises ConfigError, StoreError and SchemaError, each in one line that never shows the
        password.
        """
        server = Server(url, patience)
        writer = await server.patiently(server.connect)
        try:
            await prepare_schema(writer, server.place)
            readers = await asyncpg.create_pool(url, min_size=0, max_size=READERS, reset=_as_it_is, **options())
        except TROUBLE as error:
            writer.terminate()
            raise server.error(error) from error
        except BaseException:
            writer.terminate()
            raise
        return cls(server, [*[None] * (writers - 1), writer], readers)

    async def write(self, batch: Sequence[Commit]) -> list[Outcome]:
        """Write a batch; see `core.ports.Store`. To cancel the waiting does not cancel the write."""
        if not batch:
            return []
        self._check_open()
        task = asyncio.create_task(self._write_in_turn(batch))
        self._writes.add(task)
        task.add_done_callback(self._writes.discard)
        return await asyncio.shield(task)

    async def read(self, query: Query[RowT]) -> list[RowT]:
        """Answer a question; see `core.ports.Store`."""
        question = self._engine.questions[type(query)]
        if question.many is not None:
            (answer,) = await self.read_all([query])
            return answer
        rows = await self._ask(question.sql, question.values(query))
        row: Any = query.row
        return [row(*values) for values in rows]

    async def read_all(self, queries: Sequence[Query[RowT]]) -> list[list[RowT]]:
        """Answer questions of one class, in one round trip where the statement can; see `core.ports.Store`."""
        if not queries:
            return []
        question = self._engine.questions[type(queries[0])]
        if question.many is None:
            return await asyncio.gather(*(self.read(query) for query in queries))
        rows = await self._ask(question.sql, tuple(zip(*map(question.values, queries), strict=True)))
        row: Any = queries[0].row
        found: dict[object, list[RowT]] = {}
        for whose, *values in rows:
            found.setdefault(whose, []).append(row(*values))
        return [found.get(question.many(query), []) for query in queries]

    def stamp(self) -> int | None:
        """Say that it cannot be told without asking; see `core.ports.Store`."""
        return None

    @property
    def shared(self) -> bool:
        """Say yes: any number of processes may work one database."""
        return True

    async def notify(self, words: Sequence[str]) -> None:
        """Tell words to all processes; see `core.ports.Store`."""
        if not self._closed:
            await self._words.tell(words)

    async def listen(self, hear: Callable[[str], None]) -> None:
        """Hear words of all processes; see `core.ports.Store`."""
        self._check_open()
        await self._words.listen(hear)

    async def scrub(self) -> None:
        """Do nothing: what the server still has of deleted rows, its VACUUM and its log decide."""

    async def close(self) -> None:
        """Finish what was begun and let go of the connections. To close twice is no error."""
        self._closed = True
        await asyncio.gather(*self._writes, return_exceptions=True)
        await self._words.close()
        try:
            writers = [writer.close() for writer in self._writers if writer is not None]
            await asyncio.wait_for(asyncio.gather(self._readers.close(), *writers), 5)
        except TROUBLE:
            self._readers.terminate()
            for writer in self._writers:
                if writer is not None:
                    writer.terminate()

    # --- reading ------------------------------------------------------------------------------------------------------

    async def _ask(self, sql: str, values: tuple[object, ...]) -> list[Any]:
        self._check_open()

        async def attempt() -> list[Any]:
            async with self._readers.acquire() as connection:
                try:
                    rows: list[Any] = await connection.fetch(sql, *values)
                except AWAY:
                    # One that the server cut has left the pool by itself.
                    with suppress(asyncpg.InterfaceError):
                        connection.terminate()
                    raise
                return rows

        return await self._server.patiently(attempt)

    def _check_open(self) -> None:
        if self._closed:
            raise StoreError("the store is closed")

    # --- writing ------------------------------------------------------------------------------------------------------

    async def _write_in_turn(self, batch: Sequence[Commit]) -> list[Outcome]:
        async with self._turns:
            writer = self._writers.pop()
            try:
                for _ in range(TRIES):
                    writer = await self._connected(writer)
                    try:
                        return await self._write(writer, batch)
                    except _AGAIN:
                        await asyncio.sleep(random.uniform(0, 0.02))  # noqa: S311 - spreads retries, guards nothing
                    except AWAY as error:
                        writer.terminate()
                        raise self._server.error(error, "; what was being written may be there or not") from error
                    except TROUBLE as error:
                        raise self._server.error(error) from error
                raise StoreError(f"{self._server.place}: others wrote the same each time, in {TRIES} tries")
            finally:
                self._writers.append(writer)

    async def _connected(self, writer: "Connection | None") -> "Connection":
        if writer is None or writer.is_closed():
            return await self._server.patiently(self._server.connect)
        return writer

    async def _write(self, connection: "Connection", batch: Sequence[Commit]) -> list[Outcome]:
        try:
            return await self._write_together(connection, batch)
        except _UNFIT as error:
            if len(batch) == 1:
                return [_refusal(error)]
        async with connection.transaction():
            return await self._write_apart(connection, batch)

    async def _write_together(self, connection: "Connection", batch: Sequence[Commit]) -> list[Outcome]:
        locks, dealt = locks_of(batch), passes(batch)
        if len(dealt) == 1:
            # A call alone is a transaction: no round trips for its beginning and end.
            return [*await self._run(connection, batch, locks)]
        outcomes: list[Outcome] = [()] * len(batch)
        async with connection.transaction():
            for numbers in dealt:
                answers = await self._run(connection, [batch[number] for number in numbers], locks)
                for number, rows in zip(numbers, answers, strict=True):
                    outcomes[number] = rows
                locks = {}
        return outcomes

    async def _write_apart(self, connection: "Connection", batch: Sequence[Commit]) -> list[Outcome]:
        """Write a batch in which commits are refused, in its order; a refused one is found by halving."""
        outcomes: list[Outcome] = []
        waiting: deque[Sequence[Commit]] = deque(stretches(batch))
        await connection.execute("SAVEPOINT apart")
        # The locks of all before anything else. Those of an unfit commit fail here; then each stretch takes its own.
        with suppress(*_UNFIT):
            await self._try(connection, (), locks_of(batch))
        while waiting:
            commits = waiting.popleft()
            try:
                outcomes += await self._try(connection, commits, locks_of(commits))
            except _UNFIT as error:
                half = len(commits) // 2
                if half:
                    waiting.extendleft((commits[half:], commits[:half]))
                else:
                    outcomes.append(_refusal(error))
        return outcomes

    async def _try(
        self, connection: "Connection", commits: Sequence[Commit], locks: Mapping[type[Record], Sequence[Record]]
    ) -> list[tuple[Rows, ...]]:
        """Run records after the savepoint: all of them, or none."""
        try:
            answers = await self._run(connection, commits, locks)
        except _UNFIT:
            await connection.execute("ROLLBACK TO apart")
            raise
        await connection.execute("RELEASE apart; SAVEPOINT apart")
        return answers

    async def _run(
        self, connection: "Connection", commits: Sequence[Commit], locks: Mapping[type[Record], Sequence[Record]]
    ) -> list[tuple[Rows, ...]]:
        """Run the records of commits that share no subject class by class, in one round trip."""
        made = sort_records(commits)
        classes = sorted((*locks, *made.records), key=self._engine.order.__getitem__)
        functions, arguments = [], list[tuple[object, ...]]()
        for cls in classes:
            functions.append(self._engine.functions[cls])
            records = locks.get(cls) or made.records[cls]
            if cls in _COUNTERS:
                # Two counters that two processes draw from, in one order.
                records = sorted(records, key=attrgetter(_COUNTERS[cls]))
            arguments += zip(*map(functions[-1].values, records), strict=True)
        if functions:
            self._fill(made, classes, await connection.fetch(call(tuple(functions)), *arguments))
        return made.answers

    def _fill(self, made: Sorted, classes: Sequence[type[Record]], answers: Sequence[Any]) -> None:
        """Give each returning record the first row left of those that are its own."""
        found: defaultdict[tuple[type[Record], object], deque[tuple[object, ...]]] = defaultdict(deque)
        for number, text in answers:
            whose, *values = json.loads(text).values()
            found[classes[number], whose].append(tuple(values))
        for cls, all_rows in made.rows.items():
            whose_of = self._engine.functions[cls].whose
            for record, rows in zip(made.records[cls], all_rows, strict=True):
                own = found.get((cls, _as_json(whose_of(record)))) if whose_of else None
                if own:
                    rows.append(own.popleft())


async def _as_it_is(_: Any) -> None:  # noqa: ANN401 - a connection
    """Let a reader go back as it is: nothing on it was set, and to reset it would cost a round trip."""


def _as_json(key: object) -> object:
    return f"\\x{key.hex()}" if isinstance(key, bytes) else key


def _refusal(error: Exception) -> RefusedError:
    """Say what of a commit the database refused."""
    text = str(error).split("\n")[0]
    if isinstance(error, asyncpg.CheckViolationError):
        return GUARDS.get(error.constraint_name or "", RefusedError)(text)
    if isinstance(error, asyncpg.UniqueViolationError):
        return ConflictError(text)
    if isinstance(error, asyncpg.ForeignKeyViolationError):
        return ChangedError("what a record refers to is not there")
    return RefusedError(f"a record cannot be stored: {text}")
