"""Rate limits: how many calls of a route are left, and what the headers say of it."""

import math
import zlib
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

PLENTY = 1000


@dataclass(frozen=True, slots=True)
class Share:
    """What one call left of its bucket; `wait` when it was one too many."""

    limit: int
    remaining: int
    reset_after: float
    wait: float = 0.0


@dataclass(slots=True)
class Bucket:
    """So many calls within so many seconds, counted for each channel, guild or webhook by itself."""

    pattern: str
    calls: int
    seconds: float
    seen: dict[str, list[float]] = field(default_factory=dict)

    def fits(self, route: str, path: str) -> bool:
        """Tell whether this limit is for such a call."""
        return fnmatchcase(route, self.pattern) or fnmatchcase(path, self.pattern)

    def take(self, major: str, now: float) -> Share:
        """Count a call."""
        times = self.seen.setdefault(major, [])
        times[:] = [time for time in times if time > now - self.seconds]
        if len(times) >= self.calls:
            wait = times[0] + self.seconds - now if times else self.seconds
            return Share(self.calls, 0, wait, wait)
        times.append(now)
        return Share(self.calls, self.calls - len(times), times[0] + self.seconds - now)


UNLIMITED = Share(PLENTY, PLENTY - 1, 1.0)


def headers_of(route: str, share: Share, now: float) -> dict[str, str]:
    """Write the headers of an answer."""
    return {
        "X-RateLimit-Limit": str(share.limit),
        "X-RateLimit-Remaining": str(share.remaining),
        "X-RateLimit-Reset": f"{now + share.reset_after:.3f}",
        "X-RateLimit-Reset-After": f"{share.reset_after:.3f}",
        "X-RateLimit-Bucket": f"{zlib.crc32(route.encode()):08x}",
        "Via": "1.1 simulated",
    }


def refusal_headers(wait: float, *, everywhere: bool) -> dict[str, str]:
    """Write what a 429 adds."""
    headers = {"Retry-After": str(math.ceil(wait)), "X-RateLimit-Scope": "global" if everywhere else "user"}
    return headers | ({"X-RateLimit-Global": "true"} if everywhere else {})
