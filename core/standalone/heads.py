"""Moving a session's head: undo, redo, rewind; and what really deletes: pop and clear."""

from core.clock import now
from core.errors import BadInputError, NoSuchTurnError, NothingToRedoError, NothingToUndoError
from core.models import MAIN, Item
from core.queries.branches import MovesOf
from core.queries.turns import TurnAt, TurnById
from core.records.record import Record
from core.records.turns import BumpRevision, ClearSession, DropItem, DropTurn, EnsureMain, MoveHead
from core.sealed import branch_row, decode, seal_json
from core.standalone.adding import copied, draft, is_shared, may_grow
from core.standalone.line import SessionLine, Tip

MOVES = 1000
"""Head moves that `redo` looks back on."""


async def undo(line: SessionLine, count: int) -> int:
    """Take back the last `count` turns; returns how many are left."""
    tip = await line.refresh()
    if count < 1:
        raise BadInputError(f"{count} turns cannot be taken back: give 1 or more")
    if count > tip.depth:
        raise NothingToUndoError(f"cannot take back {count}: this session has {tip.depth} to take back")
    return await _move_to(line, tip.depth - count, kind="undo")


async def rewind(line: SessionLine, turn: int) -> int:
    """Keep turn `turn` and take back all after it; returns how many are left."""
    tip = await line.refresh()
    if not 1 <= turn <= tip.depth:
        raise NoSuchTurnError(f"there is no turn {turn} to go back to: there are {tip.depth}")
    return turn if turn == tip.depth else await _move_to(line, turn, kind="rewind")


async def redo(line: SessionLine) -> int:
    """Bring back what the last undo or rewind took, unless something was added since; the number of turns there is."""
    head = await _undone(line, await line.refresh())
    # `pop_item` on another branch may have deleted a turn on the way to it.
    if head is None or not await line.read(TurnAt(head, 1)):
        raise NothingToRedoError
    (turn,) = await line.read(TurnById(head))
    await _move(line, head, "redo")
    return turn.depth


async def _undone(line: SessionLine, tip: Tip) -> str | None:
    """The head before the newest undo or rewind that no redo has reversed, if the branch stands where that put it."""
    reversed_already = 0
    for move in await line.read(MovesOf(line.key, tip.branch, MOVES)):
        if move.kind == "redo":
            reversed_already += 1
        elif move.kind not in ("undo", "rewind"):
            return None
        elif reversed_already:
            reversed_already -= 1
        else:
            return move.from_turn if move.to_turn == tip.head else None
    return None


async def clear(line: SessionLine) -> None:
    """Delete all turns and branches for good; what was used stays on the bill."""
    tip = await line.refresh()
    if not tip.exists:
        return
    body = seal_json(line.sealer, "branch", line.owner, branch_row(line.key, line.main), MAIN)
    main = EnsureMain(line.key, line.main, now(), body)
    await line.commit((main, ClearSession(line.key, line.main)))
    line.forget()


async def pop(line: SessionLine) -> Item | None:
    """Delete the last item for good, and with a turn's last item the turn; another branch keeps what it has."""
    tip = await line.refresh()
    if tip.head is None:
        return None
    rows = await line.items_of(tip.head)
    if not rows:
        return await _pop_past(line, tip)
    item: Item = decode(line.open_item(rows[-1]))
    if await is_shared(line, tip):
        await _pop_from_copy(line, tip, left=len(rows) - 1)
    else:
        await _pop_in_place(line, tip, last=rows[-1].seq, left=len(rows) - 1)
    line.forget()
    return item


async def _pop_in_place(line: SessionLine, tip: Tip, *, last: int, left: int) -> None:
    changed: list[Record] = [BumpRevision(line.key)]
    if not left:
        changed += [DropTurn(tip.turn), _head_move(line, tip, await _parent(line, tip.turn), "pop")]
    else:
        changed.append(DropItem(tip.turn, last))
        if not await may_grow(line, tip):
            # Nothing that was undone stands on what is left.
            changed.append(_head_move(line, tip, tip.turn, "pop"))
    await line.commit(changed)


async def _pop_from_copy(line: SessionLine, tip: Tip, *, left: int) -> None:
    if not left:
        return await _move(line, await _parent(line, tip.turn), "pop")
    copy = await copied(line, tip)
    made = draft(line, copy.before, copy.items[:-1], copy.users[:-1])
    await line.writer.commit(tuple(made.records))
    return None


async def _pop_past(line: SessionLine, tip: Tip) -> Item | None:
    """Step over a turn without items (an erased one) and pop from the one before."""
    await _move(line, await _parent(line, tip.turn), "pop")
    return await pop(line)


async def _move_to(line: SessionLine, depth: int, *, kind: str) -> int:
    tip = await line.refresh()
    rows = await line.read(TurnAt(tip.head, depth)) if tip.head and depth else []
    await _move(line, rows[0].id if rows else None, kind)
    return depth


async def _move(line: SessionLine, to: str | None, kind: str) -> None:
    tip = await line.refresh()
    await line.commit((_head_move(line, tip, to, kind),))
    line.forget()


def _head_move(line: SessionLine, tip: Tip, to: str | None, kind: str) -> MoveHead:
    return MoveHead(line.key, tip.branch, tip.head, to, kind, line.owner, now())


async def _parent(line: SessionLine, turn: str) -> str | None:
    (row,) = await line.read(TurnById(turn))
    return row.parent
