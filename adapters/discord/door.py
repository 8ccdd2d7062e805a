"""The way to the desk: in the order things came, and again where the store did not answer."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from core.errors import DeskError, PlatformError, StoreError
from core.models import Accepted, Event

if TYPE_CHECKING:
    from core.desk import Desk

log = logging.getLogger(__name__)

PAUSE_SECONDS = 1.0


class Door:
    """Hands events in: those of one conversation one after another, all others side by side."""

    def __init__(self) -> None:
        """There is no desk yet."""
        self.desk: Desk | None = None
        self._last: dict[str, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def run(self, key: str, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        """Do something after what came before it under the same key."""
        task = self._start(self._after(self._last.get(key), work))
        self._last[key] = task
        task.add_done_callback(lambda done: self._forget(key, done))
        return task

    def begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Do what nobody waits for beside what comes in."""
        self._start(best_effort(work))

    async def accept(self, event: Event) -> Accepted:
        """Make an event durable; tried again while the store does not answer: nothing that came after it overtakes it.

        Raises PlatformError where the desk is leaving.
        """
        while True:
            if self.desk is None:
                raise PlatformError("the desk is stopping and takes nothing more in")
            try:
                return await self.desk.accept(event)
            except StoreError as error:
                log.warning("event %s is not taken in yet: %s", event.id, error)
                await asyncio.sleep(PAUSE_SECONDS)

    async def settled(self) -> None:
        """Wait until nothing is on its way in."""
        while self._last:
            await asyncio.wait(set(self._last.values()))
            await asyncio.sleep(0)

    async def close(self) -> None:
        """Take nothing more in."""
        self.desk = None
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _after(self, before: "asyncio.Task[None] | None", work: Coroutine[Any, Any, None]) -> None:
        try:
            if before is not None:
                await asyncio.wait((before,))
        except asyncio.CancelledError:
            work.close()
            raise
        try:
            await work
        except DeskError as error:
            log.info("something that came in is not taken: %s", error)
            raise

    def _start(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) and not isinstance(error, DeskError):
            log.error("something that came in failed", exc_info=error)

    def _forget(self, key: str, task: "asyncio.Task[None]") -> None:
        if self._last.get(key) is task:
            del self._last[key]


async def best_effort(work: Coroutine[Any, Any, Any]) -> None:
    """Do what may fail: nobody waits for it."""
    try:
        await work
    except DeskError as error:
        log.info("something was not done on Discord: %s", error)
