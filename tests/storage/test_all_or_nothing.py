"""A commit of every record there is, made to fail at every field of every record: nothing of it is ever there."""

from dataclasses import fields, replace

import pytest

from core.errors import RefusedError
from core.queries import QUERIES
from core.queries.bill import (
    BudgetOf,
    PlacedUsage,
    UsageByTurn,
    UsageByTurnOfBranch,
    UsageLedger,
    UsageMonths,
    UsageOfCustomer,
    UsageOfSession,
    UsageOfTurn,
)
from core.queries.branches import BranchByName, BranchesOf, MovesOf
from core.queries.counts import Backlog, CounterOf, Counts, HeldOf, OldBodies, OldUsage, SchemaNumber
from core.queries.lanes import LaneById, MessageBefore, NextEvent, ParkedEvents, QueuedAfter, StoppedBy, WaitingLanes
from core.queries.log import AllNotesOf, AuditAfter, AuditEnd, AuditLines, AuditStart, NoteByKey, NotesOf
from core.queries.outbox import (
    DeliveriesOf,
    DeliveriesTo,
    OpenAt,
    OpenDeliveries,
    OutletAt,
    WaitingOutlets,
)
from core.queries.people import (
    CustomerById,
    CustomerOfIdentity,
    Customers,
    IdentitiesOf,
    OtherWorkspace,
    PlaceByKey,
    PlacesOf,
    SessionById,
    Sessions,
    SessionsSpokenBy,
    SilentSessions,
    StandOf,
)
from core.queries.said import FeedbackOf, FeedbackOn, MessageByKey, MessagesOf, QuestionBy, SummaryUpTo
from core.queries.tickets import ChangesBy, ChangesOf, SettledTickets, TicketById, TicketByNumber, Tickets, TicketsOf
from core.queries.turns import (
    CountOfTurns,
    ItemsOf,
    PageOf,
    PlaceOfTurn,
    TurnAt,
    TurnById,
    TurnsAfter,
    TurnsBefore,
    TurnsOf,
    TurnsOfTicket,
    TurnsSpokenBefore,
    TurnsSpokenBy,
    TurnsSpokenIn,
    TurnsUpTo,
    WindowOf,
)
from core.records import RECORDS
from core.records.bill import ReplaceUsage, ReserveBudget, SettleBudget
from core.records.erasing import BlankBodies, DropTicket, DropUsage, FoldUsage, ForgetCustomer
from core.records.guards import (
    AuditEnds,
    CustomerAt,
    LaneIs,
    NotStopped,
    OutletIs,
    PlaceIs,
    QueueEnds,
    SessionAt,
    TicketAt,
    TurnEnds,
)
from core.records.lanes import (
    ClaimLane,
    CountAttempt,
    FinishEvent,
    FreeLanes,
    GiveBackAttempt,
    GiveBackLanes,
    MarkStop,
    MoveEvent,
    PutEvent,
    ReleaseLane,
    RenewLanes,
)
from core.records.log import CutAudit, DropNote, PutNote
from core.records.outbox import (
    BlankDeliveries,
    ClaimOutlet,
    DropDelivery,
    GiveBackOutlets,
    MarkDelivery,
    ReleaseOutlet,
    RenewOutlets,
)
from core.records.people import BindPlace, HandOver, PutCustomer, PutSession, Reserve
from core.records.tickets import PutTicket
from core.records.turns import (
    AddItem,
    BumpRevision,
    ClearSession,
    DropBranch,
    DropItem,
    DropItems,
    DropTurn,
    GrowBranch,
    MoveMessage,
    PutFeedback,
    PutSummary,
    RewriteBranch,
    RewriteItem,
    RewriteTurn,
    SwitchBranch,
)
from tests.storage.samples import (
    HOUR,
    MAIN_BRANCH,
    S,
    audit,
    branch,
    change,
    commit,
    customer,
    delivery,
    event,
    identity,
    message,
    move,
    said,
    session,
    ticket,
    turn,
    usage,
)

BEFORE = (
    customer(), identity(), *session(), *said(3), *session(b"old"), turn("o1", session=b"old"), branch(),
    BindPlace(b"place", S, "c", 1, b"body"), event("e1"), event("e2"), PutSummary("t2", "c", 1, b"summary"),
    PutFeedback("t1", "c", "helpful", 1), message(), ticket(), ticket("k3", number=1003), change(), usage(),
    delivery(), delivery("d2", turn="t2"),
    audit(), Reserve("n", 1), PutNote("slack", "stream", b"other", 1, b"old"),
)  # fmt: skip

