"""A session as staff read it, whole or by the page. Somebody else's is read through `core.access` only."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from core.clock import as_time
from core.ports import Sealer, Store
from core.queries.branches import BranchesOf, BranchRow
from core.queries.people import SessionRow
from core.queries.turns import CountOfTurns, PagedRow, PageOf
from core.scene import branch_name, session_name
from core.transcript_turns import ALL, Told, TurnLine, or_erased, told_of_session, told_of_turns, turn_line
from core.usage import UsageSum, usage_of_session

TURNS = 10
"""Turns of one page."""


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


@dataclass(frozen=True, slots=True)
class Page:
    """Some turns of a session, and how many it has; in `transcript` are those alone."""

    number: int
    of_turns: int
    transcript: Transcript


async def read_transcript(store: Store, sealer: Sealer, session: SessionRow) -> Transcript:
    """Read a session whole. What was erased reads as a stub."""
    rows = await store.read(PageOf(session.id, session.head, 0, ALL))
    return await _transcript(store, sealer, session, rows, await told_of_session(store, session, rows))


async def read_page(store: Store, sealer: Sealer, session: SessionRow, number: int) -> Page:
    """Read a page of a session, from 1, and of its turns no other. Behind the last one there is nothing."""
    rows, (count,) = await asyncio.gather(
        store.read(PageOf(session.id, session.head, (number - 1) * TURNS, TURNS)),
        store.read(CountOfTurns(session.id)),
    )
    transcript = await _transcript(store, sealer, session, rows, await told_of_turns(store, session, rows))
    return Page(number, count.number, transcript)


async def _transcript(
    store: Store, sealer: Sealer, session: SessionRow, rows: Sequence[PagedRow], told: Told
) -> Transcript:
    branches, usage = await asyncio.gather(store.read(BranchesOf(session.id)), usage_of_session(store, session.id))
    return Transcript(
        session=readable_id(session, sealer),
        workspace=session.workspace,
        customer=session.owner,
        strategy=session.strategy,
        answered_by=session.answered_by,
        muted=bool(session.muted),
        started=as_time(session.started),
        spoken=as_time(session.spoken),
        branch=or_erased(lambda: branch_name(sealer, session, session.branch, session.branch_body)),
        branches=[_branch(row, session, sealer) for row in branches],
        turns=[turn_line(sealer, row, told) for row in rows if row.here],
        elsewhere=[turn_line(sealer, row, told) for row in rows if not row.here],
        usage=usage,
    )


def readable_id(session: SessionRow, sealer: Sealer) -> str:
    """A session's id as people write it; a stub where its owner was erased."""
    return or_erased(lambda: session_name(sealer, session))


def transcript_json(transcript: Transcript) -> dict[str, Any]:
    """Write a transcript as JSON values."""
    values: dict[str, Any] = _plain(asdict(transcript))
    return values


def _branch(row: BranchRow, session: SessionRow, sealer: Sealer) -> BranchLine:
    name = or_erased(lambda: branch_name(sealer, session, row.name, row.body))
    return BranchLine(name, row.depth, row.head, row.name == session.branch)


def _plain(value: Any) -> Any:  # noqa: ANN401  any JSON value, and times
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    return [_plain(part) for part in value] if isinstance(value, list) else value
