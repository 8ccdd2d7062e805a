"""The threads that conversations are in: planned before the desk has the message, opened once, archived and reopened.

A thread below a message has the message's id, so that to open it twice opens one. A private thread has an id of its
own: its conversation is known by the interaction that asked for it, and after a crash the thread is looked for among
our own before another one is made. https://docs.discord.com/developers/topics/threads
"""

import asyncio
import logging
from collections import OrderedDict
from dataclasses import asdict, replace
from itertools import islice
from weakref import WeakValueDictionary

from adapters.discord.api import (
    ARCHIVED,
    NOT_PERMITTED,
    THREAD_EXISTS,
    DiscordApi,
    RefusedCallError,
)
from adapters.discord.directs import Directs
from adapters.discord.refs import Room, Us
from adapters.discord.render import line, thread_name
from adapters.discord.thread import DIRECTLY, GRANT, NOT_HERE, PRIVATE, PUBLIC, WITHOUT, Thread
from adapters.payloads import Json, object_in, objects_in, text_in
from core.errors import PlatformError
from core.models import ConversationRef
from core.ports import Notes

log = logging.getLogger(__name__)

THREAD = "thread"
DAY_MINUTES = 1_440
REPLIES = 4_096
KEPT = 10_000
"""Threads in the archive that are known to be ours, at most."""


