"""What a workspace is made of."""

from dataclasses import dataclass, field
from typing import Any, Literal

Json = dict[str, Any]
Kind = Literal["im", "mpim", "channel", "group"]

BOT_SCOPES = frozenset(
    [
        "app_mentions:read",
        "assistant:write",
        "channels:history",
        "channels:read",
        "chat:write",
        "chat:write.customize",
        "commands",
        "files:read",
        "files:write",
        "groups:history",
        "groups:read",
        "im:history",
        "im:read",
        "im:write",
        "metadata.message:read",
        "mpim:history",
        "mpim:read",
        "mpim:write",
        "reactions:read",
        "reactions:write",
        "team:read",
        "usergroups:read",
        "users:read",
        "users:read.email",
    ]
)


@dataclass(frozen=True, slots=True)
class AppSetup:
    """The app under test as its settings page has it. `events=None` subscribes to every event."""

    name: str = "helper"
    scopes: frozenset[str] = BOT_SCOPES
    events: frozenset[str] | None = None
    signing_secret: str = "signing-secret-of-the-simulated-app"  # noqa: S105 - made up
    client_secret: str = "client-secret-of-the-simulated-app"  # noqa: S105 - made up

    id: str = "A00000000"
    client_id: str = "1000000000001.1000000000002"


@dataclass(slots=True)
class Team:
    """A workspace."""

    id: str
    name: str

    @property
    def domain(self) -> str:
        """Give the word before `.slack.com`."""
        return self.name.lower().replace(" ", "-")


@dataclass(slots=True)
class User:
    """A person or a bot of a team."""

    id: str
    team: str
    name: str
    real_name: str
    email: str = ""
    tz: str = "Europe/Vienna"
    locale: str = "en-US"
    bot_id: str = ""
    app_id: str = ""
    deleted: bool = False


@dataclass(slots=True)
class UserGroup:
    """People of a team who are called by one name."""

    id: str
    team: str
    name: str
    members: list[str] = field(default_factory=list)
    disabled: bool = False


@dataclass(slots=True)
class Install:
    """The app in one team, with the token it was given there."""

    team: str
    user: str
    bot_id: str
    token: str
    scopes: frozenset[str]
    dead: str = ""
    """The error its token is answered with, once revoked or uninstalled."""


@dataclass(slots=True)
class Message:
    """One message; `visible_to` names the only person who sees an ephemeral one."""

    ts: str
    channel: str
    user: str
    team: str
    text: str = ""
    thread_ts: str | None = None
    subtype: str = ""
    bot_id: str = ""
    app_id: str = ""
    blocks: list[Json] = field(default_factory=list)
    attachments: list[Json] = field(default_factory=list)
    files: list[Json] = field(default_factory=list)
    metadata: Json = field(default_factory=dict)
    edited: Json = field(default_factory=dict)
    reactions: dict[str, list[str]] = field(default_factory=dict)
    extra: Json = field(default_factory=dict)
    unfurl: bool = True
    stream: Literal["", "in_progress", "completed"] = ""
    visible_to: str = ""


@dataclass(slots=True)
class Channel:
    """A direct message, a group DM, a public channel or a private one (`group`)."""

    id: str
    team: str
    kind: Kind
    name: str = ""
    members: list[str] = field(default_factory=list)
    archived: bool = False
    shared_with: list[str] = field(default_factory=list)
    messages: dict[str, Message] = field(default_factory=dict)
    ephemerals: dict[str, Message] = field(default_factory=dict)
    graves: set[str] = field(default_factory=set)
    """Timestamps of messages deleted without a trace."""
    threads: dict[str, dict[str, Message]] = field(default_factory=dict)

    def put(self, message: Message) -> None:
        """Keep a message everyone sees, in its thread too."""
        self.messages[message.ts] = message
        if message.thread_ts and message.thread_ts != message.ts:
            self.threads.setdefault(message.thread_ts, {})[message.ts] = message

    def drop(self, message: Message) -> None:
        """Forget a message; its timestamp is remembered as a grave."""
        del self.messages[message.ts]
        self.threads.get(message.thread_ts or "", {}).pop(message.ts, None)
        self.graves.add(message.ts)

    def replies(self, root: str) -> list[Message]:
        """Give the replies below a root, oldest first."""
        return list(self.threads.get(root, {}).values())


@dataclass(slots=True)
class View:
    """A modal, or what App Home shows to one person."""

    id: str
    user: str
    team: str
    body: Json
    hash: str
    root: str = ""
