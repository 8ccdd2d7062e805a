"""Branches of a session: a named head each. To make one, or to go to another, moves no turn."""

import time
from datetime import datetime
from typing import Any

from core.clock import as_time, now
from core.errors import BadInputError, BranchExistsError, NoSuchBranchError, NoSuchTurnError
from core.models import MAIN
from core.queries.branches import BranchByName, BranchesOf, BranchRow
from core.queries.turns import TurnAt
from core.records.record import Record
from core.records.turns import AddBranch, DropBranch, SwitchBranch
from core.sealed import branch_row, seal_json
from core.standalone.line import SessionLine
from core.standalone.reading import Stretch, is_said, pages


async def create(line: SessionLine, turn: int, name: str | None) -> str:
    """Make a branch that ends in turn `turn` of the current one, and go there; returns its name."""
    if name is not None and not name.strip():
        raise BadInputError("Branch name cannot be empty")
    tip = await line.refresh()
    rows = await line.read(TurnAt(tip.head, turn)) if tip.head and turn > 0 else []
    if not rows:
        raise NoSuchTurnError(
            f"Turn {turn} does not contain a user message in branch '{await line.branch_name()}': there is no such turn"
        )
    name = await _free_name(line, turn, name)
    key = line.sealer.lookup("branch", name)
    body = seal_json(line.sealer, "branch", line.owner, branch_row(line.key, key), name)
    await line.commit(
        (AddBranch(line.key, key, rows[0].id, rows[0].id, now(), body), SwitchBranch(line.key, key)),
    )
    line.forget()
    return name


async def switch(line: SessionLine, name: str) -> None:
    """Go to a branch."""
    await line.refresh()
    branch = await find(line, name)
    await line.commit((SwitchBranch(line.key, branch.name),))
    line.forget()


async def delete(line: SessionLine, name: str, *, force: bool) -> None:
    """Delete a branch; the current one only with `force`, which goes to the first branch."""
    if not name.strip():
        raise BadInputError("Branch ID cannot be empty")
    if name == MAIN:
        raise BadInputError(f"Cannot delete the '{MAIN}' branch")
    tip = await line.refresh()
    branch = await find(line, name)
    changed: list[Record] = [DropBranch(line.key, branch.name)]
    if branch.name == tip.branch:
        if not force:
            raise BadInputError(f"Cannot delete current branch '{name}'. Use force=True or switch branches first")
        changed.append(SwitchBranch(line.key, line.main))
    await line.commit(changed)
    line.forget()


async def listed(line: SessionLine) -> list[dict[str, Any]]:
    """All branches, oldest first, in the shape of AdvancedSQLiteSession."""
    tip = await line.refresh()
    return [await _described(line, branch, current=tip.branch) for branch in await line.read(BranchesOf(line.key))]


async def find(line: SessionLine, name: str) -> BranchRow:
    """The branch of that name."""
    rows = await line.read(BranchByName(line.key, line.sealer.lookup("branch", name)))
    if not rows:
        raise NoSuchBranchError(f"Branch '{name}' does not exist")
    return rows[0]


async def stretch_of(line: SessionLine, name: str | None) -> Stretch:
    """All turns of a branch (None: the current one)."""
    tip = await line.refresh()
    if name is None:
        return Stretch(tip.head, tip.depth)
    branch = await find(line, name)
    return Stretch(branch.head, branch.depth)


async def _free_name(line: SessionLine, turn: int, name: str | None) -> str:
    taken = {branch.name for branch in await line.read(BranchesOf(line.key))}
    if name is not None:
        if line.sealer.lookup("branch", name) in taken:
            raise BranchExistsError(f"Branch ID '{name}' has already been used. Choose a new branch ID.")
        return name
    first = free = f"branch_from_turn_{turn}_{int(time.time())}"
    number = 1
    while line.sealer.lookup("branch", free) in taken:
        number += 1
        free = f"{first}_{number}"
    return free


async def _described(line: SessionLine, branch: BranchRow, *, current: bytes) -> dict[str, Any]:
    messages = users = 0
    async for rows in pages(line, Stretch(branch.head, branch.depth)):
        messages += len(rows)
        # A turn begins at its one user item; only the first may have others before it, or none at all.
        users += len({row.turn for row in rows if row.depth > 1}) + sum(
            is_said(line, row) for row in rows if row.depth == 1
        )
    return {
        "branch_id": line.open_branch(branch.name, branch.body),
        "message_count": messages,
        "user_turns": users,
        "is_current": branch.name == current,
        "created_at": stamp_of(as_time(branch.at)),
    }


def stamp_of(at: datetime) -> str:
    """A time as AdvancedSQLiteSession writes it."""
    return at.strftime("%Y-%m-%d %H:%M:%S")
