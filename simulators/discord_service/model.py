"""What a Discord is made of."""

from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]

TEXT, DIRECT_MESSAGE, PUBLIC_THREAD, PRIVATE_THREAD, FORUM = 0, 1, 11, 12, 15
THREADS = (PUBLIC_THREAD, PRIVATE_THREAD)
PRIVILEGED = frozenset(["members", "message_content", "presences"])


@dataclass(frozen=True, slots=True)
class AppSetup:
    """The app under test as its settings page has it, and what the role it is invited with may do."""

    name: str = "helper"
    token: str = "token-of-the-simulated-app"  # noqa: S105 - made up
    privileged: frozenset[str] = PRIVILEGED
    """Which of the three privileged intents are switched on."""
    permissions: int = 1 << 13 | 1 << 34
    """Beside those of everyone: managing messages and threads, unless told otherwise."""
    shards: int = 1
    """How many shards `GET /gateway/bot` recommends."""
    starts: int = 1000
    """How many sessions may be started in a day; whoever asks for more is refused like a wrong token."""
    reset_after: int = 24 * 60 * 60 * 1000
    """Milliseconds after which that many may be started again, as Discord tells."""


@dataclass(slots=True)
class User:
    """A person or a bot."""

    id: str
    name: str
    bot: bool = False
    nitro: bool = False
    closed: bool = False
    """Takes no direct messages."""
    locale: str = "en-US"


@dataclass(slots=True)
class Role:
    """A role of a guild."""

    id: str
    name: str
    permissions: int = 0
    mentionable: bool = False
    position: int = 1


@dataclass(slots=True)
class Member:
    """A user in a guild."""

    user: str
    joined: float
    roles: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Message:
    """One message; `visible_to` names the only person who sees an ephemeral one."""

    id: str
    channel: str
    author: str
    content: str = ""
    type: int = 0
    flags: int = 0
    sent: float = 0.0
    edited: float | None = None
    embeds: list[Json] = field(default_factory=list)
    attachments: list[Json] = field(default_factory=list)
    components: list[Json] = field(default_factory=list)
    stickers: list[Json] = field(default_factory=list)
    reactions: dict[str, list[str]] = field(default_factory=dict)
    reference: Json = field(default_factory=dict)
    nonce: str | None = None
    mentions: list[str] = field(default_factory=list)
    mention_roles: list[str] = field(default_factory=list)
    mention_everyone: bool = False
    pings: tuple[str, ...] = ()
    """Whom it called when it was sent, as on the screen: `@Alice`, `@support`, `@everyone`."""
    pinned: bool = False
    webhook: str = ""
    webhook_name: str = ""
    application: str = ""
    interaction: Json = field(default_factory=dict)
    visible_to: str = ""


@dataclass(slots=True)
class Channel:
    """A text channel, a forum, a direct conversation or a thread."""

    id: str
    type: int
    name: str = ""
    guild: str = ""
    parent: str = ""
    topic: str = ""
    position: int = 0
    recipients: tuple[str, ...] = ()
    overwrites: dict[str, tuple[int, int]] = field(default_factory=dict)
    """By role or user: what is allowed, what is denied."""
    messages: dict[str, Message] = field(default_factory=dict)
    ephemerals: dict[str, Message] = field(default_factory=dict)
    graves: dict[str, Message] = field(default_factory=dict)
    """Messages that were deleted, as they were."""
    tags: list[Json] = field(default_factory=list)

    # Of threads only.
    owner: str = ""
    thread_members: dict[str, float] = field(default_factory=dict)
    archived: bool = False
    locked: bool = False
    invitable: bool = True
    auto_archive: int = 1440
    slowmode: int = 0
    changed: float = 0.0
    opened: float = 0.0
    total_sent: int = 0
    applied_tags: list[str] = field(default_factory=list)

    @property
    def is_thread(self) -> bool:
        """Tell whether this is a thread."""
        return self.type in THREADS


@dataclass(slots=True)
class Guild:
    """A server. The role of everyone has the guild's own id."""

    id: str
    name: str
    owner: str
    roles: dict[str, Role] = field(default_factory=dict)
    members: dict[str, Member] = field(default_factory=dict)
    channels: dict[str, Channel] = field(default_factory=dict)
    joined: float = 0.0
