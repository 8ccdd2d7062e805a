"""What a commit is made of: one frozen record per statement a store knows, in the order a batch runs them.

A store maps each class to its statement by name (`AddTurn` -> `-- name: AddTurn`), its fields to parameters of the same
names. Guards come first: when the condition one stands for no longer holds, the whole commit is refused. Parents come
before children. `bytes` fields named `body`, `before`, `after` or `sent` are sealed, all others are keyed hashes.
Times are microseconds since 1970 UTC. The tables are described in the schema beside each store.
"""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Record:
    """One statement of a commit. `returns` records give back rows, in the commit's result."""

    returns: ClassVar[bool] = False


Commit = tuple[Record, ...]
"""All or nothing: what is written together."""

Rows = list[tuple[object, ...]]

# --- guards -----------------------------------------------------------------------------------------------------------


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


# --- numbers, people, sessions ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reserve(Record):
    """Raise the counter by one (from `start` where it is new) and give back `[(value,)]`; never gives one twice."""

    returns: ClassVar[bool] = True
    name: str
    start: int


@dataclass(frozen=True, slots=True)
class AddCustomer(Record):
    """A new customer, version 1."""

    id: str
    workspace: str
    at: int
    body: bytes


@dataclass(frozen=True, slots=True)
class AddIdentity(Record):
    """A platform identity of a customer; ConflictError where it is somebody's already."""

    key: bytes
    customer: str
    at: int
    body: bytes


@dataclass(frozen=True, slots=True)
class PutCustomer(Record):
    """Replace the customer's body; its version goes up by one."""

    id: str
    body: bytes


@dataclass(frozen=True, slots=True)
class AddSession(Record):
    """A new session, version 1, revision 0; nothing happens where it is there."""

    id: bytes
    workspace: str
    owner: str
    strategy: str
    branch: bytes
    at: int
    body: bytes


@dataclass(frozen=True, slots=True)
class BindPlace(Record):
    """Let a place mean this session from now on."""

    key: bytes
    session: bytes
    owner: str
    at: int
    body: bytes


@dataclass(frozen=True, slots=True)
class HandOver(Record):
    """Give a session to another owner, for whom its body is sealed anew; version + 1."""

    session: bytes
    owner: str
    body: bytes


@dataclass(frozen=True, slots=True)
class PutSession(Record):
    """Set who answers ('bot' or 'human') and whether the session is muted (0 or 1); version + 1."""

    id: bytes
    answered_by: str
    muted: int


# --- inbox and lanes --------------------------------------------------------------------------------------------------


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


# --- turns ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AddTurn(Record):
    """A new turn. It is on no branch until a head moves to it."""

    id: str
    session: bytes
    parent: str | None
    depth: int
    status: str
    speaker: str
    agent: str
    event: str | None
    at: int
    body: bytes


@dataclass(frozen=True, slots=True)
class AddItem(Record):
    """Item `seq` (from 0) of a turn; ConflictError where it is there."""

    turn: str
    seq: int
    body: bytes


@dataclass(frozen=True, slots=True)
class DropItem(Record):
    """Really delete item `seq` of a turn."""

    turn: str
    seq: int


@dataclass(frozen=True, slots=True)
class DropItems(Record):
    """Really delete all items of a turn, and the summaries that end at it or at a deeper turn of the session."""

    turn: str


@dataclass(frozen=True, slots=True)
class RewriteItem(Record):
    """Replace the body of item `seq` of a turn."""

    turn: str
    seq: int
    body: bytes


@dataclass(frozen=True, slots=True)
class RewriteTurn(Record):
    """Replace status, edited mark (0 or 1) and body of a turn."""

    id: str
    status: str
    edited: int
    body: bytes


@dataclass(frozen=True, slots=True)
class BumpRevision(Record):
    """The session's stored text changed: revision + 1, version + 1."""

    session: bytes


@dataclass(frozen=True, slots=True)
class AddBranch(Record):
    """A named head; ConflictError where the session has one of that name."""

    session: bytes
    name: bytes
    head: str | None
    forked: str | None
    at: int
    body: bytes


