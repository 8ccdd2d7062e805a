"""What a batch locks before anything else, so that writers in many processes wait in turn and never in a circle.

A guard would lock what it looks at, and an update what it changes, each in its own order. All of a batch at once, kind
after kind and sorted, leaves one order only. What is not there yet cannot be locked; it is made under a unique key.
"""

import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from core.records.erasing import DropTicket, DropUsage, FoldUsage, ForgetCustomer
from core.records.guards import AuditEnds, CustomerAt, LaneIs, OutletIs, PlaceIs, QueueEnds, SessionAt, TicketAt
from core.records.lanes import (
    AddEvent,
    CountAttempt,
    FreeLanes,
    GiveBackLanes,
    MarkStop,
    MoveEvent,
    ReleaseLane,
    RenewLanes,
)
from core.records.log import AddAudit, CutAudit
from core.records.outbox import ClaimOutlet, GiveBackOutlets, ReleaseOutlet, RenewOutlets
from core.records.people import BindPlace, HandOver, PutCustomer, PutSession
from core.records.record import Commit, Record
from core.records.tickets import PutTicket
from core.records.turns import (
    AddBranch,
    BumpRevision,
    ClearSession,
    DropBranch,
    GrowBranch,
    MoveHead,
    RewriteBranch,
    SwitchBranch,
)

_PLACES = 0x4465736B00000000
"""Where the numbers of the locks for places begin ("Desk")."""
_BUCKETS = 64
"""Locks for all places together: a server has room for some thousands in all, and few places are bound at once."""


@dataclass(frozen=True, slots=True)
class LockPlace(Record):
    """Keep the places of one bucket as they are; with `binds` = 1 for whoever binds one."""

    lock: int
    binds: int


@dataclass(frozen=True, slots=True)
class LockSession(Record):
    """Lock the row of a session."""

    session: bytes


@dataclass(frozen=True, slots=True)
class LockLane(Record):
    """Lock the lane of a session, or all that a worker holds."""

    session: bytes | None
    worker: str | None


@dataclass(frozen=True, slots=True)
class LockAllLanes(Record):
    """Lock every lane."""


@dataclass(frozen=True, slots=True)
class LockCustomer(Record):
    """Lock the row of a customer."""

    customer: str


@dataclass(frozen=True, slots=True)
class LockTicket(Record):
    """Lock the row of a ticket."""

    ticket: str


@dataclass(frozen=True, slots=True)
class LockOutlet(Record):
    """Lock the outlet of a place, or all that a worker holds."""

    place: bytes | None
    worker: str | None


@dataclass(frozen=True, slots=True)
class LockAudit(Record):
    """Lock the end of the audit log."""


LOCKS: tuple[type[Record], ...] = (
    LockPlace, LockSession, LockLane, LockAllLanes, LockCustomer, LockTicket, LockOutlet, LockAudit,
)  # fmt: skip
"""Every lock, in the order they are taken."""


def locks_of(batch: Iterable[Commit]) -> dict[type[Record], Sequence[Record]]:
    """Collect what a batch has to lock, by kind.

    A lane that is only claimed is not among it: who claims takes a lane that nobody is at, or none.
    """
    found: dict[type[Record], set[Any]] = {}
    for commit in batch:
        for record in commit:
            if make := _MAKERS.get(type(record)):
                lock = make(record)
                found.setdefault(type(lock), set()).add(lock)
    locks: dict[type[Record], Sequence[Record]] = {kind: list(those) for kind, those in found.items()}
    if LockPlace in found:
        # Who binds a place and also relies on one takes the stronger lock first.
        locks[LockPlace] = sorted(found[LockPlace], key=_weaker_last)
    return locks


def _weaker_last(lock: Any) -> tuple[int, int]:  # noqa: ANN401 - a LockPlace
    return lock.lock, -lock.binds


def _place(key: bytes, *, binds: int) -> LockPlace:
    return LockPlace(_PLACES + zlib.crc32(repr(key).encode()) % _BUCKETS, binds)


def _session(record: Any) -> Record:  # noqa: ANN401 - any that has one
    return LockSession(record.session)


def _lane(record: Any) -> Record:  # noqa: ANN401 - any that has a session
    return LockLane(record.session, None)


def _worker(record: Any) -> Record:  # noqa: ANN401 - any that has one
    return LockLane(None, record.worker)


_MAKERS: dict[type[Record], Callable[[Any], Record]] = {
    PlaceIs: lambda record: _place(record.key, binds=0),
    BindPlace: lambda record: _place(record.key, binds=1),
    **dict.fromkeys((SessionAt, BumpRevision, AddBranch, DropBranch, MoveHead), _session),
    **dict.fromkeys((GrowBranch, SwitchBranch, ClearSession, HandOver, RewriteBranch), _session),
    PutSession: lambda record: LockSession(record.id),
    **dict.fromkeys((LaneIs, QueueEnds, AddEvent, MarkStop, MoveEvent, CountAttempt, ReleaseLane), _lane),
    **dict.fromkeys((RenewLanes, GiveBackLanes), _worker),
    FreeLanes: lambda _: LockAllLanes(),
    **dict.fromkeys((CustomerAt, ForgetCustomer, FoldUsage, DropUsage), lambda record: LockCustomer(record.customer)),
    PutCustomer: lambda record: LockCustomer(record.id),
    TicketAt: lambda record: LockTicket(record.ticket),
    **dict.fromkeys((PutTicket, DropTicket), lambda record: LockTicket(record.id)),
    **dict.fromkeys((OutletIs, ReleaseOutlet, ClaimOutlet), lambda record: LockOutlet(record.place, None)),
    **dict.fromkeys((RenewOutlets, GiveBackOutlets), lambda record: LockOutlet(None, record.worker)),
    **dict.fromkeys((AuditEnds, AddAudit, CutAudit), lambda _: LockAudit()),
}
