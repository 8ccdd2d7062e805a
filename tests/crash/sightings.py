"""What people in Slack were shown, as lines; and what stands there in the end that should not."""

import re
import time
from collections import defaultdict
from typing import Any

from simulators.slack_service import Message, SlackService
from simulators.slack_service.web_api import Call
from tests.crash.check import Damage
from tests.crash.truth import Line

MOMENT = 0.5
"""Seconds that people take to read an answer before they react on it. That is longer than one call's answer takes."""


class Sightings:
    """Reads what Slack was made to show. Which event an answer is for the desk says before it posts: a message of
    Slack's does not.
    """

    def __init__(self, slack: SlackService) -> None:
        self._slack = slack
        self._read = 0
        self._lines: dict[str, str] = {}
        self._threads: dict[str, str] = {}
        self._replies: dict[str, Line] = {}
        self._changes: defaultdict[str, list[Line]] = defaultdict(list)
        self._messages: dict[str, Message] = {}
        self._seen_at: dict[str, float] = {}
        self._stands: dict[str, str] = {}
        self._elsewhere: list[str] = []

    def expect(self, to: str, line: str, *, thread: str) -> None:
        """Take note by what the desk calls an event, and in which thread its answer belongs."""
        self._lines[to], self._threads[line] = line, thread

    def announced(self, piece: Line) -> None:
        """Take note of what the desk is about to post: a reply by its key, a change by the message it changes."""
        if piece["kind"] == "reply":
            self._replies[piece["key"]] = piece
        else:
            self._changes[piece["message"]].append(piece)

    def message(self, key: str) -> Message:
        """The message that a piece is in."""
        return self._messages[key]

    def is_new(self, key: str) -> bool:
        """Whether a piece is on the screen only since a moment, or was posted by a desk that is no more."""
        return time.monotonic() - self._seen_at.get(key, 0.0) < MOMENT or key not in self._seen_at

    def desk_begins(self) -> None:
        """Another desk begins: of what the one before it posted it may not know everything yet."""
        self._seen_at.clear()

    @property
    def are_more(self) -> bool:
        """Whether Slack was called since."""
        return len(self._slack._web.calls) > self._read

    def fresh(self) -> list[Line]:
        """What people saw appear or change since this was asked last."""
        calls = self._slack._web.calls
        lines = [line for call in calls[self._read :] if call.ok for line in self._seen(call)]
        self._read = len(calls)
        return lines

    def check(self, damage: Damage) -> None:
        """Note what stands there in the end that should not."""
        for sentence in self._elsewhere:
            damage.note("astray", sentence)
        found: defaultdict[str, list[Message]] = defaultdict(list)
        for message in self._ours():
            key = _key_in(message.metadata)
            found[key].append(message)
            if message.stream == "in_progress" or not key:
                damage.note("left behind", f"{message.ts} ({message.stream or 'no stream'}) says {message.text!r}")
        for key, messages in found.items():
            if key and len(messages) > 1:
                damage.note("doubled", f"{key} stands there {len(messages)} times: {messages[0].text!r}")
            # What a piece says whose text was emptied is the platform's.
            if key and self._stands[key] and _letters(messages[0].text) != _letters(self._stands[key]):
                damage.note("astray", f"{key} says {messages[0].text!r} and should say {self._stands[key]!r}")

    def _seen(self, call: Call) -> list[Line]:
        if call.method == "chat.postMessage" or (call.method == "chat.update" and "metadata" in call.args):
            return [self._reply(call)]
        return [self._change(call)] if call.method == "chat.update" else []

    def _reply(self, call: Call) -> Line:
        key = _key_in(call.args["metadata"])
        piece = self._replies[key]
        channel = self._slack.world.channels[call.args["channel"]]
        message = self._messages[key] = channel.messages[call.answer["ts"]]
        line = self._lines[piece["to"]]
        if message.thread_ts != self._threads[line]:
            self._elsewhere.append(f"the answer to {line} stands in another thread")
        self._stands[key] = piece["text"]
        self._seen_at[key] = time.monotonic()
        return {"type": "reply", "to": line, "text": call.args["text"]} | {
            name: piece[name] for name in ("key", "session", "turn")
        }

    def _change(self, call: Call) -> Line:
        # Several may have been announced since calls were looked at: the words tell which one this is.
        said = _letters(call.args["text"])
        announced = reversed(self._changes[call.args["ts"]])
        piece = min(announced, key=lambda piece: (_letters(piece["text"]) != said, bool(piece["text"])))
        channel = self._slack.world.channels[call.args["channel"]]
        key = _key_in(channel.messages[call.args["ts"]].metadata)
        self._stands[key] = piece["text"]
        return {"type": piece["kind"], "key": key, "text": call.args["text"]}

    def _ours(self) -> list[Message]:
        bot = self._slack.install.user
        return [
            message
            for channel in self._slack.world.channels.values()
            for message in channel.messages.values()
            if message.user == bot and message.subtype != "tombstone"
        ]


def _key_in(metadata: dict[str, Any]) -> str:
    return str(metadata.get("event_payload", {}).get("key", ""))


def _letters(text: str) -> str:
    return re.sub(r"\W+", "", text)
