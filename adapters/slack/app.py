"""Slack as a platform: what comes in is durable before it is acknowledged, what goes out is posted once."""

import asyncio
import logging
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from slack_bolt.response import BoltResponse

from adapters.payloads import Json, object_in, text_in
from adapters.slack import render, translate
from adapters.slack.api import SlackApi
from adapters.slack.bolt import bolt_app
from adapters.slack.catch_up import CatchUp, Place
from adapters.slack.files import Files
from adapters.slack.forms import FormAsked, form_asked
from adapters.slack.home import home
from adapters.slack.homes import Homes
from adapters.slack.installs import Installs
from adapters.slack.people import People
from adapters.slack.posting import Posting
from adapters.slack.refs import PLATFORM, Us
from adapters.slack.removing import Removing
from adapters.slack.sharing import Sharing
from adapters.slack.streams import Streams
from adapters.slack.titles import Titles
from adapters.slack.user_groups import UserGroups
from core.errors import BadInputError, DeskError, PlatformError
from core.models import Accepted, ConversationRef, Delivery, Event, MessageDeleted, Progress, UserMessage
from core.ports import Notes

if TYPE_CHECKING:
    from core.desk import Desk

log = logging.getLogger(__name__)

STREAM_AFTER = 0.7
"""Seconds after which an answer that is not there yet is streamed."""


