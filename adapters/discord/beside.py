"""Threads beside a conversation, for a branch of it: opened at once, or wanted by a process that speaks no Discord.

Such a process notes what is wanted, and goes on as if the thread was there. Who speaks Discord opens it before the
first piece is posted there: where it may not, it says so in the conversation the branch comes from.
"""

import logging
from dataclasses import replace

from adapters.discord.posting import Posting
from adapters.discord.refs import Us
from adapters.discord.render import line
from adapters.discord.rooms import Rooms
from adapters.discord.thread import apart, in_private
from adapters.discord.threads import Threads
from adapters.discord.wanting import WANTED
from core.errors import RejectedError, UnknownOutcomeError
from core.models import ConversationRef
from core.ports import Notes

log = logging.getLogger(__name__)

NOT_OPENED = "I could open no thread for {title} here: say `switch {name}` to go on with it in this place."


class Beside:
    """Opens threads beside those that are there."""

    def __init__(self, threads: Threads, rooms: Rooms, posting: Posting) -> None:
        """Nothing is opened here."""
        self._threads = threads
        self._rooms = rooms
        self._posting = posting
        self._notes: Notes | None = None

    def remember_in(self, notes: Notes) -> None:
        """Use these notes from now on."""
        self._notes = notes

    async def open(self, ref: ConversationRef, us: Us, *, key: str, title: str) -> ConversationRef | None:
        """Open a thread in the channel that a conversation's thread is in; none in a forum, where people open posts."""
        thread = await self._rooms.find(self._threads.id_of(ref) or "", ref.workspace)
        channel = await self._rooms.find(thread.parent, ref.workspace) if thread and thread.kind == "thread" else None
        if thread is None or channel is None or channel.kind != "channel" or not key.isdecimal():
            return None
        made = in_private if await self._rooms.is_private(thread) else apart
        await self._threads.plan(made(key, guild=ref.workspace, parent=channel.id, by=ref.user, said=title))
        there = replace(ref, channel=key, thread=key)
        try:
            await self._threads.ready(there, us)
        except UnknownOutcomeError:
            # It may be there: looked for, and made where it is not.
            await self._threads.ready(there, us)
        return there

    async def ready(self, ref: ConversationRef, us: Us) -> None:
        """Open the thread of a conversation where it is wanted. Raises RejectedError where it cannot be opened."""
        if self._notes is None or ref.direct or self._is_known(ref):
            return
        wanted = await self._notes.get(WANTED, ref.channel)
        if wanted is None:
            return
        origin, title = replace(ref, channel=wanted["channel"], thread=wanted["channel"]), wanted["title"]
        try:
            opened = await self.open(replace(origin, user=wanted["user"]), us, key=ref.channel, title=title)
        except RejectedError as error:
            log.info("no thread beside %s: %s", origin.channel, error)
            opened = None
        if opened is None:
            said = line(NOT_OPENED.format(title=title, name=title.split(" ")[0]), f"beside/{ref.channel}")
            await self._posting.say(self._threads.id_of(origin) or origin.channel, said)
        await self._notes.drop(WANTED, ref.channel)
        if opened is None:
            raise RejectedError(f"no thread can be opened beside {origin.channel}")

    def _is_known(self, ref: ConversationRef) -> bool:
        planned = self._threads.is_planned(ref.channel)
        return planned or self._rooms.at(ref.channel, ref.workspace) is not None
