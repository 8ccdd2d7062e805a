"""Times as records keep them: microseconds since 1970, UTC."""

import time
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def now() -> int:
    """The time of now, in microseconds."""
    return time.time_ns() // 1000


def as_time(micros: int) -> datetime:
    """A record's time as an aware value."""
    return _EPOCH + timedelta(microseconds=micros)
