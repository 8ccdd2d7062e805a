"""Adding items to a session: a turn begins at a user item, all else joins the turn that is there."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from core.clock import now
from core.errors import ChangedError, ConflictError
from core.ids import new_id
from core.models import Place
from core.queries.branches import BranchesOf, MovesOf
from core.queries.turns import TurnAt, TurnById
from core.records.guards import SessionAt
from core.records.record import Commit, Record
from core.records.turns import AddItem, AddTurn, GrowBranch
from core.sealed import decode, encode, item_row
from core.standalone.line import LineJob, SessionLine, Tip, is_user

NOTHING = b""
"""What a turn's row holds beside its items, which hold all of it."""


@dataclass(slots=True)
class Draft:
    """A commit that adds items to a session, and where the session stands when it is written."""

    head: str | None
    depth: int
    seq: int
    said: bool
    records: Commit
    grown: bool = False

    def land(self, tip: Tip) -> None:
        """Let the session stand there."""
        tip.head, tip.depth, tip.seq, tip.said = self.head, self.depth, self.seq, self.said
        if self.grown:
            tip.version += 1
            tip.open = True


def draft(line: SessionLine, tip: Tip, items: Sequence[bytes], users: Sequence[bool]) -> Draft:
    """Add items to the turn that is there; each user item begins a turn, but the first joins those it finds alone."""
    key, owner, seal, at = line.key, line.owner, line.sealer.seal, now()
    head, depth, seq, said = tip.head, tip.depth, tip.seq, tip.said
    stands = line.tip or tip
    # An item that joins the last turn meets there what somebody else has added, under the same key.
    joins = head is not None and head == stands.head and not (said and users[0])
    records: list[Record] = [SessionAt(key, tip.version)] if joins else line.guards(stands)
    for item, user in zip(items, users, strict=True):
        if head is None or (user and said):
            parent, head = head, new_id()
            depth, seq, said = depth + 1, 0, False
            records.append(AddTurn(head, key, parent, depth, "done", owner, "", None, at, NOTHING))
        records.append(AddItem(head, seq, seal(Place("item", owner, item_row(head, seq)), item)))
        seq += 1
        said = said or user
    if head is None or head == tip.head:
        return Draft(head, depth, seq, said, tuple(records))
    # Not noted as a move: that would cost as much again. `redo` sees that the head is not where undo has put it.
    records.append(GrowBranch(key, tip.branch, head, at))
    return Draft(head, depth, seq, said, tuple(records), grown=True)


class Adding(LineJob):
    """The job to add items, taken as they are when it is made. It waits for its own commit, as a `Waiter`."""

    __slots__ = ("_draft", "_items", "_users")

    def __init__(self, line: SessionLine, items: Sequence[Any]) -> None:
        self.line = line
        self._items = [encode(item) for item in items]
        self._users = [is_user(item) for item in items]

    def at_once(self) -> bool:
        """Write without reading, where it is known where the session stands."""
        line, tip = self.line, self.line.tip
        if tip is None or not tip.version or not (tip.open or self._begins_turn(tip)):
            return False
        self._draft = made = draft(line, tip, self._items, self._users)
        line.writer.enter(made.records, self)
        return True

    async def work(self) -> None:
        """Read where the session stands, then write."""
        line = self.line
        tip = line.tip or await line.load()
        if not tip.exists:
            tip = await line.create()
        items, users = self._items, self._users
        if self._begins_turn(tip) or await may_grow(line, tip):
            made = draft(line, tip, items, users)
        else:
            copy = await copied(line, tip)
            made = draft(line, copy.before, [*copy.items, *items], [*copy.users, *users])
        await line.writer.commit(made.records)
        made.land(tip)
        line.added(items)

    def done(self) -> bool:
        """It waits until it is told."""
        return False

    def set_result(self, rows: object, /) -> None:
        """Go on from what was written."""
        line = self.line
        self._draft.land(cast(Tip, line.tip))
        line.added(self._items)
        line.finish(self, None)

    def set_exception(self, error: Exception, /) -> None:
        """Do it again where somebody else wrote to the session."""
        self.line.forget()
        if isinstance(error, ChangedError | ConflictError):
            self.line.work(self)
        else:
            self.line.finish(self, None, error)

    def _begins_turn(self, tip: Tip) -> bool:
        return tip.head is None or (self._users[0] and tip.said)


async def may_grow(line: SessionLine, tip: Tip) -> bool:
    """Whether items may be added to the turn a branch ends in: no other branch, and nothing undone, stands on it."""
    if tip.open is None:
        moves = await line.read(MovesOf(line.key, tip.branch, 1))
        moved_here = bool(moves) and moves[0].to_turn == tip.head and moves[0].kind != "pop"
        tip.open = not moved_here and not await is_shared(line, tip)
    return tip.open


async def is_shared(line: SessionLine, tip: Tip) -> bool:
    """Whether the turn a branch ends in belongs to another branch too."""
    for branch in await line.read(BranchesOf(line.key)):
        if branch.name == tip.branch or branch.head is None or branch.depth < tip.depth:
            continue
        rows = await line.read(TurnAt(branch.head, tip.depth))
        if rows and rows[0].id == tip.head:
            return True
    return False


@dataclass(frozen=True, slots=True)
class Copied:
    """The items of the turn a branch ends in, and where it stood before: to go on in a copy of that turn."""

    before: Tip
    items: list[bytes]
    users: list[bool]


async def copied(line: SessionLine, tip: Tip) -> Copied:
    """Read the turn a branch ends in, for a copy of it: whoever else stands on that turn keeps it as it is."""
    (turn,) = await line.read(TurnById(cast(str, tip.head)))
    items = [line.open_item(row) for row in await line.items_of(turn.id)]
    users = [is_user(decode(item)) for item in items]
    # So that the copy is a turn of its own too.
    users[:1] = [users[0] or turn.parent is not None] if users else []
    return Copied(replace(tip, head=turn.parent, depth=turn.depth - 1, said=True), items, users)
