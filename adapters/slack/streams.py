"""An answer while it is written: a status, then a stream of text, in the thread of the message that asked.

Nothing here is the answer itself: what is delivered in the end takes the stream's place, whole. A stream that Slack
ends by itself is gone on with in a new one, which takes its place: nobody reads the same words twice.
https://docs.slack.dev/reference/methods/chat.startStream
"""

import asyncio
import logging
import re
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field, replace

from adapters.slack import render
from adapters.slack.api import RefusedCallError, SlackApi
from adapters.slack.begun import BegunStreams
from adapters.slack.removing import Removing
from adapters.slack.translate import Stopped
from core.errors import PlatformError, RejectedError, UnknownOutcomeError
from core.models import ConversationRef, Event, Progress, Reaction
from core.ports import Notes

log = logging.getLogger(__name__)

STREAM_MOST = 3_500
"""Characters that are streamed at most: what is longer comes with the answer itself."""
SECONDS_BETWEEN = 1.0
BEGUN_MOST = 4
"""Streams that are begun at most for one answer, one after another."""
CONTINUED = "(continued below)"
"""What a stream becomes that ended too early and that Slack does not let us delete."""

_EXPIRED = "message_not_in_streaming_state"
_STAMP = re.compile(r"(\d+\.\d{6})(\+.*)?")
"""What answers a message, or an edit of one, says so by the ts."""


@dataclass(slots=True)
class _Stream:
    """What is shown for one message that is being answered. A `halted` one shows no more: the person stopped it."""

    ref: ConversationRef
    to: str
    text: str = ""
    doing: str = ""
    ts: str | None = None
    sent: int = 0
    begun: int = 0
    before: tuple[str, ...] = ()
    halted: bool = False
    grew: asyncio.Event = field(default_factory=asyncio.Event)
    calling: asyncio.Lock = field(default_factory=asyncio.Lock)
    task: asyncio.Task[None] | None = None


def asked(ref: ConversationRef, to: str) -> str:
    """Name what is answered, over all workspaces: a ts is a message's own in its channel alone."""
    return f"{ref.workspace}/{ref.channel}/{to}"


