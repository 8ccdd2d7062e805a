"""Pieces of the desk's replies on their way to Discord, each once.

A message carries a nonce made of its key: sent again within some minutes, Discord gives the message that is there.
Later it is looked for in the channel. https://docs.discord.com/developers/resources/message#create-message
"""

import logging
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable

from adapters.discord import render
from adapters.discord.api import CLOSED_DM, DiscordApi, RefusedCallError
from adapters.discord.directs import Directs
from adapters.discord.interactions import Interactions
from adapters.discord.refs import Us, snowflake_at
from adapters.discord.removing import Removing
from adapters.discord.showing import Showing, asked
from adapters.discord.threads import Threads, is_archived
from adapters.payloads import Json, object_in, text_in
from core.errors import RejectedError
from core.models import ConversationRef, Delivery, TextFile

log = logging.getLogger(__name__)

NONCE_SECONDS = 120.0
"""How long a nonce counts for sure: Discord says "the past few minutes"."""
PAGES, PAGE = 10, 100
"""Messages of a channel that are looked through for a piece."""
CLOSED = "I answer that in private, and cannot write to you directly. Say it with `/desk`, or let me write to you."
CLOSED_HERE = "I cannot write to you directly: allow direct messages from members of this server, then ask again."
WRITTEN = "I wrote it to you directly, where it stays."
CLOCKS_APART = 60.0

_UUID7 = re.compile(r"([0-9a-f]{12})7[0-9a-f]{19}\.")


