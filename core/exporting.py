"""Everything the desk keeps of a person, as JSON values."""

from dataclasses import asdict
from operator import itemgetter
from typing import Any

from core.clock import as_time
from core.customers import identities
from core.errors import ErasedError
from core.models import Customer, Ticket
from core.ports import Sealer, Store
from core.queries import ItemsOf, SessionsSpokenBy, TurnRow, TurnsOf
from core.scene import session_name
from core.sealed import item_row, open_json
from core.tickets import load_tickets, timeline
from core.usage import usage_of_customer

FORMAT = 1
"""Of the file. What is added keeps the number, what changes its meaning raises it."""
_ALL = 1_000_000


async def everything_of(store: Store, sealer: Sealer, customer: Customer) -> dict[str, Any]:
    """Who the person is, what they said and were answered, their tickets, and what they used.

    `turns` are theirs alone, oldest first, those too that were taken back, failed or were stopped. Times are UTC.
    """
    used = (await usage_of_customer(store, customer.id)).usage
    return {
        "format": FORMAT,
        "person": {
            "id": customer.id,
            "workspace": customer.workspace,
            "name": customer.name,
            "tier": customer.tier,
            "email": customer.email,
            "locale": customer.locale,
            "timezone": customer.timezone,
            "remembered": customer.preferences,
            "identities": [asdict(identity) for identity in await identities(store, sealer, customer.id)],
        },
        "turns": await _turns(store, sealer, customer),
        "tickets": [await _ticket(store, sealer, ticket) for ticket in await load_tickets(store, sealer, customer.id)],
        "usage": {
            "requests": used.requests,
            "input_tokens": used.input_tokens,
            "output_tokens": used.output_tokens,
        },
    }


async def _turns(store: Store, sealer: Sealer, customer: Customer) -> list[dict[str, Any]]:
    """The person's turns, in the order they were made."""
    found = []
    for session in await store.read(SessionsSpokenBy(customer.id, _ALL)):
        # Of a conversation that somebody else began, the name is theirs.
        name = session_name(sealer, session) if session.owner == customer.id else None
        own = [turn for turn in await store.read(TurnsOf(session.id)) if turn.speaker == customer.id]
        found += [await _turn(store, sealer, turn, name) for turn in own]
    return sorted(filter(None, found), key=itemgetter("id"))


async def _turn(store: Store, sealer: Sealer, turn: TurnRow, conversation: str | None) -> dict[str, Any] | None:
    """A turn; None where what was said was erased."""
    try:
        body = open_json(sealer, "turn", turn.speaker, turn.id, turn.body)
        items = [
            open_json(sealer, "item", row.speaker, item_row(row.turn, row.seq), row.body)
            for row in await store.read(ItemsOf(turn.id))
        ]
    except ErasedError:
        return None
    if "said" not in body:
        return None
    return {
        "id": turn.id,
        "conversation": conversation,
        "number": turn.depth,
        "status": turn.status,
        "at": as_time(turn.at).isoformat(),
        "edited": bool(turn.edited),
        "said": body["said"],
        "answered": body["answered"],
        "files": body.get("files", []),
        "items": items,
    }


async def _ticket(store: Store, sealer: Sealer, ticket: Ticket) -> dict[str, Any]:
    return {
        "id": ticket.name,
        "subject": ticket.subject,
        "description": ticket.description,
        "status": str(ticket.status),
        "priority": str(ticket.priority),
        "timeline": [
            {"at": entry.at.isoformat(), "field": entry.field, "before": entry.before, "after": entry.after}
            for entry in await timeline(store, sealer, ticket, _ALL)
        ],
    }
