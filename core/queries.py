"""What a store can be asked: one frozen question per statement, and the row each answer is made of.

As with records, a store maps a class to its statement by name and fields to parameters; the columns of the answer are
the fields of the row class, in order.
"""

from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

RowT = TypeVar("RowT")


@dataclass(frozen=True, slots=True)
class Query(Generic[RowT]):
    """One question; `row` is the class of each row of its answer."""

    row: ClassVar[type]


# --- people and places ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CustomerRow:
    """A customer as stored."""

    id: str
    workspace: str
    version: int
    at: int
    body: bytes


@dataclass(frozen=True, slots=True)
class CustomerOfIdentity(Query[CustomerRow]):
    """The customer who has this identity; at most one."""

    row = CustomerRow
    key: bytes


@dataclass(frozen=True, slots=True)
class CustomerById(Query[CustomerRow]):
    """One customer; at most one."""

    row = CustomerRow
    id: str


@dataclass(frozen=True, slots=True)
class Customers(Query[CustomerRow]):
    """All customers, oldest first."""

    row = CustomerRow


@dataclass(frozen=True, slots=True)
class IdentityRow:
    """An identity as stored."""

    key: bytes
    customer: str
    body: bytes


@dataclass(frozen=True, slots=True)
class IdentitiesOf(Query[IdentityRow]):
    """A customer's identities."""

    row = IdentityRow
    customer: str


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A session with its current branch's name (sealed in `branch_body`) and head, `depth` 0 where it has no turn."""

    id: bytes
    workspace: str
    owner: str
    strategy: str
    branch: bytes
    branch_body: bytes
    head: str | None
    depth: int
    agent: str
    version: int
    revision: int
    answered_by: str
    muted: int
    started: int
    spoken: int
    body: bytes


@dataclass(frozen=True, slots=True)
class SessionById(Query[SessionRow]):
    """One session; at most one. `agent` is the head turn's ('' where there is none)."""

    row = SessionRow
    id: bytes


@dataclass(frozen=True, slots=True)
class StandRow:
    """Where a session stands: while all three are the same, so is what the current branch holds.

    `seq` is what the next item of the turn `head` would have, 0 where there is no turn.
    """

    version: int
    head: str | None
    seq: int


@dataclass(frozen=True, slots=True)
class StandOf(Query[StandRow]):
    """Where a session stands; at most one."""

    row = StandRow
    session: bytes


@dataclass(frozen=True, slots=True)
class Sessions(Query[SessionRow]):
    """All sessions, the one spoken in last first; at most `limit`."""

    row = SessionRow
    limit: int


@dataclass(frozen=True, slots=True)
class SilentSessions(Query[SessionRow]):
    """Sessions that hold turns, were spoken in last before `before` and wait for no event, longest silent first.

    At most `limit`, after the first `offset`.
    """

    row = SessionRow
    before: int
    limit: int
    offset: int = 0


@dataclass(frozen=True, slots=True)
class SessionsSpokenBy(Query[SessionRow]):
    """Sessions the customer owns or has a turn in, newest spoken first; at most `limit`."""

    row = SessionRow
    customer: str
    limit: int


@dataclass(frozen=True, slots=True)
class PlaceRow:
    """What a place is bound to."""

    session: bytes
    owner: str
    body: bytes


@dataclass(frozen=True, slots=True)
class PlaceByKey(Query[PlaceRow]):
    """The binding of a place; at most one."""

    row = PlaceRow
    key: bytes


@dataclass(frozen=True, slots=True)
class OwnPlaceRow:
    """A binding with the place's key."""

    key: bytes
    session: bytes
    body: bytes


@dataclass(frozen=True, slots=True)
class PlacesOf(Query[OwnPlaceRow]):
    """The places whose binding is sealed for a customer."""

    row = OwnPlaceRow
    owner: str


# --- lanes and events -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LaneRow:
    """A lane: `held` is 1 while a worker's lease on it runs."""

    session: bytes
    pending: int
    epoch: int
    worker: str | None
    held: int


