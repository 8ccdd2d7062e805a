"""Questions about turns and their items."""

from dataclasses import dataclass

from core.queries.query import Query


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