class Posting:
    """Posts, changes and looks up the desk's messages."""

    def __init__(  # noqa: PLR0913 - the parts it is made of
        self,
        api: DiscordApi,
        threads: Threads,
        directs: Directs,
        interactions: Interactions,
        showing: Showing,
        removing: Removing,
    ) -> None:
        """Nothing is opened here."""
        self._removing = removing
        self._api = api
        self._threads = threads
        self._directs = directs
        self._interactions = interactions
        self._showing = showing

    async def post(self, delivery: Delivery, us: Us) -> str:
        """Post, retract or restore a piece; its message's id. Raises as `core.ports.Platform.post` does."""
        if delivery.kind == "reply" and delivery.private and not delivery.ref.direct:
            return await (self._write_directly(delivery, us) if delivery.stays else self._whisper(delivery, us))
        posted = await (self._reply(delivery, us) if delivery.kind == "reply" else self._change(delivery, us))
        await self._interactions.settle(
            delivery.to, self._threads.id_of(delivery.ref), why=self._threads.why_direct(delivery.ref)
        )
        if delivery.settles:
            await self._threads.archive(delivery.ref)
        return posted

    async def find(self, delivery: Delivery, us: Us) -> str | None:
        """Look a piece up whose outcome is unknown, as `core.ports.Platform.find` says."""
        if delivery.kind != "reply":
            # To put the same text in the same place once more does no harm.
            return None
        if await self._showing.is_noted(asked(delivery.ref, delivery.to), delivery.key):
            return None
        if delivery.private and not delivery.ref.direct:
            if not delivery.stays and await self._interactions.is_repeatable(delivery):
                return None
            channel: str | None = await self._directs.of(delivery.ref.user)
            delivery = render.direct(delivery)
        else:
            channel = self._threads.id_of(delivery.ref)
        if channel is None or time.time() - _made(delivery.key) < NONCE_SECONDS:
            return None
        return await self._found(delivery, channel, us)

    async def say(self, channel: str, body: Json, file: TextFile | None = None) -> str:
        """Write in a channel or thread, taken out of the archive where it lies there."""

        async def write() -> str:
            path = "/channels/{channel_id}/messages"
            return text_in(await self._api.call("POST", path, body=body, file=file, channel_id=channel), "id")

        return await self._awake(channel, write)

    async def whisper(
        self, ref: ConversationRef, body: Json, us: Us, *, closed: Json | None = None, file: TextFile | None = None
    ) -> str:
        """Write to somebody directly; where they are closed to us, `closed` in the conversation instead, if any."""
        try:
            return await self.say(await self._directs.of(ref.user), body, file)
        except RefusedCallError as error:
            if error.code != CLOSED_DM or closed is None:
                raise
            log.info("person %s takes no direct messages", ref.user)
            return await self.say(await self._threads.ready(ref, us), closed)

    async def _reply(self, delivery: Delivery, us: Us) -> str:
        channel = await self._threads.ready(delivery.ref, us)
        shown = await self._showing.take(asked(delivery.ref, delivery.to), delivery.key, channel, us)
        if shown is None:
            posted = await self.say(channel, self._body(delivery), delivery.file)
            self._threads.posted(delivery.ref, posted)
            return posted
        try:
            await self._edit(channel, shown, render.content(delivery))
        except RejectedError as error:
            log.info("what was streamed for %s is gone, the answer is posted anew: %s", delivery.to, error)
            # Before it is posted: from then on it is found by its key.
            await self._showing.forget(asked(delivery.ref, delivery.to))
            return await self.say(channel, self._body(delivery))
        return shown

    def _body(self, delivery: Delivery) -> Json:
        return render.post(delivery) | self._threads.reference(delivery.ref)

    async def _change(self, delivery: Delivery, us: Us) -> str:
        channel, message = await self._threads.ready(delivery.ref, us), delivery.message or ""
        if delivery.removes:
            await self._awake(channel, lambda: self._remove(channel, message))
        else:
            await self._edit(channel, message, render.content(delivery))
        return message

    async def _remove(self, channel: str, message: str) -> str:
        await self._removing.remove(channel, message)
        return message

    async def _edit(self, channel: str, message: str, body: Json) -> None:
        path = "/channels/{channel_id}/messages/{message_id}"

        async def write() -> str:
            await self._api.call("PATCH", path, body=body, channel_id=channel, message_id=message)
            return message

        await self._awake(channel, write)

    async def _whisper(self, delivery: Delivery, us: Us) -> str:
        """Say something to one person alone: as the answer to an interaction, else in a direct message."""
        posted = await self._interactions.say(delivery, render.content(delivery))
        if posted is not None:
            return posted
        closed = None if delivery.ref.thread is None else render.line(CLOSED, f"closed/{delivery.to}")
        return await self.whisper(delivery.ref, render.post(render.direct(delivery)), us, closed=closed)

    async def _write_directly(self, delivery: Delivery, us: Us) -> str:
        """Write what somebody reads for longer to them directly, and say where it is in the place of "thinking"."""
        asked = await self._interactions.knows(delivery.to)
        closed = None if asked or delivery.ref.thread is None else render.line(CLOSED, f"closed/{delivery.to}")
        body = render.post(render.direct(delivery))
        try:
            posted = await self.whisper(delivery.ref, body, us, closed=closed, file=delivery.file)
        except RefusedCallError as error:
            why = CLOSED_HERE if error.code == CLOSED_DM else ""
            await self._interactions.settle(delivery.to, None, why=why)
            raise
        await self._interactions.settle(delivery.to, None, why=WRITTEN)
        return posted

    async def _awake(self, channel: str, write: Callable[[], Awaitable[str]]) -> str:
        try:
            return await write()
        except RefusedCallError as error:
            if not is_archived(error):
                raise
            await self._threads.reopen(channel)
            return await write()

    async def _found(self, delivery: Delivery, channel: str, us: Us) -> str | None:
        async for message in self._since(channel, snowflake_at(_made(delivery.key) - CLOCKS_APART)):
            if text_in(object_in(message, "author"), "id") == us.user and render.is_piece(message, delivery):
                return text_in(message, "id")
        return None

    async def _since(self, channel: str, after: str) -> AsyncIterator[Json]:
        for _ in range(PAGES):
            query = {"after": after, "limit": PAGE}
            page = await self._api.call("GET", "/channels/{channel_id}/messages", query=query, channel_id=channel)
            for message in page:
                yield message
            if len(page) < PAGE:
                return
            after = max((text_in(message, "id") for message in page), key=int)


def _made(key: str) -> float:
    """When the event was taken in that a piece answers: its id begins with that (UUIDv7). 0 where it has another."""
    found = _UUID7.match(key)
    return int(found[1], 16) / 1_000 if found else 0.0
