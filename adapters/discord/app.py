"""Discord as a platform: what comes in is durable before it is acknowledged, what goes out is posted once."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import discord

from adapters.discord import render
from adapters.discord.client import DeskClient
from adapters.discord.door import best_effort
from adapters.discord.hearing import Hearing
from adapters.discord.identifying import Identifying
from adapters.discord.options import Aim, Options
from adapters.discord.parts import made_of
from adapters.discord.pressing import Pressing
from adapters.discord.refs import PLATFORM, Us
from adapters.discord.words import Interaction, Word
from adapters.payloads import Json, text_in
from core.models import ConversationRef, Delivery, Progress, UserMessage
from core.ports import Notes

if TYPE_CHECKING:
    from core.desk import Desk

log = logging.getLogger(__name__)

COMMANDS = "commands"
HOW_TO_GO_ON = "\n-# Reply to this message or mention me to go on."
"""What an answer ends with where the app may not read messages that do not call it."""


class DiscordApp:
    """The app on Discord, on one desk. Entered by who made it, with the desk it hands events to."""

    name = PLATFORM
    repeats_by_key = False
    names_devices = False
    opens_places = True
    writes_directly = True

    def __init__(
        self, token: str, words: Sequence[Word], *, options: Options | None = None, aim: Aim | None = None
    ) -> None:
        """Nothing is connected here. `words` are the desk's table: what app commands are made of."""
        self._token = token
        self._words = words
        self._aim = aim or Aim()
        self._parts = made_of(options or Options())
        emoji = frozenset(word.emoji for word in words if word.emoji)
        self._hearing = Hearing(self._parts, emoji)
        private = frozenset(word.name for word in words if word.answer == "private")
        self._pressing = Pressing(self._parts, self._hearing, private)
        self._client: DeskClient | None = None
        self._connected = asyncio.Event()
        self._identifying = Identifying()

    async def __aenter__(self) -> "DiscordApp":
        """Nothing is open before a client runs."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Show nothing more."""
        await self._parts.showing.close()

    @asynccontextmanager
    async def serving(self, desk: "Desk") -> AsyncIterator[None]:
        """Hand what comes in to this desk until left."""
        parts = self._parts
        await parts.threads.load()
        await parts.catch_up.load()
        parts.door.desk = desk
        parts.door.begin(parts.interactions.tidy_on())
        parts.door.begin(parts.removing.tidy())
        parts.door.begin(parts.showing.tidy_on())
        parts.door.begin(parts.catch_up.keep_on())
        try:
            yield
        finally:
            await parts.door.close()
            await best_effort(parts.catch_up.keep())

    async def run(self) -> None:
        """Live one life of a client: log in, sync the commands where they changed, connect, take in what comes.

        Returns when it was closed, else raises what ended it: `discord.LoginFailure` for a token that was refused,
        `discord.PrivilegedIntentsRequired`, `discord.ConnectionClosed` with its code, `SessionsUsedUpError` where
        Discord lets no more sessions begin, or whatever a malformed frame or a missing network came to. May be called
        again: a new client is made each time, and what is to be posted waits.
        """
        content = self._parts.options.content
        client = DeskClient(self, self._words, self._aim, identifying=self._identifying, content=content)
        try:
            async with client:
                # A session that can be resumed is resumed. Where it cannot, the library would try again by itself, for
                # which it waits up to 17 minutes after an outage: who calls knows better when to begin another life.
                await client.start(self._token, reconnect=False)
        finally:
            self._connected.clear()
            self._parts.api.use(None)
            self._parts.rooms.use(None)
            self._client = None

    def do_without_content(self) -> None:
        """Ask for no content of messages from the next life on: the app is not allowed to."""
        self._parts.options = replace(self._parts.options, content=False)
        self._parts.blank = True

    @property
    def ready(self) -> bool:
        """Whether a desk takes what comes in, and the gateway tells of it."""
        return self._parts.door.desk is not None and self._connected.is_set()

    async def until_ready(self) -> None:
        """Wait until the gateway's session has begun."""
        await self._connected.wait()

    async def settled(self) -> None:
        """Wait until all that came in so far is taken in, or is not."""
        await self._parts.catch_up.nobody_waits()
        await self._parts.door.settled()

    @property
    def bot(self) -> str:
        """The bot's name; empty before the first login."""
        user = self._client.user if self._client else None
        return user.name if user else ""

    @property
    def application(self) -> str:
        """The application's id; empty before the first login."""
        return self._parts.us.application

    @property
    def guilds(self) -> list[str]:
        """The names of the servers the app is in, as far as the gateway told of them."""
        return [guild.name for guild in self._client.guilds] if self._client else []

    @property
    def content_missing(self) -> bool:
        """Whether messages come without their content."""
        return self._parts.blank

    # --- in: what `adapters.discord.client.Ears` asks for -------------------------------------------------------------

    def frame(self, frame: Json) -> None:
        """Take an event of the gateway's in."""
        self._hearing.take(frame)
        if text_in(frame, "t") == "READY":
            self._connected.set()

    async def interaction(self, interaction: Interaction) -> None:
        """Take in what somebody chose or pressed."""
        await self._pressing.take(interaction)

    async def tickets(self, interaction: Interaction, typed: str) -> list[str]:
        """Offer somebody's tickets."""
        return await self._pressing.tickets(interaction, typed)

    async def branches(self, interaction: Interaction, typed: str) -> list[str]:
        """Offer the branches of a conversation."""
        return await self._pressing.branches(interaction, typed)

    async def set_up(self, client: DeskClient) -> None:
        """Call through a client that has logged in, and tell Discord the commands where they changed."""
        user, parts = client.user, self._parts
        parts.us = Us(str(user.id) if user else "", str(client.application_id or ""))
        parts.rooms.use(client)
        parts.api.use(client.http)
        self._client = client
        fingerprint = client.tree.fingerprint()
        if parts.notes and await parts.notes.get(COMMANDS, parts.us.application) == fingerprint:
            return
        try:
            await client.tree.sync()
        except discord.HTTPException as error:
            log.warning("the commands are not told to Discord, it goes on with those it has: %s", error)
            return
        if parts.notes:
            await parts.notes.put(COMMANDS, parts.us.application, fingerprint)

    def begin_catch_up(self) -> None:
        """Read what was said while nobody listened. Begun by itself where a session of the gateway begins."""
        self._hearing.begin_catch_up()

    # --- out ----------------------------------------------------------------------------------------------------------

    def remember_in(self, notes: Notes) -> None:
        """Keep here what threads are ours, who may still be answered, what was begun and what was heard last."""
        self._parts.remember_in(notes)

    def split(self, text: str) -> list[str]:
        """Cut a text into pieces Discord takes."""
        return render.split(text)

    async def post(self, delivery: Delivery) -> str:
        """Post, retract or restore one piece; the message's id."""
        us = await self._parts.known_us()
        await self._parts.beside.ready(delivery.ref, us)
        return await self._parts.posting.post(self._with_hint(delivery), us)

    async def find(self, delivery: Delivery) -> str | None:
        """Look for a piece by its nonce."""
        return await self._parts.posting.find(self._with_hint(delivery), await self._parts.known_us())

    async def reaches(self, ref: ConversationRef) -> bool:
        """Reach every conversation: whatever shard its events come by, Discord takes posts from any."""
        return True

    async def complete(self, message: UserMessage, *, first: bool) -> UserMessage:
        """Ask Discord what was said in the thread before."""
        return await self._parts.people.complete(message, self._parts.us, first=first)

    async def show(self, progress: Progress) -> None:
        """Show that the desk works, and the text so far."""
        self._parts.showing.show(progress, self._parts.us)

    async def link(self, ref: ConversationRef) -> str | None:
        """Link to a thread."""
        thread = self._parts.threads.id_of(ref)
        return f"<#{thread}>" if thread and self._parts.threads.has_thread(ref) else None

    async def open_beside(self, ref: ConversationRef, *, key: str, title: str) -> ConversationRef | None:
        """Open a thread in the channel that a conversation's thread is in; none in a forum, where people open posts."""
        return await self._parts.beside.open(ref, await self._parts.known_us(), key=key, title=title)

    def _with_hint(self, delivery: Delivery) -> Delivery:
        """Say how to go on below an answer, where the app may not read what does not call it."""
        is_answer = delivery.kind == "reply" and delivery.turn and delivery.buttons
        if not (self._parts.blank and is_answer) or delivery.ref.direct:
            return delivery
        return replace(delivery, text=delivery.text + HOW_TO_GO_ON)
