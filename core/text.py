"""Text as the desk keeps it: no NUL, no lone surrogate."""

from dataclasses import replace
from typing import Any, TypeVar

from core.models import Command, Event, FileNote, MessageEdited, Profile, Quote, UserMessage

EventT = TypeVar("EventT", bound=Event)
PartT = TypeVar("PartT", bound=Event | FileNote | Profile)


def clean_text(text: str) -> str:
    """Take out NUL, and put U+FFFD for each lone surrogate (neither can be kept in a store or sent to a platform)."""
    if "\x00" in text:
        text = text.replace("\x00", "")
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def clean(event: EventT) -> EventT:
    """Clean what a person wrote in an event."""
    match event:
        case UserMessage():
            name = event.profile.name
            profile = event.profile if name is None else changed(event.profile, name=clean_text(name))
            files = tuple(replace(note, name=clean_text(note.name), kind=clean_text(note.kind)) for note in event.files)
            quotes = tuple(replace(quote, **_cleaned(quote)) for quote in event.quotes)
            return changed(event, text=clean_text(event.text), profile=profile, files=files, quotes=quotes)
        case MessageEdited():
            return changed(event, text=clean_text(event.text))
        case Command():
            return changed(event, name=clean_text(event.name), args=tuple(clean_text(arg) for arg in event.args))
        case _:
            return event


def changed(said: PartT, **fields: Any) -> PartT:  # noqa: ANN401  what its class holds
    """What was said with these fields; itself where they are the same, as nearly always: to compare costs a tenth."""
    if all(getattr(said, name) == value for name, value in fields.items()):
        return said
    return replace(said, **fields)


def _cleaned(quote: Quote) -> dict[str, str]:
    return {"speaker": clean_text(quote.speaker), "text": clean_text(quote.text)}


def first_words(text: str, limit: int) -> str:
    """The beginning of a text on one line, cut at a word where it is longer than `limit` characters."""
    line = " ".join(text.split())
    if len(line) <= limit:
        return line
    return line[: limit - 1].rsplit(" ", 1)[0].rstrip(" ,.;:") + "…"
