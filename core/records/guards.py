"""Guards: when what one stands for no longer holds, the whole commit is refused."""

from dataclasses import dataclass

from core.records.record import Record


@dataclass(frozen=True, slots=True)
class LaneIs(Record):
    """Refuse with FencedError unless the lane of `session` still has this epoch."""

    session: bytes
    epoch: int


@dataclass(frozen=True, slots=True)
class NotStopped(Record):
    """Refuse with StoppedError when the event (by id) was marked to stop."""

    event: str


@dataclass(frozen=True, slots=True)
class SessionAt(Record):
    """Refuse with ChangedError unless the session still has this version."""

    session: bytes
    version: int


@dataclass(frozen=True, slots=True)
class TurnEnds(Record):
    """Refuse with ChangedError unless `seq` is what the next item of the turn would have."""

    turn: str
    seq: int


@dataclass(frozen=True, slots=True)
class PlaceIs(Record):
    """Refuse with ChangedError unless the place is bound to this session (None: to none)."""

    key: bytes
    session: bytes | None


@dataclass(frozen=True, slots=True)
class QueueEnds(Record):
    """Refuse with ChangedError unless `seq` is that of the session's newest queued event."""

    session: bytes
    seq: int


@dataclass(frozen=True, slots=True)
class OutletIs(Record):
    """Refuse with FencedError unless the outlet of `place` still has this epoch."""

    place: bytes
    epoch: int


@dataclass(frozen=True, slots=True)
class CustomerAt(Record):
    """Refuse with ChangedError unless the customer still has this version."""

    customer: str
    version: int


@dataclass(frozen=True, slots=True)
class TicketAt(Record):
    """Refuse with ChangedError unless the ticket still has this version."""

    ticket: str
    version: int


@dataclass(frozen=True, slots=True)
class AuditEnds(Record):
    """Refuse with AuditMovedError unless the audit log ends in the line with this `link` (empty: it has no line)."""

    link: bytes
