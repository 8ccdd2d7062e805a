"""What a turn means to change: kept in memory, written with the turn or not at all."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime

from core.errors import NoSuchTicketError, StageClosedError
from core.models import Customer, Priority, Ticket, TicketStatus

ReserveNumber = Callable[[], Awaitable[int]]


@dataclass(frozen=True, slots=True)
class StagedChange:
    """One change of a ticket's field, from the state that people see now; `version` is the ticket's after it."""

    ticket: str
    version: int
    field: str
    before: str | None
    after: str | None


@dataclass(slots=True)
class Stage:
    """The effects of one turn. Tools write here; `close` makes every later write an error.

    `tickets` are the customer's own, by name, as the turn sees them; `read` keeps the version each had when the turn
    began, which the commit checks. `remembered` are the preferences it set: key, value before, value after.
    """

    turn: str
    session: str
    customer: Customer
    reserve: ReserveNumber
    now: datetime
    tickets: dict[str, Ticket] = field(default_factory=dict)
    read: dict[str, int] = field(default_factory=dict)
    changes: list[StagedChange] = field(default_factory=list)
    remembered: list[tuple[str, str | None, str]] = field(default_factory=list)
    closed: bool = False

    def load(self, tickets: Iterable[Ticket]) -> None:
        """Take in the tickets the customer has at the beginning of the turn."""
        for ticket in tickets:
            self.tickets[ticket.name] = ticket
            self.read[ticket.id] = ticket.version

    def close(self) -> None:
        """Refuse every later write: the turn is over, however it ended."""
        self.closed = True

    async def open_ticket(self, ticket_id: str, *, subject: str, description: str, priority: Priority) -> Ticket:
        """Open a ticket under a number that was never given before."""
        self._check_open()
        number = await self.reserve()
        self._check_open()
        ticket = Ticket(
            id=ticket_id,
            workspace=self.customer.workspace,
            number=number,
            customer=self.customer.id,
            session=self.session,
            subject=subject,
            description=description,
            status=TicketStatus.OPEN,
            priority=priority,
            version=1,
            opened=self.now,
            changed=self.now,
        )
        self.tickets[ticket.name] = ticket
        self.changes.append(StagedChange(ticket.id, 1, "opened", None, subject))
        return ticket

    def set_status(self, name: str, status: TicketStatus) -> Ticket:
        """Resolve, reopen or otherwise move a ticket; nothing changes where it is there already."""
        ticket = self.ticket(name)
        if ticket.status is status:
            return ticket
        return self._change(ticket, "status", ticket.status.value, status.value, replace(ticket, status=status))

    def set_priority(self, name: str, priority: Priority) -> Ticket:
        """Give a ticket another priority; nothing changes where it has it already."""
        ticket = self.ticket(name)
        if ticket.priority == priority:
            return ticket
        return self._change(ticket, "priority", ticket.priority, priority, replace(ticket, priority=priority))

    def add_note(self, name: str, note: str) -> Ticket:
        """Add a line to a ticket's timeline."""
        ticket = self.ticket(name)
        return self._change(ticket, "note", None, note, ticket)

    def remember(self, key: str, value: str) -> None:
        """Keep a preference of the customer."""
        self._check_open()
        self.remembered.append((key, self.customer.preferences.get(key), value))
        self.customer.preferences[key] = value
        self.customer.changed = True

    def ticket(self, name: str) -> Ticket:
        """The customer's own ticket of that name; NoSuchTicketError for all else, whether it exists or not."""
        found = self.tickets.get(name.strip().upper())
        if found is None:
            raise NoSuchTicketError
        return found

    @property
    def changed(self) -> str | None:
        """The id of the ticket this turn opened or changed, the first of them; None where it did neither."""
        return self.changes[0].ticket if self.changes else None

    @property
    def became_urgent(self) -> list[str]:
        """The names of the tickets that are urgent by what this turn did."""
        touched = {change.ticket for change in self.changes if change.field in ("opened", "priority")}
        return [ticket.name for ticket in self.tickets.values() if ticket.id in touched and ticket.priority == "urgent"]

    @property
    def settles(self) -> bool:
        """Whether this turn resolved the last ticket of its conversation that was not over."""
        resolved = {change.ticket for change in self.changes if change.after == TicketStatus.RESOLVED.value}
        own = [ticket for ticket in self.tickets.values() if ticket.session == self.session]
        still_open = [ticket for ticket in own if ticket.status not in (TicketStatus.RESOLVED, TicketStatus.WITHDRAWN)]
        return not still_open and any(ticket.id in resolved for ticket in own)

    def _change(self, ticket: Ticket, name: str, before: str | None, after: str | None, changed: Ticket) -> Ticket:
        self._check_open()
        changed = replace(changed, version=ticket.version + 1, changed=self.now)
        self.tickets[ticket.name] = changed
        self.changes.append(StagedChange(ticket.id, changed.version, name, before, after))
        return changed

    def _check_open(self) -> None:
        if self.closed:
            raise StageClosedError(f"turn {self.turn} is over: a tool came too late")
