"""The values that travel: who spoke where, what an adapter hands in, what the desk says."""

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal, NamedTuple

Item = dict[str, Any]
"""One entry of the SDK's history format (a Responses API input item), JSON-able."""

MAIN = "main"
"""The branch every session starts on."""

PICK = "in:"
"""What a word's argument begins with that names a picked conversation. It is looked for among the asker's own only."""


@dataclass(frozen=True, slots=True)
class ConversationRef:
    """Where and by whom something was said, in the platform's own ids.

    `thread` is the root message or thread of a threaded place; `direct` says that only this user reads the place.
    `groups` are those the platform has the user in (roles on Discord, user groups in Slack) when it was said: they may
    give a role, and tell no places apart.
    """

    platform: str
    workspace: str
    channel: str
    user: str
    thread: str | None = None
    device: str | None = None
    direct: bool = True
    groups: tuple[str, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Profile:
    """What the platform tells of a person. Data, never instructions. `timezone` is a name such as Europe/Vienna."""

    name: str | None = None
    tier: str | None = None
    locale: str | None = None
    email: str | None = None
    timezone: str | None = None


@dataclass(frozen=True, slots=True)
class FileNote:
    """A file that came with a message: what it is called, not what is in it."""

    name: str
    kind: str
    size: int


@dataclass(frozen=True, slots=True)
class Quote:
    """A message of somebody else that the platform read along, named."""

    speaker: str
    text: str


@dataclass(frozen=True, slots=True)
class UserMessage:
    """A person's message. `id` is the platform's identity of the message: twin events carry the same.

    `called` is False where others read and nobody called the desk: then it answers only who spoke to it there before.
    `complete` says that what the platform knows besides was added already. `at` is when it was said (microseconds),
    where the platform tells. One message too many says in `more_than` how many a minute may be said.
    """

    id: str
    ref: ConversationRef
    text: str
    profile: Profile = Profile()
    files: tuple[FileNote, ...] = ()
    quotes: tuple[Quote, ...] = ()
    called: bool = True
    complete: bool = False
    at: int | None = None
    more_than: int = 0


@dataclass(frozen=True, slots=True)
class Command:
    """A word of the command table, however it was said.

    `message` is the platform id of the message it was said about (a button's, a menu's), None where it stands alone.
    `loose` says that it was said beside the conversations of its place, as slash commands are: the desk finds the one
    that is meant, puts it in `ref`, and keeps in `said_at` where it was said. `more_than` is as in a `UserMessage`.
    """

    id: str
    ref: ConversationRef
    name: str
    args: tuple[str, ...] = ()
    message: str | None = None
    profile: Profile = Profile()
    loose: bool = False
    said_at: ConversationRef | None = None
    more_than: int = 0


@dataclass(frozen=True, slots=True)
class MessageEdited:
    """A person changed the text of `message`."""

    id: str
    ref: ConversationRef
    message: str
    text: str


@dataclass(frozen=True, slots=True)
class MessageDeleted:
    """`message` was deleted on its platform, by `ref.user`.

    Where the platform does not say by whom, the user is empty: it counts as deleted by whose turn it belongs to.
    """

    id: str
    ref: ConversationRef
    message: str


@dataclass(frozen=True, slots=True)
class Reaction:
    """A reaction was put on (or taken off) `message`; `name` as the platform calls it, or the Unicode character.

    `live` says that the platform knows `message` to be answered again just now, or to be such an answer in the making.
    """

    id: str
    ref: ConversationRef
    message: str
    name: str
    removed: bool = False
    live: bool = False


Event = UserMessage | Command | MessageEdited | MessageDeleted | Reaction


class Accepted(StrEnum):
    """What became of an event that was handed in. Nothing is kept of what is `ignored`, because it is not for the desk,
    or `refused`, because the person says too much at once and knows."""

    NEW = "accepted"
    DUPLICATE = "duplicate"
    IGNORED = "ignored"
    REFUSED = "refused"


class TurnStatus(StrEnum):
    """How a turn ended. Only `done` turns are on a branch; `erased` ones left a gap."""

    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"
    BLOCKED = "blocked"
    ERASED = "erased"


class TicketStatus(StrEnum):
    """Where a ticket stands; `withdrawn` is a ticket whose opening turn was undone."""

    OPEN = "open"
    WAITING_FOR_STAFF = "waiting_for_staff"
    RESOLVED = "resolved"
    WITHDRAWN = "withdrawn"


PRIORITIES = ("low", "normal", "high", "urgent")
Priority = Literal["low", "normal", "high", "urgent"]


@dataclass(frozen=True, slots=True)
class Usage:
    """What model calls used: requests, tokens, and cost in 1e-9 units of the price table's currency."""

    requests: int = 0
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    cost_nano: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        """Add two usages field by field."""
        return Usage(
            self.requests + other.requests,
            self.input_tokens + other.input_tokens,
            self.cached_tokens + other.cached_tokens,
            self.output_tokens + other.output_tokens,
            self.reasoning_tokens + other.reasoning_tokens,
            self.cost_nano + other.cost_nano,
        )

    @property
    def total_tokens(self) -> int:
        """Input and output tokens together."""
        return self.input_tokens + self.output_tokens


@dataclass(frozen=True, slots=True)
class Button:
    """A choice under a reply: its label and the command it says."""

    label: str
    command: str
    args: tuple[str, ...] = ()


DeliveryKind = Literal["reply", "retract", "restore"]


@dataclass(frozen=True, slots=True)
class TextFile:
    """A file that goes out with a piece."""

    name: str
    content: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """One piece of a reply on its way to a platform.

    `key` is the idempotency key and never changes; `to` is the id of the event that is answered; `message` is the
    platform id of the message to change (for `retract` and `restore`), None where it was never posted; of a
    reply it is the key of the piece that was removed and that this one brings back. A `file` goes with direct replies
    only, and with those that stay where the platform writes these directly. A retraction that `removes` takes the
    message away; `text` stands there only where the platform keeps it.
    A private reply that `stays` is read for longer than a moment: where private answers soon vanish, it goes to the
    asker's own direct conversation.
    A reply that `settles` says that the last ticket of its conversation is resolved: a platform may put that away.
    """

    key: str
    kind: DeliveryKind
    ref: ConversationRef
    to: str
    session: str
    turn: str | None
    text: str
    private: bool = False
    buttons: tuple[Button, ...] = ()
    message: str | None = None
    file: TextFile | None = None
    removes: bool = False
    settles: bool = False
    stays: bool = False

    def marked(self) -> "Delivery":
        """The same piece, saying that it may be there twice."""
        return replace(self, text=f"(This may be a repeat.) {self.text}")


@dataclass(frozen=True, slots=True)
class Progress:
    """What a platform may show while a turn runs; never stored. `text` is the whole safe text so far."""

    ref: ConversationRef
    to: str
    text: str = ""
    doing: str = ""


@dataclass(frozen=True, slots=True)
class Ticket:
    """A support case. `version` counts its changes; `number` is unique in its workspace."""

    id: str
    workspace: str
    number: int
    customer: str
    session: str
    subject: str
    description: str
    status: TicketStatus
    priority: Priority
    version: int
    opened: datetime
    changed: datetime

    @property
    def name(self) -> str:
        """The number people say: `TKT-1001`."""
        return f"TKT-{self.number}"


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One change of a ticket: `field` went from `before` to `after`, by `actor`."""

    at: datetime
    field: str
    before: str | None
    after: str | None
    actor: str
    cause: str


Histories = Literal["join", "apart"]
"""What becomes of the histories of two who turned out to be one person."""


@dataclass(slots=True)
class Customer:
    """Who is served and billed. Mutable within one turn; its changes commit with it (`changed`: there are some).

    `links` are the ids of those who are the same person on other platforms, each with what becomes of their histories.
    """

    id: str
    workspace: str
    name: str
    tier: str
    version: int
    preferences: dict[str, str] = field(default_factory=dict)
    email: str = ""
    locale: str = ""
    timezone: str = ""
    changed: bool = field(default=False, compare=False)
    links: dict[str, Histories] = field(default_factory=dict)

    @property
    def person(self) -> str:
        """The id under which all who are one person are counted: the oldest one's."""
        return min(self.everyone)

    @property
    def everyone(self) -> tuple[str, ...]:
        """The ids of all who are this person, their own first."""
        return (self.id, *sorted(self.links))

    @property
    def joined(self) -> tuple[str, ...]:
        """The ids of those whose history is theirs too, their own first."""
        return (self.id, *sorted(other for other, histories in self.links.items() if histories == "join"))


@dataclass(frozen=True, slots=True)
class Standing:
    """How a customer stands: tickets that are not over, all they used, and what is remembered of them."""

    tickets: tuple[Ticket, ...] = ()
    usage: Usage = Usage()
    remembered: Mapping[str, str] = field(default_factory=dict)


_LENGTHS = struct.Struct(">3I")


class Place(NamedTuple):
    """Where sealed bytes stand: bound into the seal, so that they open nowhere else."""

    table: str
    owner: str
    row: str

    def associated(self) -> bytes:
        """The associated data of the seal; length-prefixed, so that no two places read the same."""
        table, owner, row = self.table.encode(), self.owner.encode(), self.row.encode()
        return _LENGTHS.pack(len(table), len(owner), len(row)) + table + owner + row
