"""What was said while nobody listened: read again from where the desk last heard of each channel.

A gateway session that is resumed sends what was missed; after a refused resume, or a restart, the rest is read. The
inbox refuses what it has seen, so to read too much does no harm. A place nobody heard of is read from when the gateway
was last listened to; where nobody ever listened we start at the newest. What comes live waits for what was missed.
https://docs.discord.com/developers/resources/message#get-channel-messages
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import asdict, dataclass, replace

from adapters.discord.api import UNKNOWN_CHANNEL, DiscordApi, RefusedCallError
from adapters.discord.listening import Listening
from adapters.discord.refs import Room, RoomKind, snowflake_at, snowflake_seconds
from adapters.payloads import Json, objects_in, text_in
from core.errors import DeskError, PlatformError
from core.ports import Notes

log = logging.getLogger(__name__)

HEARD = "heard"
KEEP_SECONDS = 5.0
DAYS = 7
"""How long a channel may have been silent to be read again, and how old a message may be."""
DIRECT_DAYS = 90
"""The same silence for direct conversations: of them nothing else tells that somebody wrote."""
MOST = 300
"""Channels that are read again at most, those last heard of."""
PAGES, PAGE = 5, 100

_DAY = 86_400

Take = Callable[[Json, str], Awaitable[None]]
"""Takes a message as the gateway would have sent it, and the server it is in."""


@dataclass(frozen=True, slots=True)
class Mark:
    """The newest message of a channel that the desk has."""

    newest: str
    kind: RoomKind
    guild: str


class CatchUp:
    """Remembers the newest message of each channel, and reads what came after it."""

    def __init__(self, api: DiscordApi, listening: Listening) -> None:
        """Nothing is read here."""
        self._api = api
        self._listening = listening
        self._notes: Notes | None = None
        self._marks: dict[str, Mark] = {}
        self._fresh: set[str] = set()
        self._noted: set[str] = set()
        self._coming: dict[str, set[int]] = {}
        self._unread: dict[str, Mark] = {}
        self._held: dict[str, Mark] = {}
        self._behind: dict[str, list[Callable[[], None]]] = {}
        self._nobody_waits = asyncio.Event()
        self._nobody_waits.set()

    def remember_in(self, notes: Notes) -> None:
        """Use these notes from now on."""
        self._notes = notes
        self._listening.remember_in(notes)

    async def load(self) -> None:
        """Read the marks; those too old to matter are forgotten."""
        noted = await self._notes.all(HEARD) if self._notes else {}
        await self._listening.load()
        for channel, value in noted.items():
            mark = Mark(**value)
            days = DIRECT_DAYS if mark.kind == "direct" else DAYS
            if int(mark.newest) >= int(snowflake_at(time.time() - days * _DAY)):
                self._marks.setdefault(channel, mark)
            elif self._notes:
                await self._notes.drop(HEARD, channel)
        self._noted = set(self._marks)

    def coming(self, channel: str, message: str) -> None:
        """Take note that a message came in: until it is dealt with no mark passes it, whatever came after it."""
        if message.isdecimal():
            self._coming.setdefault(channel, set()).add(int(message))

    def dealt_with(self, channel: str, message: str) -> None:
        """Take note that the desk has it, or has no use for it."""
        coming = self._coming.get(channel, set())
        coming.discard(int(message) if message.isdecimal() else 0)
        if not coming:
            self._coming.pop(channel, None)
        self._fresh.add(channel)

    def heard(self, room: Room, message: str) -> None:
        """Take note that the desk has a message, or has no use for it; `keep` writes it down."""
        # Where something is still to be read the mark must not pass it: a desk that is killed now would never read it.
        marks = self._held if room.id in self._unread else self._marks
        known = marks.get(room.id)
        if message.isdecimal() and (known is None or int(message) > int(known.newest)):
            marks[room.id] = Mark(message, room.kind, room.guild)
            self._fresh.add(room.id)

    def begins(self, room: Room, newest: str) -> None:
        """Begin to listen in a channel, after its newest message, if that was not done before."""
        if room.id not in self._marks:
            self.heard(room, newest if newest.isdecimal() else snowflake_at(time.time()))

    async def know(self, room: Room, newest: str) -> None:
        """Begin to listen in a place, durable when this returns: what is written there from now on is read again."""
        self.begins(room, newest)
        if self._notes and room.id not in self._noted:
            await self._notes.put(HEARD, room.id, asdict(self._mark(room.id)))
            self._noted.add(room.id)

    async def keep(self) -> None:
        """Write down what was heard since the last time. What a crash loses of it is only read twice."""
        fresh, self._fresh = self._fresh, set()
        if self._notes is None:
            return
        for channel in fresh & self._marks.keys():
            await self._notes.ride(HEARD, channel, asdict(self._mark(channel)))
        if self.is_done:
            await self._listening.keep()

    async def keep_on(self) -> None:
        """Write down what is heard, every few seconds: not with each message, of which there may be hundreds."""
        while True:
            await asyncio.sleep(KEEP_SECONDS)
            try:
                await self.keep()
            except DeskError as error:
                log.warning("what was heard is not written down: %s", error)

    def begin(self) -> None:
        """From here on something may have been missed: what is heard now moves no mark until `read` was there."""
        marks = {channel: self._mark(channel) for channel in self._marks}
        newest = sorted(marks.items(), key=lambda mark: int(mark[1].newest), reverse=True)[:MOST]
        self._unread = dict(newest) | self._unread

    def finds(self, room: Room, newest: str) -> bool:
        """Take note of a place as the gateway shows it at the start; whether something was missed that is to be read.

        Of a place that was heard of before its own mark says so.
        """
        if room.id in self._marks or room.kind == "forum" or len(self._unread) >= MOST:
            return False
        if not self._listening.missed(newest):
            return False
        self._marks[room.id] = self._unread[room.id] = Mark(self._listening.since, room.kind, room.guild)
        return True

    def waits(self, places: Iterable[str], go_on: Callable[[], None]) -> bool:
        """Whether what comes live in one of these places has to wait for what was missed there; then it goes on."""
        place = next((one for one in places if one in self._unread), None)
        if place is None:
            return False
        self._behind.setdefault(place, []).append(go_on)
        self._nobody_waits.clear()
        return True

    async def nobody_waits(self) -> None:
        """Wait until nothing that came live waits any more."""
        await self._nobody_waits.wait()

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to read."""
        return not self._unread

    async def read(self, take: Take) -> int:
        """Hand in what was said meanwhile, channel by channel; how many messages that were."""
        found, tried = 0, set[str]()
        while left := self._unread.keys() - tried:
            # First where somebody waits behind it; channels before the threads below them.
            channel = min(left, key=lambda one: (one not in self._behind, self._unread[one].kind == "thread", int(one)))
            tried.add(channel)
            found += await self._read_one(channel, self._unread[channel], take)
        return found

    async def _read_one(self, channel: str, mark: Mark, take: Take) -> int:
        found = 0
        try:
            posts = [channel] if mark.kind != "forum" else [post async for post in self._posts(channel, mark)]
            for place in posts:
                after = mark if place == channel else replace(mark, newest=str(int(place) - 1))
                async for message in self._after(place, after):
                    await take(message, mark.guild)
                    found += 1
            self._is_read(channel)
        except RefusedCallError as error:
            log.info("channel %s is not read again: %s", channel, error)
            self._is_read(channel)
            if error.code == UNKNOWN_CHANNEL:
                await self.forget(channel)
        except PlatformError as error:
            log.warning("what was said in channel %s meanwhile cannot be read: %s", channel, error)
        finally:
            # Also where it cannot be read now: who writes there is not kept waiting for it.
            self._let_on(channel)
        return found

    def _mark(self, channel: str) -> Mark:
        """From where a channel has to be read again."""
        mark, coming = self._marks[channel], self._coming.get(channel)
        return replace(mark, newest=str(min(int(mark.newest), min(coming) - 1))) if coming else mark

    def _is_read(self, channel: str) -> None:
        self._unread.pop(channel, None)
        held = self._held.pop(channel, None)
        if held is not None:
            self._marks[channel] = held
            self._fresh.add(channel)

    def _let_on(self, channel: str) -> None:
        """Let what came live go on, in the order it came."""
        for go_on in self._behind.pop(channel, ()):
            go_on()
        if not self._behind:
            self._nobody_waits.set()

    async def forget(self, channel: str) -> None:
        """Forget a channel that is gone."""
        self._is_read(channel)
        self._fresh.discard(channel)
        self._noted.discard(channel)
        if self._marks.pop(channel, None) and self._notes:
            await self._notes.drop(HEARD, channel)

    async def _posts(self, forum: str, mark: Mark) -> AsyncIterator[str]:
        """The posts of a forum that nobody heard of yet."""
        found = await self._api.call("GET", "/guilds/{guild_id}/threads/active", guild_id=mark.guild)
        posts = [text_in(one, "id") for one in objects_in(found, "threads") if text_in(one, "parent_id") == forum]
        for post in sorted(filter(str.isdecimal, posts), key=int):
            if int(post) > int(mark.newest) and post not in self._marks:
                yield post

    async def _after(self, channel: str, mark: Mark) -> AsyncIterator[Json]:
        """The messages after a mark, oldest first, not too old and not too many."""
        after = str(max(int(mark.newest), int(snowflake_at(time.time() - DAYS * _DAY))))
        for _ in range(PAGES):
            query = {"after": after, "limit": PAGE}
            page = await self._api.call("GET", "/channels/{channel_id}/messages", query=query, channel_id=channel)
            for message in sorted(page, key=lambda one: int(text_in(one, "id") or 0)):
                after = text_in(message, "id")
                yield {**message, "channel_id": channel} | ({"guild_id": mark.guild} if mark.guild else {})
            if len(page) < PAGE:
                return
        log.warning("more was said in channel %s since %s than is read", channel, snowflake_seconds(mark.newest))
