"""Tickets and their timeline."""

from dataclasses import dataclass

from core.records.record import Record


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
