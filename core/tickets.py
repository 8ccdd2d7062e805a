"""Tickets as they are stored: read, written with the turn that changed them, and shown as a timeline."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import cast

from core.clock import as_time
from core.errors import BadInputError, ErasedError, NoSuchTicketError
from core.ids import new_id
from core.models import PRIORITIES, Priority, Ticket, TicketStatus, TimelineEntry
from core.ports import Sealer, Store
from core.queries.tickets import ChangeRow, ChangesOf, TicketByNumber, TicketRow, Tickets, TicketsOf
from core.records.guards import TicketAt
from core.records.record import Record
from core.records.tickets import AddTicket, AddTicketChange, PutTicket
from core.sealed import ERASED, change_row, open_json, seal_json
from core.stage import Stage, StagedChange

_NAME = re.compile(r"\s*TKT-([1-9]\d{0,11})\s*", re.IGNORECASE | re.ASCII)

STAFF_VALUES: Mapping[str, Collection[str]] = {
    "status": (TicketStatus.OPEN, TicketStatus.WAITING_FOR_STAFF, TicketStatus.RESOLVED),
    "priority": PRIORITIES,
}
"""What staff may set; `withdrawn` comes from an undo only."""


@dataclass(frozen=True, slots=True)
class Author:
    """Who changes tickets, when, and why: `turn` is the turn that made the change (or whose change is taken back)."""

    turn: str | None
    cause: str
    actor: str
    at: int


async def load_tickets(store: Store, sealer: Sealer, customer_id: str) -> list[Ticket]:
    """All tickets of a customer, by number."""
    return [open_ticket_row(row, sealer) for row in await store.read(TicketsOf(customer_id))]


async def all_tickets(store: Store, sealer: Sealer, limit: int) -> list[Ticket]:
    """The newest tickets of everybody, newest first, for staff. Those of an erased customer are stubs."""
    return [_open_or_stub(row, sealer) for row in await store.read(Tickets(limit))]


async def ticket_by_name(store: Store, sealer: Sealer, workspace: str, name: str) -> Ticket:
    """A ticket of a workspace by the name people say. Raises NoSuchTicketError. For staff: it may be anybody's."""
    said = _NAME.fullmatch(name)
    rows = await store.read(TicketByNumber(workspace, int(said[1]))) if said else []
    if not rows:
        raise NoSuchTicketError
    return open_ticket_row(rows[0], sealer)


def open_ticket_row(row: TicketRow, sealer: Sealer) -> Ticket:
    """Read a ticket's row."""
    return _ticket(row, open_json(sealer, "ticket", row.customer, row.id, row.body))


def _open_or_stub(row: TicketRow, sealer: Sealer) -> Ticket:
    try:
        return open_ticket_row(row, sealer)
    except ErasedError:
        return _ticket(row, dict.fromkeys(("session", "subject", "description"), ERASED))


def _ticket(row: TicketRow, value: Mapping[str, str]) -> Ticket:
    return Ticket(
        id=row.id,
        workspace=row.workspace,
        number=row.number,
        customer=row.customer,
        session=value["session"],
        subject=value["subject"],
        description=value["description"],
        status=TicketStatus(row.status),
        priority=cast(Priority, row.priority),
        version=row.version,
        opened=as_time(row.at),
        changed=as_time(row.changed),
    )


async def timeline(store: Store, sealer: Sealer, ticket: Ticket, limit: int) -> list[TimelineEntry]:
    """The newest `limit` changes of a ticket, oldest first."""
    rows = await store.read(ChangesOf(ticket.id, limit))
    return [_entry(row, ticket.customer, sealer) for row in reversed(rows)]


def change_value(row: ChangeRow, column: str, owner: str, sealer: Sealer) -> str | None:
    """Open the 'before' or 'after' of a change."""
    sealed = row.before if column == "before" else row.after
    if sealed is None:
        return None
    value: str = open_json(sealer, "ticket_change", owner, change_row(row.id, column), sealed)
    return value


def staged_records(
    stage: Stage, sealer: Sealer, *, actor: str, at: int, unguarded: Collection[str] = ()
) -> list[Record]:
    """Write what a turn did to tickets, refused with ChangedError where a ticket it changed is not as it read it.

    `unguarded` are ids of tickets that other records of the same commit change first, and guard.
    """
    changed = {change.ticket for change in stage.changes}
    tickets = {ticket.id: ticket for ticket in stage.tickets.values() if ticket.id in changed}
    records: list[Record] = []
    for ticket in tickets.values():
        if ticket.id in stage.read:
            guard = () if ticket.id in unguarded else (TicketAt(ticket.id, stage.read[ticket.id]),)
            records += [*guard, put_ticket(ticket, sealer, at)]
        else:
            records += _opened(ticket, stage.turn, sealer, at)
    author = Author(stage.turn, "turn", actor, at)
    return [*records, *change_records(stage.changes, tickets, sealer, author)]


