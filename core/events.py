"""Events as JSON, as the inbox keeps them, and the names by which an event and a message are told apart."""

from typing import Any

from core.models import (
    Command,
    ConversationRef,
    Event,
    FileNote,
    MessageDeleted,
    MessageEdited,
    Profile,
    Quote,
    Reaction,
    UserMessage,
)

_NESTED = frozenset(("ref", "profile", "files", "quotes", "args", "said_at"))
KINDS: dict[type[Event], str] = {
    UserMessage: "message",
    Command: "command",
    MessageEdited: "edit",
    MessageDeleted: "delete",
    Reaction: "reaction",
}


def kind_of(event: Event) -> str:
    """Name the kind of an event, as the inbox does."""
    return KINDS[type(event)]


def event_name(event: Event) -> str:
    """Name an event so that what is handed in twice reads the same, and nothing else does."""
    ref = event.ref
    return "\x1f".join((ref.platform, ref.workspace, ref.channel, kind_of(event), event.id))


def message_name(ref: ConversationRef, message: str) -> str:
    """Name a platform's message."""
    return "\x1f".join((ref.platform, ref.workspace, ref.channel, message))


def read_ref(value: dict[str, Any]) -> ConversationRef:
    """Read a ref from the JSON of its fields."""
    return ConversationRef(**value | {"groups": tuple(value.get("groups", ()))})


def read_event(kind: str, value: dict[str, Any]) -> Event:
    """Read an event from the JSON of its fields; `kind` as `kind_of` names it."""
    rest = {key: part for key, part in value.items() if key not in _NESTED}
    ref = read_ref(value["ref"])
    match kind:
        case "message":
            return UserMessage(
                ref=ref,
                profile=Profile(**value["profile"]),
                files=tuple(FileNote(**note) for note in value["files"]),
                quotes=tuple(Quote(**quote) for quote in value["quotes"]),
                **rest,
            )
        case "command":
            said_at = read_ref(value["said_at"]) if value.get("said_at") else None
            profile, args = Profile(**value["profile"]), tuple(value["args"])
            return Command(ref=ref, profile=profile, args=args, said_at=said_at, **rest)
        case "edit":
            return MessageEdited(ref=ref, **rest)
        case "delete":
            return MessageDeleted(ref=ref, **rest)
        case _:
            return Reaction(ref=ref, **rest)
