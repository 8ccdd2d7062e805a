"""What goes wrong, on purpose and repeatably."""

from collections.abc import Callable
from dataclasses import dataclass, field

from simulators.faults import Fault, PlannedFaults
from simulators.slack_service.model import Json


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


class Faults(PlannedFaults):
    """Each call plans a fault for a method; `clear` takes all away."""

    def __init__(self, seed: int, clock: Callable[[], float]) -> None:
        super().__init__(seed)
        self._clock = clock
        self._limits: list[Limit] = []

    def clear(self) -> None:
        """Let everything work again."""
        super().clear()
        self._limits.clear()

    def rate_limit(
        self, method: str = "*", *, retry_after: float = 1, times: int | None = None, probability: float = 1.0
    ) -> None:
        """Answer 429 with `Retry-After`; nothing is done."""
        self._planned.append(Fault("rate_limited", method, probability, times, retry_after))

    def refuse(self, method: str, error: str, *, times: int | None = None, probability: float = 1.0) -> None:
        """Answer `ok: false` with this error."""
        self._planned.append(Fault("refused", method, probability, times, error=error))

    def forget_method(self, method: str) -> None:
        """Answer as if the method did not exist in this workspace."""
        self.refuse(method, "unknown_method")

    def at_most(self, method: str, calls: int, *, seconds: float, per_channel: bool = False) -> None:
        """Answer 429 to what exceeds this rate."""
        self._limits.append(Limit(method, calls, seconds, per_channel))

    def draw(self, method: str, args: Json) -> list[Fault]:
        """Give what goes wrong with this call."""
        waits = [limit.wait(args, self._clock()) for limit in self._limits if limit.method == method]
        return self.struck(method) + [Fault("rate_limited", method, seconds=wait) for wait in waits if wait > 0]
