"""Questions about people, their conversations, and which place means which."""

from dataclasses import dataclass

from core.queries.query import Query


@dataclass(frozen=True, slots=True)
class CustomerRow:
    """A customer as stored."""

    id: str
    workspace: str
    version: int
    at: int
    body: bytes


@dataclass(frozen=True, slots=True)
class CustomerOfIdentity(Query[CustomerRow]):
    """The customer who has this identity; at most one."""

    row = CustomerRow
    key: bytes


@dataclass(frozen=True, slots=True)
class CustomerById(Query[CustomerRow]):
    """One customer; at most one."""

    row = CustomerRow
    id: str


@dataclass(frozen=True, slots=True)
class Customers(Query[CustomerRow]):
    """All customers, oldest first."""

    row = CustomerRow


@dataclass(frozen=True, slots=True)
class WorkspaceRow:
    """A workspace of which somebody is a customer."""

    workspace: str


@dataclass(frozen=True, slots=True)
class OtherWorkspace(Query[WorkspaceRow]):
    """A workspace that is not this one; at most one. What begins with @ is nobody's: people write there directly."""

    row = WorkspaceRow
    workspace: str


@dataclass(frozen=True, slots=True)
class IdentityRow:
    """An identity as stored."""

    key: bytes
    customer: str
    body: bytes


@dataclass(frozen=True, slots=True)
class IdentitiesOf(Query[IdentityRow]):
    """A customer's identities."""

    row = IdentityRow
    customer: str


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A session with its current branch's name (sealed in `branch_body`) and head, `depth` 0 where it has no turn."""

    id: bytes
    workspace: str
    owner: str
    strategy: str
    branch: bytes
    branch_body: bytes
    head: str | None
    depth: int
    agent: str
    version: int
    revision: int
    answered_by: str
    muted: int
    started: int
    spoken: int
    body: bytes


@dataclass(frozen=True, slots=True)
class SessionById(Query[SessionRow]):
    """One session; at most one. `agent` is the head turn's ('' where there is none)."""

    row = SessionRow
    id: bytes


@dataclass(frozen=True, slots=True)
class StandRow:
    """Where a session stands: while all three are the same, so is what the current branch holds.

    `seq` is what the next item of the turn `head` would have, 0 where there is no turn.
    """

    version: int
    head: str | None
    seq: int


@dataclass(frozen=True, slots=True)
class StandOf(Query[StandRow]):
    """Where a session stands; at most one."""

    row = StandRow
    session: bytes


@dataclass(frozen=True, slots=True)
class Sessions(Query[SessionRow]):
    """All sessions, the one spoken in last first; at most `limit`."""

    row = SessionRow
    limit: int


@dataclass(frozen=True, slots=True)
class SilentSessions(Query[SessionRow]):
    """Sessions that hold turns, were spoken in last before `before` and wait for no event, longest silent first.

    At most `limit`, after the first `offset`.
    """

    row = SessionRow
    before: int
    limit: int
    offset: int = 0


@dataclass(frozen=True, slots=True)
class SessionsSpokenBy(Query[SessionRow]):
    """Sessions the customer owns or has a turn in, newest spoken first; at most `limit`."""

    row = SessionRow
    customer: str
    limit: int


@dataclass(frozen=True, slots=True)
class PlaceRow:
    """What a place is bound to."""

    session: bytes
    owner: str
    body: bytes


@dataclass(frozen=True, slots=True)
class PlaceByKey(Query[PlaceRow]):
    """The binding of a place; at most one."""

    row = PlaceRow
    key: bytes


@dataclass(frozen=True, slots=True)
class OwnPlaceRow:
    """A binding with the place's key."""

    key: bytes
    session: bytes
    body: bytes


@dataclass(frozen=True, slots=True)
class PlacesOf(Query[OwnPlaceRow]):
    """The places whose binding is sealed for a customer."""

    row = OwnPlaceRow
    owner: str