@dataclass(frozen=True, slots=True)
class EnsureMain(Record):
    """The session's first branch, with no turns; nothing happens where it is there."""

    session: bytes
    name: bytes
    at: int
    body: bytes


@dataclass(frozen=True, slots=True)
class RewriteBranch(Record):
    """Replace the body of a branch."""

    session: bytes
    name: bytes
    body: bytes


@dataclass(frozen=True, slots=True)
class DropBranch(Record):
    """Delete a branch's name and its head moves; its turns stay."""

    session: bytes
    name: bytes


@dataclass(frozen=True, slots=True)
class DropTurn(Record):
    """Really delete one turn with all that hangs on it (items, summary, messages, feedback)."""

    id: str


@dataclass(frozen=True, slots=True)
class MoveHead(Record):
    """Set the branch's head to `to_turn` and note the move; session version + 1, spoken = `at`.

    ChangedError where the branch is gone.
    `kind` is 'turn', 'undo', 'redo', 'rewind', 'retry', 'edit', 'erase' or 'pop'.
    """

    session: bytes
    branch: bytes
    from_turn: str | None
    to_turn: str | None
    kind: str
    actor: str
    at: int


@dataclass(frozen=True, slots=True)
class GrowBranch(Record):
    """Let the branch end in a new turn of a standalone session; session version + 1, spoken = `at`. No move is noted.

    ChangedError where the branch is gone.
    """

    session: bytes
    branch: bytes
    head: str
    at: int


@dataclass(frozen=True, slots=True)
class SwitchBranch(Record):
    """Make `branch` the session's current one; session version + 1. ChangedError where it is gone."""

    session: bytes
    branch: bytes


@dataclass(frozen=True, slots=True)
class ClearSession(Record):
    """Really delete every turn of the session (with items, summaries, messages, feedback), its branches and head moves,
    its outbox rows and finished inbox rows' bodies; revision + 1, version + 1; `branch` becomes the current one, empty.

    Tickets and usage stay, their `turn` column too (a dangling id of a turn that is gone).
    """

    session: bytes
    branch: bytes


@dataclass(frozen=True, slots=True)
class PutSummary(Record):
    """The running summary of all turns up to and with `turn`."""

    turn: str
    owner: str
    at: int
    body: bytes


@dataclass(frozen=True, slots=True)
class PutFeedback(Record):
    """What a speaker thought of a turn: 'helpful' or 'not helpful'; the last word counts."""

    turn: str
    speaker: str
    value: str
    at: int


@dataclass(frozen=True, slots=True)
class AddMessage(Record):
    """A platform message belongs to a turn, as its 'question' or 'answer'; the first word counts."""

    key: bytes
    session: bytes
    turn: str | None
    part: str
    owner: str
    at: int
    body: bytes


@dataclass(frozen=True, slots=True)
class MoveMessage(Record):
    """A platform message belongs to another turn now (its edited text was answered again)."""

    key: bytes
    turn: str


# --- tickets, usage, audit --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AddTicket(Record):
    """A new ticket, version 1; `at` is also its `changed`."""

    id: str
    workspace: str
    number: int
    customer: str
    session: bytes
    turn: str | None
    status: str
    priority: str
    at: int
    body: bytes


@dataclass(frozen=True, slots=True)
class PutTicket(Record):
    """Replace a ticket's state; `version` is the new one."""

    id: str
    status: str
    priority: str
    version: int
    changed: int
    body: bytes


@dataclass(frozen=True, slots=True)
class AddTicketChange(Record):
    """A line of the ticket's timeline: `field` changed in `version`."""

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


@dataclass(frozen=True, slots=True)
class MarkDelivery(Record):
    """Set a piece's status; 'sending' counts one attempt. `sent` (the sealed platform id) is kept where it is None."""

    key: str
    status: str
    sent: bytes | None


@dataclass(frozen=True, slots=True)
class BlankDeliveries(Record):
    """Really delete the text of a turn's pieces: what is posted keeps its row with an empty body, what is not is
    deleted."""

    turn: str


@dataclass(frozen=True, slots=True)
class DropDelivery(Record):
    """Really delete a piece."""

    key: str


