"""The streams that were begun, also by a desk that was killed since: which message each answer has to end up in.

A stream is noted before it is begun and again before its first text. A start of which nobody knows what came is looked
for among our own messages of the thread; what we post otherwise has metadata, and what is streamed has none.
https://docs.slack.dev/reference/methods/chat.startStream
"""

import asyncio
import time
from dataclasses import asdict, dataclass, replace
from weakref import WeakValueDictionary

from adapters.slack.api import SlackApi
from core.models import ConversationRef
from core.ports import Notes

STREAM = "stream"
CLOCKS_APART = 60.0
"""Seconds by which our clock and Slack's may differ."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A stream that was begun: after when, and as which message where that is known.

    `before` are the streams that Slack ended too early and that this one goes on from, in its place.
    """

    after: str
    ts: str | None = None
    before: tuple[str, ...] = ()


class BegunStreams:
    """Knows what was begun for what is answered, as `asked` names it."""

    def __init__(self, api: SlackApi) -> None:
        """Nothing is opened here."""
        self._api = api
        self._notes: Notes | None = None
        self._threads: WeakValueDictionary[tuple[str, str, str | None], asyncio.Lock] = WeakValueDictionary()

    def remember_in(self, notes: Notes) -> None:
        """Use these notes from now on."""
        self._notes = notes

    def thread(self, ref: ConversationRef) -> asyncio.Lock:
        """Held while a stream of a thread is begun or looked for: two that are being begun look the same."""
        return self._threads.setdefault((ref.workspace, ref.channel, ref.thread), asyncio.Lock())

    async def of(self, to: str) -> Begun | None:
        """What was begun for what is answered; None where nothing was."""
        noted = await self._notes.get(STREAM, to) if self._notes else None
        if not isinstance(noted, dict):
            return None
        return Begun(str(noted["after"]), noted.get("ts"), tuple(noted.get("before", ())))

    async def begin(self, to: str, before: tuple[str, ...] = ()) -> Begun:
        """Note that a stream is about to be begun, in place of those `before` it."""
        return await self._keep(to, Begun(f"{time.time() - CLOCKS_APART:.6f}", None, before))

    async def began(self, to: str, begun: Begun, ts: str) -> Begun:
        """Note which message it became."""
        return await self._keep(to, replace(begun, ts=ts))

    async def did_not(self, to: str, begun: Begun) -> None:
        """Note that Slack did not begin it: the answer goes to the one before it, or is posted."""
        if not begun.before:
            return await self.forget(to)
        *before, ts = begun.before
        await self._keep(to, replace(begun, ts=ts, before=tuple(before)))

    async def forget(self, to: str) -> None:
        """The answer stands where the stream was: nothing is left to find."""
        if self._notes:
            await self._notes.drop(STREAM, to)

    async def found(self, to: str, ref: ConversationRef, bot: str) -> Begun | None:
        """What was begun, looked for where its start was cut, with its message; None where there is none.

        What came of it is kept: once an answer stands there, it has metadata and would not be found again. Raises
        PlatformError where it cannot be told now.
        """
        begun = await self.of(to)
        if begun is None or begun.ts is not None:
            return begun
        # No other stream of the thread may be about to begin: it would look the same.
        async with self.thread(ref):
            ts = await self._left_behind(to, begun, ref, bot)
            if ts is not None:
                return await self.began(to, begun, ts)
            await self.did_not(to, begun)
        return await self.of(to)

    async def _left_behind(self, to: str, begun: Begun, ref: ConversationRef, bot: str) -> str | None:
        """Our own message in the thread, after the one that asked, without metadata, and no other stream."""
        noted = await self._notes.all(STREAM) if self._notes else {}
        known = {note["ts"] for other, note in noted.items() if other != to}.union(begun.before)
        found = await self._api.call(
            ref.workspace,
            "conversations.replies",
            channel=ref.channel,
            ts=ref.thread,
            include_all_metadata=True,
            oldest=begun.after,
            limit=200,
        )
        for message in found.get("messages", []):
            ts = str(message.get("ts", ""))
            ours = message.get("user") == bot and ts != ref.thread and ts > begun.after
            if ours and not message.get("metadata") and ts not in known:
                return ts
        return None

    async def _keep(self, to: str, begun: Begun) -> Begun:
        if self._notes:
            await self._notes.put(STREAM, to, asdict(begun))
        return begun
