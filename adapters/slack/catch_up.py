"""What was said while nobody listened: read again from where the desk last heard of each conversation.

Slack sends again what was not acknowledged for some minutes only; a desk that was away longer reads the rest. The inbox
refuses what it has seen, so to read too much does no harm. https://docs.slack.dev/reference/methods/conversations.history
"""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from operator import itemgetter

from adapters.payloads import Json, objects_in, text_in
from adapters.slack import translate
from adapters.slack.api import SlackApi
from adapters.slack.refs import Us
from core.errors import DeskError, PlatformError
from core.models import Event, UserMessage
from core.ports import Notes

log = logging.getLogger(__name__)

HEARD = "heard"
KEEP_SECONDS = 5.0
DAYS = 7
"""How long a conversation may have been silent to be read again."""
MOST = 200
"""Conversations of a workspace that are read again at most, those last heard of."""
PAGES, PAGE = 5, 200
SLOW_SECONDS = 20.0
"""What takes longer than this waits for Slack's leave: some apps may read once a minute."""

Place = tuple[str, str]
"""A channel, or a channel and a thread with a slash between, and the ts of the newest message there."""

_DAY = 86_400


class CatchUp:
    """Remembers the newest message of each conversation, and reads what came after it."""

    def __init__(self, api: SlackApi) -> None:
        """Nothing is read here."""
        self._api = api
        self._notes: Notes | None = None
        self._newest: dict[str, OrderedDict[str, str]] = {}
        self._slow: set[str] = set()

    def remember_in(self, notes: Notes) -> None:
        """Use these notes from now on."""
        self._notes = notes

    def heard(self, event: Event) -> None:
        """Take note that the desk has a message; `keep` writes it down."""
        if not isinstance(event, UserMessage):
            return
        ref = event.ref
        newest = self._newest.setdefault(ref.workspace, OrderedDict())
        # The thread too where this message begins it: replies to it stand in no channel's history.
        for place in (f"{ref.channel}/{ref.thread}", ref.channel):
            newest[place] = max(event.id, newest.get(place, ""))
            newest.move_to_end(place)
        # Of more none would be read again: in a busy workspace they would be thousands.
        while len(newest) > MOST:
            newest.popitem(last=False)

    async def keep(self) -> None:
        """Write down what was heard since the last time. What a crash loses of it is only read twice."""
        heard, self._newest = self._newest, {}
        if self._notes is None:
            return
        for workspace, places in heard.items():
            for place, newest in places.items():
                await self._notes.ride(HEARD, f"{workspace}/{place}", newest)
                # What comes in goes first: nobody waits for this.
                await asyncio.sleep(0)

    async def keep_on(self) -> None:
        """Write down what is heard, every few seconds: not with each event, of which there may be hundreds."""
        while True:
            await asyncio.sleep(KEEP_SECONDS)
            try:
                await self.keep()
            except DeskError as error:
                log.warning("what was heard is not written down: %s", error)

    async def places(self) -> dict[str, list[Place]]:
        """The conversations last heard of, by workspace, channels before threads.

        What was noted of older ones is forgotten.
        """
        if self._notes is None:
            return {}
        marks = await self._notes.all(HEARD)
        since = f"{time.time() - DAYS * _DAY:.6f}"
        for mark in [mark for mark, ts in marks.items() if ts < since]:
            await self._notes.drop(HEARD, mark)
        places: dict[str, list[Place]] = {}
        for mark, ts in sorted(marks.items(), key=itemgetter(1), reverse=True):
            workspace, _, place = mark.partition("/")
            if ts >= since and len(found := places.setdefault(workspace, [])) < MOST:
                found.append((place, ts))
        return {workspace: sorted(found, key=_channels_first) for workspace, found in places.items()}

    async def read(self, us: Us, places: Iterable[Place], accept: Callable[[Event], Awaitable[object]]) -> int:
        """Hand in what was said meanwhile, conversation by conversation; how many messages that were."""
        found = 0
        for place, newest in places:
            try:
                async for message in self._after(us, place, newest):
                    heard = translate.event_of(message, us)
                    if heard is not None and heard.for_us:
                        await accept(heard.event)
                        found += 1
            except PlatformError as error:
                log.warning("what was said in one conversation meanwhile cannot be read: %s", error)
        return found

    async def _after(self, us: Us, place: str, newest: str) -> AsyncIterator[Json]:
        """The messages after `newest`, oldest first, each as the event Slack would have sent."""
        channel, _, thread = place.partition("/")
        method = "conversations.replies" if thread else "conversations.history"
        messages: list[Json] = []
        cursor = None
        for _ in range(PAGES):
            began = time.monotonic()
            page = await self._api.call(
                us.team, method, channel=channel, ts=thread or None, oldest=newest, limit=PAGE, cursor=cursor
            )
            self._say_if_slow(us.team, time.monotonic() - began)
            messages += objects_in(page, "messages")
            cursor = (page.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                break
        for message in sorted(messages, key=lambda one: text_in(one, "ts")):
            if text_in(message, "ts") > newest:
                yield {"team_id": us.team, "event": {**message, "type": "message", "channel": channel}}

    def _say_if_slow(self, workspace: str, seconds: float) -> None:
        if seconds > SLOW_SECONDS and workspace not in self._slow:
            self._slow.add(workspace)
            log.warning(
                "catching up in workspace %s is slow: Slack allows one call in %.0f s there, and each conversation "
                "takes one or more",
                workspace,
                seconds,
            )


def _channels_first(place: Place) -> tuple[bool, Place]:
    return "/" in place[0], place
