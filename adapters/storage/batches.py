"""Which commits of a batch may run side by side, class by class, as if each ran alone."""

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any

from core.records import (
    AddBranch,
    AddEvent,
    AddTicket,
    AddTicketChange,
    AddTurn,
    AuditEnds,
    BindPlace,
    BookUsage,
    BumpRevision,
    ClaimLane,
    ClaimOutlet,
    ClearSession,
    Commit,
    CountAttempt,
    CustomerAt,
    DropBranch,
    GrowBranch,
    LaneIs,
    MarkStop,
    MoveEvent,
    MoveHead,
    OutletIs,
    PlaceIs,
    PutCustomer,
    PutSession,
    PutTicket,
    QueueEnds,
    Record,
    ReleaseLane,
    ReleaseOutlet,
    ReplaceUsage,
    SessionAt,
    SwitchBranch,
    TicketAt,
)

_SUBJECT: dict[type[Record], str] = {
    LaneIs: "session",
    SessionAt: "session",
    PlaceIs: "key",
    QueueEnds: "session",
    OutletIs: "place",
    CustomerAt: "customer",
    TicketAt: "ticket",
    PutCustomer: "id",
    BindPlace: "key",
    PutSession: "id",
    AddEvent: "session",
    ClaimLane: "session",
    MarkStop: "session",
    MoveEvent: "session",
    CountAttempt: "session",
    ReleaseLane: "session",
    ReleaseOutlet: "place",
    ClaimOutlet: "place",
    AddTurn: "session",
    BumpRevision: "session",
    AddBranch: "session",
    DropBranch: "session",
    MoveHead: "session",
    GrowBranch: "session",
    SwitchBranch: "session",
    ClearSession: "session",
    AddTicket: "id",
    PutTicket: "id",
    AddTicketChange: "ticket",
    ReplaceUsage: "session",
    BookUsage: "session",
}
"""The field that names the subject a record looks at or changes, where another one may guard it."""


_subject: dict[type[Record], Callable[[Any], object]] = {cls: attrgetter(name) for cls, name in _SUBJECT.items()}
# There is one audit log: each of its lines follows the one before.
_subject[AuditEnds] = lambda _: AuditEnds


def passes(batch: Sequence[Commit]) -> list[list[int]]:
    """Deal the commits of a batch, by number, into passes whose commits share no session, customer, ticket or place.

    Within a pass all guards are looked at before anything is written: of two commits that read version 1 of a ticket
    and write version 2, both would pass. Commits of one subject keep their order from pass to pass.
    """
    dealt: list[list[int]] = []
    last: dict[object, int] = {}
    for number, commit in enumerate(batch):
        subjects = {read(record) for record in commit if (read := _subject.get(type(record)))}
        turn = 0 if last.keys().isdisjoint(subjects) else 1 + max(last.get(subject, -1) for subject in subjects)
        last.update(dict.fromkeys(subjects, turn))
        if turn == len(dealt):
            dealt.append([])
        dealt[turn].append(number)
    return dealt
