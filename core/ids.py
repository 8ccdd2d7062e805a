"""Row ids of our own: UUIDv7 (RFC 9562, section 5.7) as 32 hex characters, in the order they were made."""

import secrets
import threading
import time
from datetime import UTC, datetime

_lock = threading.Lock()
_last = 0


def new_id() -> str:
    """Make an id that sorts after every id this process made before."""
    global _last
    now = time.time_ns() // 1_000_000
    with _lock:
        # 48 bits of milliseconds and 74 of our own, drawn once a millisecond: within it, and when the clock was set
        # back, count on from the last one.
        _last = now << 74 | secrets.randbits(72) if now > _last >> 74 else _last + 1
        value = _last
    stamp, rest = value >> 74, value & ((1 << 74) - 1)
    return f"{stamp << 80 | 0x7 << 76 | (rest >> 62) << 64 | 0b10 << 62 | rest & ((1 << 62) - 1):032x}"


def id_at(millis: int, seed: bytes) -> str:
    """Make the id of what was made at another time; the same for the same seed, of at least 10 bytes."""
    rest = int.from_bytes(seed[:10], "big") & ((1 << 74) - 1)
    return f"{millis << 80 | 0x7 << 76 | (rest >> 62) << 64 | 0b10 << 62 | rest & ((1 << 62) - 1):032x}"


def first_id(time: datetime) -> str:
    """The id that sorts before all that were made at a time or after it. Raises ValueError for one before 1970."""
    millis = int(time.timestamp() * 1000)
    if millis < 0:
        raise ValueError("no id was made before 1970")
    return f"{millis << 80:032x}"


def time_of(id_: str) -> datetime:
    """When an id was made, to the millisecond, in UTC."""
    return datetime.fromtimestamp((int(id_, 16) >> 80) / 1000, UTC)