@dataclass(frozen=True, slots=True)
class WaitingLanes(Query[LaneRow]):
    """Lanes with pending events that nobody holds, the longest waiting first; at most `limit`."""

    row = LaneRow
    limit: int


@dataclass(frozen=True, slots=True)
class LaneById(Query[LaneRow]):
    """One lane; at most one."""

    row = LaneRow
    session: bytes


@dataclass(frozen=True, slots=True)
class EventRow:
    """An event as stored."""

    seq: int
    id: str
    session: bytes
    customer: str
    kind: str
    status: str
    attempts: int
    stopped: int
    at: int
    body: bytes


@dataclass(frozen=True, slots=True)
class QueuedAfter(Query[EventRow]):
    """The session's queued events after `seq`, oldest first."""

    row = EventRow
    session: bytes
    seq: int


@dataclass(frozen=True, slots=True)
class NextEvent(Query[EventRow]):
    """The lane's oldest queued event; at most one."""

    row = EventRow
    session: bytes


@dataclass(frozen=True, slots=True)
class MessageBefore(Query[EventRow]):
    """The newest event of kind 'message' of a session with `seq` under the given one; at most one."""

    row = EventRow
    session: bytes
    seq: int


@dataclass(frozen=True, slots=True)
class StoppedBy(Query[EventRow]):
    """The event of a session that the stop of this `seq` marked; at most one."""

    row = EventRow
    session: bytes
    seq: int


@dataclass(frozen=True, slots=True)
class ParkedEvents(Query[EventRow]):
    """Events that were given up, oldest first; at most `limit`."""

    row = EventRow
    limit: int


# --- the tree ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ItemRow:
    """An item with what is needed to open it and to place it."""

    turn: str
    depth: int
    speaker: str
    seq: int
    body: bytes


@dataclass(frozen=True, slots=True)
class WindowOf(Query[ItemRow]):
    """The items of the newest `turns` turns up to and with `head` along the parent chain, oldest first."""

    row = ItemRow
    head: str
    turns: int


@dataclass(frozen=True, slots=True)
class TurnRow:
    """A turn as stored."""

    id: str
    session: bytes
    parent: str | None
    depth: int
    status: str
    speaker: str
    agent: str
    event: str | None
    edited: int
    at: int
    body: bytes


@dataclass(frozen=True, slots=True)
class TurnById(Query[TurnRow]):
    """One turn; at most one."""

    row = TurnRow
    id: str


@dataclass(frozen=True, slots=True)
class TurnsUpTo(Query[TurnRow]):
    """The newest `limit` turns up to and with `head` along the parent chain, oldest first."""

    row = TurnRow
    head: str
    limit: int


@dataclass(frozen=True, slots=True)
class TurnsAfter(Query[TurnRow]):
    """The turns on the chain of `head` deeper than `depth`, oldest first."""

    row = TurnRow
    head: str
    depth: int


@dataclass(frozen=True, slots=True)
class TurnAt(Query[TurnRow]):
    """The turn of that depth on the chain of `head`; at most one."""

    row = TurnRow
    head: str
    depth: int


@dataclass(frozen=True, slots=True)
class TurnsOf(Query[TurnRow]):
    """All turns of a session, in the order they were made."""

    row = TurnRow
    session: bytes


@dataclass(frozen=True, slots=True)
class TurnsSpokenBy(Query[TurnRow]):
    """The newest `limit` turns a customer spoke in any session (status done), newest first."""

    row = TurnRow
    speaker: str
    limit: int


@dataclass(frozen=True, slots=True)
class TurnsBefore(Query[TurnRow]):
    """The newest `limit` turns of the whole store with an id under `before`, newest first: a slice to search through.

    The body is empty of those in another workspace than this (None: any), and of those of standalone sessions.
    """

    row = TurnRow
    workspace: str | None
    before: str
    limit: int


@dataclass(frozen=True, slots=True)
class TurnsSpokenBefore(Query[TurnRow]):
    """As `TurnsBefore`, of those alone that a customer spoke."""

    row = TurnRow
    speaker: str
    workspace: str | None
    before: str
    limit: int


