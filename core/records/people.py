"""Numbers, people, their conversations, and which place means which."""

from dataclasses import dataclass
from typing import ClassVar

from core.records.record import Record


@dataclass(frozen=True, slots=True)
class Reserve(Record):
    """Raise the counter by one (from `start` where it is new) and give back `[(value,)]`; never gives one twice."""

    returns: ClassVar[bool] = True
    name: str
    start: int


@dataclass(frozen=True, slots=True)
class AddCustomer(Record):
    """A new customer, version 1."""

    id: str
    workspace: str
    at: int
    body: bytes


@dataclass(frozen=True, slots=True)
class AddIdentity(Record):
    """A platform identity of a customer; ConflictError where it is somebody's already."""

    key: bytes
    customer: str
    at: int
    body: bytes


@dataclass(frozen=True, slots=True)
class PutCustomer(Record):
    """Replace the customer's body; its version goes up by one."""

    id: str
    body: bytes


@dataclass(frozen=True, slots=True)
class AddSession(Record):
    """A new session, version 1, revision 0; nothing happens where it is there."""

    id: bytes
    workspace: str
    owner: str
    strategy: str
    branch: bytes
    at: int
    body: bytes


@dataclass(frozen=True, slots=True)
class BindPlace(Record):
    """Let a place mean this session from now on."""

    key: bytes
    session: bytes
    owner: str
    at: int
    body: bytes


@dataclass(frozen=True, slots=True)
class HandOver(Record):
    """Give a session to another owner, for whom its body is sealed anew; version + 1."""

    session: bytes
    owner: str
    body: bytes


@dataclass(frozen=True, slots=True)
class PutSession(Record):
    """Set who answers ('bot' or 'human') and whether the session is muted (0 or 1); version + 1."""

    id: bytes
    answered_by: str
    muted: int
