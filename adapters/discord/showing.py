"""An answer while it is written: typing, then a message that grows by edits, at most one a second.

Nothing here is the answer itself: what is delivered in the end takes the message's place, whole. The message is noted
before it is begun, and its nonce is made of what it answers: after a crash it is the same one.
"""

import asyncio
import logging
import time
from dataclasses import asdict, dataclass, field, replace

from adapters.discord import render
from adapters.discord.api import DiscordApi
from adapters.discord.door import best_effort
from adapters.discord.refs import Us, snowflake_at
from adapters.discord.threads import Threads
from adapters.payloads import Json, object_in, text_in
from core.errors import DeskError
from core.models import ConversationRef, Event, Progress, Reaction
from core.ports import Notes

log = logging.getLogger(__name__)

STREAM = "stream"
SECONDS_BETWEEN = 1.0
TYPING_SECONDS = 8.0
"""Discord shows it for ten."""
TYPED_MOST = 75
NONCE_SECONDS = 120.0
KEPT_SECONDS, TIDY_SECONDS = 24 * 3_600.0, 3_600.0


@dataclass(frozen=True, slots=True)
class Begun:
    """A message that was begun: when, as which message where that is known, and for which piece it was taken."""

    at: float
    message: str | None = None
    key: str | None = None


@dataclass(slots=True)
class _Shown:
    """What is shown for one event that is being answered."""

    ref: ConversationRef
    to: str
    text: str = ""
    message: str = ""
    sent: str = ""
    grew: asyncio.Event = field(default_factory=asyncio.Event)
    calling: asyncio.Lock = field(default_factory=asyncio.Lock)
    tasks: tuple[asyncio.Task[None], ...] = ()


def asked(ref: ConversationRef, to: str) -> str:
    """Name what is answered, over all conversations."""
    return f"{ref.workspace}/{ref.channel}/{to}"