@dataclass(frozen=True, slots=True)
class TurnsOfTicket(Query[TurnRow]):
    """As `TurnsBefore`, of those alone that opened or changed a ticket, or are said in `session`."""

    row = TurnRow
    ticket: str
    session: bytes
    before: str
    limit: int


@dataclass(frozen=True, slots=True)
class PagedRow:
    """A turn as stored, with its place in the transcript: `here` is 1 where it is on the line or stands beside it."""

    id: str
    session: bytes
    parent: str | None
    depth: int
    status: str
    speaker: str
    agent: str
    event: str | None
    edited: int
    at: int
    body: bytes
    here: int


@dataclass(frozen=True, slots=True)
class PageOf(Query[PagedRow]):
    """The turns of a session as a transcript has them, `limit` of them after the first `skip`.

    First those on the chain of `head`, with the ones beside it that failed, were stopped or blocked; then all others.
    """

    row = PagedRow
    session: bytes
    head: str | None
    skip: int
    limit: int


@dataclass(frozen=True, slots=True)
class NumberRow:
    """A number."""

    number: int


@dataclass(frozen=True, slots=True)
class CountOfTurns(Query[NumberRow]):
    """How many turns a session has; one row."""

    row = NumberRow
    session: bytes


@dataclass(frozen=True, slots=True)
class PlaceOfTurn(Query[NumberRow]):
    """How many turns stand before one in the order of `PageOf`; no row where it is not in the session."""

    row = NumberRow
    session: bytes
    head: str | None
    turn: str


@dataclass(frozen=True, slots=True)
class TurnsSpokenIn(Query[TurnRow]):
    """The newest turn a customer spoke in one session, whatever became of it; at most one."""

    row = TurnRow
    session: bytes
    speaker: str


@dataclass(frozen=True, slots=True)
class ItemsOf(Query[ItemRow]):
    """The items of one turn in order."""

    row = ItemRow
    turn: str


@dataclass(frozen=True, slots=True)
class BranchRow:
    """A branch as stored; `depth` is its head's, 0 where it has none."""

    name: bytes
    head: str | None
    depth: int
    forked: str | None
    at: int
    body: bytes


@dataclass(frozen=True, slots=True)
class BranchesOf(Query[BranchRow]):
    """The branches of a session, oldest first."""

    row = BranchRow
    session: bytes


@dataclass(frozen=True, slots=True)
class BranchByName(Query[BranchRow]):
    """One branch; at most one."""

    row = BranchRow
    session: bytes
    name: bytes


@dataclass(frozen=True, slots=True)
class MoveRow:
    """A noted move of a head."""

    seq: int
    from_turn: str | None
    to_turn: str | None
    kind: str
    actor: str
    at: int


@dataclass(frozen=True, slots=True)
class MovesOf(Query[MoveRow]):
    """The newest `limit` moves of a branch's head, newest first."""

    row = MoveRow
    session: bytes
    branch: bytes
    limit: int


@dataclass(frozen=True, slots=True)
class SummaryRow:
    """A running summary: of all up to and with `turn`, whose depth is `depth`."""

    turn: str
    depth: int
    owner: str
    body: bytes


@dataclass(frozen=True, slots=True)
class SummaryUpTo(Query[SummaryRow]):
    """The newest running summary on the chain of `head`, looking back at most `turns` turns; at most one."""

    row = SummaryRow
    head: str
    turns: int


@dataclass(frozen=True, slots=True)
class MessageRow:
    """Which turn a platform's message belongs to."""

    key: bytes
    session: bytes
    turn: str | None
    part: str
    owner: str
    body: bytes


@dataclass(frozen=True, slots=True)
class MessageByKey(Query[MessageRow]):
    """One platform message; at most one."""

    row = MessageRow
    key: bytes


@dataclass(frozen=True, slots=True)
class QuestionBy(Query[MessageRow]):
    """A message that a customer said to the desk in a session, answered or not yet; at most one."""

    row = MessageRow
    session: bytes
    owner: str


@dataclass(frozen=True, slots=True)
class MessagesOf(Query[MessageRow]):
    """The platform messages of a turn."""

    row = MessageRow
    turn: str


