"""What goes wrong with calls, on purpose and repeatably: the part every service has."""

import asyncio
import random
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

from aiohttp import web

Kind = Literal["rate_limited", "server_error", "cut_before", "cut_after", "refused", "delayed"]


@dataclass(slots=True)
class Fault:
    """One thing that goes wrong with calls whose name fits `pattern` (`*`: all), at most `times` times."""

    kind: Kind
    pattern: str
    probability: float = 1.0
    times: int | None = None
    seconds: float = 0.0
    error: str = ""
    done_first: bool = False
    """Of a delay: what was asked is done at once, only the answer is late."""
    everywhere: bool = False
    """Of a rate limit: it is the one of all routes together."""

    def strikes(self, names: tuple[str, ...], random_: random.Random) -> bool:
        """Decide whether it happens to this call, which may go by more than one name."""
        fits = any(fnmatchcase(name, self.pattern) for name in names)
        if not fits or self.times == 0 or random_.random() >= self.probability:
            return False
        if self.times is not None:
            self.times -= 1
        return True


class PlannedFaults:
    """Each call plans a fault; `clear` takes all away."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - repeatable, not secret
        self._planned: list[Fault] = []
        self.duplicates = 0.0

    def clear(self) -> None:
        """Let everything work again."""
        self._planned.clear()
        self.duplicates = 0.0

    def fail(self, pattern: str = "*", *, times: int | None = None, probability: float = 1.0) -> None:
        """Answer 500; nothing is done."""
        self._planned.append(Fault("server_error", pattern, probability, times))

    def cut_request(self, pattern: str = "*", *, times: int | None = None, probability: float = 1.0) -> None:
        """Drop the connection; nothing is done."""
        self._planned.append(Fault("cut_before", pattern, probability, times))

    def cut_answer(self, pattern: str = "*", *, times: int | None = None, probability: float = 1.0) -> None:
        """Do what was asked, then drop the connection without an answer."""
        self._planned.append(Fault("cut_after", pattern, probability, times))

    def delay(
        self,
        pattern: str = "*",
        *,
        seconds: float,
        times: int | None = None,
        probability: float = 1.0,
        done_first: bool = False,
    ) -> None:
        """Answer late; what was asked waits too, or is done at once."""
        self._planned.append(Fault("delayed", pattern, probability, times, seconds, done_first=done_first))

    def duplicate_events(self, probability: float) -> None:
        """Deliver events a second time."""
        self.duplicates = probability

    def draw_duplicate(self) -> bool:
        """Decide whether an event comes twice."""
        return self._random.random() < self.duplicates

    def struck(self, *names: str) -> list[Fault]:
        """Give what goes wrong with a call of this name or these."""
        return [fault for fault in self._planned if fault.strikes(names, self._random)]


async def held_up(faults: list[Fault], *, done: bool) -> None:
    """Wait as the delays want that strike before the work is done, or after."""
    seconds = sum(fault.seconds for fault in faults if fault.kind == "delayed" and fault.done_first is done)
    if seconds:
        await asyncio.sleep(seconds)


def cut(request: web.Request) -> web.StreamResponse:
    """Drop the connection; the response returned is never sent."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()
