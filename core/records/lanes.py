"""The inbox and the lanes: events as they come, wait and are dealt with."""

from dataclasses import dataclass
from typing import ClassVar

from core.records.record import Record


@dataclass(frozen=True, slots=True)
class AddEvent(Record):
    """Queue an event; its lane has one more pending. Gives back `[(seq,)]`, or `[]` where `key` was seen before."""

    returns: ClassVar[bool] = True
    id: str
    key: bytes
    session: bytes
    customer: str
    kind: str
    at: int
    body: bytes


@dataclass(frozen=True, slots=True)
class ClaimLane(Record):
    """Take the lane for `worker` for `lease` seconds if it has pending events and is free or its lease is over.

    The epoch goes up by one, and so do the attempts of its oldest queued event, which is about to run. Gives back
    `[(epoch, pending)]`, or `[]` where it was not to be had (also when `worker` itself holds it). An event queued in
    the same commit is the one to run only where `pending` is 1: an older one may have been left by another worker.
    """

    returns: ClassVar[bool] = True
    session: bytes
    worker: str
    lease: float


@dataclass(frozen=True, slots=True)
class RenewLanes(Record):
    """Extend the lease of every lane `worker` holds to `lease` seconds from now."""

    worker: str
    lease: float


@dataclass(frozen=True, slots=True)
class FreeLanes(Record):
    """Take every lane from whoever holds it (epoch + 1, no worker): for the one desk that starts on a store alone."""


@dataclass(frozen=True, slots=True)
class MarkStop(Record):
    """Mark the session's oldest queued event to stop, if it was accepted before `before` (an inbox id) and is of
    `customer` (None: of anybody). Gives back `[(id,)]` of the marked one, or `[]`. An event is marked by one stop only.
    """

    returns: ClassVar[bool] = True
    session: bytes
    before: str
    customer: str | None = None


@dataclass(frozen=True, slots=True)
class MoveEvent(Record):
    """Queue an event, if it still waits, in the lane of another session instead; its message goes with it."""

    event: str
    session: bytes


@dataclass(frozen=True, slots=True)
class PutEvent(Record):
    """Replace the body of an event, if it still waits."""

    id: str
    body: bytes


@dataclass(frozen=True, slots=True)
class FinishEvent(Record):
    """The event is dealt with: status becomes 'done' or 'parked'; its body is kept only when parked. Pending - 1."""

    id: str
    status: str


@dataclass(frozen=True, slots=True)
class GiveBackAttempt(Record):
    """Take one from the event's attempts, if it has any: it was not the event's fault that it did not finish."""

    id: str


@dataclass(frozen=True, slots=True)
class GiveBackLanes(Record):
    """Let every lane of `worker` go; the attempts of their oldest queued events do not count."""

    worker: str


@dataclass(frozen=True, slots=True)
class CountAttempt(Record):
    """Add one to the attempts of the lane's oldest queued event, if `worker` holds the lane: it is the next to run."""

    session: bytes
    worker: str


@dataclass(frozen=True, slots=True)
class ReleaseLane(Record):
    """Let the lane go if nothing is pending, or in any case with `always` = 1, if `epoch` still holds.

    Gives back `[(pending, worker or None)]` as it is after, or `[]` when the epoch moved on.
    """

    returns: ClassVar[bool] = True
    session: bytes
    epoch: int
    always: int
