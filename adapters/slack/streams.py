"""An answer while it is written: a status, then a stream of text, in the thread of the message that asked.

Nothing here is the answer itself: what is delivered in the end takes the stream's place, whole. A stream is noted
before it is begun and again before its first text, so that a later desk finds the message a killed one left behind.
https://docs.slack.dev/reference/methods/chat.startStream
"""

import asyncio
import logging
import time
from contextlib import suppress
from dataclasses import dataclass, field
from weakref import WeakValueDictionary

from adapters.slack import render
from adapters.slack.api import SlackApi
from core.errors import PlatformError, RejectedError, UnknownOutcomeError
from core.models import ConversationRef, Progress
from core.ports import Notes

log = logging.getLogger(__name__)

STREAM, STREAM_MOST = "stream", 3_500
"""Characters that are streamed at most: what is longer comes with the answer itself."""
SECONDS_BETWEEN = 1.0
CLOCKS_APART = 60.0
"""Seconds by which our clock and Slack's may differ."""


@dataclass(slots=True)
class _Stream:
    """What is shown for one message that is being answered."""

    ref: ConversationRef
    text: str = ""
    doing: str = ""
    ts: str | None = None
    sent: int = 0
    ended: bool = False
    grew: asyncio.Event = field(default_factory=asyncio.Event)
    calling: asyncio.Lock = field(default_factory=asyncio.Lock)
    task: asyncio.Task[None] | None = None


