"""What was used, and what may be."""

from dataclasses import dataclass
from typing import ClassVar

from core.records.record import Record


@dataclass(frozen=True, slots=True)
class ReplaceUsage(Record):
    """Delete what was booked on a turn of a branch: a standalone session stores a turn's usage anew."""

    session: bytes
    turn: str
    branch: bytes


@dataclass(frozen=True, slots=True)
class BookUsage(Record):
    """One model call on the bill. `cost_nano` is None without a known price; `purpose` is 'turn' or 'summary', or
    'total' where it stands for `calls` calls.

    `ticket` (an id) is what it was made for: the ticket of its session, or one its turn opened or changed.
    """

    id: str
    customer: str
    session: bytes
    turn: str | None
    branch: bytes | None
    purpose: str
    model: str
    requests: int
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    reasoning_tokens: int
    cost_nano: int | None
    estimated: int
    at: int
    ticket: str | None = None
    calls: int = 1


@dataclass(frozen=True, slots=True)
class ReserveBudget(Record):
    """Count tokens and money on a counter, before they are spent, or refuse with SpentError where it would then be over
    `most_tokens` or `most_nano` (None: no limit).

    `period` numbers days or months. A newer one begins at nothing; an older one, where a clock was set
    back, counts into the newest there was. Gives back `[(period, crossings)]`: where it was counted, and how often a
    count came to `warn_tokens` or `warn_nano` in that period, this time included: 1 for who is the first.
    """

    returns: ClassVar[bool] = True
    counter: str
    period: int
    tokens: int
    nano: int
    most_tokens: int | None
    most_nano: int | None
    warn_tokens: int | None
    warn_nano: int | None


@dataclass(frozen=True, slots=True)
class SettleBudget(Record):
    """Add to a counter what a call used beyond its reservation (less than nothing where it used less), if its period
    still runs."""

    counter: str
    period: int
    tokens: int
    nano: int
