"""Who may do what, and the one door to somebody else's conversation."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from core.audit import DESK, Author, audit_record, short
from core.clock import now
from core.config import GROUP, Operation, Role, Settings
from core.errors import BadInputError, ErasedError, NoSuchSessionError, NotAllowedError
from core.exporting import Values, everything_in_workspace
from core.models import ConversationRef, Customer
from core.ports import Sealer, Store
from core.queries.people import SessionById, SessionRow
from core.records.log import AddAudit
from core.search import Search, look_through
from core.search_results import Hits, hits_of, noted
from core.transcript import Page, Transcript, read_page, read_transcript
from core.writer import GroupWriter

_RANK: dict[Role, int] = {"customer": 0, "agent": 1, "supervisor": 2, "admin": 3}

_LEAST: dict[Operation, Role] = {
    "own": "customer",
    "review": "agent",
    "search": "agent",
    "undo_others": "agent",
    "staff_ticket": "agent",
    "tickets_list": "agent",
    "sessions_list": "agent",
    "see_money": "agent",
    "usage_list": "supervisor",
    "audit_read": "supervisor",
    "export_person": "supervisor",
    "operate": "admin",
}


Reading = Literal[
    "review",
    "search",
    "ticket",
    "sessions_list",
    "tickets_list",
    "usage_list",
    "audit_list",
    "audit_export",
    "export_person",
    "hold_list",
]
"""A way to read what is other people's. Each one leaves a line of that name in the audit log."""

READINGS: dict[Reading, Operation] = {
    "review": "review",
    "search": "search",
    "ticket": "staff_ticket",
    "sessions_list": "sessions_list",
    "tickets_list": "tickets_list",
    "usage_list": "usage_list",
    "audit_list": "audit_read",
    "audit_export": "audit_read",
    "export_person": "export_person",
    "hold_list": "operate",
}


@dataclass(frozen=True, slots=True)
class Reader:
    """Who wants to read: `identity` is 'platform/workspace/user', `workspace` the one they may read in (None: all)."""

    identity: str
    role: Role
    workspace: str | None


@dataclass(frozen=True, slots=True)
class Subject:
    """What is read: an id or short hash, whose it is (the desk's: everybody's), and what more there is to note."""

    id: str = ""
    owner: str = DESK
    more: Mapping[str, object] = field(default_factory=dict)


EVERYBODY = Subject()


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


def author_of(sealer: Sealer, reader: Reader) -> Author:
    """Who does something, as an audit line names them: with their role."""
    id_ = short(sealer.lookup("reader", reader.identity))
    return Author(id_, {"by": reader.identity, "role": reader.role})


async def open_session_of(door: Door, reader: Reader, session_id: str, *, reason: str) -> Transcript:
    """Read somebody else's conversation. The audit line is durable before anything is read out.

    Raises NotAllowedError without the role, BadInputError without a reason, NoSuchSessionError for a session that is
    not there or in another workspace: the answer is the same. When the line cannot be written, nothing is returned.
    """
    _check_reason(reader, reason)
    rows = await door.store.read(SessionById(door.sealer.lookup("session", session_id)))
    if not rows:
        raise NoSuchSessionError
    line = await _review_line(door.sealer, reader, rows[0], reason)
    await door.writer.commit((line,))
    return await read_transcript(door.store, door.sealer, rows[0])


async def review_in_commit(
    door: Door, reader: Reader, row: SessionRow, *, page: int, reason: str
) -> tuple[Page, AddAudit]:
    """Read a page of somebody else's conversation for a commit that holds the audit line, and what is shown of it.

    Raises as `open_session_of` does.
    """
    _check_reason(reader, reason)
    line = await _review_line(door.sealer, reader, row, reason)
    return await read_page(door.store, door.sealer, row, page), line


async def search_in_commit(door: Door, reader: Reader, search: Search, *, reason: str) -> tuple[Hits, AddAudit]:
    """Search everybody's conversations for a commit that holds the audit line, and what is shown of them.

    Raises NotAllowedError without the role, or for a scope that is not the reader's workspace, BadInputError without a
    reason.
    """
    _check_reason(reader, reason, "search")
    if reader.workspace is not None and search.scope.workspace != reader.workspace:
        raise NotAllowedError
    page = await hits_of(door.store, door.sealer, await look_through(door.store, door.sealer, search))
    of = Subject(search.about, search.owner or DESK, noted(search, page))
    return page, await reading_line(door.sealer, reader, "search", of, reason=reason.strip())


async def export_in_commit(door: Door, reader: Reader, customer: Customer, *, reason: str) -> tuple[Values, AddAudit]:
    """Read all of somebody for a commit that holds the audit line. Raises as `open_session_of` does."""
    _check_reason(reader, reason, "export_person")
    if reader.workspace not in (None, customer.workspace):
        raise NoSuchSessionError
    of = Subject(customer.id, customer.id)
    line = await reading_line(door.sealer, reader, "export_person", of, reason=reason.strip())
    return await everything_in_workspace(door.store, door.sealer, customer), line


async def search_for(door: Door, reader: Reader, search: Search, *, reason: str) -> Hits:
    """Search everybody's conversations. The audit line is durable before anything is given out.

    Raises as `search_in_commit` does. When the line cannot be written, nothing is returned.
    """
    page, line = await search_in_commit(door, reader, search, reason=reason)
    await door.writer.commit((line,))
    return page


def _check_reason(reader: Reader, reason: str, reading: Reading = "review") -> None:
    if not may(reader.role, READINGS[reading]):
        raise NotAllowedError
    if not reason.strip():
        raise BadInputError(reply="Say why you need to read it: the reason is kept in the audit log.")


async def _review_line(sealer: Sealer, reader: Reader, row: SessionRow, reason: str) -> AddAudit:
    if reader.workspace not in (None, row.workspace):
        raise NoSuchSessionError
    return await reading_line(sealer, reader, "review", Subject(short(row.id), row.owner), reason=reason.strip())


async def note_reading(
    door: Door, reader: Reader, reading: Reading, of: Subject = EVERYBODY, *, reason: str = ""
) -> None:
    """Let somebody read what is other people's: durable in the audit log when this returns.

    Raises NotAllowedError without the role. Where the line cannot be written this raises too, and nothing is read.
    """
    if not may(reader.role, READINGS[reading]):
        raise NotAllowedError
    line = await reading_line(door.sealer, reader, reading, of, reason=reason)
    await door.writer.commit((line,))


async def reading_line(sealer: Sealer, reader: Reader, reading: Reading, of: Subject, *, reason: str = "") -> AddAudit:
    """The audit line of a reading, for the commit that shows what was read."""
    return await line_of(sealer, reader, reading, of, reason=reason)


async def line_of(sealer: Sealer, reader: Reader, action: str, of: Subject, *, reason: str = "") -> AddAudit:
    """The audit line of what somebody does that their role allows, for the commit of it."""
    author = author_of(sealer, reader)
    detail = dict(author.sealed) | ({"reason": reason} if reason else {}) | dict(of.more)
    return audit_record(
        sealer,
        actor=author.id,
        action=action,
        subject=of.id,
        owner=await _owner_of_line(sealer, of.owner),
        detail=detail,
        at=now(),
    )


async def _owner_of_line(sealer: Sealer, owner: str) -> str:
    # The reason may speak of the customer, so it is forgotten with them. One forgotten already cannot have it.
    try:
        await sealer.prepare((owner,))
    except ErasedError:
        await sealer.prepare((DESK,))
        return DESK
    return owner
