"""What goes wrong, on purpose and repeatably."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from simulators.slack_service.model import Json

Kind = Literal["rate_limited", "server_error", "cut_before", "cut_after", "refused", "delayed"]


@dataclass(slots=True)
class Fault:
    """One thing that goes wrong with calls of `method` (`*`: all), at most `times` times."""

    kind: Kind
    method: str
    probability: float = 1.0
    times: int | None = None
    seconds: float = 0.0
    error: str = ""

    def strikes(self, method: str, random_: random.Random) -> bool:
        """Decide whether it happens to this call."""
        if self.method not in ("*", method) or self.times == 0 or random_.random() >= self.probability:
            return False
        if self.times is not None:
            self.times -= 1
        return True


@dataclass(slots=True)
class Limit:
    """A rate limit: `calls` of a method within `seconds`, counted per channel where asked."""

    method: str
    calls: int
    seconds: float
    per_channel: bool
    seen: dict[str, list[float]] = field(default_factory=dict)

    def wait(self, args: Json, now: float) -> float:
        """Count this call; give how long to wait when it is one too many, else 0."""
        times = self.seen.setdefault(str(args.get("channel", "")) if self.per_channel else "", [])
        times[:] = [time for time in times if time > now - self.seconds]
        if len(times) >= self.calls:
            return times[0] + self.seconds - now
        times.append(now)
        return 0.0


class Faults:
    """The switchboard. Each method adds one fault; `clear` takes all away."""

    def __init__(self, seed: int, clock: Callable[[], float]) -> None:
        self._random = random.Random(seed)  # noqa: S311 - repeatable, not secret
        self._clock = clock
        self._faults: list[Fault] = []
        self._limits: list[Limit] = []
        self.duplicates = 0.0

    def clear(self) -> None:
        """Let everything work again."""
        self._faults.clear()
        self._limits.clear()
        self.duplicates = 0.0

    def rate_limit(
        self, method: str = "*", *, retry_after: float = 1, times: int | None = None, probability: float = 1.0
    ) -> None:
        """Answer 429 with `Retry-After`; nothing is done."""
        self._faults.append(Fault("rate_limited", method, probability, times, retry_after))

    def fail(self, method: str = "*", *, times: int | None = None, probability: float = 1.0) -> None:
        """Answer 500; nothing is done."""
        self._faults.append(Fault("server_error", method, probability, times))

    def cut_request(self, method: str = "*", *, times: int | None = None, probability: float = 1.0) -> None:
        """Drop the connection; nothing is done."""
        self._faults.append(Fault("cut_before", method, probability, times))

    def cut_answer(self, method: str = "*", *, times: int | None = None, probability: float = 1.0) -> None:
        """Do what was asked, then drop the connection without an answer."""
        self._faults.append(Fault("cut_after", method, probability, times))

    def refuse(self, method: str, error: str, *, times: int | None = None, probability: float = 1.0) -> None:
        """Answer `ok: false` with this error."""
        self._faults.append(Fault("refused", method, probability, times, error=error))

    def forget_method(self, method: str) -> None:
        """Answer as if the method did not exist in this workspace."""
        self.refuse(method, "unknown_method")

    def delay(self, method: str = "*", *, seconds: float, times: int | None = None, probability: float = 1.0) -> None:
        """Answer late."""
        self._faults.append(Fault("delayed", method, probability, times, seconds))

    def at_most(self, method: str, calls: int, *, seconds: float, per_channel: bool = False) -> None:
        """Answer 429 to what exceeds this rate."""
        self._limits.append(Limit(method, calls, seconds, per_channel))

    def duplicate_events(self, probability: float) -> None:
        """Deliver events a second time although they were acknowledged."""
        self.duplicates = probability

    def draw(self, method: str, args: Json) -> list[Fault]:
        """Give what goes wrong with this call."""
        struck = [fault for fault in self._faults if fault.strikes(method, self._random)]
        waits = [limit.wait(args, self._clock()) for limit in self._limits if limit.method == method]
        struck += [Fault("rate_limited", method, seconds=wait) for wait in waits if wait > 0]
        return struck

    def draw_duplicate(self) -> bool:
        """Decide whether an event comes twice."""
        return self._random.random() < self.duplicates
