"""Ids and timestamps: the same on every run, never given twice."""

from collections.abc import Callable
from itertools import count


class Ids:
    """Counts up one number for all kinds of ids."""

    def __init__(self) -> None:
        self._numbers = count(1)

    def new(self, prefix: str) -> str:
        """Give the next id, such as `U00000007`."""
        return f"{prefix}{next(self._numbers):08d}"


class Stamps:
    """Message timestamps: six decimals, unique, rising even when the clock stands still."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._last = 0

    def new(self) -> str:
        """Give the next timestamp."""
        self._last = max(int(self._clock() * 1_000_000), self._last + 1)
        return f"{self._last // 1_000_000}.{self._last % 1_000_000:06d}"
