"""Questions about branches and where their heads were."""

from dataclasses import dataclass

from core.queries.query import Query


@dataclass(frozen=True, slots=True)
class BranchRow:
    """A branch as stored; `depth` is its head's, 0 where it has none."""

    name: bytes
    head: str | None
    depth: int
    forked: str | None
    at: int
    body: bytes


@dataclass(frozen=True, slots=True)
class BranchesOf(Query[BranchRow]):
    """The branches of a session, oldest first."""

    row = BranchRow
    session: bytes


@dataclass(frozen=True, slots=True)
class BranchByName(Query[BranchRow]):
    """One branch; at most one."""

    row = BranchRow
    session: bytes
    name: bytes


@dataclass(frozen=True, slots=True)
class MoveRow:
    """A noted move of a head."""

    seq: int
    from_turn: str | None
    to_turn: str | None
    kind: str
    actor: str
    at: int


@dataclass(frozen=True, slots=True)
class MovesOf(Query[MoveRow]):
    """The newest `limit` moves of a branch's head, newest first."""

    row = MoveRow
    session: bytes
    branch: bytes
    limit: int
