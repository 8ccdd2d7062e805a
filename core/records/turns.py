"""The tree of turns, its branches, and what belongs to a turn: items, messages, feedback."""

from dataclasses import dataclass

from core.records.record import Record


@dataclass(frozen=True, slots=True)
class AddTurn(Record):
    """A new turn. It is on no branch until a head moves to it."""

    id: str
    session: bytes
    parent: str | None
    depth: int
    status: str
    speaker: str
    agent: str
    event: str | None
    at: int
    body: bytes


@dataclass(frozen=True, slots=True)
class AddItem(Record):
    """Item `seq` (from 0) of a turn; ConflictError where it is there."""

    turn: str
    seq: int
    body: bytes


@dataclass(frozen=True, slots=True)
class DropItem(Record):
    """Really delete item `seq` of a turn."""

    turn: str
    seq: int


@dataclass(frozen=True, slots=True)
class DropItems(Record):
    """Really delete all items of a turn, and the summaries that end at it or at a deeper turn of the session."""

    turn: str


@dataclass(frozen=True, slots=True)
class RewriteItem(Record):
    """Replace the body of item `seq` of a turn."""

    turn: str
    seq: int
    body: bytes


@dataclass(frozen=True, slots=True)
class RewriteTurn(Record):
    """Replace status, edited mark (0 or 1) and body of a turn."""

    id: str
    status: str
    edited: int
    body: bytes


@dataclass(frozen=True, slots=True)
class BumpRevision(Record):
    """The session's stored text changed: revision + 1, version + 1."""

    session: bytes


@dataclass(frozen=True, slots=True)
class AddBranch(Record):
    """A named head; ConflictError where the session has one of that name."""

    session: bytes
    name: bytes
    head: str | None
    forked: str | None
    at: int
    body: bytes


@dataclass(frozen=True, slots=True)
class EnsureMain(Record):
    """The session's first branch, with no turns; nothing happens where it is there."""

    session: bytes
    name: bytes
    at: int
    body: bytes


@dataclass(frozen=True, slots=True)
class RewriteBranch(Record):
    """Replace the body of a branch."""

    session: bytes
    name: bytes
    body: bytes


@dataclass(frozen=True, slots=True)
class DropBranch(Record):
    """Delete a branch's name and its head moves; its turns stay."""

    session: bytes
    name: bytes


@dataclass(frozen=True, slots=True)
class DropTurn(Record):
    """Really delete one turn with all that hangs on it (items, summary, messages, feedback)."""

    id: str


@dataclass(frozen=True, slots=True)
class MoveHead(Record):
    """Set the branch's head to `to_turn` and note the move; session version + 1, spoken = `at`.

    ChangedError where the branch is gone.
    `kind` is 'turn', 'undo', 'redo', 'rewind', 'retry', 'edit', 'erase' or 'pop'.
    """

    session: bytes
    branch: bytes
    from_turn: str | None
    to_turn: str | None
    kind: str
    actor: str
    at: int


@dataclass(frozen=True, slots=True)
class GrowBranch(Record):
    """Let the branch end in a new turn of a standalone session; session version + 1, spoken = `at`. No move is noted.

    ChangedError where the branch is gone.
    """

    session: bytes
    branch: bytes
    head: str
    at: int


@dataclass(frozen=True, slots=True)
class SwitchBranch(Record):
    """Make `branch` the session's current one; session version + 1. ChangedError where it is gone."""

    session: bytes
    branch: bytes


@dataclass(frozen=True, slots=True)
class ClearSession(Record):
    """Really delete every turn of the session (with items, summaries, messages, feedback), its branches and head moves,
    its outbox rows and finished inbox rows' bodies; revision + 1, version + 1; `branch` becomes the current one, empty.

    Tickets and usage stay, their `turn` column too (a dangling id of a turn that is gone).
    """

    session: bytes
    branch: bytes


@dataclass(frozen=True, slots=True)
class PutSummary(Record):
    """The running summary of all turns up to and with `turn`."""

    turn: str
    owner: str
    at: int
    body: bytes


@dataclass(frozen=True, slots=True)
class PutFeedback(Record):
    """What a speaker thought of a turn: 'helpful' or 'not helpful'; the last word counts."""

    turn: str
    speaker: str
    value: str
    at: int


@dataclass(frozen=True, slots=True)
class AddMessage(Record):
    """A platform message belongs to a turn, as its 'question' or 'answer'; the first word counts."""

    key: bytes
    session: bytes
    turn: str | None
    part: str
    owner: str
    at: int
    body: bytes


@dataclass(frozen=True, slots=True)
class MoveMessage(Record):
    """A platform message belongs to another turn now (its edited text was answered again)."""

    key: bytes
    turn: str
