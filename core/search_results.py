"""What a search found, as staff read it: which turn of which conversation, and some of its words."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.clock import as_time
from core.ids import time_of
from core.models import TurnStatus
from core.ports import Sealer, Store
from core.queries.people import SessionById
from core.search import NEWEST, Bounds, Match, Matches, Scope, Search
from core.transcript import readable_id
from core.transcript_turns import tickets_of_turn
from core.tree import stands
from core.wording import count

UNREADABLE = "would not open: `deskmate fsck --deep` says why"


@dataclass(frozen=True, slots=True)
class Hit:
    """A turn that was found. `number` is its place on its line; `state` is empty where it stands as it was answered."""

    session: str
    key: bytes
    turn: str
    number: int
    at: datetime
    customer: str
    name: str
    workspace: str
    state: str
    tickets: tuple[str, ...]
    snippet: str


@dataclass(frozen=True, slots=True)
class Hits:
    """A page of what was found, newest first. `reached` is the turn to go on from; None where all was searched."""

    hits: tuple[Hit, ...]
    reached: str | None
    opened: int
    unreadable: int


async def hits_of(store: Store, sealer: Sealer, matches: Matches) -> Hits:
    """Say of each match where it stands."""
    found = await asyncio.gather(*(_hit(store, sealer, match) for match in matches.found))
    hits = tuple(hit for hit in found if hit is not None)
    return Hits(hits, matches.reached, matches.opened, matches.unreadable)


def noted(search: Search, page: Hits) -> dict[str, object]:
    """What the audit log keeps of a search: what was asked for, how far it came, and what was shown."""
    scope = search.scope
    asked = {
        "words": search.words,
        "workspace": scope.workspace or "",
        "customer": scope.customer or "",
        "ticket": scope.ticket or "",
        "session": scope.session.hex(),
        "since": scope.since,
        "before": "" if scope.before == NEWEST else scope.before,
    }
    shown = [[hit.key.hex(), hit.turn] for hit in page.hits]
    return {"asked": {name: said for name, said in asked.items() if said}, "reached": page.reached, "shown": shown}


def search_on(detail: Mapping[str, Any], about: str, owner: str, bounds: Bounds) -> Search:
    """The search that goes on where one ended, by what `noted` kept of it."""
    asked = detail["asked"]
    scope = Scope(
        asked.get("workspace"),
        asked.get("customer"),
        asked.get("ticket"),
        bytes.fromhex(asked.get("session", "")),
        since=asked.get("since", ""),
        before=detail["reached"],
    )
    return Search(scope, asked.get("words", ""), bounds, about, owner)


def results_text(page: Hits) -> str:
    """Write a page for people."""
    lines = [f"{number}. {_line(hit)}" for number, hit in enumerate(page.hits, start=1)]
    return "\n".join([*(lines or ["Nothing was found."]), where_it_ended(page)])


def where_it_ended(page: Hits) -> str:
    """Say how far back was searched, and how to go on."""
    looked = f"Looked at {count(page.opened, 'turn')}"
    closed = f"; {count(page.unreadable, 'turn')} {UNREADABLE}" if page.unreadable else ""
    if page.reached is None:
        return f"{looked}, up to the oldest{closed}."
    when = f"{time_of(page.reached):%Y-%m-%d %H:%M} UTC"
    return f"{looked}, back to {when}{closed}. Go on with `--before {page.reached}`."


def results_json(page: Hits) -> dict[str, Any]:
    """Write a page as JSON values."""
    return {
        "hits": [_values(hit) for hit in page.hits],
        "go_on_before": page.reached,
        "searched_back_to": time_of(page.reached).isoformat() if page.reached else None,
        "summary": where_it_ended(page),
        "turns_looked_at": page.opened,
        "turns_unreadable": page.unreadable,
    }


def _values(hit: Hit) -> dict[str, Any]:
    return {
        "session": hit.session,
        "turn": hit.turn,
        "number": hit.number,
        "at": hit.at.isoformat(),
        "customer": hit.customer,
        "name": hit.name,
        "workspace": hit.workspace,
        "state": hit.state,
        "tickets": list(hit.tickets),
        "snippet": hit.snippet,
    }


def _line(hit: Hit) -> str:
    state = f" ({hit.state})" if hit.state else ""
    tickets: Sequence[str] = [f"; {ticket}" for ticket in hit.tickets]
    head = f"{hit.name or hit.customer}, {hit.at:%Y-%m-%d %H:%M} UTC, turn {hit.number}{state}{''.join(tickets)}"
    return f"{head}\n   {hit.session}\n   {hit.snippet}"


async def _hit(store: Store, sealer: Sealer, match: Match) -> Hit | None:
    row = match.row
    sessions = await store.read(SessionById(row.session))
    if not sessions:  # deleted meanwhile
        return None
    (session,) = sessions
    return Hit(
        session=readable_id(session, sealer),
        key=session.id,
        turn=row.id,
        number=row.depth,
        at=as_time(row.at),
        customer=row.speaker,
        name=match.name,
        workspace=session.workspace,
        state=await _state(store, match),
        tickets=tuple(await tickets_of_turn(store, row.id)),
        snippet=match.snippet,
    )


async def _state(store: Store, match: Match) -> str:
    if match.row.status != TurnStatus.DONE:
        return match.row.status
    return "" if await stands(store, match.row) else "taken back"
