"""What is typed or piped in, as events.

A line of JSON is one of these; `?` may be left out:

    {"type": "message",  "id", "user", "name"?, "tier"?, "channel"?, "thread"?, "text"}
    {"type": "command",  "id", "user", "name"?, "tier"?, "channel"?, "thread"?, "command", "args"?: ["..."]}
    {"type": "edit",     "id", "message", "user", "channel"?, "thread"?, "text"}
    {"type": "delete",   "id", "message", "user", "channel"?, "thread"?}
    {"type": "reaction", "id", "user", "channel"?, "thread"?, "key" | "message", "name", "removed"?: true}

A message and a command may also tell "email", "locale" and "timezone" of who speaks.
Without a channel it is said in the user's own direct conversation, which nobody else reads (a thread there is theirs
as well); with a channel it is said where others read along.
"""

import json
import re
from collections.abc import Callable
from typing import Any

from core.errors import BadInputError
from core.models import (
    Command,
    ConversationRef,
    Event,
    MessageDeleted,
    MessageEdited,
    Profile,
    Reaction,
    UserMessage,
)

PLATFORM = "terminal"
WORKSPACE = "local"
DIRECT = "dm:"
"""What the channel of a direct conversation begins with, and no other channel may."""

MAX_NAME = 200
"""Characters of an id, a user, a channel and the like."""

_WORD = re.compile(r"[a-z]+(-[a-z]+)*", re.IGNORECASE)


def payload_of(line: bytes) -> dict[str, Any]:
    """Read a line of JSON; BadInputError where it is not one object."""
    try:
        payload = json.loads(line.decode(errors="replace"))
    except RecursionError:
        raise _bad("this is nested too deeply") from None
    except ValueError as error:
        raise _bad(f"this is not JSON ({error})") from None
    if not isinstance(payload, dict):
        raise _bad(f"an object such as {{...}} is needed, not {_kind(payload)}")
    return payload


def event_of(payload: dict[str, Any]) -> Event:
    """Translate the object of one line; BadInputError says in one sentence what is wrong with it."""
    kind = _text(payload, "type")
    translate = _TRANSLATIONS.get(kind)
    if translate is None:
        raise _bad(f"there is no type {kind[:40]!r}; those there are: {', '.join(_TRANSLATIONS)}")
    return translate(payload)


def typed_event(line: str, *, id_: str, ref: ConversationRef, profile: Profile) -> Event | None:
    """Translate a typed line, None for a blank one: `/word ...` and `!word ...` are commands, all else is a message."""
    text = clean_text(line).strip()
    if not text:
        return None
    mark, words = text[0], text[1:].split()
    # A path (`/etc/hosts`), `!!!` and `!important:` are no commands.
    if mark not in "/!" or not words or not _WORD.fullmatch(words[0]):
        return UserMessage(id_, ref, text, profile)
    taken = 2 if [word.lower() for word in words[:2]] == ["not", "helpful"] else 1
    return Command(id_, ref, " ".join(words[:taken]).lower(), tuple(words[taken:]), profile=profile)


def ref_of(user: str, *, channel: str | None = None, thread: str | None = None) -> ConversationRef:
    """Where `user` speaks: without a channel in a direct conversation of their own."""
    if channel is None:
        return ConversationRef(PLATFORM, WORKSPACE, DIRECT + user, user, thread=thread, direct=True)
    if channel.startswith(DIRECT):
        raise _bad(f"channel must not begin with {DIRECT!r}: leave it out for a direct conversation")
    return ConversationRef(PLATFORM, WORKSPACE, channel, user, thread=thread, direct=False)


def checked_name(field: str, name: str) -> str:
    """Check what names somebody or something: refused where a text is mended, for mending could make two names one."""
    if name != clean_text(name):
        raise _bad(f"{field} has a character that cannot be kept (NUL, or half a surrogate pair)")
    if not name.strip():
        raise _bad(f"{field} is empty")
    if len(name) > MAX_NAME:
        raise _bad(f"{field} is longer than {MAX_NAME} characters")
    return name


def clean_text(text: str) -> str:
    """Take NUL out and put U+FFFD where half a surrogate pair stands: no store keeps either."""
    return text.replace("\0", "").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _message(payload: dict[str, Any]) -> Event:
    return UserMessage(_name(payload, "id"), _ref(payload), _text(payload, "text"), _profile(payload))


def _command(payload: dict[str, Any]) -> Event:
    word = _text(payload, "command").strip().lower()
    if not word:
        raise _bad("command is empty")
    return Command(_name(payload, "id"), _ref(payload), word, _args(payload), profile=_profile(payload))


def _edit(payload: dict[str, Any]) -> Event:
    return MessageEdited(_name(payload, "id"), _ref(payload), _name(payload, "message"), _text(payload, "text"))


def _delete(payload: dict[str, Any]) -> Event:
    return MessageDeleted(_name(payload, "id"), _ref(payload), _name(payload, "message"))


def _reaction(payload: dict[str, Any]) -> Event:
    key, message = _optional_name(payload, "key"), _optional_name(payload, "message")
    target = key or message
    if target is None or (key and message):
        raise _bad("a reaction names either the key of a reply or the id of a message")
    removed = payload.get("removed", False)
    if not isinstance(removed, bool):
        raise _bad(f"removed must be true or false, not {_kind(removed)}")
    return Reaction(_name(payload, "id"), _ref(payload), target, _text(payload, "name"), removed)


_TRANSLATIONS: dict[str, Callable[[dict[str, Any]], Event]] = {
    "message": _message,
    "command": _command,
    "edit": _edit,
    "delete": _delete,
    "reaction": _reaction,
}


def _ref(payload: dict[str, Any]) -> ConversationRef:
    channel, thread = _optional_name(payload, "channel"), _optional_name(payload, "thread")
    return ref_of(_name(payload, "user"), channel=channel, thread=thread)


def _profile(payload: dict[str, Any]) -> Profile:
    return Profile(**{name: _optional_text(payload, name) for name in ("name", "tier", "locale", "email", "timezone")})


def _args(payload: dict[str, Any]) -> tuple[str, ...]:
    args = payload.get("args", [])
    if not isinstance(args, list) or not all(isinstance(arg, str) for arg in args):
        raise _bad('args must be a list of strings, such as ["confirm"]')
    return tuple(clean_text(arg) for arg in args)


def _text(payload: dict[str, Any], field: str) -> str:
    value = payload.get(field)
    if value is None:
        raise _bad(f"{field} is missing")
    if not isinstance(value, str):
        raise _bad(f"{field} must be a string, not {_kind(value)}")
    return clean_text(value)


def _optional_text(payload: dict[str, Any], field: str) -> str | None:
    return _text(payload, field).strip() or None if payload.get(field) is not None else None


def _name(payload: dict[str, Any], field: str) -> str:
    _text(payload, field)
    return checked_name(field, payload[field])


def _optional_name(payload: dict[str, Any], field: str) -> str | None:
    return _name(payload, field) if payload.get(field) is not None else None


def _kind(value: object) -> str:
    names = {
        bool: "true or false",
        int: "a number",
        float: "a number",
        str: "a string",
        list: "a list",
        dict: "an object",
    }
    return names.get(type(value), "null")


def _bad(sentence: str) -> BadInputError:
    return BadInputError(reply=sentence)
