"""The one writer of a process: takes all commits that wait and writes them in one transaction."""

import asyncio
import logging
from collections import deque
from types import TracebackType
from typing import Protocol

from core.errors import RefusedError, StoreError
from core.ports import Outcome, Writes
from core.records.record import Commit, Rows

log = logging.getLogger(__name__)

SHORT_ROUND = 0.0002
"""Seconds a round of the loop takes at most in which nobody had anything to do."""


class Waiter(Protocol):
    """Who is told what became of a commit: a future, or something lighter."""

    def done(self) -> bool:
        """Whether it does not wait any more."""
        ...

    def set_result(self, rows: tuple[Rows, ...], /) -> None:
        """The commit was written."""
        ...

    def set_exception(self, error: Exception, /) -> None:
        """The commit was refused, or could not be written."""
        ...


_Waiting = tuple[Commit, Waiter | None]
"""A commit in line, and who waits for it: None where nobody does. Thousands a second, so nothing with a name."""


class GroupWriter:
    """Writes for everyone in this process: `async with GroupWriter(store) as writer`, within one event loop.

    `transactions` and `commits` count what was written.
    """

    def __init__(self, store: Writes, *, idle: float = 0.25, most: int = 1000, gather: float = 0.0) -> None:
        """`idle` is how many seconds a riding commit may wait, `most` how many commits make one transaction.

        `gather` is how many seconds a transaction waits at most for company, as long as this process is busy: what it
        does then brings more to commit, and a transaction costs a server much the same with one commit or with ten.
        """
        self.transactions = 0
        self.commits = 0
        self._store = store
        self._idle = idle
        self._most = most
        self._gather = gather
        self._line: deque[_Waiting] = deque()
        self._due = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._closing = False
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "GroupWriter":
        """Begin to write."""
        self._task = asyncio.create_task(self._work(), name="writer")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Write all that waits, riding commits too, and end."""
        self._closing = True
        self._due.set()
        if self._task is not None:
            # Shielded, so that who stops the desk twice does not cut the last write.
            await asyncio.shield(self._task)

    async def commit(self, commit: Commit) -> tuple[Rows, ...]:
        """Write a commit and return the rows of its returning records, in order; it is durable when this returns.

        Raises the RefusedError of this commit, or StoreError when nothing could be written. To cancel the waiting does
        not cancel the write.
        """
        outcome: asyncio.Future[tuple[Rows, ...]] = asyncio.get_running_loop().create_future()
        self.enter(commit, outcome)
        return await outcome

    def enter(self, commit: Commit, waiter: Waiter) -> None:
        """Put a commit in line and tell `waiter` what became of it: for who has thousands, and no task for each."""
        self._add((commit, waiter))
        self._due.set()

    def ride(self, commit: Commit) -> None:
        """Let a commit ride with the next one that is waited for, or be written when none comes; nobody waits for it.

        Only the log says when it was refused or could not be written.
        """
        self._add((commit, None))
        self._wait_idle()

    async def flush(self) -> None:
        """Wait until all that was given before is written, riding commits too."""
        await self.commit(())

    def _add(self, waiting: _Waiting) -> None:
        if self._closing or self._task is None or self._task.done():
            raise StoreError("the writer is closed")
        self._line.append(waiting)

    async def _work(self) -> None:
        try:
            while not (self._closing and not self._line):
                await self._due.wait()
                await self._until_idle()
                await self._write(self._take())
        finally:
            # Reached with a full line only when the loop is shut down under us.
            self._fail(self._line, StoreError("the writer ended before this was written"))

    async def _until_idle(self) -> None:
        """Wait for a round of the loop in which nobody else does anything, or until enough was waited."""
        now = asyncio.get_running_loop().time
        begun = at = now()
        while at - begun < self._gather and len(self._line) < self._most and not self._closing:
            await asyncio.sleep(0)
            before, at = at, now()
            if at - before < SHORT_ROUND:
                return

    def _take(self) -> list[_Waiting]:
        taken = [self._line.popleft() for _ in range(min(len(self._line), self._most))]
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not (self._closing or any(waiter for _, waiter in self._line)):
            self._due.clear()
            if self._line:
                self._wait_idle()
        return taken

    def _wait_idle(self) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._idle, self._due.set)

    async def _write(self, taken: list[_Waiting]) -> None:
        batch = [commit for commit, _ in taken if commit]
        try:
            outcomes = iter(await self._store.write(batch) if batch else [])
        except StoreError as error:
            log.error("%d commits were not written: %s", len(batch), error)
            return self._fail(taken, error)
        except Exception as error:
            # A bug in the store must not leave anybody waiting for ever.
            log.exception("%d commits were not written", len(batch))
            return self._fail(taken, error)
        except BaseException:
            self._fail(taken, StoreError("the writer was stopped while this was written: it may be there or not"))
            raise
        self.transactions += bool(batch)
        self.commits += len(batch)
        for commit, waiter in taken:
            _tell(waiter, next(outcomes) if commit else ())

    def _fail(self, taken: "list[_Waiting] | deque[_Waiting]", error: Exception) -> None:
        for _, waiter in taken:
            if waiter is not None and not waiter.done():
                failure = StoreError(str(error))
                failure.__cause__ = error
                waiter.set_exception(failure)


def _tell(waiter: Waiter | None, outcome: Outcome) -> None:
    if waiter is None:
        if isinstance(outcome, RefusedError):
            log.warning("a riding commit was refused: %s", outcome)
        return
    if waiter.done():
        return
    if isinstance(outcome, RefusedError):
        waiter.set_exception(outcome)
    else:
        waiter.set_result(outcome)
