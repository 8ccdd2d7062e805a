"""Questions about the tree of turns that commands ask."""

from core.ports import Store
from core.queries.branches import BranchesOf, MovesOf
from core.queries.people import SessionRow
from core.queries.turns import TurnAt, TurnById, TurnRow, TurnsAfter, TurnsUpTo


async def chain_from(store: Store, head: str | None, turn: str) -> list[TurnRow]:
    """The turns from `turn` up to `head`, oldest first; empty where `turn` is not on the chain of `head`."""
    rows = await store.read(TurnById(turn))
    if head is None or not rows:
        return []
    chain = await store.read(TurnsAfter(head, rows[0].depth - 1))
    return chain if chain and chain[0].id == turn else []


async def newest(store: Store, head: str | None, count: int) -> list[TurnRow]:
    """The newest `count` turns up to `head`, oldest first."""
    return await store.read(TurnsUpTo(head, count)) if head else []


async def undone_by(store: Store, session: SessionRow) -> tuple[str | None, list[TurnRow]]:
    """What `redo` would bring back: the head to go to, and the turns that come back, oldest first.

    The undo or rewind that counts is the newest one no redo has reversed yet, with no new turn said after it. Returns
    `(None, [])` where there is none.
    """
    reversed_already = 0
    for move in await store.read(MovesOf(session.id, session.branch, 1000)):
        if move.kind == "redo":
            reversed_already += 1
        elif move.kind not in ("undo", "rewind"):
            break
        elif reversed_already:
            reversed_already -= 1
        elif move.from_turn is not None:
            depth = session.depth
            return move.from_turn, await store.read(TurnsAfter(move.from_turn, depth))
    return None, []


async def stands(store: Store, turn: TurnRow) -> bool:
    """Whether a turn is on a branch: what was undone or answered anew is on none."""
    for branch in await store.read(BranchesOf(turn.session)):
        if branch.head is None or branch.depth < turn.depth:
            continue
        at_depth = await store.read(TurnAt(branch.head, turn.depth))
        if at_depth and at_depth[0].id == turn.id:
            return True
    return False
