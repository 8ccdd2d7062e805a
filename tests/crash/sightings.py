"""What people were shown, as lines; and what stands there in the end that should not."""

import re
import time
from abc import ABC, abstractmethod
from collections import defaultdict
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from tests.crash.check import Damage
from tests.crash.truth import Line

MOMENT = 0.5
"""Seconds that people take to read an answer before they react on it. That is longer than one call's answer takes."""

MessageT = TypeVar("MessageT")


@dataclass(frozen=True, slots=True)
class Standing:
    """A message of the desk's as it stands: of which piece, if of one, and whether it was left unfinished."""

    id: str
    key: str
    text: str
    unfinished: bool = False


class Sightings(ABC, Generic[MessageT]):
    """Reads what a platform was made to show. Which event an answer is for the desk says before it posts: a message
    on the platform does not.
    """

    def __init__(self) -> None:
        self._read = 0
        self._lines: dict[str, str] = {}
        self._replies: dict[str, Line] = {}
        self._changes: defaultdict[str, list[Line]] = defaultdict(list)
        self._messages: dict[str, MessageT] = {}
        self._seen_at: dict[str, float] = {}
        self._stands: dict[str, str] = {}
        self._elsewhere: list[str] = []

    def announced(self, piece: Line) -> None:
        """Take note of what the desk is about to post: a reply by its key, a change by the message it changes."""
        if piece["kind"] == "reply":
            self._replies[piece["key"]] = piece
        else:
            self._changes[piece["message"]].append(piece)

    def message(self, key: str) -> MessageT:
        """The message that a piece is in."""
        return self._messages[key]

    def is_new(self, key: str) -> bool:
        """Whether a piece is on the screen only since a moment, or was posted by a desk that is no more."""
        return time.monotonic() - self._seen_at.get(key, 0.0) < MOMENT or key not in self._seen_at

    def desk_begins(self) -> None:
        """Another desk begins: of what the one before it posted it may not know everything yet."""
        self._seen_at.clear()

    @property
    def calls(self) -> int:
        """How often the platform was called so far."""
        return len(self._called)

    @property
    def are_more(self) -> bool:
        """Whether it was called since."""
        return self.calls > self._read

    def fresh(self) -> list[Line]:
        """What people saw appear or change since this was asked last."""
        called, self._read = self._called[self._read :], self.calls
        return [line for call in called if call.ok for line in self._seen(call)]

    def check(self, damage: Damage) -> None:
        """Note what stands there in the end that should not."""
        ours = self._ours()
        for sentence in self._elsewhere:
            damage.note("astray", sentence)
        found: defaultdict[str, list[Standing]] = defaultdict(list)
        for message in ours:
            found[message.key].append(message)
            if message.unfinished or not message.key:
                state = "unfinished" if message.unfinished else "of no answer"
                damage.note("left behind", f"{message.id} ({state}) says {message.text!r}")
        for key, messages in found.items():
            if key and len(messages) > 1:
                damage.note("doubled", f"{key} stands there {len(messages)} times: {messages[0].text!r}")
            # What a piece says whose text was emptied is the platform's.
            if key and self._stands[key] and letters(messages[0].text) != letters(self._stands[key]):
                damage.note("astray", f"{key} says {messages[0].text!r} and should say {self._stands[key]!r}")

    @property
    @abstractmethod
    def _called(self) -> list[Any]:
        """The calls so far."""

    @abstractmethod
    def _seen(self, call: Any) -> list[Line]:
        """What people saw come of a call."""

    @abstractmethod
    def _ours(self) -> list[Standing]:
        """The desk's messages that stand there."""

    def _appeared(self, key: str, message: MessageT, text: str) -> Line:
        """A piece that stands there now."""
        piece = self._replies[key]
        self._messages[key] = message
        self._stands[key] = piece["text"]
        self._seen_at[key] = time.monotonic()
        return {"type": "reply", "to": self._lines[piece["to"]], "text": text} | {
            name: piece[name] for name in ("key", "session", "turn")
        }

    def _changed(self, key: str, id_: str, text: str) -> Line:
        """A piece that says something else now."""
        # Several may have been announced since calls were looked at: the words tell which one this is.
        said = letters(text)
        announced = reversed(self._changes[id_])
        piece = min(announced, key=lambda piece: (letters(piece["text"]) != said, bool(piece["text"])))
        self._stands[key] = piece["text"]
        return {"type": piece["kind"], "key": key, "text": text}


def letters(text: str) -> str:
    """The words of a text, however they are marked up."""
    return re.sub(r"\W+", "", text)
