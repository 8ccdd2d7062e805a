"""Gathering: many callers, in any thread and event loop, share one run of work in a thread."""

import asyncio
import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass


@dataclass(slots=True)
class Ask:
    """What one caller waits for; `error` is what the run found for it."""

    owners: Sequence[str]
    answer: asyncio.Future[None]
    error: BaseException | None = None


class Gathering:
    """Hands everything that waits to `work` at once, one run at a time, so that 500 callers cost a few transactions."""

    def __init__(self, thread: Executor, work: Callable[[list[Ask]], None]) -> None:
        self._thread = thread
        self._work = work
        self._waiting: list[Ask] = []
        self._lock = threading.Lock()

    async def ask(self, owners: Sequence[str]) -> None:
        """Wait until a run has dealt with these owners; raises the error it found."""
        ask = Ask(owners, asyncio.get_running_loop().create_future())
        with self._lock:
            self._waiting.append(ask)
        self._thread.submit(self._run)
        await ask.answer

    def _run(self) -> None:
        with self._lock:
            asks, self._waiting = self._waiting, []
        if not asks:  # an earlier run took them along
            return
        try:
            self._work(asks)
        except BaseException as error:  # whatever it is, it belongs to those who wait: here nobody would see it
            for ask in asks:
                ask.error = error
        _answer(asks)


def _answer(asks: list[Ask]) -> None:
    """Answer with one wake-up per event loop: one per caller made 500 callers six times as slow."""
    by_loop = defaultdict(list)
    for ask in asks:
        by_loop[ask.answer.get_loop()].append(ask)
    for loop, its_asks in by_loop.items():
        with suppress(RuntimeError):  # the loop was closed: nobody waits there any more
            loop.call_soon_threadsafe(_answer_here, its_asks)


def _answer_here(asks: list[Ask]) -> None:
    for ask in asks:
        if ask.answer.done():  # its caller was cancelled
            continue
        if ask.error:
            ask.answer.set_exception(ask.error)
        else:
            ask.answer.set_result(None)