EVERYTHING = (
    LaneIs(S, 1), NotStopped("e1"), SessionAt(S, 4), TurnEnds("t3", 2), PlaceIs(b"place", S), QueueEnds(S, 2),
    OutletIs(b"place", 1),
    CustomerAt("c", 1), TicketAt("k1", 1), AuditEnds(b"link a1"), Reserve("n", 1),
    customer("c2"), identity(b"i2", customer="c2"), PutCustomer("c", b"new"), *session(b"s2"),
    BindPlace(b"place", b"s2", "c", 2, b"new"), HandOver(b"old", "desk", b"new"),
    PutSession(S, "human", 1), event("e3"), ClaimLane(S, "worker", HOUR),
    RenewLanes("worker", HOUR), FreeLanes(), MarkStop(S, "e3"),
    MoveEvent("e2", b"s2"), PutEvent("e2", b"new"), FinishEvent("e1", "parked"), GiveBackAttempt("e2"),
    GiveBackLanes("worker"), CountAttempt(S, "worker"), ReleaseLane(S, 2, 1), turn("t4", parent="t3", depth=4),
    AddItem("t4", 0, b"item"),
    DropItem("t1", 1), DropItems("t2"), RewriteItem("t1", 0, b"new"), RewriteTurn("t1", "done", 1, b"new"),
    BumpRevision(S), branch(b"third"), RewriteBranch(S, MAIN_BRANCH, b"new"),
    DropBranch(S, b"other"), DropTurn("t2"), move("t4", "t3"),
    GrowBranch(S, b"third", "t4", 2), SwitchBranch(S, b"third"), ClearSession(b"old", MAIN_BRANCH),
    PutSummary("t3", "c", 2, b"new"),
    PutFeedback("t1", "c", "not helpful", 2), message(b"m2"), MoveMessage(b"message", "t3"),
    ticket("k2", number=1002), PutTicket("k1", "resolved", "low", 2, 2, b"new"), change("h2", version=2),
    ReplaceUsage(S, "t1", MAIN_BRANCH), usage("u2"), ReserveBudget("c/day", 7, 5, 5, 99, 99, 50, 50),
    SettleBudget("c/day", 7, 1, 1), MarkDelivery("d1", "sent", b"id"), BlankDeliveries("t2"),
    DropDelivery("d2"), ForgetCustomer("c2"), BlankBodies("c", 9, 9),
    DropTicket("k3"), FoldUsage("c", 9), DropUsage("c", 0),
    ReleaseOutlet(b"place", 1, 1), ClaimOutlet(b"other", "terminal", "worker", HOUR), RenewOutlets("worker", HOUR),
    GiveBackOutlets("another"),
    delivery("d3"), audit("a2", 2), CutAudit(1, b"link a1"), PutNote("slack", "stream", b"note", 2, b"new"),
    DropNote("slack", "stream", b"other"),
)  # fmt: skip

QUESTIONS = (
    CustomerOfIdentity(b"i2"), CustomerById("c"), Customers(), OtherWorkspace("x"), IdentitiesOf("c2"), SessionById(S),
    Sessions(9),
    SessionsSpokenBy("c", 9), SilentSessions(99, 9), PlaceByKey(b"place"), WaitingLanes(9), LaneById(S), NextEvent(S),
    QueuedAfter(S, 1), StandOf(S),
    MessageBefore(S, 9), StoppedBy(S, 9), ParkedEvents(9), WindowOf("t4", 9), TurnById("t1"), TurnsUpTo("t3", 9),
    TurnsAfter("t3", 0),
    TurnAt("t3", 1), TurnsOf(S), TurnsSpokenBy("c", 9), ItemsOf("t1"), BranchesOf(S), BranchByName(S, MAIN_BRANCH),
    MovesOf(S, MAIN_BRANCH, 9), SummaryUpTo("t3", 9), MessageByKey(b"m2"), MessagesOf("t1"), FeedbackOf(S),
    TicketsOf("c"), Tickets(9), TicketByNumber("w", 1002), TicketById("k1"), ChangesOf("k1", 9), ChangesBy("t1"),
    BudgetOf("c/day"), UsageLedger(0, 2), PlacedUsage("", 9, 0, 2), UsageMonths("c"), CounterOf("n"),
    UsageOfCustomer("c"), UsageOfSession(S), UsageByTurn(S), UsageByTurnOfBranch(S, MAIN_BRANCH),
    OpenDeliveries("terminal", 0, 9), DeliveriesOf("t1"), AuditLines(9), Counts(),
    AuditAfter(0, 9), AuditEnd(), Backlog(),
    TurnsSpokenIn(S, "c"), QuestionBy(S, "c"), NoteByKey("slack", "stream", b"note"), NotesOf("slack", "stream"),
    AllNotesOf("slack"),
    OpenAt(b"place", 9), WaitingOutlets("terminal", "worker", 9), OutletAt(b"place"), SchemaNumber(),
    PlacesOf("c"), DeliveriesTo("c"), HeldOf("c"), OldBodies(9, 9),
    OldUsage(9, 1), SettledTickets(99, 9), AuditStart(),
    CountOfTurns(S), PageOf(S, "t3", 0, 9), PlaceOfTurn(S, "t3", "t1"), FeedbackOn("t1"), UsageOfTurn(S, "t1"),
    TurnsBefore("w", "t9", 9), TurnsOfTicket("k1", S, "t9", 9), TurnsSpokenBefore("c", "w", "t9", 9),
)  # fmt: skip


async def everything(store):
    return {question: await store.read(question) for question in QUESTIONS}


@pytest.fixture
async def filled(store):
    await commit(store, *BEFORE)
    await commit(store, ClaimLane(S, "worker", HOUR), ClaimOutlet(b"place", "terminal", "worker", HOUR))
    return store


def test_every_record_and_every_question_is_tried():
    assert {type(record) for record in EVERYTHING} == set(RECORDS)
    assert {type(question) for question in QUESTIONS} == set(QUERIES)


async def test_a_commit_of_every_record_can_be_written(filled):
    before = await everything(filled)
    await commit(filled, *EVERYTHING)
    assert await everything(filled) != before


@pytest.mark.parametrize("neighbours", [0, 1])
async def test_a_commit_that_fails_at_any_field_of_any_record_leaves_nothing(filled, neighbours):
    before = await everything(filled)
    for place, record in enumerate(EVERYTHING):
        for field in fields(record):
            broken = replace(record, **{field.name: object()})
            commits = [(*EVERYTHING[:place], broken, *EVERYTHING[place + 1 :])]
            outcome, *others = await filled.write(commits + [(MarkStop(b"nobody", "e1"),)] * neighbours)
            assert isinstance(outcome, RefusedError), f"{broken} was taken"
            assert others == [([],)] * neighbours
    assert await everything(filled) == before
