"""Questions about tickets and their timeline."""

from dataclasses import dataclass

from core.queries.query import Query


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
