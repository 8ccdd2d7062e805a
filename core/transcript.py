"""A whole session as staff read it. Somebody else's is read through `core.access` only."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, TypeVar

from core.clock import as_time
from core.errors import ErasedError
from core.models import Item, TurnStatus
from core.ports import Sealer, Store
from core.queries import (
    BranchesOf,
    BranchRow,
    ChangesOf,
    FeedbackOf,
    FeedbackRow,
    ItemRow,
    ItemsOf,
    SessionRow,
    TicketsOf,
    TurnRow,
    TurnsOf,
    TurnsUpTo,
    WindowOf,
)
from core.scene import branch_name, session_name
from core.sealed import ERASED, item_row, open_json
from core.usage import UsageSum, usage_by_turn, usage_of_session

_T = TypeVar("_T")
_ALL = 1_000_000
_OFF_LINE = (TurnStatus.FAILED, TurnStatus.STOPPED, TurnStatus.BLOCKED)


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
class BranchLine:
    """A branch: how many turns its line has, and the turn it ends in."""

    name: str
    turns: int
    head: str | None
    current: bool


@dataclass(frozen=True, slots=True)
class Transcript:
    """A session. `turns` are those on the current branch, with the ones beside it that failed, were stopped or blocked;
    `elsewhere` are all others: on other branches, or taken back."""

    session: str
    workspace: str
    customer: str
    strategy: str
    answered_by: str
    muted: bool
    started: datetime
    spoken: datetime
    branch: str
    branches: list[BranchLine]
    turns: list[TurnLine]
    elsewhere: list[TurnLine]
    usage: UsageSum


async def read_transcript(store: Store, sealer: Sealer, session: SessionRow) -> Transcript:
    """Read a session whole. What was erased reads as a stub."""
    turns, line, branches, usage = await asyncio.gather(
        store.read(TurnsOf(session.id)),
        store.read(TurnsUpTo(session.head, _ALL)) if session.head else _nothing(),
        store.read(BranchesOf(session.id)),
        usage_of_session(store, session.id),
    )
    shown = await _Reader.load(store, sealer, session, turns)
    here, elsewhere = _divide(turns, {turn.id for turn in line})
    named = [_branch(row, session, sealer) for row in branches]
    return Transcript(
        session=readable_id(session, sealer),
        workspace=session.workspace,
        customer=session.owner,
        strategy=session.strategy,
        answered_by=session.answered_by,
        muted=bool(session.muted),
        started=as_time(session.started),
        spoken=as_time(session.spoken),
        branch=_or_erased(lambda: branch_name(sealer, session, session.branch, session.branch_body)),
        branches=named,
        turns=[shown.line(turn) for turn in here],
        elsewhere=[shown.line(turn) for turn in elsewhere],
        usage=usage,
    )


def readable_id(session: SessionRow, sealer: Sealer) -> str:
    """A session's id as people write it; a stub where its owner was erased."""
    return _or_erased(lambda: session_name(sealer, session))


def transcript_json(transcript: Transcript) -> dict[str, Any]:
    """Write a transcript as JSON values."""
    values: dict[str, Any] = _plain(asdict(transcript))
    return values


@dataclass(frozen=True, slots=True)
class _Reader:
    """What belongs to the turns of a session, by turn."""

    sealer: Sealer
    items: dict[str, list[ItemRow]]
    usage: dict[str, UsageSum]
    feedback: dict[str, list[Opinion]]
    tickets: dict[str, list[str]]

    @classmethod
    async def load(cls, store: Store, sealer: Sealer, session: SessionRow, turns: Sequence[TurnRow]) -> "_Reader":
        items, usage, feedback, tickets = await asyncio.gather(
            _items(store, session, turns),
            usage_by_turn(store, session.id),
            store.read(FeedbackOf(session.id)),
            _tickets(store, {turn.speaker for turn in turns}),
        )
        return cls(sealer, items, usage, _opinions(feedback), tickets)

    def line(self, turn: TurnRow) -> TurnLine:
        body = self._body(turn)
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
            items=[self._item(row) for row in self.items.get(turn.id, [])],
            usage=self.usage.get(turn.id, UsageSum()),
            feedback=self.feedback.get(turn.id, []),
            tickets=self.tickets.get(turn.id, []),
        )

    def _body(self, turn: TurnRow) -> dict[str, Any]:
        if not turn.body:  # a standalone session's, which holds its items only
            return {"name": "", "said": "", "answered": ""}
        nothing: dict[str, Any] = {}
        return _or(lambda: open_json(self.sealer, "turn", turn.speaker, turn.id, turn.body), nothing)

    def _item(self, row: ItemRow) -> Item:
        place = item_row(row.turn, row.seq)
        item: Item = _or(lambda: open_json(self.sealer, "item", row.speaker, place, row.body), {"type": "erased"})
        return item


async def _items(store: Store, session: SessionRow, turns: Sequence[TurnRow]) -> dict[str, list[ItemRow]]:
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
            changes = await store.read(ChangesOf(ticket.id, _ALL))
            for turn in {change.turn for change in changes if change.turn}:
                touched[turn].append(f"TKT-{ticket.number}")
    return touched


def _opinions(rows: Sequence[FeedbackRow]) -> dict[str, list[Opinion]]:
    found: dict[str, list[Opinion]] = defaultdict(list)
    for row in rows:
        found[row.turn].append(Opinion(row.speaker, row.value))
    return found


def _divide(turns: Sequence[TurnRow], line: set[str]) -> tuple[list[TurnRow], list[TurnRow]]:
    def is_here(turn: TurnRow) -> bool:
        beside = turn.status in _OFF_LINE and (turn.parent is None or turn.parent in line)
        return turn.id in line or beside

    ordered = sorted(turns, key=lambda turn: (turn.depth, turn.id))
    return [turn for turn in ordered if is_here(turn)], [turn for turn in ordered if not is_here(turn)]


def _branch(row: BranchRow, session: SessionRow, sealer: Sealer) -> BranchLine:
    name = _or_erased(lambda: branch_name(sealer, session, row.name, row.body))
    return BranchLine(name, row.depth, row.head, row.name == session.branch)


def _or_erased(read: Callable[[], str]) -> str:
    return _or(read, ERASED)


def _or(read: Callable[[], _T], stub: _T) -> _T:
    try:
        return read()
    except ErasedError:
        return stub


async def _nothing() -> list[TurnRow]:
    return []


def _plain(value: Any) -> Any:  # noqa: ANN401  any JSON value, and times
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    return [_plain(part) for part in value] if isinstance(value, list) else value