class Showing:
    """The answers that are being written now, each under what it answers, as `asked` names it."""

    def __init__(self, api: DiscordApi, threads: Threads, *, after: float) -> None:
        """An answer that takes longer than `after` seconds is streamed; a quick one is only posted."""
        self._api = api
        self._threads = threads
        self._after = after
        self._notes: Notes | None = None
        self._shown: dict[str, _Shown] = {}

    def remember_in(self, notes: Notes) -> None:
        """Use these notes from now on."""
        self._notes = notes

    def show(self, progress: Progress, us: Us) -> None:
        """Take in what is to be shown, at once: a turn never waits for Discord."""
        to = asked(progress.ref, progress.to)
        shown = self._shown.get(to)
        if shown is None:
            shown = self._shown[to] = _Shown(progress.ref, progress.to)
            shown.tasks = (
                asyncio.create_task(best_effort(self._type(shown, us))),
                asyncio.create_task(best_effort(self._write(to, shown, us))),
            )
        shown.text = progress.text
        shown.grew.set()

    async def aimed(self, event: Event) -> Event:
        """Aim a reaction on what is shown at the message it answers: the desk knows that one, and not yet this."""
        if not isinstance(event, Reaction):
            return event
        for shown in [one for one in self._shown.values() if one.ref.channel == event.ref.channel]:
            # People see a message before its call has told us which one it is.
            async with shown.calling:
                pass
            if shown.message and shown.message == event.message:
                # What answers a message, or an edit of one, says so by its id.
                message = shown.to.partition("+")[0]
                return replace(event, message=message if message.isdecimal() else event.message, live=True)
        return event

    async def take(self, to: str, key: str, channel: str, us: Us) -> str | None:
        """End what was shown for an event; the message that the piece of this key has to take the place of, if any.

        The first piece gets it, and gets it again after a crash. Raises PlatformError where that cannot be told now.
        """
        shown = self._shown.pop(to, None)
        if shown is not None:
            # Not in the middle of a call: one that is cut may or may not have begun a message.
            async with shown.calling:
                await _end(shown)
        begun = await self._begun(to)
        if begun is None or begun.key not in (None, key):
            return None
        found = begun.message or await self._left_behind(to, begun, channel, us)
        if found is None:
            await self.forget(to)
            return None
        if begun.key is None:
            # Durable before the words change: else a desk that is killed then would post them once more.
            await self._keep(to, Begun(begun.at, found, key))
        return found

    async def is_noted(self, to: str, key: str | None = None) -> bool:
        """Whether a message was begun for an event, also by a desk before this one, and not for another piece."""
        begun = await self._begun(to)
        return begun is not None and (key is None or begun.key in (None, key))

    async def forget(self, to: str) -> None:
        """The message that was begun is gone: what is posted now is found by its own key."""
        if self._notes:
            await self._notes.drop(STREAM, to)

    async def tidy_on(self) -> None:
        """Forget, again and again, what was begun so long ago that its answer is there."""
        while True:
            try:
                await self._tidy()
            except DeskError as error:
                log.warning("old streams are not forgotten yet: %s", error)
            await asyncio.sleep(TIDY_SECONDS)

    async def _tidy(self) -> None:
        for to, noted in (await self._notes.all(STREAM)).items() if self._notes else ():
            if noted["at"] < time.time() - KEPT_SECONDS:
                await self.forget(to)

    async def close(self) -> None:
        """Show no more."""
        for shown in list(self._shown.values()):
            await _end(shown)
        self._shown.clear()

    async def _type(self, shown: _Shown, us: Us) -> None:
        channel = await self._threads.ready(shown.ref, us)
        for _ in range(TYPED_MOST):
            await self._api.call("POST", "/channels/{channel_id}/typing", channel_id=channel)
            await asyncio.sleep(TYPING_SECONDS)

    async def _write(self, to: str, shown: _Shown, us: Us) -> None:
        await asyncio.sleep(self._after)
        while not shown.text:
            await self._wait(shown)
        if await self.is_noted(to):
            # A killed desk began one: there the answer will stand.
            return
        channel = await self._threads.ready(shown.ref, us)
        if not (shown.ref.direct or self._threads.has_thread(shown.ref)):
            # In a channel an answer is a reply, whole at once.
            return
        message = await self._begin(to, shown, channel)
        while len(shown.sent) < render.STREAMED:
            await asyncio.sleep(SECONDS_BETWEEN)
            await self._wait(shown)
            await self._grow(shown, channel, message)

    async def _wait(self, shown: _Shown) -> None:
        await shown.grew.wait()
        shown.grew.clear()

    async def _begin(self, to: str, shown: _Shown, channel: str) -> str:
        async with shown.calling:
            begun = await self._keep(to, Begun(time.time()))
            text = render.streamed(shown.text)
            said = await self._say(to, text, channel)
            shown.sent = text
            await self._keep(to, Begun(begun.at, said))
            shown.message = said
            return said

    async def _grow(self, shown: _Shown, channel: str, message: str) -> None:
        async with shown.calling:
            text = render.streamed(shown.text)
            if text == shown.sent:
                return
            path = "/channels/{channel_id}/messages/{message_id}"
            body = render.said_as(text)
            await self._api.call("PATCH", path, body=body, channel_id=channel, message_id=message)
            shown.sent = text

    async def _say(self, to: str, text: str, channel: str) -> str:
        body = render.line(text, _key(to))
        return text_in(
            await self._api.call("POST", "/channels/{channel_id}/messages", body=body, channel_id=channel), "id"
        )

    async def _left_behind(self, to: str, begun: Begun, channel: str, us: Us) -> str | None:
        """The message that was begun by a call whose answer nobody heard: while its nonce counts, said once more."""
        if time.time() - begun.at < NONCE_SECONDS:
            return await self._say(to, "…", channel)
        query = {"after": snowflake_at(begun.at - 60), "limit": 100}
        page = await self._api.call("GET", "/channels/{channel_id}/messages", query=query, channel_id=channel)
        return next((text_in(one, "id") for one in page if _is_begun(one, to, us)), None)

    async def _begun(self, to: str) -> Begun | None:
        noted = await self._notes.get(STREAM, to) if self._notes else None
        return Begun(**noted) if isinstance(noted, dict) else None

    async def _keep(self, to: str, begun: Begun) -> Begun:
        if self._notes:
            await self._notes.put(STREAM, to, asdict(begun))
        return begun


async def _end(shown: _Shown) -> None:
    # Not kept: a task that was cancelled knows where, and with it what is shown, in a circle for the collector.
    tasks, shown.tasks = shown.tasks, ()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _key(to: str) -> str:
    return f"stream/{to}"


def _is_begun(message: Json, to: str, us: Us) -> bool:
    """Whether a message of ours is what was begun: by its nonce, else one that has no buttons and no other nonce."""
    if text_in(object_in(message, "author"), "id") != us.user:
        return False
    nonce = message.get("nonce")
    return str(nonce) == render.nonce_of(_key(to)) if nonce is not None else False
