"""What undo and redo do to tickets: a turn's changes are taken or brought back, unless later work stands on them."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from core.clock import as_time
from core.errors import ErasedError
from core.models import Ticket
from core.ports import Sealer, Store
from core.queries.tickets import ChangeRow, ChangesBy, ChangesOf, TicketById
from core.records.guards import TicketAt
from core.records.record import Record
from core.ticket_layers import Layers, PastChange
from core.tickets import Author, change_records, change_value, open_ticket_row, put_ticket

_ALL = 1_000_000


@dataclass(frozen=True, slots=True)
class TakenBack:
    """What an undo or a redo does to tickets: records for its commit, and what to say of it.

    `withdrawn` and `returned` name tickets whose opening was taken back or brought back, `restored` the others that
    changed; `stands` are sentences about what could not follow. `tickets` are the changed ones by id, as they are then.
    """

    records: list[Record] = field(default_factory=list)
    withdrawn: list[str] = field(default_factory=list)
    returned: list[str] = field(default_factory=list)
    restored: list[str] = field(default_factory=list)
    stands: list[str] = field(default_factory=list)
    tickets: dict[str, Ticket] = field(default_factory=dict)

    def after(self, tickets: Iterable[Ticket]) -> list[Ticket]:
        """The same tickets as they are once the records are written."""
        return [self.tickets.get(ticket.id, ticket) for ticket in tickets]


async def take_back(store: Store, sealer: Sealer, turns: Sequence[str], *, actor: str, at: int) -> TakenBack:
    """Take back what these turns did to tickets: what they opened is withdrawn, what they changed is restored.

    What others built on stays, and `stands` says so; what is taken back already is left alone. The records are refused
    with ChangedError where a ticket is changed meanwhile.
    """
    layers = await _load_all(store, sealer, turns)
    for ticket in layers:
        ticket.lift(set(turns))
    return await _report(layers, sealer, Author(None, "undo", actor, at))


async def bring_back(store: Store, sealer: Sealer, turns: Sequence[str], *, actor: str, at: int) -> TakenBack:
    """Bring back what `take_back` took of these turns; what was changed meanwhile stays, and `stands` says so."""
    layers = await _load_all(store, sealer, turns)
    for ticket in layers:
        ticket.put_back(set(turns))
    return await _report(layers, sealer, Author(None, "redo", actor, at))


async def _load_all(store: Store, sealer: Sealer, turns: Sequence[str]) -> list[Layers]:
    found = await asyncio.gather(*(store.read(ChangesBy(turn)) for turn in turns))
    tickets = dict.fromkeys(change.ticket for changes in found for change in changes)
    loaded = await asyncio.gather(*(_load(store, sealer, ticket) for ticket in tickets))
    return [layers for layers in loaded if layers is not None]


async def _load(store: Store, sealer: Sealer, ticket: str) -> Layers | None:
    # The ticket before its timeline: a change that comes in between meets the version guard, it is never missed.
    rows = await store.read(TicketById(ticket))
    changes = await store.read(ChangesOf(ticket, _ALL))
    if not rows:
        return None
    try:
        layers = Layers(open_ticket_row(rows[0], sealer))
        for row in reversed(changes):
            layers.replay(_past(row, rows[0].customer, sealer))
    except ErasedError:
        return None
    return layers


def _past(row: ChangeRow, owner: str, sealer: Sealer) -> PastChange:
    before, after = (change_value(row, column, owner, sealer) for column in ("before", "after"))
    return PastChange(row.id, row.turn, row.version, row.field, row.cause, before, after)


async def _report(layers: Sequence[Layers], sealer: Sealer, author: Author) -> TakenBack:
    result = TakenBack()
    await sealer.prepare(sorted({each.ticket.customer for each in layers if each.changes}))
    for each in layers:
        result.stands.extend(each.sentences())
        if each.changes:
            _add(result, each, sealer, author)
    return result


def _add(result: TakenBack, layers: Layers, sealer: Sealer, author: Author) -> None:
    ticket = replace(layers.ticket, changed=as_time(author.at))
    result.tickets[ticket.id] = ticket
    _names(result, layers, author.cause).append(ticket.name)
    read = ticket.version - len(layers.changes)
    result.records.extend((TicketAt(ticket.id, read), put_ticket(ticket, sealer, author.at)))
    for turn, change in layers.changes:
        result.records.extend(change_records([change], {ticket.id: ticket}, sealer, replace(author, turn=turn)))


def _names(result: TakenBack, layers: Layers, cause: str) -> list[str]:
    if not layers.opening_changed:
        return result.restored
    return result.withdrawn if cause == "undo" else result.returned
