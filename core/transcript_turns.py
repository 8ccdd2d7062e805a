"""The turns of a transcript, with what belongs to each: items, usage, feedback, tickets."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from core.clock import as_time
from core.errors import ErasedError
from core.models import Item
from core.ports import Sealer, Store
from core.queries.bill import UsageOfTurn
from core.queries.people import SessionRow
from core.queries.said import FeedbackOf, FeedbackOn, FeedbackRow
from core.queries.tickets import ChangesBy, ChangesOf, TicketById, TicketsOf
from core.queries.turns import ItemRow, ItemsOf, PagedRow, WindowOf
from core.sealed import ERASED, item_row, open_json
from core.usage import UsageSum, usage_by_turn, usage_sum

ALL = 1_000_000

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a customer thought of an answer."""

    customer: str
    value: str


@dataclass(frozen=True, slots=True)
class TurnLine:
    """A turn with all that is known of it: `number` is its place on its line, `tickets` those it opened or changed."""

    id: str
    number: int
    status: str
    customer: str
    name: str
    agent: str
    at: datetime
    edited: bool
    said: str
    answered: str
    files: list[dict[str, Any]]
    quotes: list[dict[str, Any]]
    items: list[Item]
    usage: UsageSum
    feedback: list[Opinion]
    tickets: list[str]


@dataclass(frozen=True, slots=True)
class Told:
    """What belongs to turns, by their ids."""

    items: Mapping[str, Sequence[ItemRow]]
    usage: Mapping[str, UsageSum]
    feedback: Mapping[str, list[Opinion]]
    tickets: Mapping[str, list[str]]


async def told_of_session(store: Store, session: SessionRow, turns: Sequence[PagedRow]) -> Told:
    """Read what belongs to all turns of a session, in few questions."""
    items, usage, feedback, tickets = await asyncio.gather(
        _items(store, session, turns),
        usage_by_turn(store, session.id),
        store.read(FeedbackOf(session.id)),
        _tickets(store, {turn.speaker for turn in turns}),
    )
    return Told(items, usage, _opinions(feedback), tickets)


async def told_of_turns(store: Store, session: SessionRow, turns: Sequence[PagedRow]) -> Told:
    """Read what belongs to a few turns, and nothing of any other."""
    ids = [turn.id for turn in turns]
    items, used, feedback, tickets = await asyncio.gather(
        asyncio.gather(*(store.read(ItemsOf(id_)) for id_ in ids)),
        asyncio.gather(*(store.read(UsageOfTurn(session.id, id_)) for id_ in ids)),
        asyncio.gather(*(store.read(FeedbackOn(id_)) for id_ in ids)),
        asyncio.gather(*(tickets_of_turn(store, id_) for id_ in ids)),
    )
    usage = {row.key: usage_sum(row) for rows in used for row in rows}
    opinions = _opinions([row for rows in feedback for row in rows])
    return Told(dict(zip(ids, items, strict=True)), usage, opinions, dict(zip(ids, tickets, strict=True)))


async def tickets_of_turn(store: Store, turn: str) -> list[str]:
    """The names of the tickets a turn opened or changed."""
    ids = dict.fromkeys(change.ticket for change in await store.read(ChangesBy(turn)))
    rows = await asyncio.gather(*(store.read(TicketById(id_)) for id_ in ids))
    return [f"TKT-{row.number}" for found in rows for row in found]


def turn_line(sealer: Sealer, turn: PagedRow, told: Told) -> TurnLine:
    """Open a turn; what was erased of it reads as a stub."""
    body = _body(sealer, turn)
    return TurnLine(
        id=turn.id,
        number=turn.depth,
        status=turn.status,
        customer=turn.speaker,
        name=body.get("name", ERASED),
        agent=turn.agent,
        at=as_time(turn.at),
        edited=bool(turn.edited),
        said=body.get("said", ERASED),
        answered=body.get("answered", ERASED),
        files=body.get("files", []),
        quotes=body.get("quotes", []),
        items=[_item(sealer, row) for row in told.items.get(turn.id, ())],
        usage=told.usage.get(turn.id, UsageSum()),
        feedback=told.feedback.get(turn.id, []),
        tickets=told.tickets.get(turn.id, []),
    )


def or_erased(read: Callable[[], str]) -> str:
    """What is read, or a stub where it was erased."""
    return _or(read, ERASED)


def _body(sealer: Sealer, turn: PagedRow) -> dict[str, Any]:
    if not turn.body:  # a standalone session's, which holds its items only
        return {"name": "", "said": "", "answered": ""}
    nothing: dict[str, Any] = {}
    return _or(lambda: open_json(sealer, "turn", turn.speaker, turn.id, turn.body), nothing)


def _item(sealer: Sealer, row: ItemRow) -> Item:
    place = item_row(row.turn, row.seq)
    item: Item = _or(lambda: open_json(sealer, "item", row.speaker, place, row.body), {"type": "erased"})
    return item


async def _items(store: Store, session: SessionRow, turns: Sequence[PagedRow]) -> dict[str, list[ItemRow]]:
    found: dict[str, list[ItemRow]] = defaultdict(list)
    line = await store.read(WindowOf(session.head, session.depth)) if session.head else []
    for row in line:
        found[row.turn].append(row)
    others = [turn.id for turn in turns if turn.id not in found]
    for rows in await asyncio.gather(*(store.read(ItemsOf(turn)) for turn in others)):
        for row in rows:
            found[row.turn].append(row)
    return found


async def _tickets(store: Store, customers: Iterable[str]) -> dict[str, list[str]]:
    """The tickets each turn opened or changed; a turn touches its own speaker's only."""
    touched: dict[str, list[str]] = defaultdict(list)
    for customer in customers:
        for ticket in await store.read(TicketsOf(customer)):
            changes = await store.read(ChangesOf(ticket.id, ALL))
            for turn in {change.turn for change in changes if change.turn}:
                touched[turn].append(f"TKT-{ticket.number}")
    return touched


def _opinions(rows: Sequence[FeedbackRow]) -> dict[str, list[Opinion]]:
    found: dict[str, list[Opinion]] = defaultdict(list)
    for row in rows:
        found[row.turn].append(Opinion(row.speaker, row.value))
    return found


def _or(read: Callable[[], _T], stub: _T) -> _T:
    try:
        return read()
    except ErasedError:
        return stub