class Streams:
    """The answers that are being written now."""

    def __init__(self, api: SlackApi, *, after: float) -> None:
        """An answer that takes longer than `after` seconds is streamed; a quick one is only posted."""
        self._api = api
        self._after = after
        self._notes: Notes | None = None
        self._streams: dict[str, _Stream] = {}
        self._unknown: set[str] = set()
        self._threads: WeakValueDictionary[tuple[str, str, str | None], asyncio.Lock] = WeakValueDictionary()

    def remember_in(self, notes: Notes) -> None:
        """Use these notes from now on."""
        self._notes = notes

    def show(self, progress: Progress) -> None:
        """Take in what is to be shown, at once: a turn never waits for Slack."""
        ref = progress.ref
        if ref.thread is None:
            return
        stream = self._streams.get(progress.to)
        if stream is None:
            stream = self._streams[progress.to] = _Stream(ref)
            stream.task = asyncio.create_task(self._run(progress.to, stream))
        stream.text, stream.doing = progress.text, progress.doing
        stream.grew.set()

    def end(self, streams: tuple[str, ...]) -> None:
        """Slack has ended these streams itself: they take no more."""
        for stream in self._streams.values():
            stream.ended = stream.ended or stream.ts in streams

    async def take(self, to: str, ref: ConversationRef, bot: str) -> str | None:
        """End what was shown for a message; the ts of the message the answer has to take the place of, if any.

        Raises PlatformError where that cannot be told now.
        """
        stream = self._streams.pop(to, None)
        if stream is not None and stream.task is not None:
            # Not in the middle of a call: one that is cut may or may not have begun a stream.
            async with stream.calling:
                stream.task.cancel()
            await asyncio.gather(stream.task, return_exceptions=True)
        noted = await self._notes.get(STREAM, to) if self._notes else None
        if not isinstance(noted, dict):
            return None
        ts = noted.get("ts") or await self._found(to, ref, bot, newer_than=str(noted["after"]))
        if ts is not None and not (stream is not None and stream.ended):
            await self._stop(ref, ts)
        return ts

    async def is_noted(self, to: str) -> bool:
        """Whether a stream was begun for a message, also by a desk before this one."""
        return bool(self._notes and await self._notes.get(STREAM, to))

    async def forget(self, to: str) -> None:
        """The answer stands where the stream was: nothing is left to find."""
        if self._notes:
            await self._notes.drop(STREAM, to)

    async def close(self) -> None:
        """Show no more."""
        tasks = [stream.task for stream in self._streams.values() if stream.task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self, to: str, stream: _Stream) -> None:
        try:
            await self._status(stream)
            await asyncio.sleep(self._after)
            while not stream.text:
                await self._wait(stream)
                await self._status(stream)
            if stream.ref.workspace in self._unknown:
                return
            async with stream.calling, self._thread(stream.ref):
                await self._begin(to, stream)
            while stream.ts and not stream.ended and stream.sent < STREAM_MOST:
                async with stream.calling:
                    await self._append(stream, stream.ts)
                await asyncio.sleep(SECONDS_BETWEEN)
                await self._wait(stream)
        except PlatformError as error:
            log.info("the answer to %s is shown no further: %s", to, error)

    async def _wait(self, stream: _Stream) -> None:
        await stream.grew.wait()
        stream.grew.clear()

    async def _status(self, stream: _Stream) -> None:
        """Say that the desk works, and at what. Slack takes the status away when something is posted."""
        status = f"is {stream.doing}..." if stream.doing else "is thinking..."
        with suppress(RejectedError):
            await self._api.call(
                stream.ref.workspace,
                "assistant.threads.setStatus",
                channel_id=stream.ref.channel,
                thread_ts=stream.ref.thread,
                status=status,
            )

    async def _begin(self, to: str, stream: _Stream) -> None:
        ref = stream.ref
        if self._notes is None or await self.is_noted(to):
            # A killed desk began one, and there the answer will stand: nobody would ever end a second one.
            return
        after = f"{time.time() - CLOCKS_APART:.6f}"
        await self._notes.put(STREAM, to, {"after": after, "ts": None})
        try:
            begun = await self._api.call(ref.workspace, "chat.startStream", **render.stream_start(ref))
        except RejectedError as error:
            # Where the method is unknown there is a status and one post.
            log.info("answers are not streamed in %s: %s", ref.workspace, error)
            self._unknown.add(ref.workspace)
            return await self._notes.drop(STREAM, to)
        await self._notes.put(STREAM, to, {"after": after, "ts": begun["ts"]})
        stream.ts = str(begun["ts"])

    async def _append(self, stream: _Stream, ts: str) -> None:
        new = render.streamed(stream.text)[stream.sent : STREAM_MOST]
        if not new:
            return
        stream.sent += len(new)
        with suppress(UnknownOutcomeError):
            await self._api.call(
                stream.ref.workspace,
                "chat.appendStream",
                channel=stream.ref.channel,
                ts=ts,
                markdown_text=new,
            )

    async def _stop(self, ref: ConversationRef, ts: str) -> None:
        # A stream that ended by itself cannot be stopped, and has not to be.
        with suppress(RejectedError):
            await self._api.call(ref.workspace, "chat.stopStream", channel=ref.channel, ts=ts)

    async def _found(self, to: str, ref: ConversationRef, bot: str, *, newer_than: str) -> str | None:
        """Look for the stream whose start was cut, and keep what came of it: once an answer stands there, it has
        metadata and would not be found again.
        """
        # No other stream of the thread may be about to begin: it would look the same.
        async with self._thread(ref):
            ts = await self._left_behind(to, ref, bot, newer_than=newer_than)
            if ts is None:
                await self.forget(to)
            elif self._notes:
                await self._notes.put(STREAM, to, {"after": newer_than, "ts": ts})
        return ts

    async def _left_behind(self, to: str, ref: ConversationRef, bot: str, *, newer_than: str) -> str | None:
        """Our own message in the thread, after the one that asked, without metadata, and no other answer's stream."""
        noted = await self._notes.all(STREAM) if self._notes else {}
        others = {note["ts"] for other, note in noted.items() if other != to}
        found = await self._api.call(
            ref.workspace,
            "conversations.replies",
            channel=ref.channel,
            ts=ref.thread,
            include_all_metadata=True,
            oldest=newer_than,
            limit=200,
        )
        for message in found.get("messages", []):
            ts = str(message.get("ts", ""))
            ours = message.get("user") == bot and ts != ref.thread and ts > newer_than
            if ours and not message.get("metadata") and ts not in others:
                return ts
        return None

    def _thread(self, ref: ConversationRef) -> asyncio.Lock:
        return self._threads.setdefault((ref.workspace, ref.channel, ref.thread), asyncio.Lock())
