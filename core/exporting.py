"""Everything the desk keeps of a person, as JSON values that another desk can take in."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from operator import itemgetter
from typing import Any

from core.clock import as_time
from core.customers import identities
from core.errors import ErasedError
from core.linked import others_of
from core.models import Customer, Ticket, TimelineEntry
from core.ports import Sealer, Store
from core.queries.bill import UsageMonths
from core.queries.branches import BranchesOf
from core.queries.people import SessionRow, SessionsSpokenBy
from core.queries.said import FeedbackOf, FeedbackRow
from core.queries.turns import ItemsOf, TurnRow, TurnsOf
from core.scene import branch_name, session_name
from core.sealed import item_row, open_json
from core.tickets import load_tickets, timeline
from core.usage import usage_of_customer

FORMAT = 2
"""Of the file. What is added keeps the number, what changes its meaning raises it; 1 could not be taken in again."""
_ALL = 1_000_000

Values = dict[str, Any]


async def everything_of(store: Store, sealer: Sealer, customer: Customer) -> Values:
    """All of a person, and under `linked` the same of each other customer who is the same person.

    `conversations` are those they began, and `turns` theirs alone, oldest first, those too that were taken back, failed
    or were stopped. Times are UTC.
    """
    found = await _all_of(store, sealer, customer)
    linked = [await _all_of(store, sealer, other) for other in await others_of(store, sealer, customer)]
    return found | ({"linked": linked} if linked else {})


async def everything_in_workspace(store: Store, sealer: Sealer, customer: Customer) -> Values:
    """All of a customer in the conversations of their own workspace, without the others who are the same person.

    What they said in a joined conversation elsewhere is left out: the answers there may tell of those.
    """
    return await _all_of(store, sealer, customer, customer.workspace)


async def _all_of(store: Store, sealer: Sealer, customer: Customer, workspace: str | None = None) -> Values:
    """Who a customer is, what they said and were answered, their tickets, and what they used."""
    spoken = await store.read(SessionsSpokenBy(customer.id, _ALL))
    sessions = [session for session in spoken if workspace in (None, session.workspace)]
    made = [await _spoken(store, sealer, customer, session) for session in sessions]
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
        "conversations": sorted((one for one, _ in made if one is not None), key=itemgetter("id")),
        "turns": sorted((turn for _, turns in made for turn in turns), key=itemgetter("id")),
        "tickets": [
            await _ticket(store, sealer, ticket)
            for ticket in await load_tickets(store, sealer, customer.id)
            if workspace in (None, ticket.workspace)
        ],
        "usage": {
            "requests": used.requests,
            "input_tokens": used.input_tokens,
            "output_tokens": used.output_tokens,
            "months": [_month(asdict(row)) for row in await store.read(UsageMonths(customer.id))],
        },
    }


async def _spoken(
    store: Store, sealer: Sealer, customer: Customer, session: SessionRow
) -> tuple[Values | None, list[Values]]:
    """A conversation, None where somebody else began it, and what of it is the person's own."""
    rows = await store.read(TurnsOf(session.id))
    own = {turn.id: turn for turn in rows if turn.speaker == customer.id}
    # Of a conversation that somebody else began, the name is theirs.
    name = session_name(sealer, session) if session.owner == customer.id else None
    bodies = {turn.id: await _turn(store, sealer, turn, name) for turn in own.values()}
    known = {id_: body for id_, body in bodies.items() if body is not None}
    parents = {turn.id: turn.parent for turn in rows}
    said = {row.turn: row for row in await store.read(FeedbackOf(session.id)) if row.speaker == customer.id}
    turns = [
        body | {"parent": _nearest(parents, parents[id_], known), "feedback": _feedback(said.get(id_))}
        for id_, body in known.items()
    ]
    if name is None:
        return None, turns
    return await _conversation(store, sealer, session, name, parents, known), turns


async def _conversation(  # noqa: PLR0913  what a conversation is made of
    store: Store,
    sealer: Sealer,
    session: SessionRow,
    name: str,
    parents: Mapping[str, str | None],
    known: Mapping[str, Values],
) -> Values:
    branches = [
        {
            "name": branch_name(sealer, session, row.name, row.body),
            "head": _nearest(parents, row.head, known),
            "forked": _nearest(parents, row.forked, known),
            "at": as_time(row.at).isoformat(),
        }
        for row in await store.read(BranchesOf(session.id))
    ]
    return {
        "id": name,
        "workspace": session.workspace,
        "branch": branch_name(sealer, session, session.branch, session.branch_body),
        "started": as_time(session.started).isoformat(),
        "spoken": as_time(session.spoken).isoformat(),
        "answered_by": session.answered_by,
        "muted": bool(session.muted),
        "branches": branches,
    }


def _nearest(parents: Mapping[str, str | None], turn: str | None, known: Mapping[str, Values]) -> str | None:
    """The turn, or the nearest one before it, that is in the file: what others said between is not."""
    while turn is not None and turn not in known:
        turn = parents.get(turn)
    return turn


async def _turn(store: Store, sealer: Sealer, turn: TurnRow, conversation: str | None) -> Values | None:
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
        "agent": turn.agent,
        "at": as_time(turn.at).isoformat(),
        "edited": bool(turn.edited),
        "said": body["said"],
        "answered": body["answered"],
        "files": body.get("files", []),
        "items": items,
    }


def _feedback(row: FeedbackRow | None) -> Values | None:
    return None if row is None else {"value": row.value, "at": as_time(row.at).isoformat()}


async def _ticket(store: Store, sealer: Sealer, ticket: Ticket) -> Values:
    return {
        "id": ticket.name,
        "workspace": ticket.workspace,
        "conversation": ticket.session,
        "subject": ticket.subject,
        "description": ticket.description,
        "status": str(ticket.status),
        "priority": str(ticket.priority),
        "opened": ticket.opened.isoformat(),
        "changed": ticket.changed.isoformat(),
        "timeline": _entries(await timeline(store, sealer, ticket, _ALL), ticket),
    }


def _entries(entries: Sequence[TimelineEntry], ticket: Ticket) -> list[Values]:
    """The lines of a timeline; of who else changed it only that they are of the staff."""
    return [
        {
            "at": entry.at.isoformat(),
            "field": entry.field,
            "before": entry.before,
            "after": entry.after,
            "cause": entry.cause,
            "own": entry.actor == ticket.customer,
        }
        for entry in entries
    ]


def _month(row: Values) -> Values:
    return row | {"month": as_time(row["month"]).strftime("%Y-%m")}
