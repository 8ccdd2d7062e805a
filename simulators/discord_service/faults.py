"""What goes wrong, on purpose and repeatably: REST calls and the gateway."""

from simulators.discord_service.buckets import Bucket
from simulators.faults import Fault, PlannedFaults


class Faults(PlannedFaults):
    """Each call plans a fault for routes such as `POST /channels/{channel}/messages`; `*` stands for anything."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self._limits: list[Bucket] = []
        self.ignore_heartbeats = False
        """Leave heartbeats without an acknowledgement."""

    def clear(self) -> None:
        """Let everything work again."""
        super().clear()
        self._limits.clear()
        self.ignore_heartbeats = False

    def rate_limit(
        self,
        pattern: str = "*",
        *,
        retry_after: float = 1,
        times: int | None = None,
        probability: float = 1.0,
        everywhere: bool = False,
    ) -> None:
        """Answer 429; nothing is done. `everywhere` says that the limit is the global one."""
        self._planned.append(Fault("rate_limited", pattern, probability, times, retry_after, everywhere=everywhere))

    def at_most(self, pattern: str, calls: int, *, seconds: float) -> None:
        """Answer 429 to what exceeds this rate, counted by route and channel; the headers tell what is left."""
        self._limits.append(Bucket(pattern, calls, seconds))

    def refuse(self, pattern: str, code: int, *, times: int | None = None, probability: float = 1.0) -> None:
        """Answer with this JSON error code."""
        self._planned.append(Fault("refused", pattern, probability, times, error=str(code)))

    def bucket_of(self, route: str, path: str) -> Bucket | None:
        """Give the limit set for a call."""
        return next((each for each in self._limits if each.fits(route, path)), None)
