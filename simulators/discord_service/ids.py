"""Snowflakes: ids that tell when they were made, never given twice."""

from collections.abc import Callable

EPOCH = 1_420_070_400_000


class Snowflakes:
    """Gives rising ids even when the clock stands still."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._last = 0

    def new(self) -> str:
        """Give the next id."""
        now = int(self._clock() * 1000) - EPOCH
        self._last = max(now << 22, self._last + 1)
        return str(self._last)


def seconds_of(snowflake: str) -> float:
    """Give when an id was made."""
    return ((int(snowflake) >> 22) + EPOCH) / 1000
