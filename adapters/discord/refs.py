"""Who and where, in Discord's ids: what a payload says of them.

A thread is a channel of its own, so that a conversation in a server has one id for channel and thread. The thread of a
message has the message's id: a message in a channel and what is said below it are one conversation, under that id.
https://docs.discord.com/developers/topics/threads
"""

from dataclasses import dataclass
from typing import Literal

from adapters.payloads import Json, number_in, object_in, text_in
from core.models import ConversationRef

PLATFORM = "discord"
DIRECT = "@dm"
"""The workspace of direct conversations: they are in no server."""

RoomKind = Literal["direct", "channel", "thread", "forum"]

_EPOCH = 1_420_070_400_000
_KINDS: dict[int, RoomKind] = {1: "direct", 10: "thread", 11: "thread", 12: "thread", 15: "forum", 16: "forum"}
"""Types of channels; every other one is a channel. https://docs.discord.com/developers/resources/channel"""


@dataclass(frozen=True, slots=True)
class Us:
    """The app: its own id, and that of its bot."""

    user: str
    application: str


@dataclass(frozen=True, slots=True)
class Room:
    """Where something happens, as far as it has to be known.

    `conversation` is the id of the conversation in a thread, where it has another one than the thread. `support` says
    that everything said here is for the desk: in a support channel, or a thread of a support forum.
    """

    id: str
    kind: RoomKind
    guild: str = ""
    parent: str = ""
    name: str = ""
    conversation: str = ""
    support: bool = False

    def conversation_at(self, message: str) -> str:
        """The conversation a message here belongs to; in a channel the one that begins with it."""
        return self.conversation or (self.id if self.kind == "thread" else message)

    def ref(self, user: str, message: str = "", *, groups: tuple[str, ...] = ()) -> ConversationRef:
        """Where somebody speaks; without a message in a channel beside all conversations. `groups` are their roles."""
        if self.kind == "direct":
            return ConversationRef(PLATFORM, DIRECT, self.id, user, direct=True)
        conversation = self.conversation_at(message)
        return ConversationRef(
            PLATFORM,
            self.guild or DIRECT,
            conversation or self.id,
            user,
            conversation or None,
            direct=False,
            groups=groups,
        )


def room_in(channel: Json, guild: str) -> Room:
    """Read a channel's object."""
    kind = _KINDS.get(number_in(channel, "type"), "channel") if guild else "direct"
    return Room(text_in(channel, "id"), kind, guild, text_in(channel, "parent_id"), text_in(channel, "name"))


def kind_of(channel_type: int) -> RoomKind:
    """What a type of channel means to us."""
    return _KINDS.get(channel_type, "channel")


def person_in(payload: Json) -> Json:
    """The user who does something: under `member` in a server, under `user` in a direct conversation."""
    return object_in(object_in(payload, "member"), "user") or object_in(payload, "user")


def roles_in(payload: Json) -> tuple[str, ...]:
    """The roles of the member who does something; none in a direct conversation."""
    roles = object_in(payload, "member").get("roles")
    return tuple(role for role in roles if isinstance(role, str)) if isinstance(roles, list) else ()


def snowflake_seconds(id_: str) -> float:
    """When an id was made; 0 where it is none. https://docs.discord.com/developers/reference#snowflakes"""
    return ((int(id_) >> 22) + _EPOCH) / 1_000 if id_.isdecimal() and len(id_) <= 20 else 0.0


def snowflake_at(seconds: float) -> str:
    """The first id of a moment."""
    return str(max(0, int(seconds * 1_000) - _EPOCH) << 22)