class Streams:
    """The answers that are being written now, each under what it answers, as `asked` names it."""

    def __init__(self, api: SlackApi, removing: Removing, *, after: float) -> None:
        """An answer that takes longer than `after` seconds is streamed; a quick one is only posted."""
        self._api = api
        self._removing = removing
        self._after = after
        self._begun = BegunStreams(api)
        self._streams: dict[str, _Stream] = {}
        self._unknown: set[str] = set()
        self._ended: deque[tuple[str, str]] = deque(maxlen=1_000)

    def remember_in(self, notes: Notes) -> None:
        """Use these notes from now on."""
        self._begun.remember_in(notes)

    def show(self, progress: Progress) -> None:
        """Take in what is to be shown, at once: a turn never waits for Slack."""
        ref = progress.ref
        if ref.thread is None:
            return
        to = asked(ref, progress.to)
        stream = self._streams.get(to)
        if stream is None:
            stream = self._streams[to] = _Stream(ref, progress.to)
            stream.task = asyncio.create_task(self._run(to, stream))
        stream.text, stream.doing = progress.text, progress.doing
        stream.grew.set()

    def halt(self, stopped: Stopped) -> None:
        """Show no more in a thread: the person pressed Slack's own stop, and Slack has ended the streams it lists."""
        ref = stopped.ref
        # The answer to a start may be on its way here: whether its stream was ended is told by its ts alone.
        self._ended.extend((ref.workspace, ts) for ts in stopped.streams)
        for stream in self._streams.values():
            there = stream.ref.workspace, stream.ref.channel, stream.ref.thread
            stream.halted = stream.halted or there == (ref.workspace, ref.channel, ref.thread)

    async def rest(self, ref: ConversationRef) -> None:
        """Say that nothing is worked at in a thread any more: Slack does not find that out by itself.

        https://docs.slack.dev/reference/events/agent_session_stopped
        """
        with suppress(RejectedError):
            await self._api.call(
                ref.workspace,
                "agents.sessions.setStatus",
                channel_id=ref.channel,
                thread_ts=ref.thread,
                status="active",
            )

    def aimed(self, event: Event) -> Event:
        """Aim a reaction on a stream at the message it answers: the desk knows that one, and not yet the stream."""
        if not isinstance(event, Reaction):
            return event
        place = event.ref.workspace, event.ref.channel, event.message
        for stream in self._streams.values():
            if (stream.ref.workspace, stream.ref.channel, stream.ts) == place:
                return _aimed(event, stream)
        return event

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
        begun = await self._begun.found(to, ref, bot)
        if begun is None or begun.ts is None:
            return None
        if (ref.workspace, begun.ts) not in self._ended:
            await self._stop(ref, begun.ts)
        if stream is None or stream.before:
            await self._remove(ref, begun.before)
        return begun.ts

    async def is_noted(self, to: str) -> bool:
        """Whether a stream was begun for a message, also by a desk before this one."""
        return await self._begun.of(to) is not None

    async def forget(self, to: str) -> None:
        """The answer stands where the stream was: nothing is left to find."""
        await self._begun.forget(to)

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
            # Where a killed desk began one, there the answer will stand: nobody would ever end a second one.
            if stream.ref.workspace not in self._unknown and not await self.is_noted(to):
                await self._write(to, stream)
        except PlatformError as error:
            log.info("the answer to %s is shown no further: %s", to, error)

    async def _write(self, to: str, stream: _Stream) -> None:
        await self._begin(to, stream)
        while stream.ts and not stream.halted and stream.sent < STREAM_MOST:
            if not await self._append(stream, stream.ts):
                # Where a person stopped it, Slack is about to say so.
                await asyncio.sleep(SECONDS_BETWEEN)
                await self._begin(to, stream)
                continue
            await asyncio.sleep(SECONDS_BETWEEN)
            await self._wait(stream)

    async def _wait(self, stream: _Stream) -> None:
        await stream.grew.wait()
        stream.grew.clear()

    async def _status(self, stream: _Stream) -> None:
        """Say that the desk works, and at what. Slack takes the status away when something is posted."""
        if stream.halted:
            return
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
        """Begin a stream; where Slack ended the one before by itself, one that goes on in its place."""
        ref = stream.ref
        async with stream.calling, self._begun.thread(ref):
            if stream.halted:
                return
            stream.before += (stream.ts,) if stream.ts else ()
            stream.ts = None
            begun = await self._begun.begin(to, stream.before)
            try:
                started = await self._api.call(ref.workspace, "chat.startStream", **render.stream_start(ref))
            except RejectedError as error:
                # Where the method is unknown there is a status and one post.
                log.info("answers are not streamed in %s: %s", ref.workspace, error)
                self._unknown.add(ref.workspace)
                return await self._begun.did_not(to, begun)
            ts = str(started["ts"])
            await self._begun.began(to, begun, ts)
            stream.ts, stream.sent, stream.begun = ts, 0, stream.begun + 1

    async def _append(self, stream: _Stream, ts: str) -> bool:
        """Show what is new; False where Slack has ended the stream by itself."""
        async with stream.calling:
            new = render.streamed(stream.text)[stream.sent : STREAM_MOST]
            if not new or stream.halted:
                return True
            try:
                with suppress(UnknownOutcomeError):
                    await self._api.call(
                        stream.ref.workspace,
                        "chat.appendStream",
                        channel=stream.ref.channel,
                        ts=ts,
                        markdown_text=new,
                    )
            except RefusedCallError as error:
                if error.said == _EXPIRED and stream.begun < BEGUN_MOST:
                    return False
                raise
            stream.sent += len(new)
            # The new one shows by now what the old one did.
            await self._remove(stream.ref, stream.before)
            stream.before = ()
            return True

    async def _remove(self, ref: ConversationRef, before: tuple[str, ...]) -> None:
        for ts in before:
            if not await self._removing.remove(ref, ts):
                with suppress(RejectedError):
                    await self._api.say(ref.workspace, "chat.update", channel=ref.channel, ts=ts, text=CONTINUED)

    async def _stop(self, ref: ConversationRef, ts: str) -> None:
        # A stream that ended by itself cannot be stopped, and has not to be.
        with suppress(RejectedError):
            await self._api.call(ref.workspace, "chat.stopStream", channel=ref.channel, ts=ts)


def _aimed(reaction: Reaction, stream: _Stream) -> Reaction:
    message = _STAMP.fullmatch(stream.to)
    return replace(
        reaction,
        ref=replace(reaction.ref, thread=stream.ref.thread),
        message=message[1] if message else reaction.message,
        # A message that is answered for the first time is not answered yet: the desk sees that by itself.
        live=message is None or message[2] is not None,
    )