@dataclass(frozen=True, slots=True)
class FeedbackRow:
    """What somebody thought of a turn."""

    turn: str
    speaker: str
    value: str
    at: int


@dataclass(frozen=True, slots=True)
class FeedbackOf(Query[FeedbackRow]):
    """The feedback on all turns of a session."""

    row = FeedbackRow
    session: bytes


@dataclass(frozen=True, slots=True)
class FeedbackOn(Query[FeedbackRow]):
    """The feedback on one turn."""

    row = FeedbackRow
    turn: str


# --- tickets ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TicketRow:
    """A ticket as stored."""

    id: str
    workspace: str
    number: int
    customer: str
    session: bytes
    turn: str | None
    status: str
    priority: str
    version: int
    at: int
    changed: int
    body: bytes


@dataclass(frozen=True, slots=True)
class TicketsOf(Query[TicketRow]):
    """A customer's tickets, by number."""

    row = TicketRow
    customer: str


@dataclass(frozen=True, slots=True)
class Tickets(Query[TicketRow]):
    """All tickets, newest first; at most `limit`."""

    row = TicketRow
    limit: int


@dataclass(frozen=True, slots=True)
class SettledTickets(Query[TicketRow]):
    """Tickets that are resolved or withdrawn and were changed last before `before`, the longest settled first.

    At most `limit`, after the first `offset`.
    """

    row = TicketRow
    before: int
    limit: int
    offset: int = 0


@dataclass(frozen=True, slots=True)
class TicketByNumber(Query[TicketRow]):
    """One ticket of a workspace; at most one."""

    row = TicketRow
    workspace: str
    number: int


@dataclass(frozen=True, slots=True)
class TicketById(Query[TicketRow]):
    """One ticket; at most one."""

    row = TicketRow
    id: str


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """A line of a ticket's timeline as stored."""

    id: str
    ticket: str
    turn: str | None
    version: int
    field: str
    cause: str
    actor: str
    at: int
    before: bytes | None
    after: bytes | None


@dataclass(frozen=True, slots=True)
class ChangesOf(Query[ChangeRow]):
    """A ticket's newest `limit` changes, newest first."""

    row = ChangeRow
    ticket: str
    limit: int


@dataclass(frozen=True, slots=True)
class ChangesBy(Query[ChangeRow]):
    """The ticket changes with this `turn`, oldest first (its own, and the undos and redos of them)."""

    row = ChangeRow
    turn: str


# --- usage, outbox, audit ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class UsageRow:
    """A sum of usage: `key` says whose, `calls` how many there were, `unpriced` those without a known price."""

    key: str
    calls: int
    requests: int
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    reasoning_tokens: int
    cost_nano: int
    unpriced: int
    estimated: int


@dataclass(frozen=True, slots=True)
class UsageOfCustomer(Query[UsageRow]):
    """The sum of one customer; at most one row."""

    row = UsageRow
    customer: str


@dataclass(frozen=True, slots=True)
class UsageOfSession(Query[UsageRow]):
    """The sum of one session; at most one row; `key` is ''."""

    row = UsageRow
    session: bytes


@dataclass(frozen=True, slots=True)
class UsageByTurn(Query[UsageRow]):
    """The sums of each turn of a session; `key` is the turn's id ('' for calls without one)."""

    row = UsageRow
    session: bytes


@dataclass(frozen=True, slots=True)
class UsageOfTurn(Query[UsageRow]):
    """The sum of one turn of a session; at most one row."""

    row = UsageRow
    session: bytes
    turn: str


@dataclass(frozen=True, slots=True)
class UsageByTurnOfBranch(Query[UsageRow]):
    """The sums of each turn of a session booked on one branch; `key` is the turn's id."""

    row = UsageRow
    session: bytes
    branch: bytes


@dataclass(frozen=True, slots=True)
class MonthRow:
    """What a customer used of a model in a month, which is named by its first moment (UTC, microseconds)."""

    model: str
    month: int
    calls: int
    requests: int
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    reasoning_tokens: int