@dataclass(frozen=True, slots=True)
class ForgetCustomer(Record):
    """Really delete what a customer said, was told and is known by; their queued events are dealt with.

    Sessions that are theirs and in which nobody else spoke go whole. In others their turns stay, 'erased' and empty,
    so that the turns of others keep their place; revision + 1, version + 1. The customer's row, tickets, usage and
    audit lines stay, without what was sealed in the first two; the customer's version + 1.
    """

    customer: str


@dataclass(frozen=True, slots=True)
class BlankBodies(Record):
    """Really delete an owner's texts: of events that were given up and came before `inbox`, and of pieces that are
    posted, or were refused, and were made before `outbox` (times; 0: of none)."""

    owner: str
    inbox: int
    outbox: int


@dataclass(frozen=True, slots=True)
class DropTicket(Record):
    """Really delete a ticket with its timeline. Its number is never given again."""

    id: str


@dataclass(frozen=True, slots=True)
class FoldUsage(Record):
    """Put in the place of a customer's lines of the bill from before a time one line for each month (UTC), model and
    whether its price is known: `purpose` 'total', `calls` of them, without session, turn and ticket."""

    customer: str
    before: int


@dataclass(frozen=True, slots=True)
class DropUsage(Record):
    """Really delete a customer's lines of the bill from before a time."""

    customer: str
    before: int


@dataclass(frozen=True, slots=True)
class ReleaseOutlet(Record):
    """Let an outlet go if no piece is open there, or in any case with `always` = 1, if `epoch` still holds."""

    place: bytes
    epoch: int
    always: int


@dataclass(frozen=True, slots=True)
class ClaimOutlet(Record):
    """Take the outlet of a place for `worker` for `lease` seconds if it is free or its lease is over; epoch + 1.

    Who holds it already keeps it, under its epoch. Gives back `[(epoch, open)]`, where `open` counts the pieces that
    were open there before this commit's own, or `[]` where it was not to be had.
    """

    returns: ClassVar[bool] = True
    place: bytes
    platform: str
    worker: str
    lease: float


@dataclass(frozen=True, slots=True)
class RenewOutlets(Record):
    """Extend the lease of every outlet `worker` holds to `lease` seconds from now."""

    worker: str
    lease: float


@dataclass(frozen=True, slots=True)
class GiveBackOutlets(Record):
    """Let every outlet of `worker` go."""

    worker: str


@dataclass(frozen=True, slots=True)
class AddDelivery(Record):
    """A piece on its way out; ConflictError where the key is there. It is 'pending', or 'sending' (one attempt)."""

    key: str
    platform: str
    place: bytes
    session: bytes
    turn: str | None
    owner: str
    kind: str
    status: str
    at: int
    body: bytes


@dataclass(frozen=True, slots=True)
class AddAudit(Record):
    """Line `seq` (from 1) of the audit log, which ends in it now.

    Made without `seq`, `digest` and `link`: `core.audit_chain` puts them in when the line is written, behind an
    `AuditEnds`; a line without a link is refused with AuditMovedError. `digest` is the SHA-256 of `body`, `link` the
    keyed hash of the whole line and the link before it.
    """

    id: str
    actor: str
    action: str
    subject: str
    owner: str
    at: int
    body: bytes
    seq: int = 0
    digest: bytes = b""
    link: bytes = b""


@dataclass(frozen=True, slots=True)
class CutAudit(Record):
    """Really delete the audit log up to and with line `seq`; it begins after that one now.

    ChangedError unless that line is there and has this `link`.
    """

    seq: int
    link: bytes


@dataclass(frozen=True, slots=True)
class PutNote(Record):
    """What a platform's adapter remembers under a key; the one before it is replaced."""

    platform: str
    kind: str
    key: bytes
    at: int
    body: bytes


@dataclass(frozen=True, slots=True)
class DropNote(Record):
    """Really delete a note."""

    platform: str
    kind: str
    key: bytes


RECORDS: tuple[type[Record], ...] = tuple(
    each for each in globals().values() if isinstance(each, type) and issubclass(each, Record) and each is not Record
)
"""Every record, in the order a batch runs them (the order of this file)."""