class Threads:
    """Knows the threads the app opened, by their conversations."""

    def __init__(self, api: DiscordApi, directs: Directs) -> None:
        """Nothing is opened here."""
        self._api = api
        self._directs = directs
        self._notes: Notes | None = None
        self._threads: dict[str, Thread] = {}
        self._conversations: dict[str, str] = {}
        self._replies: OrderedDict[str, str] = OrderedDict()
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def remember_in(self, notes: Notes) -> None:
        """Use these notes from now on."""
        self._notes = notes

    async def load(self) -> None:
        """Read what was planned and opened before."""
        noted = await self._notes.all(THREAD) if self._notes else {}
        for value in noted.values():
            self._know(Thread(**value))
        await self._let_go()

    def conversation(self, thread: str) -> str:
        """The conversation in a thread."""
        return self._conversations.get(thread, thread)

    def id_of(self, ref: ConversationRef) -> str | None:
        """The thread or channel of a ref; None where it is not known yet."""
        thread = self._threads.get(ref.channel)
        return thread.id if thread else ref.channel

    def reference(self, ref: ConversationRef) -> Json:
        """What lets a message be a reply to what its conversation began with, where that has no thread."""
        thread = self._threads.get(ref.channel)
        if thread is None or not thread.replaced or thread.private:
            return {}
        return {"message_reference": {"message_id": thread.conversation, "fail_if_not_exists": False}}

    def why_direct(self, ref: ConversationRef) -> str:
        """What to say where somebody asked in private, and no private thread was to be had."""
        thread = self._threads.get(ref.channel)
        return DIRECTLY if thread and thread.private and thread.replaced else ""

    def posted(self, ref: ConversationRef, message: str) -> None:
        """Know a message of ours that stands in a channel as the conversation's, so that people can react on it."""
        if self.reference(ref):
            self._replies[message] = ref.channel
            if len(self._replies) > REPLIES:
                self._replies.popitem(last=False)

    def room_of(self, room: Room, message: str) -> Room:
        """The room of a message: where there was no thread to be had the conversation is not the message's own."""
        thread = self._threads.get(self._replies.get(message) or message)
        return replace(room, conversation=thread.conversation) if thread and thread.id == room.id else room

    def has_thread(self, ref: ConversationRef) -> bool:
        """Whether a conversation is in a thread, or will be."""
        thread = self._threads.get(ref.channel)
        return ref.thread is not None and not (thread and thread.replaced)

    def is_planned(self, conversation: str) -> bool:
        """Whether a conversation has a thread of ours already, or gets one."""
        return conversation in self._threads

    def live(self) -> list[Thread]:
        """The threads that are not archived."""
        return [one for one in self._threads.values() if one.live]

    def live_of(self, guild: str, user: str) -> list[Thread]:
        """The threads somebody has open in a server."""
        return [one for one in self.live() if (one.guild, one.by) == (guild, user)]

    async def plan(self, thread: Thread) -> None:
        """Note that a conversation gets a thread, durable when this returns."""
        # The note stays as long as the thread: it holds no more than what may be kept, and so does the thread's name.
        if self._notes and thread.conversation not in self._threads:
            thread = replace(thread, said=await self._notes.masked(thread.said))
        if thread.conversation not in self._threads:
            await self._keep(thread)

    async def unplan(self, conversation: str) -> None:
        """Let a conversation have no thread after all, where it has none yet."""
        thread = self._threads.get(conversation)
        if thread is not None and not thread.opened:
            del self._threads[conversation]
            if self._notes:
                await self._notes.drop(THREAD, conversation)

    async def ready(self, ref: ConversationRef, us: Us) -> str:
        """The id of the thread or channel of a ref, opened where it has to be.

        Raises RejectedError where it cannot be, any other PlatformError where it may be tried again.
        """
        thread = self._threads.get(ref.channel)
        if thread is None or thread.opened:
            return thread.id or ref.channel if thread else ref.channel
        async with self._locks.setdefault(ref.channel, asyncio.Lock()):
            thread = self._threads[ref.channel]
            if not thread.opened:
                thread = await (self._open_below(thread) if thread.below else self._open_alone(thread, us))
            return thread.id or ref.channel

    async def reopen(self, thread: str) -> None:
        """Take a thread out of the archive. Raises PlatformError, also where it is locked."""
        await self._api.call("PATCH", "/channels/{channel_id}", body={"archived": False}, channel_id=thread)

    async def archive(self, ref: ConversationRef) -> None:
        """Put the thread of a ref into the archive: who writes there takes it out again."""
        thread = self.id_of(ref)
        if thread is None or ref.direct or not self.has_thread(ref):
            return
        try:
            await self._api.call("PATCH", "/channels/{channel_id}", body={"archived": True}, channel_id=thread)
        except PlatformError as error:
            log.info("thread %s is not archived: %s", thread, error)

    async def changed(self, thread: Json) -> None:
        """Take note of `THREAD_UPDATE`: archived or open again."""
        known = self._threads.get(self.conversation(text_in(thread, "id")))
        live = not object_in(thread, "thread_metadata").get("archived")
        if known is not None and known.live != live:
            await self._keep(replace(known, live=live), durable=False)

    async def only_live(self, guild: str, live: set[str]) -> None:
        """Take note of all threads of a server that are not archived."""
        for known in list(self._threads.values()):
            if known.guild == guild and known.opened and known.live != (known.id in live):
                await self._keep(replace(known, live=not known.live), durable=False)

    async def gone(self, thread: Json) -> None:
        """Take note of `THREAD_DELETE`."""
        conversation = self.conversation(text_in(thread, "id"))
        self._conversations.pop(text_in(thread, "id"), None)
        if self._threads.pop(conversation, None) and self._notes:
            await self._notes.drop(THREAD, conversation)

    async def _open_below(self, thread: Thread) -> Thread:
        try:
            await self._api.call(
                "POST",
                "/channels/{channel_id}/messages/{message_id}/threads",
                body={"name": thread_name(thread.said), "auto_archive_duration": DAY_MINUTES},
                channel_id=thread.parent,
                message_id=thread.conversation,
            )
        except RefusedCallError as error:
            if error.code in NOT_HERE:
                log.warning("no thread in channel %s: %s (grant Create Public Threads there)", thread.parent, error)
                return await self._do_without(thread, GRANT if error.code == NOT_PERMITTED else WITHOUT)
            if error.code != THREAD_EXISTS:
                await self._keep(replace(thread, live=False), durable=False)
                raise
        return await self._keep(replace(thread, opened=True, live=True), durable=False)

    async def _do_without(self, thread: Thread, why: str) -> Thread:
        """Let a conversation stand in the channel it began in, and say so there, once."""
        here = replace(thread, id=thread.parent, opened=True, live=False, replaced=True)
        ref = {"message_reference": {"message_id": thread.conversation, "fail_if_not_exists": False}}
        body = line(why, f"no thread/{thread.conversation}") | ref
        await self._api.call("POST", "/channels/{channel_id}/messages", body=body, channel_id=thread.parent)
        return await self._keep(here)

    async def _open_alone(self, thread: Thread, us: Us) -> Thread:
        # One at a time in a channel: two that are being made look the same.
        resumed = thread.id is not None or thread.begun
        async with self._locks.setdefault(thread.parent, asyncio.Lock()):
            if thread.id is None and thread.begun:
                thread = replace(thread, id=await self._left_behind(thread, us))
            if thread.id is None:
                thread = await self._make(thread)
            await self._keep(thread)
        if thread.replaced:
            return thread
        await self._api.call(
            "PUT", "/channels/{channel_id}/thread-members/{user_id}", channel_id=thread.id or "", user_id=thread.by
        )
        if thread.apart:
            return await self._keep(replace(thread, opened=True), durable=False)
        # What was asked stands nowhere else.
        asked, path = line(f"Asked: {thread.said}", f"asked/{thread.conversation}"), "/channels/{channel_id}/messages"
        if not resumed or not await self._has_words(thread.id or ""):
            await self._api.call("POST", path, body=asked, channel_id=thread.id or "")
        return await self._keep(replace(thread, opened=True), durable=False)

    async def _make(self, thread: Thread) -> Thread:
        begun = await self._keep(replace(thread, begun=True))
        body: Json = {"name": thread_name(thread.said), "type": PUBLIC if thread.apart else PRIVATE}
        body |= {} if thread.apart else {"invitable": False}
        try:
            made = await self._api.call(
                "POST", "/channels/{channel_id}/threads", body=body, once=True, channel_id=thread.parent
            )
        except RefusedCallError as error:
            log.warning(
                "no thread in channel %s: %s (grant Create %s Threads there)", thread.parent, error, thread.kind
            )
            if thread.apart or error.code not in NOT_HERE:
                await self._keep(replace(thread, live=False), durable=False)
                raise
            # What was asked in private is answered in private.
            direct = await self._directs.of(thread.by)
            return replace(begun, id=direct, opened=True, live=False, replaced=True)
        return replace(begun, id=text_in(made, "id"))

    async def _left_behind(self, thread: Thread, us: Us) -> str | None:
        """The private thread that was made by a call whose answer nobody heard: ours, later, and of no conversation.

        Nobody was let in yet, so that of two with the same name each may be either's.
        """
        path = "/guilds/{guild_id}/threads/active"
        found = await self._api.call("GET", path, guild_id=thread.guild)
        for one in objects_in(found, "threads"):
            id_ = text_in(one, "id")
            ours = one.get("type") == (PUBLIC if thread.apart else PRIVATE) and text_in(one, "owner_id") == us.user
            here = text_in(one, "parent_id") == thread.parent and text_in(one, "name") == thread_name(thread.said)
            is_new = id_ not in self._conversations and int(id_ or 0) > int(thread.conversation)
            if ours and here and is_new:
                return id_
        return None

    async def _has_words(self, thread: str) -> bool:
        """Whether anything stands in a thread: what was asked is the first."""
        page = await self._api.call("GET", "/channels/{channel_id}/messages", query={"limit": 5}, channel_id=thread)
        return any(text_in(message, "content") for message in page)

    async def _keep(self, thread: Thread, *, durable: bool = True) -> Thread:
        # What was asked named it, and is no more needed here.
        thread = replace(thread, said="") if thread.opened else thread
        self._know(thread)
        await self._let_go()
        if self._notes:
            keep = self._notes.put if durable else self._notes.ride
            await keep(THREAD, thread.conversation, asdict(thread))
        return thread

    async def _let_go(self) -> None:
        """Forget the oldest of too many threads that are in the archive: of these nothing has to be known.

        Below a message a thread has the conversation's own id, and who spoke in it the desk knows.
        """
        many = len(self._threads) - KEPT
        if many <= 0:
            return
        over = (name for name, one in self._threads.items() if one.opened and one.below and not one.live)
        for name in list(islice(over, many)):
            if not self._threads[name].replaced:
                del self._threads[name]
                if self._notes:
                    await self._notes.drop(THREAD, name)

    def _know(self, thread: Thread) -> None:
        self._threads[thread.conversation] = thread
        if not thread.below and thread.id and not thread.replaced:
            self._conversations[thread.id] = thread.conversation


def is_archived(error: RefusedCallError) -> bool:
    """Whether a call was refused for where it stands only: a thread that can be reopened."""
    return error.code == ARCHIVED