def staff_change(
    ticket: Ticket, changes: Mapping[str, str], sealer: Sealer, *, actor: str, at: int
) -> tuple[Ticket, list[Record]]:
    """Write a change by staff: `changes` sets 'status' or 'priority', or adds a 'note'. Gives the ticket after it too.

    Raises BadInputError for a value that is not allowed. What is so already is left out.
    """
    staged: list[StagedChange] = []
    after = ticket
    for field, value in changes.items():
        before = field_value(after, field)
        if before != _checked(field, value):
            after = replace(with_value(after, field, value), version=after.version + 1, changed=as_time(at))
            staged.append(StagedChange(ticket.id, after.version, field, before, value))
    if not staged:
        return ticket, []
    author = Author(None, "staff", actor, at)
    changed = change_records(staged, {ticket.id: ticket}, sealer, author)
    return after, [TicketAt(ticket.id, ticket.version), put_ticket(after, sealer, at), *changed]


def change_records(
    changes: Iterable[StagedChange], tickets: Mapping[str, Ticket], sealer: Sealer, author: Author
) -> list[Record]:
    """Write lines of timelines; `tickets` by id says whose they are."""
    return [_change(change, tickets[change.ticket].customer, sealer, author) for change in changes]


def put_ticket(ticket: Ticket, sealer: Sealer, at: int) -> PutTicket:
    """Write a ticket's new state."""
    body = _seal(ticket, sealer)
    return PutTicket(ticket.id, ticket.status.value, ticket.priority, ticket.version, at, body)


def field_value(ticket: Ticket, field: str) -> str | None:
    """The value of a field as timelines write it; a note replaces nothing."""
    if field == "note":
        return None
    return ticket.status.value if field == "status" else ticket.priority


def with_value(ticket: Ticket, field: str, value: str) -> Ticket:
    """The ticket with another value of a field; its version stays."""
    if field == "status":
        return replace(ticket, status=TicketStatus(value))
    if field == "priority":
        return replace(ticket, priority=cast(Priority, value))
    return ticket


def _opened(ticket: Ticket, turn: str, sealer: Sealer, at: int) -> list[Record]:
    added = AddTicket(
        id=ticket.id,
        workspace=ticket.workspace,
        number=ticket.number,
        customer=ticket.customer,
        session=sealer.lookup("session", ticket.session),
        turn=turn,
        status=ticket.status.value,
        priority=ticket.priority,
        at=at,
        body=_seal(ticket, sealer),
    )
    # A new row is version 1; what the same turn changed after the opening counts on.
    return [added, put_ticket(ticket, sealer, at)] if ticket.version > 1 else [added]


def _change(change: StagedChange, owner: str, sealer: Sealer, author: Author) -> AddTicketChange:
    id_ = new_id()

    def seal(column: str, value: str | None) -> bytes | None:
        return None if value is None else seal_json(sealer, "ticket_change", owner, change_row(id_, column), value)

    return AddTicketChange(
        id=id_,
        ticket=change.ticket,
        turn=author.turn,
        version=change.version,
        field=change.field,
        cause=author.cause,
        actor=author.actor,
        at=author.at,
        before=seal("before", change.before),
        after=seal("after", change.after),
    )


def _entry(row: ChangeRow, owner: str, sealer: Sealer) -> TimelineEntry:
    before, after = (change_value(row, column, owner, sealer) for column in ("before", "after"))
    return TimelineEntry(as_time(row.at), row.field, before, after, row.actor, row.cause)


def _seal(ticket: Ticket, sealer: Sealer) -> bytes:
    value = {"subject": ticket.subject, "description": ticket.description, "session": ticket.session}
    return seal_json(sealer, "ticket", ticket.customer, ticket.id, value)


def _checked(field: str, value: str) -> str:
    allowed = STAFF_VALUES.get(field, ())
    if value in allowed or (field == "note" and value.strip()):
        return value
    if field in STAFF_VALUES:
        raise BadInputError(reply=f"The {field} must be one of: {', '.join(allowed)}.")
    raise BadInputError(reply="What can be set is a status, a priority or a note.")
