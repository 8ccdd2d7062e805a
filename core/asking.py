"""A message on its way to the agent: who asks what, and how it reads in the history."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from core.models import ConversationRef, Delivery, FileNote, Item, Profile, Quote, UserMessage
from core.queries.turns import TurnRow

AskKind = Literal["turn", "retry", "edit"]
Remembered = Sequence[tuple[str, str | None, str]]
"""Preferences a turn set: key, value before, value after."""


@dataclass(frozen=True, slots=True)
class Ask:
    """What a turn is to answer.

    `replaces` are the turns on the branch that it stands in for, oldest first, and `posted` the pieces of their
    answers; `messages` are the keys of the platform messages that ask it and belonged to an earlier turn; `earlier` are
    the ids of all turns that asked it before, in these words or in others: who deletes the message deletes them all.
    One message too many says in `more_than` how many a minute may be said.
    """

    text: str
    ref: ConversationRef
    profile: Profile = Profile()
    files: tuple[FileNote, ...] = ()
    quotes: tuple[Quote, ...] = ()
    kind: AskKind = "turn"
    replaces: tuple[TurnRow, ...] = ()
    posted: tuple[tuple[Delivery, ...], ...] = ()
    messages: tuple[bytes, ...] = ()
    earlier: tuple[str, ...] = ()
    more_than: int = 0


def ask_of(message: UserMessage) -> Ask:
    """What a person's message asks."""
    return Ask(message.text, message.ref, message.profile, message.files, message.quotes, more_than=message.more_than)


def ask_again(said: dict[str, Any], ref: ConversationRef, *, text: str | None = None, kind: AskKind = "turn") -> Ask:
    """What a stored turn asked, with another text where it was edited."""
    return Ask(
        text=said["said"] if text is None else text,
        ref=ref,
        files=tuple(FileNote(**note) for note in said["files"]),
        quotes=tuple(Quote(**quote) for quote in said["quotes"]),
        kind=kind,
        earlier=tuple(said.get("earlier", ())),
    )


def user_item(ask: Ask, speaker: str) -> Item:
    """The history item of what was asked.

    Files and other people's words stand in it as named data, in lines of their own. In a place that others read the
    speaker is named before every line, since there are several.
    """
    lines = [f"(read along, {_one_line(quote.speaker)} said:) {_one_line(quote.text)}" for quote in ask.quotes]
    lines += [ask.text] if ask.ref.direct else [f"{_one_line(speaker)}: {line}" for line in ask.text.splitlines()]
    lines += [
        f"(file: {_one_line(note.name)}, {_one_line(note.kind)}, {note.size} bytes; its content was not read)"
        for note in ask.files
    ]
    return {"role": "user", "content": "\n".join(lines)}


def turn_body(ask: Ask, speaker: str, answered: str, remembered: Remembered = ()) -> dict[str, Any]:
    """What is sealed in a turn's row."""
    return {
        "said": ask.text,
        "answered": answered,
        "name": speaker,
        "files": [asdict(note) for note in ask.files],
        "quotes": [asdict(quote) for quote in ask.quotes],
        "earlier": list(ask.earlier),
        "remembered": list(remembered),
    }


def _one_line(text: str) -> str:
    """Keep data in its line: a further line would read as the asker's own words."""
    return " ".join(text.split())
