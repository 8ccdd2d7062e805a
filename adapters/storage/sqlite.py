"""A store in one SQLite file, or in memory: one writing connection and one reading one, each in a thread of its own."""

import asyncio
import sqlite3
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

import aiosqlite

from adapters.storage.batches import passes, sort_records
from adapters.storage.given import run_given
from adapters.storage.guards import GUARDS
from adapters.storage.locks import FileLock
from adapters.storage.sqlite_file import MEMORY, check_file, clear_errors, open_database, open_reading
from adapters.storage.stamp import WriteStamp
from adapters.storage.statements import Statements, in_order, load_statements
from core.errors import (
    ChangedError,
    ConflictError,
    RefusedError,
    StoreError,
)
from core.ports import Outcome
from core.queries.query import Query
from core.records.record import Commit, Record, Rows

RowT = TypeVar("RowT")

LONG_LOG = 4000
"""Commits after which the log is moved into the file."""

_UNFIT = (
    sqlite3.IntegrityError,
    sqlite3.DataError,
    sqlite3.InterfaceError,
    sqlite3.ProgrammingError,
    OverflowError,
    UnicodeError,
)
"""What a commit's own content raises; anything else is the store's trouble and fails the whole batch."""


class SqliteStore:
    """A `core.ports.Store`, for one event loop. Made by `open`; closed by who opened it, or the process never ends."""

    def __init__(self, writer: "_Writer", writing: aiosqlite.Connection, reading: aiosqlite.Connection) -> None:
        self._writer = writer
        self._writing = writing
        self._reading = reading
        self._statements = load_statements("sqlite")
        self._tidying: asyncio.Task[None] | None = None

    @classmethod
    async def open(cls, path: str, *, desk: bool = False) -> "SqliteStore":
        """Open the store in a file, made where there is none, or a private one in `MEMORY`.

        `desk` takes the store for the one desk that works it. Raises StoreBusyError where another one does, SchemaError
        for a file that is not ours or of a newer version, StoreError for one that cannot be opened.
        """
        # Not in aiosqlite's own thread: what fails there is told to a loop that may be closed by then.
        writer = await asyncio.to_thread(_open_writer, path, desk=desk)
        writing = await aiosqlite.Connection(lambda: writer, 64)
        if path == MEMORY:
            return cls(writer, writing, writing)
        try:
            reader = await asyncio.to_thread(open_reading, path)
            return cls(writer, writing, await aiosqlite.Connection(lambda: reader, 64))
        except BaseException:
            await writing.close()
            raise

    async def write(self, batch: Sequence[Commit]) -> list[Outcome]:
        """Write a batch; see `core.ports.Store`. To cancel the waiting does not cancel the write."""
        if not batch:
            return []
        staged = _Staged(batch)
        self._writer.staged.append(staged)
        with self._closed_is_store_error():
            await self._writing.commit()
        if self._writer.is_log_long and (self._tidying is None or self._tidying.done()):
            # Nobody waits for it: those who wait for this batch are told while it runs.
            self._tidying = asyncio.create_task(self._writing.rollback())
        return staged.outcomes

    async def read(self, query: Query[RowT]) -> list[RowT]:
        """Answer a question; see `core.ports.Store`."""
        (statement,) = self._statements[type(query)]
        with self._closed_is_store_error():
            rows = await self._reading.execute_fetchall(statement.sql, statement.values(query))
        row: Any = query.row
        return [row(*values) for values in rows]

    async def read_all(self, queries: Sequence[Query[RowT]]) -> list[list[RowT]]:
        """Answer questions one by one; see `core.ports.Store`."""
        return [await self.read(query) for query in queries]

    def stamp(self) -> int | None:
        """Tell whether others wrote; see `core.ports.Store`."""
        return self._writer.stamp.seen()

    @property
    def shared(self) -> bool:
        """Say no: one desk works a file; see `core.ports.Store`."""
        return False

    async def notify(self, words: Sequence[str]) -> None:
        """Tell nobody: there is no other desk."""

    async def listen(self, hear: Callable[[str], None]) -> None:
        """Hear nothing: there is no other desk."""

    async def scrub(self) -> None:
        """Move the log into the file and empty it; see `core.ports.Store`. What is deleted in the file is overwritten.

        Raises StoreError where somebody reads for so long that it cannot be emptied.
        """
        self._writer.scrubs = True
        with self._closed_is_store_error():
            await self._writing.rollback()

    async def close(self) -> None:
        """Finish what was begun, move all into the store's file and let go of it. To close twice is no error."""
        try:
            if self._tidying is not None:
                await self._tidying
            if self._reading is not self._writing:
                await self._reading.close()
        finally:
            await self._writing.close()

    @contextmanager
    def _closed_is_store_error(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, ValueError, OverflowError) as error:
            raise StoreError(f"the store could not be asked: {error}") from error


@dataclass(slots=True)
class _Staged:
    """A batch on its way to the writing thread, and what became of it."""

    batch: Sequence[Commit]
    outcomes: list[Outcome] = field(default_factory=list)


