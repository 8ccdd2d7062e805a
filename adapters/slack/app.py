"""Slack as a platform: what comes in is durable before it is acknowledged, what goes out is posted once."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.middleware.async_middleware import AsyncMiddleware
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse

from adapters.slack import render, translate
from adapters.slack.api import Json, SlackApi
from adapters.slack.catch_up import CatchUp
from adapters.slack.home import home
from adapters.slack.installs import OneWorkspace
from adapters.slack.people import People
from adapters.slack.posting import Posting
from adapters.slack.refs import PLATFORM, Us, object_in, text_in
from adapters.slack.streams import Streams
from core.errors import BadInputError, DeskError, PlatformError
from core.models import ConversationRef, Delivery, Event, Progress, UserMessage
from core.ports import Notes

if TYPE_CHECKING:
    from core.desk import Desk

log = logging.getLogger(__name__)

STREAM_AFTER = 0.7
"""Seconds after which an answer that is not there yet is streamed."""
_REMOVED = ("app_uninstalled", "tokens_revoked")


class SlackApp:
    """The app in Slack, on one desk. Entered by who made it, with the desk it hands events to."""

    name = PLATFORM
    repeats_by_key = False
    names_devices = False

    def __init__(
        self,
        install: OneWorkspace,
        base_url: str,
        *,
        stream_after: float = STREAM_AFTER,
    ) -> None:
        """Nothing is connected here."""
        self.install = install
        self.api = SlackApi(base_url, install.token_of)
        self._people = People(self.api)
        self._streams = Streams(self.api, after=stream_after)
        self._posting = Posting(self.api, self._streams)
        self._catch_up = CatchUp(self.api)
        self._desk: Desk | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._order: dict[tuple[str, ...], asyncio.Task[Any]] = {}
        self.bolt = AsyncApp(
            name="deskmate",
            logger=_quiet_log(),
            authorize=_authorizing(install),
            # What an app says itself is told apart in translate.py, where it is tested with all else.
            ignoring_self_events_enabled=False,
            # What comes over HTTP was verified in guard.py, on its raw bytes.
            request_verification_enabled=False,
        )
        self.bolt.middleware(_Taking(self._take))

    @asynccontextmanager
    async def serving(self, desk: "Desk") -> AsyncIterator[None]:
        """Hand what comes in to this desk until left."""
        self._desk = desk
        self._begin(self._catch_up.keep_on())
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

    async def _take(self, body: Json) -> BoltResponse:
        """Make an event durable, then acknowledge it. Before Bolt does: it acknowledges events ahead of listeners."""
        us = self.install.us
        kind = text_in(object_in(body, "event"), "type")
        if kind in _REMOVED:
            await self._removed(us)
        elif kind == "agent_session_stopped":
            self._streams.end(translate.stopped_streams(body))
        elif opened := translate.home_opened(body, us):
            self._begin(self._draw_home(opened))
        try:
            heard = translate.event_of(body, us)
        except BadInputError as error:
            log.info("a press is not understood: %s", error)
            self._begin(self._refuse(body, error.reply))
            return BoltResponse(status=200, body="")
        if heard is not None and heard.for_us:
            await self._accept(heard.event)
        return BoltResponse(status=200, body="")

    async def _accept(self, event: Event) -> None:
        """Hand an event in after those of its thread that came before it."""
        ref = event.ref
        key = (ref.workspace, ref.channel, ref.thread or "")
        before = self._order.get(key)
        task = asyncio.ensure_future(self._accept_after(before, event))
        self._order[key] = task
        try:
            await asyncio.shield(task)
        finally:
            if self._order.get(key) is task:
                del self._order[key]

    async def _accept_after(self, before: "asyncio.Task[Any] | None", event: Event) -> None:
        if before is not None:
            await asyncio.wait((before,))
        if self._desk is None:
            raise PlatformError("the desk is stopping and takes nothing more in")
        await self._desk.accept(event)
        self._catch_up.heard(event)

    def begin_catch_up(self) -> None:
        """Read what was said while nobody listened, beside what comes in now."""
        self._begin(self.catch_up())

    async def catch_up(self) -> None:
        """Read what was said while nobody listened, and hand it in."""
        found = await self._catch_up.read(self.install.us, self._accept)
        if found:
            log.info("%d messages were said meanwhile", found)

    async def _refuse(self, body: Json, reply: str) -> None:
        channel, user = text_in(object_in(body, "channel"), "id"), text_in(object_in(body, "user"), "id")
        if channel and user:
            await self.api.say(self.install.us.team, "chat.postEphemeral", channel=channel, user=user, text=reply)

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

    async def _removed(self, us: Us) -> None:
        self.api.forget(us.team)
        await self.install.drop(us.team)

    # --- out ----------------------------------------------------------------------------------------------------------

    def remember_in(self, notes: Notes) -> None:
        """Keep here which streams were begun, and what was heard last."""
        self._streams.remember_in(notes)
        self._catch_up.remember_in(notes)

    def split(self, text: str) -> list[str]:
        """Cut a text into pieces Slack takes."""
        return render.split(text)

    async def post(self, delivery: Delivery) -> str:
        """Post, retract or restore one piece; the message's ts."""
        return await self._posting.post(delivery, self.install.us.user)

    async def find(self, delivery: Delivery) -> str | None:
        """Look for a piece by the key in its metadata."""
        return await self._posting.find(delivery, self.install.us.user)

    async def complete(self, message: UserMessage, *, first: bool) -> UserMessage:
        """Ask Slack who speaks, and what was said in the thread before."""
        return await self._people.complete(message, self.install.us, first=first)

    async def show(self, progress: Progress) -> None:
        """Show that the desk works, and the text so far."""
        self._streams.show(progress)

    async def link(self, ref: ConversationRef) -> str | None:
        """Link to a thread."""
        if ref.thread is None:
            return None
        try:
            found = await self.api.call(ref.workspace, "chat.getPermalink", channel=ref.channel, message_ts=ref.thread)
        except PlatformError:
            return None
        return text_in(found, "permalink") or None


class _Taking(AsyncMiddleware):
    """The last of Bolt's middleware, which ends each request. A function in its place would be given arguments by name,
    for which Bolt takes the payload apart: it raises on a malformed one.
    """

    def __init__(self, take: Callable[[Json], Awaitable[BoltResponse]]) -> None:
        self._take = take

    async def async_process(
        self, *, req: AsyncBoltRequest, resp: BoltResponse, next: Callable[[], Awaitable[BoltResponse]]
    ) -> BoltResponse:
        return await self._take(req.body)


def _authorizing(install: OneWorkspace) -> Callable[..., Awaitable[AuthorizeResult]]:
    """Tell Bolt who we are without asking Slack at each event. A function: Bolt fills its arguments by their names."""

    async def authorize(enterprise_id: str | None) -> AuthorizeResult:
        # Also where somebody of another workspace speaks in a shared channel: the app is in this one.
        us = install.us
        token = await install.token_of(us.team)
        return AuthorizeResult(enterprise_id=enterprise_id, team_id=us.team, bot_user_id=us.user, bot_token=token)

    return authorize


async def _best_effort(work: Coroutine[Any, Any, None]) -> None:
    try:
        await work
    except DeskError as error:
        log.info("Slack was not shown something: %s", error)


def _quiet_log() -> logging.Logger:
    """Let Bolt tell of errors only: it warns of a variable it reads by itself and of listeners we do without."""
    quiet = log.getChild("bolt")
    quiet.setLevel(logging.ERROR)
    return quiet
