"""Which commits of a batch may run side by side, class by class, as if each ran alone."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

from core.records.bill import BookUsage, ReplaceUsage, ReserveBudget, SettleBudget
from core.records.erasing import DropTicket, DropUsage, FoldUsage, ForgetCustomer
from core.records.guards import AuditEnds, CustomerAt, LaneIs, OutletIs, PlaceIs, QueueEnds, SessionAt, TicketAt
from core.records.lanes import AddEvent, ClaimLane, CountAttempt, MarkStop, MoveEvent, ReleaseLane
from core.records.outbox import AddDelivery, ClaimOutlet, ReleaseOutlet
from core.records.people import BindPlace, HandOver, PutCustomer, PutSession
from core.records.record import Commit, Record, Rows
from core.records.tickets import AddTicket, AddTicketChange, PutTicket
from core.records.turns import (
    AddBranch,
    AddTurn,
    BumpRevision,
    ClearSession,
    DropBranch,
    GrowBranch,
    MoveHead,
    RewriteBranch,
    SwitchBranch,
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
    ForgetCustomer: "customer",
    HandOver: "session",
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
    AddDelivery: "place",
    AddTurn: "session",
    BumpRevision: "session",
    AddBranch: "session",
    RewriteBranch: "session",
    DropBranch: "session",
    MoveHead: "session",
    GrowBranch: "session",
    SwitchBranch: "session",
    ClearSession: "session",
    AddTicket: "id",
    PutTicket: "id",
    AddTicketChange: "ticket",
    DropTicket: "id",
    FoldUsage: "customer",
    DropUsage: "customer",
    ReplaceUsage: "session",
    ReserveBudget: "counter",
    SettleBudget: "counter",
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
        subjects = _subjects(commit)
        turn = 0 if last.keys().isdisjoint(subjects) else 1 + max(last.get(subject, -1) for subject in subjects)
        last.update(dict.fromkeys(subjects, turn))
        if turn == len(dealt):
            dealt.append([])
        dealt[turn].append(number)
    return dealt


def stretches(batch: Sequence[Commit]) -> Iterator[list[Commit]]:
    """Cut a batch, in its order, into stretches whose commits share nothing of that."""
    stretch: list[Commit] = []
    seen: set[object] = set()
    for commit in batch:
        subjects = _subjects(commit)
        if not seen.isdisjoint(subjects):
            yield stretch
            stretch, seen = [], set()
        stretch.append(commit)
        seen |= subjects
    yield stretch


def _subjects(commit: Commit) -> set[object]:
    return {read(record) for record in commit if (read := _subject.get(type(record)))}


@dataclass(frozen=True, slots=True)
class Sorted:
    """The records of a pass by class, the rows to fill for those that return some, and each commit's own rows."""

    records: defaultdict[type[Record], list[Record]] = field(default_factory=lambda: defaultdict(list))
    rows: defaultdict[type[Record], list[Rows]] = field(default_factory=lambda: defaultdict(list))
    answers: list[tuple[Rows, ...]] = field(default_factory=list)


def sort_records(commits: Sequence[Commit]) -> Sorted:
    """Sort the records of a pass by class; the rows of its returning records are a commit's answer, in its order."""
    made = Sorted()
    records, rows = made.records, made.rows
    for commit in commits:
        own: list[Rows] = []
        for record in commit:
            cls = type(record)
            records[cls].append(record)
            if cls.returns:
                own.append([])
                rows[cls].append(own[-1])
        made.answers.append(tuple(own))
    return made
