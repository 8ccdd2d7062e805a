"""What the gateway tells, taken in: live, resumed and caught-up messages go the same way."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress

from adapters.discord import door, translate
from adapters.discord.api import CLOSED_DM, RefusedCallError
from adapters.discord.door import best_effort
from adapters.discord.parts import Parts
from adapters.discord.refs import Room, roles_in, room_in
from adapters.discord.render import line
from adapters.discord.thread import Thread, below
from adapters.discord.translate import Heard
from adapters.payloads import Json, object_in, objects_in, text_in
from core.errors import PlatformError
from core.models import Accepted, ConversationRef, Event, UserMessage

log = logging.getLogger(__name__)

TOO_MANY = "You have {count} conversations open already: {threads}. Go on in one of them, please."
NOT_READ = "I cannot read this here: mention me, or reply to a message of mine with the ping on."
CATCH_UP_PAUSE = 30.0
VARIATION = "\N{VARIATION SELECTOR-16}"
HELLO = 10
"""What the gateway says first on each connection."""
IN_ORDER = "MESSAGE_"
"""What begins so is done to messages: it waits for what was missed before it."""


class Hearing:
    """Takes frames in, each after what came before it in its conversation."""

    def __init__(self, parts: Parts, emoji: frozenset[str]) -> None:
        """Nothing is heard yet. `emoji` are those that say a word."""
        self._parts = parts
        self._emoji = emoji
        self._sessions: dict[int, str] = {}
        self._shards = 1
        self._told: set[str] = set()
        self._catching_up = False
        self._missed_more = asyncio.Event()
        parts.directs.tell(self._read_missed)
        self._ways: dict[str, Callable[[Json, str], None]] = {
            "READY": self._ready,
            "GUILD_CREATE": self._guild,
            "CHANNEL_CREATE": self._channel,
            "CHANNEL_DELETE": self._channel_gone,
            "THREAD_UPDATE": self._thread,
            "THREAD_DELETE": self._thread_gone,
            "MESSAGE_CREATE": self._message,
            "MESSAGE_UPDATE": self._edit,
            "MESSAGE_DELETE": self._deletion,
            "MESSAGE_DELETE_BULK": self._deletion,
            "MESSAGE_REACTION_ADD": self._reaction,
            "MESSAGE_REACTION_REMOVE": self._unreaction,
        }

    def take(self, frame: Json) -> None:
        """Take a frame in; what means nothing to us is passed over."""
        if frame.get("op") == HELLO:
            self._parts.listening.begins()
        self._parts.listening.hears()
        name, said = text_in(frame, "t"), frame.get("d")
        way = self._ways.get(name)
        if way is None or not isinstance(said, dict) or self._parts.door.desk is None:
            return
        what = said, f"{self._session_of(text_in(said, 'guild_id'))}:{frame.get('s')}"
        if not (name.startswith(IN_ORDER) and self._parts.catch_up.waits(self._places_of(said), lambda: way(*what))):
            way(*what)

    def begin_catch_up(self) -> None:
        """Read what was said while nobody listened, beside what comes in now."""
        for thread in self._parts.threads.live():
            # Of a thread of ours that nobody has written in yet nothing else says where to begin.
            if thread.id is not None:
                self._parts.catch_up.begins(Room(thread.id, "thread", thread.guild), thread.id)
        self._parts.catch_up.begin()
        self._read_missed()

    def _read_missed(self) -> None:
        self._missed_more.set()
        if not self._catching_up:
            self._catching_up = True
            self._parts.door.begin(self._catch_up())

    async def _catch_up(self) -> None:
        try:
            while not self._parts.catch_up.is_done:
                self._missed_more.clear()
                found = await self._parts.catch_up.read(self._caught_up)
                if found:
                    log.info("%d messages were said meanwhile", found)
                if not self._parts.catch_up.is_done:
                    await self._until_missed_more()
        finally:
            self._catching_up = False

    async def _until_missed_more(self) -> None:
        """Wait before what could not be read is tried again, but not before something else."""
        with suppress(TimeoutError):
            async with asyncio.timeout(CATCH_UP_PAUSE):
                await self._missed_more.wait()

    def _places_of(self, said: Json) -> list[str]:
        """The channel or thread something happened in, and the channel a thread is below."""
        channel = text_in(said, "channel_id")
        room = self._parts.rooms.at(channel, text_in(said, "guild_id"))
        return [channel, room.parent] if room else [channel]

    async def _caught_up(self, said: Json, guild: str) -> None:
        await asyncio.gather(self._in_room(said, text_in(said, "id"), lambda room: self._said(said, room)))

    # --- what the gateway tells of itself and of places ---------------------------------------------------------------

    def _ready(self, said: Json, _: str) -> None:
        shard = said.get("shard")
        number, self._shards = (int(shard[0]), int(shard[1])) if isinstance(shard, list) else (0, 1)
        self._sessions[number] = text_in(said, "session_id")
        self._parts.door.begin(self._parts.catch_up.keep())
        # A session begins: at the start, and where the one before was not to be resumed.
        self.begin_catch_up()

    def _guild(self, guild: Json, _: str) -> None:
        id_ = text_in(guild, "id")
        channels = objects_in(guild, "channels")
        newest = {text_in(channel, "id"): text_in(channel, "last_message_id") for channel in channels}
        # All that is there says what was written last: so also where nobody was heard of is found what was missed.
        shown = [room_in(one, id_) for one in (*channels, *objects_in(guild, "threads"))]
        newest |= {text_in(one, "id"): text_in(one, "last_message_id") for one in objects_in(guild, "threads")}
        missed = {room.id for room in shown if self._parts.catch_up.finds(room, newest[room.id])}
        if missed:
            self._read_missed()
        for room in self._parts.rooms.supported(channels, id_):
            if room.id not in missed:
                self._parts.door.begin(self._parts.catch_up.know(room, newest[room.id]))
        if "threads" in guild:
            live = {text_in(thread, "id") for thread in objects_in(guild, "threads")}
            self._parts.door.begin(self._parts.threads.only_live(id_, live))

    def _channel(self, channel: Json, _: str) -> None:
        for room in self._parts.rooms.supported([channel], text_in(channel, "guild_id")):
            self._parts.door.begin(self._parts.catch_up.know(room, text_in(channel, "last_message_id")))

    def _channel_gone(self, channel: Json, _: str) -> None:
        self._parts.door.begin(self._parts.catch_up.forget(text_in(channel, "id")))

    def _thread(self, thread: Json, _: str) -> None:
        self._parts.door.begin(self._parts.threads.changed(thread))

    def _thread_gone(self, thread: Json, _: str) -> None:
        self._parts.door.begin(self._parts.threads.gone(thread))
        self._parts.door.begin(self._parts.catch_up.forget(text_in(thread, "id")))

    # --- what people do -----------------------------------------------------------------------------------------------

    def _message(self, said: Json, _: str) -> None:
        catch_up, channel, id_ = self._parts.catch_up, text_in(said, "channel_id"), text_in(said, "id")
        catch_up.coming(channel, id_)

        def end(task: "asyncio.Task[None]") -> None:
            if not task.cancelled() and task.exception() is None:
                catch_up.dealt_with(channel, id_)

        began = translate.answered(said, self._parts.us) or id_
        self._in_room(said, began, lambda room: self._said(said, room)).add_done_callback(end)

    def _edit(self, said: Json, _: str) -> None:
        async def take(room: Room) -> None:
            await self._hand_in(translate.edited(said, self._parts.us, room))

        self._in_room(said, translate.answered(said, self._parts.us) or text_in(said, "id"), take)

    def _deletion(self, gone: Json, _: str) -> None:
        async def take(room: Room) -> None:
            for heard in translate.deleted(gone, room):
                # The desk hears of a moderator's doing only.
                if not await self._parts.removing.was_us(heard.event.id):
                    await self._hand_in(heard)

        self._in_room(gone, text_in(gone, "id"), take)

    def _reaction(self, put: Json, frame: str) -> None:
        self._react(put, frame, removed=False)

    def _unreaction(self, put: Json, frame: str) -> None:
        self._react(put, frame, removed=True)

    def _react(self, put: Json, frame: str, *, removed: bool) -> None:
        async def take(room: Room) -> None:
            # Only where one is put on Discord says with their roles who did it.
            asks = removed and text_in(object_in(put, "emoji"), "name").rstrip(VARIATION) in self._emoji
            known = await self._parts.people.with_member(put) if asks else put
            heard = translate.reaction(known, self._parts.us, room, frame=frame, removed=removed)
            if heard is not None:
                await self._parts.door.accept(await self._parts.showing.aimed(heard.event))

        self._in_room(put, text_in(put, "message_id"), take)

    def _in_room(self, said: Json, message: str, work: Callable[[Room], Awaitable[None]]) -> "asyncio.Task[None]":
        """Do something about a message after all that came before it in its conversation."""
        channel, guild = text_in(said, "channel_id"), text_in(said, "guild_id")
        room = self._parts.rooms.at(channel, guild)
        key = room.conversation_at(message) if room and room.kind != "direct" else channel

        async def known() -> None:
            found = room or await self._found(channel, guild)
            if found is not None:
                await work(self._parts.threads.room_of(found, message))

        return self._parts.door.run(key, known())

    async def _found(self, channel: str, guild: str) -> Room | None:
        """A channel or thread that the client does not know; asked for until Discord says what it is."""
        while self._parts.door.desk is not None:
            try:
                return await self._parts.rooms.find(channel, guild)
            except PlatformError as error:
                log.info("channel %s is not known yet: %s", channel, error)
                await asyncio.sleep(door.PAUSE_SECONDS)
        raise PlatformError("the desk is stopping and takes nothing more in")

    async def _hand_in(self, heard: Heard | None) -> None:
        if heard is not None:
            await self._parts.door.accept(heard.event)

    async def _said(self, said: Json, room: Room) -> None:
        id_, user = text_in(said, "id"), text_in(object_in(said, "author"), "id")
        staff = self._parts.options.is_staff(room.ref(user, groups=roles_in(said)))
        heard = translate.message(said, self._parts.us, room, staff=staff)
        if heard is not None and await self._is_to_take(heard, room):
            await self.know(heard, room, id_)
            accepted = await self._parts.door.accept(heard.event)
            self.meet(heard.event)
            if heard.begins and accepted is Accepted.REFUSED:
                await self._parts.threads.unplan(heard.event.ref.channel)
            elif heard.begins:
                self._parts.door.begin(self._open(heard.event.ref))
        # Only now: what the desk has not is read again.
        self._parts.catch_up.heard(room, id_)

    async def _is_to_take(self, heard: Heard, room: Room) -> bool:
        """Whether a message is taken: not where it cannot be read, nor where it is too much."""
        message = heard.event
        assert isinstance(message, UserMessage)  # noqa: S101 - what is said is a message
        user = message.ref.user
        if heard.hidden:
            self._blank(room, message)
            return False
        if not heard.begins:
            return True
        refusal = await self.plan(below(heard.below, guild=room.guild, parent=room.id, by=user, said=message.text))
        if refusal:
            self._parts.door.begin(self._tell(room, message, refusal))
        return not refusal

    async def know(self, heard: Heard, room: Room, id_: str) -> None:
        """Know a place where the desk is meant before it has what was said there: from then on it is read again."""
        if self._is_ours(heard.event):
            await self._parts.catch_up.know(room, str(int(id_) - 1) if id_.isdecimal() else "")

    def meet(self, event: Event) -> None:
        """Know where somebody writes directly, from when they spoke to the desk elsewhere."""
        if self._is_ours(event) and not event.ref.direct:
            self._parts.door.begin(self._parts.directs.meet(event.ref.user))

    def _is_ours(self, event: Event) -> bool:
        called = not isinstance(event, UserMessage) or event.called
        return called or self._parts.threads.is_planned(event.ref.channel)

    async def plan(self, thread: Thread) -> str:
        """Let a conversation have a thread; why not, where it is one too many."""
        threads, most = self._parts.threads, self._parts.options.open_threads
        live = threads.live_of(thread.guild, thread.by)
        if most and len(live) >= most and not threads.is_planned(thread.conversation):
            return TOO_MANY.format(count=len(live), threads=", ".join(f"<#{one.id}>" for one in live if one.id))
        await threads.plan(thread)
        return ""

    async def _open(self, ref: ConversationRef) -> None:
        await self._parts.threads.ready(ref, self._parts.us)

    def _blank(self, room: Room, message: UserMessage) -> None:
        """Say that content is kept from us: in the log once, and once in each thread of ours."""
        if not self._parts.blank:
            self._parts.blank = True
            log.warning(
                "messages come without their content: turn on Message Content Intent in the Developer Portal, "
                "under Bot; until then mentions, direct messages, commands and menus work"
            )
        if self._parts.threads.is_planned(message.ref.channel) and room.id not in self._told:
            self._told.add(room.id)
            self._parts.door.begin(best_effort(self._parts.posting.say(room.id, line(NOT_READ, f"blank/{room.id}"))))

    async def _tell(self, room: Room, message: UserMessage, text: str) -> None:
        """Tell one person something that is no answer of the desk's: directly, or where they wrote."""
        posting, body = self._parts.posting, line(text, f"told/{message.id}")
        try:
            direct = room.id if message.ref.direct else await self._parts.directs.of(message.ref.user)
            await posting.say(direct, body)
        except RefusedCallError as error:
            if error.code != CLOSED_DM:
                raise PlatformError(str(error)) from error
            await posting.say(room.id, body)

    def _session_of(self, guild: str) -> str:
        """The gateway session that tells of a server: a frame's number is its own within it alone."""
        shard = (int(guild) >> 22) % self._shards if guild.isdecimal() else 0
        return self._sessions.get(shard, "")
