"""What the commands read of a store, as JSON values."""

import asyncio
import getpass
from collections.abc import AsyncIterator
from dataclasses import asdict
from datetime import datetime
from typing import Any

from adapters.anchors import read_anchors
from bots.assemble import Records
from bots.settings import anchor_file
from core.access import EVERYBODY, Door, Reading, Subject, local_operator, note_reading, open_session_of
from core.audit import audit_lines, open_line
from core.audit_check import all_lines, check_audit
from core.clock import as_time
from core.customers import open_customer
from core.errors import BadInputError, ErasedError, NoSuchTicketError
from core.models import Customer, Ticket, TimelineEntry
from core.queries.people import CustomerRow, Customers, SessionRow, Sessions
from core.queries.tickets import TicketRow, Tickets
from core.scene import branch_name
from core.sealed import ERASED
from core.tickets import all_tickets, open_ticket_row, timeline
from core.transcript import readable_id, transcript_json

Values = dict[str, Any]
ALL = 1_000_000_000


async def sessions(records: Records) -> list[Values]:
    await note_reading_of(records, "sessions_list")
    names = await _names(records)
    rows = await records.store.read(Sessions(ALL))
    return [
        {
            "session": readable_id(row, records.sealer),
            "customer": row.owner,
            "name": names[row.owner],
            "strategy": row.strategy,
            "branch": _branch(row, records),
            "turns": row.depth,
            "started": _written(as_time(row.started)),
            "spoken": _written(as_time(row.spoken)),
        }
        for row in rows
    ]


async def session(records: Records, session_id: str, *, reason: str) -> Values:
    async with records.writer() as writer:
        door = Door(records.store, records.sealer, writer)
        return transcript_json(await open_session_of(door, local_operator(operator()), session_id, reason=reason))


async def tickets(records: Records) -> list[Values]:
    await note_reading_of(records, "tickets_list")
    names = await _names(records)
    return [_ticket(found, names) for found in await all_tickets(records.store, records.sealer, ALL)]


async def ticket(records: Records, name: str, *, workspace: str | None) -> Values:
    row = await find_ticket(records, name, workspace)
    await note_reading_of(records, "ticket", Subject(f"TKT-{row.number}", row.customer))
    found = open_ticket_row(row, records.sealer)
    entries = await timeline(records.store, records.sealer, found, ALL)
    shown = _ticket(found, await _names(records))
    return shown | {"description": found.description, "timeline": [_entry(entry) for entry in entries]}


async def audit(records: Records) -> list[Values]:
    await note_reading_of(records, "audit_list")
    lines = await audit_lines(records.store, records.sealer, ALL)
    return [asdict(line) | {"at": _written(line.at)} for line in lines]


async def audit_export(records: Records) -> AsyncIterator[Values]:
    """Each line as it is stored, and its detail where it can be read."""
    await note_reading_of(records, "audit_export")
    async for row in all_lines(records.store):
        line = asdict(open_line(row, records.sealer))
        yield line | {
            "seq": row.seq,
            "at": _written(as_time(row.at)),
            "digest": row.digest.hex(),
            "link": row.link.hex(),
        }


async def audit_verdict(records: Records) -> Values:
    path = anchor_file(records.settings)
    anchors = await asyncio.to_thread(read_anchors, path) if path else []
    verdict = await check_audit(records.store, records.sealer, anchors)
    return asdict(verdict) | {"holds": verdict.holds, "anchors": len(anchors), "anchored_at": path}


async def find_ticket(records: Records, name: str, workspace: str | None) -> TicketRow:
    digits = name.strip().upper().removeprefix("TKT-")
    rows = [row for row in await records.store.read(Tickets(ALL)) if digits == str(row.number)]
    if workspace is not None:
        rows = [row for row in rows if row.workspace == workspace]
    if not rows:
        raise NoSuchTicketError(f"there is no ticket {name}: `deskmate tickets list` shows those there are")
    if len(rows) > 1:
        there = ", ".join(sorted(row.workspace for row in rows))
        raise BadInputError(f"several workspaces have a ticket {name}: choose one with --workspace ({there})")
    return rows[0]


async def note_reading_of(records: Records, reading: Reading, of: Subject = EVERYBODY) -> None:
    async with records.writer() as writer:
        door = Door(records.store, records.sealer, writer)
        await note_reading(door, local_operator(operator()), reading, of)


async def _names(records: Records) -> dict[str, str]:
    customers = ((row.id, _customer(row, records)) for row in await records.store.read(Customers()))
    return {id_: customer.name if customer else ERASED for id_, customer in customers}


def _customer(row: CustomerRow, records: Records) -> Customer | None:
    try:
        return open_customer(row, records.sealer)
    except ErasedError:
        return None


def _branch(row: SessionRow, records: Records) -> str:
    try:
        return branch_name(records.sealer, row, row.branch, row.branch_body)
    except ErasedError:
        return ERASED


def _ticket(ticket: Ticket, names: dict[str, str]) -> Values:
    return {
        "id": ticket.name,
        "subject": ticket.subject,
        "status": ticket.status.value,
        "priority": ticket.priority,
        "session": ticket.session,
        "customer": ticket.customer,
        "name": names[ticket.customer],
        "workspace": ticket.workspace,
        "opened": _written(ticket.opened),
        "changed": _written(ticket.changed),
    }


def _entry(entry: TimelineEntry) -> Values:
    return asdict(entry) | {"at": _written(entry.at)}


def _written(time: datetime) -> str:
    return time.isoformat()


def operator() -> str:
    """Who works here, by the name the system knows them under."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container may have no name for who runs in it
        return "unknown"