class _Writer(sqlite3.Connection):
    """The writing connection, as it works in its thread.

    A batch is one call there: `commit` writes what was staged. Statement by statement, each with its way to the thread
    and back, one commit took 1.1 ms instead of 0.5, and 5.7 ms instead of 2.3 beside a busy loop. It also leaves no
    point at which a cancelled caller could leave a transaction open. As no transaction is open between two calls,
    `rollback` is free for what nobody waits for. aiosqlite has no other public calls for these two.
    """

    path: str
    statements: Statements
    staged: deque[_Staged]
    lock: AbstractContextManager[None]
    stamp: WriteStamp
    locks: tuple[FileLock, ...]
    logged: int = 0
    scrubs: bool = False

    @property
    def is_log_long(self) -> bool:
        """Whether the log should be moved into the file soon."""
        return self.logged >= LONG_LOG

    def commit(self) -> None:
        """Write the batch that was staged first in one transaction, under the write lock."""
        staged = self.staged.popleft()
        with clear_errors(self.path, "written"), self.lock, self.stamp:
            staged.outcomes = self._write(staged.batch)
        self.logged += len(staged.batch)

    def rollback(self) -> None:
        """Move the log into the file as far as nobody reads it. Left to a commit, those who wait for it wait longer."""
        if self.scrubs:
            return self._scrub()
        if not self.is_log_long:
            return
        self.logged = 0
        # Where this fails, a later one does it, or the one to open the store.
        with suppress(sqlite3.Error), self.lock:
            self.execute("PRAGMA wal_checkpoint(PASSIVE)")

    def close(self) -> None:
        """Move the log into the file, close, and let go of the locks."""
        try:
            with self.lock:
                # Where this fails, the log stays and the next one to open the store reads it.
                with suppress(sqlite3.Error):
                    self.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                super().close()
        finally:
            self.stamp.close()
            for lock in self.locks:
                lock.close()

    def _scrub(self) -> None:
        self.scrubs = False
        with clear_errors(self.path, "emptied of what was deleted"), self.lock:
            (busy, _, _) = self.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise StoreError(f"somebody reads the log of {self.path}: what was deleted may still be in it, try again")
        self.logged = 0

    def _write(self, batch: Sequence[Commit]) -> list[Outcome]:
        try:
            with self._transaction():
                return self._write_together(batch)
        except _UNFIT as error:
            if len(batch) == 1:
                return [_refusal(error)]
        with self._transaction():
            return [self._write_alone(commit) for commit in batch]

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self.execute("BEGIN IMMEDIATE")
        try:
            yield
            self.execute("COMMIT")
        except BaseException:
            # A full disk may have ended the transaction already.
            if self.in_transaction:
                self.execute("ROLLBACK")
            raise

    def _write_together(self, batch: Sequence[Commit]) -> list[Outcome]:
        outcomes: list[Outcome] = [()] * len(batch)
        for numbers in passes(batch):
            answers = self._run([batch[number] for number in numbers])
            for number, rows in zip(numbers, answers, strict=True):
                outcomes[number] = rows
        return outcomes

    def _write_alone(self, commit: Commit) -> Outcome:
        self.execute("SAVEPOINT alone")
        try:
            (rows,) = self._run([commit])
        except _UNFIT as error:
            self.execute("ROLLBACK TO alone")
            self.execute("RELEASE alone")
            return _refusal(error)
        self.execute("RELEASE alone")
        return rows

    def _run(self, commits: Sequence[Commit]) -> list[tuple[Rows, ...]]:
        """Run all records class by class, and give each commit the rows of its returning ones in its own order."""
        made = sort_records(commits)
        for cls in in_order(made.records):
            if cls.returns:
                self._run_returning(cls, list(zip(made.records[cls], made.rows[cls], strict=True)))
            else:
                self._run_plain(cls, made.records[cls])
        return made.answers

    def _run_plain(self, cls: type[Record], records: Sequence[Record]) -> None:
        for statement in self.statements[cls]:
            if statement.given:
                run_given(self, statement, records)
            else:
                self.executemany(statement.sql, map(statement.values, records))

    def _run_returning(self, cls: type[Record], records: Sequence[tuple[Record, Rows]]) -> None:
        for statement in self.statements[cls]:
            if statement.whose:
                back = {row[0]: [row[1:]] for row in run_given(self, statement, [record for record, _ in records])}
                for record, rows in records:
                    rows[:] = back.get(statement.whose(record), [])
            else:
                for record, rows in records:
                    rows[:] = self.execute(statement.sql, statement.values(record)).fetchall()


def _open_writer(path: str, *, desk: bool) -> _Writer:
    with clear_errors(path, "opened"):
        locks = () if path == MEMORY else _locks(path, desk=desk)
        lock = locks[0] if locks else nullcontext()
        try:
            with lock:
                writer = open_database(path, _Writer)
        except BaseException:
            for held in locks:
                held.close()
            raise
    writer.path = path
    writer.statements = load_statements("sqlite")
    writer.staged = deque()
    writer.lock = lock
    writer.stamp = WriteStamp(f"{path}.write" if locks else None)
    writer.locks = locks
    return writer


def _locks(path: str, *, desk: bool) -> tuple[FileLock, ...]:
    """Open the write lock of a store, and take its desk lock for a desk."""
    check_file(path)
    write_lock = FileLock(f"{path}.write")
    if not desk:
        return (write_lock,)
    desk_lock = FileLock(f"{path}.desk")
    try:
        desk_lock.hold(path)
    except BaseException:
        desk_lock.close()
        write_lock.close()
        raise
    return write_lock, desk_lock


def _refusal(error: Exception) -> RefusedError:
    """Say what of a commit the database refused."""
    code = getattr(error, "sqlite_errorcode", None)
    if code == sqlite3.SQLITE_CONSTRAINT_CHECK:
        guard = str(error).rpartition(" ")[2]
        return GUARDS.get(guard, RefusedError)(str(error))
    if code in (sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY):
        return ConflictError(str(error))
    if code == sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
        return ChangedError("what a record refers to is not there")
    return RefusedError(f"a record cannot be stored: {error}")
