"""Who may do what, and the one door to somebody else's conversation."""

from dataclasses import dataclass
from typing import Literal

from core.audit import DESK, audit_record, short
from core.clock import now
from core.config import GROUP, Role, Settings
from core.errors import BadInputError, ErasedError, NoSuchSessionError, NotAllowedError
from core.models import ConversationRef
from core.ports import Sealer, Store
from core.queries import SessionById, SessionRow
from core.transcript import Transcript, read_transcript
from core.writer import GroupWriter

Operation = Literal[
    "own",  # everything in one's own conversations
    "review",  # read somebody else's conversation, with a reason
    "undo_others",  # take back or clear what others said
    "staff_ticket",  # see and change anybody's tickets
    "tickets_list",
    "sessions_list",
    "see_money",
    "usage_list",  # everybody's usage
    "audit_read",
    "operate",  # keys, retention, forgetting
]

_RANK: dict[Role, int] = {"customer": 0, "agent": 1, "supervisor": 2, "admin": 3}

_LEAST: dict[Operation, Role] = {
    "own": "customer",
    "review": "agent",
    "undo_others": "agent",
    "staff_ticket": "agent",
    "tickets_list": "agent",
    "sessions_list": "agent",
    "see_money": "agent",
    "usage_list": "supervisor",
    "audit_read": "supervisor",
    "operate": "admin",
}


@dataclass(frozen=True, slots=True)
class Reader:
    """Who wants to read: `identity` is 'platform/workspace/user', `workspace` the one they may read in (None: all)."""

    identity: str
    role: Role
    workspace: str | None


@dataclass(frozen=True, slots=True)
class Door:
    """What the door needs: where conversations are, and where the audit line goes."""

    store: Store
    sealer: Sealer
    writer: GroupWriter


def role_of(settings: Settings, ref: ConversationRef) -> Role:
    """The role of who speaks in `ref`; a customer unless the settings say otherwise.

    What they say of the person counts before what they say of groups; of those the highest.
    """
    here = f"{ref.platform}/{ref.workspace}"
    own = settings.roles.get(f"{here}/{ref.user}")
    if own is not None and not ref.user.startswith(GROUP):
        return own
    given = [settings.roles.get(f"{here}/{GROUP}{group}", "customer") for group in ref.groups]
    return max(given, key=_RANK.__getitem__, default="customer")


def may(role: Role, operation: Operation) -> bool:
    """Whether a role may do this. What is not in the table nobody may."""
    least, rank = _LEAST.get(operation), _RANK.get(role)
    return least is not None and rank is not None and rank >= _RANK[least]


def reader_of(settings: Settings, ref: ConversationRef) -> Reader:
    """Who speaks in `ref`, as a reader in their own workspace."""
    return Reader(f"{ref.platform}/{ref.workspace}/{ref.user}", role_of(settings, ref), ref.workspace)


def local_operator(user: str) -> Reader:
    """Who works on the desk's own machine: an admin by having its file and its key. `user` is who they are there."""
    return Reader(f"os/local/{user}", "admin", None)


async def open_session_of(door: Door, reader: Reader, session_id: str, *, reason: str) -> Transcript:
    """Read somebody else's conversation. The audit line is durable before anything is read out.

    Raises NotAllowedError without the role, BadInputError without a reason, NoSuchSessionError for a session that is
    not there or in another workspace: the answer is the same. When the line cannot be written, nothing is returned.
    """
    if not may(reader.role, "review"):
        raise NotAllowedError
    if not reason.strip():
        raise BadInputError(reply="Say why you need to read it: the reason is kept in the audit log.")
    row = await _find(door, reader, session_id)
    await _note(door, reader, row, reason.strip())
    return await read_transcript(door.store, door.sealer, row)


async def _find(door: Door, reader: Reader, session_id: str) -> SessionRow:
    rows = await door.store.read(SessionById(door.sealer.lookup("session", session_id)))
    if not rows or reader.workspace not in (None, rows[0].workspace):
        raise NoSuchSessionError
    return rows[0]


async def _note(door: Door, reader: Reader, row: SessionRow, reason: str) -> None:
    owner = await _owner_of_line(door, row)
    line = audit_record(
        door.sealer,
        actor=short(door.sealer.lookup("reader", reader.identity)),
        action="review",
        subject=short(row.id),
        owner=owner,
        detail={"by": reader.identity, "role": reader.role, "reason": reason},
        at=now(),
    )
    await door.writer.commit((line,))


async def _owner_of_line(door: Door, row: SessionRow) -> str:
    # The reason may speak of the customer, so it is forgotten with them. One forgotten already cannot have it.
    try:
        await door.sealer.prepare((row.owner,))
    except ErasedError:
        await door.sealer.prepare((DESK,))
        return DESK
    return row.owner
