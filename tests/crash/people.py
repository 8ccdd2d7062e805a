"""People on a simulated platform who do what the lines of the story say; what they then see comes back as lines.

The service lives in this process, which is never killed. Its loop runs while the bench listens to the desk, and stands
still while it forks.
"""

import asyncio
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Generic, TypeVar

from tests.crash.sightings import Sightings
from tests.crash.story import REDO, UNDO
from tests.crash.truth import Line

Did = TypeVar("Did")
WORDS = {UNDO: "undo", REDO: "redo"}
"""How a reaction is said where it cannot be put on."""
QUIET = 0.3
"""Seconds without a call after which a desk has nothing more to say."""


class People(ABC, Generic[Did]):
    """The people of a whole run, on one service; `Did` is what is known of something that was done.

    Platforms send again in no order. So that a talk has one right outcome, its next event happens when the one before
    it was taken in.
    """

    sightings: Sightings[Any]

    def __init__(self, seed: int, *, hasty: bool = False) -> None:
        """With `hasty` they react on an answer as soon as it stands."""
        self.desks = 0
        self._seed = seed
        self._hasty = hasty
        self._loop = asyncio.new_event_loop()
        self._known: set[str] = set()
        self._waiting: dict[str, deque[Line]] = {}
        self._on_the_way: dict[str, str] = {}
        self._done: dict[str, Did] = {}
        self._again: list[str] = []
        self._news: list[Line] = []

    def open(self) -> None:
        """Start the service."""
        self._loop.run_until_complete(self._open())

    def close(self) -> None:
        """End it."""
        self._loop.run_until_complete(self._close())
        self._loop.close()

    def desk_begins(self) -> None:
        """Take note that another desk begins."""
        self.desks += 1
        self.sightings.desk_begins()

    def send(self, line: Line) -> None:
        """Have a line done in its turn. What was done before comes once more, as platforms may send things twice."""
        if line["id"] in self._known:
            self._again.append(line["id"])
            return
        self._known.add(line["id"])
        self._waiting.setdefault(talk_of(line), deque()).append(line)

    def run(self, seconds: float, desk: int) -> None:
        """Let time pass until something comes of it, at most so long; `desk` is readable when the desk speaks."""
        self._loop.run_until_complete(self._run(seconds, desk))

    def news(self) -> list[Line]:
        """What was taken in, and what people saw, since this was asked last."""
        news, self._news = self._news, []
        return news + self.sightings.fresh()

    def run_until_quiet(self, seconds: float) -> None:
        """Let time pass until a desk is connected and has not called for a while, at most so long."""
        self._loop.run_until_complete(self._run_until_quiet(seconds))

    @property
    @abstractmethod
    def settings(self) -> dict[str, str]:
        """What a desk needs to be the app here."""

    @abstractmethod
    async def _open(self) -> None:
        """Start the service, with the faults it has."""

    @abstractmethod
    async def _close(self) -> None:
        """End it."""

    @abstractmethod
    async def _until(self, done: Callable[[], bool], *, timeout: float) -> None:  # noqa: ASYNC109 - the services' own
        """Wait until something holds. Raises TimeoutError."""

    @abstractmethod
    def _tell(self) -> None:
        """Let what is waited for be looked at."""

    @abstractmethod
    async def _is_connected(self) -> bool:
        """Whether a desk is there."""

    @abstractmethod
    def _look(self) -> None:
        """Take note of what came of what was done before."""

    @abstractmethod
    def _send_again(self, id_: str) -> None:
        """Have something come to the desk once more."""

    @abstractmethod
    def _do(self, talk: str, line: Line) -> None:
        """Do something now."""

    def _can_be_done(self, line: Line) -> bool:
        """Whether something can be done now."""
        return True

    async def _run(self, seconds: float, desk: int) -> None:
        spoke = False

        def speak() -> None:
            nonlocal spoke
            spoke = True
            self._loop.remove_reader(desk)
            self._tell()

        self._loop.add_reader(desk, speak)
        with suppress(TimeoutError):
            await self._until(lambda: self._pass_time() or spoke, timeout=max(seconds, 0.001))
        self._loop.remove_reader(desk)

    async def _run_until_quiet(self, seconds: float) -> None:
        now = self._loop.time
        until, since, calls = now() + seconds, now(), -1
        while now() < min(since + QUIET, until):
            await asyncio.sleep(0.02)
            self._pass_time()
            if calls != self.sightings.calls or not await self._is_connected():
                since, calls = now(), self.sightings.calls

    def _pass_time(self) -> bool:
        """Do what is to be done now; whether something came of what was done before."""
        self._look()
        again, self._again = self._again, []
        for id_ in again:
            self._send_again(id_)
        for talk in [talk for talk in self._waiting if talk not in self._on_the_way]:
            if not self._can_be_done(self._waiting[talk][0]):
                continue
            self._do(talk, self._waiting[talk].popleft())
            if not self._waiting[talk]:
                del self._waiting[talk]
        return bool(self._news) or self.sightings.are_more


def talk_of(line: Line) -> str:
    """The talk that a line belongs to."""
    return str(line["thread"] if "channel" in line else line["user"])
