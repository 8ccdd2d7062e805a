"""What stands in a message of Discord's, for people and for the agent: mentions by name, files noted, others quoted."""

import re
from collections.abc import Iterable

from adapters.discord.refs import Us
from adapters.payloads import Json, number_in, object_in, objects_in, text_in
from core.models import FileNote, Profile, Quote

QUOTED = 20
"""Messages of a thread that are read along at most."""

_TOKEN = re.compile(r"<(?:@!?(\d+)|a?(:\w+:)\d+)>")


def name_of(user: Json, member: Json | None = None) -> str:
    """What people call somebody: in a server by the name they have there."""
    return text_in(member or {}, "nick") or text_in(user, "global_name") or text_in(user, "username")


def profile_of(user: Json, member: Json | None = None, *, locale: str = "") -> Profile:
    """What a payload tells of a person."""
    return Profile(name=name_of(user, member) or None, locale=locale or None)


def readable(said: Json) -> str:
    """The words of a message: `<@2>` reads @Bob, `<:wave:3>` reads :wave:."""
    names = {text_in(user, "id"): name_of(user, object_in(user, "member")) for user in objects_in(said, "mentions")}

    def word(token: re.Match[str]) -> str:
        user, emoji = token.groups()
        return emoji or "@" + (names.get(user) or user)

    return _TOKEN.sub(word, text_in(said, "content"))


def without_us(said: Json, us: Us) -> Json:
    """The message without the mentions of our bot, and the colon or comma behind each."""
    first, *others = re.split(rf"<@!?{re.escape(us.user)}>[ \t]*[:,]?[ \t]*", text_in(said, "content"))
    rest = [("" if other[:1] in ".;!?" else " ") + other.rstrip(" \t") for other in others]
    return said | {"content": "".join((first.rstrip(" \t"), *rest)).strip()}


def mentioned(said: Json) -> set[str]:
    """Whom a message calls: users and roles, also who is answered with a reply."""
    roles = said.get("mention_roles")
    return {text_in(user, "id") for user in objects_in(said, "mentions")} | {
        role for role in (roles if isinstance(roles, list) else ()) if isinstance(role, str)
    }


def files_of(said: Json) -> tuple[FileNote, ...]:
    """Note the files and stickers of a message, also of one that is sent on."""
    sources = [said, *(object_in(snapshot, "message") for snapshot in objects_in(said, "message_snapshots"))]
    files = [_file(file) for source in sources for file in objects_in(source, "attachments")]
    stickers = [sticker for source in sources for sticker in objects_in(source, "sticker_items")]
    return (*files, *(FileNote(text_in(one, "name") or "a sticker", "sticker", 0) for one in stickers))


def forwarded(said: Json) -> tuple[Quote, ...]:
    """Quote what a message sends on: it is somebody else's."""
    snapshots = objects_in(said, "message_snapshots")
    texts = [readable(object_in(snapshot, "message")) for snapshot in snapshots]
    return tuple(Quote("somebody, sent on", text) for text in texts if text.strip())


def is_hidden(said: Json) -> bool:
    """Whether Discord keeps the content to itself: without the intent a message has none at all, of any kind.

    https://docs.discord.com/developers/events/gateway#message-content-intent
    """
    shown = ("content", "attachments", "embeds", "components", "sticker_items", "poll", "message_snapshots")
    return not any(said.get(part) for part in shown)


def quotes_of(messages: Iterable[Json], us: Us, *, before: str) -> tuple[Quote, ...]:
    """Quote what others said in a thread before the message `before`, oldest first, at most the last 20."""
    said = []
    for message in sorted(messages, key=lambda one: _number(text_in(one, "id"))):
        author, text = object_in(message, "author"), readable(message)
        earlier = _number(text_in(message, "id")) < _number(before)
        if earlier and text_in(author, "id") != us.user and text.strip():
            said.append(Quote(name_of(author) or "somebody", text))
    return tuple(said[-QUOTED:])


def _file(file: Json) -> FileNote:
    kind = text_in(file, "content_type") or "unknown type"
    return FileNote(text_in(file, "filename") or "a file", kind, max(0, number_in(file, "size")))


def _number(id_: str) -> int:
    return int(id_) if id_.isdecimal() else 0
