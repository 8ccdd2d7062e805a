"""What is shown of a run while it streams: text, held back until the output check passed on it, and what is done."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from agents import HandoffOutputItem, RunItemStreamEvent, StreamEvent, ToolCallItem
from agents.items import TResponseStreamEvent

from core.links import Links
from core.metering import Meter
from core.personal.secrets import may_open_secret
from core.tools import DOING

_SENTENCE = re.compile(r"[.!?…:;][\"')\]*_`»”’]*\s+|\n+")
_LONGEST_END = 8
"""Characters of a sentence's end that may come in an earlier piece than its space."""
_REACH = 400
"""Characters before a new sentence that are checked again with it: more than any known secret's beginning has."""


class Watch(Protocol):
    """Who shows a turn's progress. Never raises, never keeps the turn waiting for long."""

    async def text(self, safe: str, /) -> None:
        """Show the whole text so far; the output check passed on it."""
        ...

    async def doing(self, what: str, /) -> None:
        """Show what is being done now."""
        ...


class UnsafeTextError(Exception):
    """The text that streams in must not go out; `reason` is a word for the log."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class SafeText:
    """Lets streamed text through by sentences, each checked together with what came before it.

    What was let through never ends in what may be the first part of a secret: that waits for the next sentence. The
    messages of a run follow each other as paragraphs, so the text only ever grows.
    """

    def __init__(self, find_leak: Callable[[str], str | None]) -> None:
        self.shown = ""
        self._find_leak = find_leak
        self._text = ""
        self._scanned = 0
        self._checked = 0
        self._passed = 0
        self._between = False

    def add(self, piece: str) -> str | None:
        """Take in a piece of a message; the safe text so far where it grew. Raises UnsafeTextError."""
        if self._between and piece:
            self._text, self._between = f"{self._text}\n\n", False
        self._text += piece
        whole, safe = self._sentence_ends()
        self._check_up_to(whole)
        return self._show_up_to(safe)

    def end_message(self) -> str | None:
        """Take the message as whole; the safe text so far where it grew. Raises UnsafeTextError."""
        self._between = bool(self._text)
        self._check_up_to(len(self._text))
        return self._show_up_to(len(self._text))

    def check(self, text: str) -> None:
        """Check a text on its own. Raises UnsafeTextError."""
        reason = self._find_leak(text)
        if reason is not None:
            raise UnsafeTextError(reason)

    def _sentence_ends(self) -> tuple[int, int]:
        """Where the last whole sentence ends, and the last that does not end in the beginning of a secret."""
        whole = safe = 0
        for match in _SENTENCE.finditer(self._text, self._scanned):
            whole = match.end()
            if not may_open_secret(self._text, whole):
                safe = whole
        self._scanned = max(whole, len(self._text) - _LONGEST_END)
        return whole, safe

    def _check_up_to(self, end: int) -> None:
        if end > self._checked:
            self.check(self._text[max(0, self._checked - _REACH) : end])
            self._checked = end

    def _show_up_to(self, end: int) -> str | None:
        if end <= self._passed:
            return None
        self._passed = end
        self.shown = self._text[:end].rstrip()
        return self.shown


@dataclass(frozen=True, slots=True)
class Follower:
    """Passes on what a run streams: safe text, and what is being done."""

    safe: SafeText
    watch: Watch
    meter: Meter
    links: Links

    async def follow(self, event: StreamEvent) -> None:
        """Look at one event; most tell nothing new."""
        if event.type == "raw_response_event":
            await self._follow_model(event.data)
        elif event.type == "run_item_stream_event":
            await self._follow_run(event)

    async def _follow_model(self, data: TResponseStreamEvent) -> None:
        text = None
        if data.type == "response.output_text.delta":
            self.meter.streamed(data.delta)
            text = self.safe.add(data.delta)
        elif data.type == "response.function_call_arguments.delta":
            self.meter.streamed(data.delta)
        elif data.type == "response.content_part.done":
            text = self.safe.end_message()
        if text is not None:
            await self.watch.text(self.links.defused(text))

    async def _follow_run(self, event: RunItemStreamEvent) -> None:
        item = event.item
        if isinstance(item, ToolCallItem):
            await self.watch.doing(DOING.get(item.tool_name or "", "working"))
        elif isinstance(item, HandoffOutputItem):
            await self.watch.doing(f"handing over to {item.target_agent.name}")
