"""What the runs of a session used: a ledger by turn and branch, which undo never shrinks."""

from collections.abc import Iterable
from typing import Any

from core.clock import now
from core.ids import new_id
from core.models import Usage
from core.queries.bill import UsageByTurnOfBranch, UsageOfSession, UsageRow
from core.queries.turns import TurnsUpTo
from core.records.bill import BookUsage, ReplaceUsage
from core.records.record import Record
from core.standalone.branches import stretch_of
from core.standalone.line import SessionLine


async def store(line: SessionLine, used: Usage) -> None:
    """Book what a run used on the current turn, in place of what was booked on it before."""
    tip = await line.refresh()
    if not tip.exists:
        tip = await line.create()
    booked: list[Record] = [] if tip.head is None else [ReplaceUsage(line.key, tip.head, tip.branch)]
    booked.append(
        BookUsage(
            id=new_id(),
            customer=line.owner,
            session=line.key,
            turn=tip.head,
            branch=tip.branch,
            purpose="turn",
            model="",
            requests=used.requests,
            input_tokens=used.input_tokens,
            cached_tokens=used.cached_tokens,
            output_tokens=used.output_tokens,
            reasoning_tokens=used.reasoning_tokens,
            cost_nano=None,
            estimated=0,
            at=now(),
        )
    )
    await line.commit(booked)


async def of_session(line: SessionLine, branch: str | None) -> dict[str, int] | None:
    """All that was used, on one branch or on all; None where nothing was booked. Deleted branches count too."""
    await line.refresh()
    if branch is None:
        return _sum(await line.read(UsageOfSession(line.key)))
    return _sum(await line.read(UsageByTurnOfBranch(line.key, line.sealer.lookup("branch", branch))))


async def of_turn(line: SessionLine, turn: int, branch: str | None) -> dict[str, Any]:
    """What one turn of a branch used; empty where nothing was booked on it."""
    for used in await of_turns(line, branch):
        if used.pop("user_turn_number") == turn:
            return used
    return {}


async def of_turns(line: SessionLine, branch: str | None) -> list[dict[str, Any]]:
    """What each turn that is on a branch now used, by number."""
    stretch = await stretch_of(line, branch)
    if stretch.head is None:
        return []
    name = (await line.refresh()).branch if branch is None else line.sealer.lookup("branch", branch)
    booked = {row.key: row for row in await line.read(UsageByTurnOfBranch(line.key, name))}
    turns = await line.read(TurnsUpTo(stretch.head, stretch.turns))
    return [{"user_turn_number": turn.depth} | _told(booked[turn.id]) for turn in turns if turn.id in booked]


def _told(row: UsageRow) -> dict[str, Any]:
    return {
        "requests": row.requests,
        "input_tokens": row.input_tokens,
        "output_tokens": row.output_tokens,
        "total_tokens": row.input_tokens + row.output_tokens,
        "input_tokens_details": {"cached_tokens": row.cached_tokens},
        "output_tokens_details": {"reasoning_tokens": row.reasoning_tokens},
    }


def _sum(rows: Iterable[UsageRow]) -> dict[str, int] | None:
    rows = list(rows)
    if not rows:
        return None
    read, written = sum(row.input_tokens for row in rows), sum(row.output_tokens for row in rows)
    return {
        "requests": sum(row.requests for row in rows),
        "input_tokens": read,
        "output_tokens": written,
        "total_tokens": read + written,
        "total_turns": sum(row.calls for row in rows),
    }