class SlackApp:
    """The app in Slack, on one desk. Entered by who made it, with the desk it hands events to."""

    name = PLATFORM
    repeats_by_key = False
    names_devices = False
    opens_places = False
    writes_directly = False

    def __init__(
        self,
        installs: Installs,
        base_url: str,
        *,
        stream_after: float = STREAM_AFTER,
        grouped: frozenset[str] = frozenset(),
    ) -> None:
        """Nothing is connected here. `grouped` are the workspaces whose user groups give roles."""
        self.installs = installs
        self.api = SlackApi(base_url, installs.token_of)
        self._sharing = Sharing(installs)
        self._people = People(self.api)
        self._homes = Homes(self._people)
        self._groups = UserGroups(self.api, grouped)
        self._removing = Removing(self.api)
        self._streams = Streams(self.api, self._removing, after=stream_after)
        self._files = Files(self.api)
        self._posting = Posting(self.api, self._streams, self._removing, self._files)
        self._titles = Titles(self.api)
        self._catch_up = CatchUp(self.api)
        self._desk: Desk | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._order: dict[tuple[str, ...], asyncio.Future[None]] = {}
        self.bolt = bolt_app(self._take)

    @asynccontextmanager
    async def serving(self, desk: "Desk") -> AsyncIterator[None]:
        """Hand what comes in to this desk until left."""
        # Before anything comes in: an install that does not open stops the start.
        await self.installs.all()
        self._desk = desk
        self._begin(self._catch_up.keep_on())
        self._begin(self._removing.tidy())
        self._begin(self._files.tidy())
        try:
            yield
        finally:
            self._desk = None
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await _best_effort(self._catch_up.keep())

    @property
    def ready(self) -> bool:
        """Whether a desk takes what comes in."""
        return self._desk is not None

    async def __aenter__(self) -> "SlackApp":
        """Open what calls go through."""
        await self.api.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Show nothing more, and close."""
        await self._streams.close()
        await self.api.__aexit__()

    # --- in -----------------------------------------------------------------------------------------------------------

    async def _take(self, body: Json, team: str) -> BoltResponse:
        """Make an event durable, then acknowledge it. Before Bolt does: it acknowledges events ahead of listeners."""
        us = await self.installs.at(team)
        if us is None:
            log.info("what came from workspace %s is not taken: the app is not installed there", team)
            return BoltResponse(status=200, body="")
        if (removed := translate.removed_at(body)) is not None:
            await self._removed(us, removed)
        elif stopped := translate.session_stopped(body, us):
            self._streams.halt(stopped)
            self._begin(self._streams.rest(stopped.ref))
        elif opened := translate.home_opened(body, us):
            self._begin(self._draw_home(opened))
        elif asked := form_asked(body):
            self._begin(self._show_form(us, asked))
        try:
            await self._hear(body, us)
        except BadInputError as error:
            log.info("a press is not understood: %s", error)
            self._begin(self._refuse(us, body, error.reply))
        return BoltResponse(status=200, body="")

    async def _hear(self, body: Json, us: Us) -> None:
        """Hand in what a payload tells, as the install it means."""
        for meant in await self._sharing.meant(body, us):
            heard = translate.event_of(body, meant)
            if heard is None or not heard.for_us or await self._is_our_doing(heard):
                continue
            untold = meant if heard.untold else None
            if untold is None:
                self._homes.told(heard.event, meant)
            if await self._accept(self._streams.aimed(heard.event), untold=untold) is not Accepted.IGNORED:
                return

    async def _is_our_doing(self, heard: translate.Heard) -> bool:
        """Whether a message of ours was deleted by ourselves: the desk hears of a moderator's doing only."""
        gone = heard.event
        return heard.ours and isinstance(gone, MessageDeleted) and await self._removing.was_us(gone.ref, gone.message)

    async def _accept(self, event: Event, *, untold: Us | None = None) -> Accepted:
        """Hand an event in after those of its thread that came before it.

        `untold` is the install that is told of it where it does not say which team somebody is of.
        """
        ref = event.ref
        key = (ref.workspace, ref.channel, ref.thread or "")
        before, done = self._order.get(key), asyncio.get_running_loop().create_future()
        self._order[key] = done
        try:
            if before is not None:
                await asyncio.wait((before,))
            if self._desk is None:
                raise PlatformError("the desk is stopping and takes nothing more in")
            if untold is not None:
                event = await self._homes.named(event, untold)
            accepted = await self._desk.accept(await self._groups.named(event))
        finally:
            done.set_result(None)
            if self._order.get(key) is done:
                del self._order[key]
        self._catch_up.heard(event)
        return accepted

    def begin_catch_up(self) -> None:
        """Read what was said while nobody listened, beside what comes in now."""
        self._begin(self.catch_up())

    async def catch_up(self) -> None:
        """Read what was said while nobody listened, and hand it in: side by side, as Slack limits each workspace."""
        places = await self._catch_up.places()
        everywhere = await self.installs.all()
        await asyncio.gather(*(_best_effort(self._read(us, places.get(us.team, ()))) for us in everywhere))

    def begin_at(self, us: Us) -> None:
        """Work in a workspace that installed the app just now, for the first time or again."""
        self.api.forget(us.team)
        if self._desk is not None:
            self._desk.try_again(PLATFORM, us.team)
        self._begin(self._read_again(us))

    async def _read_again(self, us: Us) -> None:
        places = await self._catch_up.places()
        await self._read(us, places.get(us.team, ()))

    async def _read(self, us: Us, places: Sequence[Place]) -> None:
        found = await self._catch_up.read(us, places, self._accept)
        if found:
            log.info("%d messages were said meanwhile in %s", found, us.team)

    async def _refuse(self, us: Us, body: Json, reply: str) -> None:
        channel, user = text_in(object_in(body, "channel"), "id"), text_in(object_in(body, "user"), "id")
        if channel and user:
            await self.api.say(us.team, "chat.postEphemeral", channel=channel, user=user, text=reply)

    async def _show_form(self, us: Us, asked: FormAsked) -> None:
        await self.api.call(us.team, "views.open", trigger_id=asked.trigger, view=asked.view)

    async def _draw_home(self, opened: translate.HomeOpened) -> None:
        if self._desk is None or opened.tab != "home":
            return
        ref = opened.ref
        standing = await self._desk.standing_of(ref)
        view = home(standing.tickets, standing.usage, standing.remembered, channel=ref.channel)
        await self.api.call(ref.workspace, "views.publish", user_id=ref.user, view=view)

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Do what nobody waits for beside what comes in."""
        task = asyncio.create_task(_best_effort(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _removed(self, us: Us, at: float) -> None:
        await self.installs.drop(us.team, at=at)
        self.api.forget(us.team)

    # --- out ----------------------------------------------------------------------------------------------------------

    def remember_in(self, notes: Notes) -> None:
        """Keep here where the app is installed, what was begun, removed and shared, and what was heard last."""
        self.installs.remember_in(notes)
        self._sharing.remember_in(notes)
        self._removing.remember_in(notes)
        self._streams.remember_in(notes)
        self._files.remember_in(notes)
        self._catch_up.remember_in(notes)

    def split(self, text: str) -> list[str]:
        """Cut a text into pieces Slack takes."""
        return render.split(text)

    async def post(self, delivery: Delivery) -> str:
        """Post, retract or restore one piece; the message's ts."""
        ts = await self._posting.post(delivery, (await self._us_at(delivery.ref)).user)
        self._begin(self._titles.answered(delivery))
        return ts

    async def find(self, delivery: Delivery) -> str | None:
        """Look for a piece by the key in its metadata."""
        return await self._posting.find(delivery, (await self._us_at(delivery.ref)).user)

    async def reaches(self, ref: ConversationRef) -> bool:
        """Whether the app is installed in the workspace of a conversation, as far as this process knows."""
        try:
            await self.installs.token_of(ref.workspace)
        except DeskError:
            return False
        return True

    async def complete(self, message: UserMessage, *, first: bool) -> UserMessage:
        """Ask Slack who speaks, and what was said in the thread before."""
        self._titles.heard(message)
        us = await self.installs.at(message.ref.workspace)
        return await self._people.complete(message, us, first=first) if us else message

    async def show(self, progress: Progress) -> None:
        """Show that the desk works, and the text so far."""
        self._streams.show(progress)

    async def _us_at(self, ref: ConversationRef) -> Us:
        """Who we are in the workspace of a ref. Raises PlatformError where we are not: what is to be said waits."""
        us = await self.installs.at(ref.workspace)
        if us is None:
            raise PlatformError(f"the app is not installed in workspace {ref.workspace}")
        return us

    async def link(self, ref: ConversationRef) -> str | None:
        """Link to a thread."""
        if ref.thread is None:
            return None
        try:
            found = await self.api.call(ref.workspace, "chat.getPermalink", channel=ref.channel, message_ts=ref.thread)
        except PlatformError:
            return None
        return text_in(found, "permalink") or None

    async def open_beside(self, ref: ConversationRef, *, key: str, title: str) -> ConversationRef | None:
        """Nothing: a thread in Slack needs a message that it is below."""
        return None


async def _best_effort(work: Coroutine[Any, Any, None]) -> None:
    try:
        await work
    except DeskError as error:
        log.info("Slack was not shown something: %s", error)