@dataclass(frozen=True, slots=True)
class UsageMonths(Query[MonthRow]):
    """What a customer used, by month and model."""

    row = MonthRow
    customer: str


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """A sum of usage of one kind in all it is told apart by: `ticket` is '' for none, `day` counts from 1970 in UTC.

    `outcome` is what became of the turn: its status, 'undone' where it is done but on no branch any more, 'deleted'
    where it is gone, 'none' for what belongs to no turn, 'total' for a month's total, which stands on its first day.
    """

    customer: str
    session: bytes
    ticket: str
    model: str
    day: int
    outcome: str
    calls: int
    requests: int
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    reasoning_tokens: int
    cost_nano: int
    unpriced: int
    estimated: int


@dataclass(frozen=True, slots=True)
class UsageLedger(Query[LedgerRow]):
    """All that was booked from `since` up to, not with, `until`."""

    row = LedgerRow
    since: int
    until: int


@dataclass(frozen=True, slots=True)
class BudgetRow:
    """A counter: what was counted in its newest period."""

    period: int
    tokens: int
    nano: int


@dataclass(frozen=True, slots=True)
class BudgetOf(Query[BudgetRow]):
    """One counter; at most one."""

    row = BudgetRow
    counter: str


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """A piece on its way out, as stored."""

    seq: int
    key: str
    platform: str
    place: bytes
    session: bytes
    turn: str | None
    owner: str
    kind: str
    status: str
    attempts: int
    at: int
    body: bytes
    sent: bytes | None


@dataclass(frozen=True, slots=True)
class OpenDeliveries(Query[DeliveryRow]):
    """Pieces for a platform that are 'pending' or 'sending', with `seq` over `after`, in order; at most `limit`."""

    row = DeliveryRow
    platform: str
    after: int
    limit: int


@dataclass(frozen=True, slots=True)
class OpenAt(Query[DeliveryRow]):
    """Pieces of a place that are 'pending' or 'sending', in order; at most `limit`."""

    row = DeliveryRow
    place: bytes
    limit: int


@dataclass(frozen=True, slots=True)
class OutletRow:
    """An outlet: `held` is 1 while a worker's lease on it runs."""

    place: bytes
    epoch: int
    worker: str | None
    held: int


@dataclass(frozen=True, slots=True)
class WaitingOutlets(Query[OutletRow]):
    """Outlets of a platform with open pieces that nobody but `worker` holds, the longest waiting first; at most
    `limit`. One that was never claimed has epoch 0."""

    row = OutletRow
    platform: str
    worker: str
    limit: int


@dataclass(frozen=True, slots=True)
class OutletAt(Query[OutletRow]):
    """The outlet of a place; at most one."""

    row = OutletRow
    place: bytes


@dataclass(frozen=True, slots=True)
class DeliveriesOf(Query[DeliveryRow]):
    """All pieces of a turn, in order."""

    row = DeliveryRow
    turn: str


@dataclass(frozen=True, slots=True)
class DeliveriesTo(Query[DeliveryRow]):
    """All pieces that are sealed for a customer, in order."""

    row = DeliveryRow
    owner: str


@dataclass(frozen=True, slots=True)
class UnknownDeliveries(Query[DeliveryRow]):
    """Pieces whose fate is not known, in order; at most `limit`."""

    row = DeliveryRow
    limit: int


@dataclass(frozen=True, slots=True)
class AuditRow:
    """A line of the audit log as stored."""

    seq: int
    id: str
    actor: str
    action: str
    subject: str
    owner: str
    at: int
    digest: bytes
    link: bytes
    body: bytes


@dataclass(frozen=True, slots=True)
class AuditLines(Query[AuditRow]):
    """The newest `limit` audit lines, oldest first."""

    row = AuditRow
    limit: int


@dataclass(frozen=True, slots=True)
class AuditAfter(Query[AuditRow]):
    """The audit lines after `seq`, oldest first; at most `limit`."""

    row = AuditRow
    seq: int
    limit: int


@dataclass(frozen=True, slots=True)
class AuditStartRow:
    """After which line the audit log begins: its number and link, 0 and empty where nothing was cut off."""

    seq: int
    link: bytes


@dataclass(frozen=True, slots=True)
class AuditStart(Query[AuditStartRow]):
    """After which line the audit log begins; exactly one row."""

    row = AuditStartRow


@dataclass(frozen=True, slots=True)
class AuditEndRow:
    """Where the audit log ends: its newest line's number and link, 0 and empty where it has none."""

    seq: int
    link: bytes


@dataclass(frozen=True, slots=True)
class AuditEnd(Query[AuditEndRow]):
    """Where the audit log ends; exactly one row."""

    row = AuditEndRow


@dataclass(frozen=True, slots=True)
class NoteRow:
    """A note as stored."""

    key: bytes
    at: int
    body: bytes


@dataclass(frozen=True, slots=True)
class NoteByKey(Query[NoteRow]):
    """One note of a platform; at most one."""

    row = NoteRow
    platform: str
    kind: str
    key: bytes


@dataclass(frozen=True, slots=True)
class NotesOf(Query[NoteRow]):
    """All notes of a platform of one kind, oldest first."""

    row = NoteRow
    platform: str
    kind: str


@dataclass(frozen=True, slots=True)
class KindNoteRow:
    """A note with the kind it is of."""

    kind: str
    key: bytes
    body: bytes


@dataclass(frozen=True, slots=True)
class AllNotesOf(Query[KindNoteRow]):
    """All notes of a platform, of whatever kind."""

    row = KindNoteRow
    platform: str


@dataclass(frozen=True, slots=True)
class SchemaRow:
    """The newest migration a store has."""

    number: int


@dataclass(frozen=True, slots=True)
class SchemaNumber(Query[SchemaRow]):
    """The number of a store's schema; one row."""

    row = SchemaRow


@dataclass(frozen=True, slots=True)
class CounterRow:
    """The last number a counter gave."""

    value: int


@dataclass(frozen=True, slots=True)
class CounterOf(Query[CounterRow]):
    """A counter that gave a number already; at most one."""

    row = CounterRow
    name: str


@dataclass(frozen=True, slots=True)
class CountRow:
    """How many rows a table has."""

    table: str
    rows: int


@dataclass(frozen=True, slots=True)
class Counts(Query[CountRow]):
    """The number of customers, sessions, turns, items, tickets, queued and parked events, open and unknown deliveries.

    Keys: customer, session, turn, item, ticket, queued, parked, open, unknown.
    """

    row = CountRow


@dataclass(frozen=True, slots=True)
class BacklogRow:
    """What waits: events, since when the oldest of them (0: none), parked ones; open deliveries and unknown ones."""

    queued: int
    oldest: int
    parked: int
    open: int
    unknown: int


@dataclass(frozen=True, slots=True)
class Backlog(Query[BacklogRow]):
    """What waits in the whole store; one row."""

    row = BacklogRow


@dataclass(frozen=True, slots=True)
class HeldOf(Query[CountRow]):
    """How many rows of each table hold something of a customer: what they said, were told and are known by, and what
    stays of them.

    Keys: customer, identity, session, turn, item, summary, message, feedback, ticket, ticket_change, inbox, outbox,
    usage, audit.
    """

    row = CountRow
    customer: str


@dataclass(frozen=True, slots=True)
class OldRow:
    """How many rows of a table an owner has that are old enough."""

    table: str
    owner: str
    rows: int


@dataclass(frozen=True, slots=True)
class OldBodies(Query[OldRow]):
    """The texts that `BlankBodies` would delete, by owner. Tables: inbox, outbox."""

    row = OldRow
    inbox: int
    outbox: int


@dataclass(frozen=True, slots=True)
class OldUsage(Query[OldRow]):
    """The lines of the bill from before a time, by customer; those that are totals with `totals` = 1 only.

    What standalone sessions used is not among them.
    """

    row = OldRow
    before: int
    totals: int


QUERIES: tuple[type[Query[object]], ...] = tuple(
    value for value in globals().values() if isinstance(value, type) and issubclass(value, Query) and value is not Query
)
"""Every question."""
