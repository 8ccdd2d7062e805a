"""The service: starts, wires the parts, and answers what tests ask."""

import time
from collections.abc import Callable
from types import TracebackType
from typing import Literal, Self

import aiohttp
from aiohttp import web
from aiohttp.typedefs import Handler

from simulators.change import Changes
from simulators.faults import cut
from simulators.slack_service.announcer import Announcer
from simulators.slack_service.arguments import Arguments
from simulators.slack_service.context import Context
from simulators.slack_service.delivery import Delivery, Envelope, Transport
from simulators.slack_service.faults import Faults
from simulators.slack_service.happenings import Happenings
from simulators.slack_service.http_delivery import HttpDelivery
from simulators.slack_service.interactivity import Interactivity
from simulators.slack_service.model import AppSetup, Channel, Json
from simulators.slack_service.parts import Parts
from simulators.slack_service.people import Person, Spot, ts_of
from simulators.slack_service.places import Places
from simulators.slack_service.shown import Shown, seen_by
from simulators.slack_service.side_doors import SideDoors
from simulators.slack_service.sockets import Sockets
from simulators.slack_service.timing import Timing
from simulators.slack_service.uploads import Uploads
from simulators.slack_service.web_api import Call, WebApi
from simulators.slack_service.world import World

HOST = "127.0.0.1"


class SlackService(Places):
    """One Slack with one app under test. `async with` starts and stops it."""

    def __init__(
        self,
        *,
        app: AppSetup | None = None,
        timing: Timing | None = None,
        clock: Callable[[], float] = time.time,
        seed: int = 0,
        port: int = 0,
    ) -> None:
        world = World(app or AppSetup(), clock)
        announcer = Announcer(world, self._send)
        happenings = Happenings(world, announcer)
        interactivity = Interactivity(world, happenings)
        super().__init__(Parts(world, happenings, announcer, interactivity, self._send))
        self.faults = Faults(seed, clock)
        self._changes = Changes()
        self._delivery = Delivery(timing or Timing(), self.faults, self._changes)
        self._delivery.on_end = interactivity.ended
        self._sockets = Sockets(world.app.id, self._changes.tell)
        self._uploads = Uploads(world, happenings)
        base = Context(world, happenings, interactivity, self._sockets, self._uploads, Arguments({}), "")
        self._web = WebApi(base, self.faults, self._changes.tell)
        self._transport: Transport = self._sockets
        self._port = port
        self._away = False

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        self._runner = web.AppRunner(self._routes(), access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, HOST, self._port).start()
        host = f"{HOST}:{self._runner.addresses[0][1]}"
        self._sockets.host, self._parts.interactivity.base_url = host, f"http://{host}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._delivery.close()
        await self._sockets.close()
        await self._runner.cleanup()
        await self._session.close()

    # --- what the app under test is told ---------------------------------------------------------------------------

    @property
    def api_url(self) -> str:
        """Give the Web API's address, as slack_sdk's `base_url`."""
        return f"http://{self._sockets.host}/api/"

    @property
    def bot_token(self) -> str:
        """Give the app's token in Acme."""
        return self.install.token

    @property
    def app_token(self) -> str:
        """Give the token for Socket Mode."""
        return self.world.app_token

    @property
    def signing_secret(self) -> str:
        """Give the secret that signs HTTP events."""
        return self.world.app.signing_secret

    def deliver_to(self, url: str) -> None:
        """Deliver over HTTP to this URL from now on, instead of Socket Mode."""
        self._transport = HttpDelivery(url, self.signing_secret, session=self._session, clock=self.world.clock)

    async def verify_url(self, url: str) -> bool:
        """Ask the app at `url` for the challenge, as Slack's settings page does."""
        http = HttpDelivery(url, self.signing_secret, session=self._session, clock=self.world.clock)
        return await http.verify(self._delivery.timing.acknowledge)

    # --- what happens to the service itself ------------------------------------------------------------------------

    def down(self) -> None:
        """Be away: calls and connections are dropped, events wait."""
        self._away = True
        self._delivery.hold()
        self._sockets.drop()

    def up(self) -> None:
        """Be back."""
        self._away = False
        self._delivery.resume()

    async def disconnect(self, reason: Literal["warning", "refresh_requested", "link_disabled"]) -> None:
        """Send every socket a `disconnect`; after anything but a warning it gets no more envelopes."""
        await self._sockets.disconnect(reason)

    def drop_sockets(self) -> None:
        """Cut every socket without a word."""
        self._sockets.drop()

    def expire_streams(self) -> None:
        """End every open stream, as Slack does with one that goes on too long."""
        for channel in self.world.channels.values():
            for message in [each for each in channel.messages.values() if each.stream == "in_progress"]:
                self._parts.happenings.finish_stream(message)

    def hold_files(self) -> None:
        """Answer that uploads are complete, and share them only when they are let through, as Slack may."""
        self._uploads.hold()

    def let_files_through(self) -> None:
        """Share what was held up."""
        self._uploads.let_through()

    def forget_uploads(self) -> None:
        """Throw away what was uploaded and not completed."""
        self._uploads.forget()

    # --- what tests ask ----------------------------------------------------------------------------------------------

    def seen_by(self, person: Person, channel: Channel, thread: Spot | str | None = None) -> list[Shown]:
        """Give what a person sees in a channel, threads included, or in one thread."""
        return seen_by(self.world, person.user, channel, ts_of(thread) if thread else None)

    def content_of(self, shown: Shown) -> list[bytes]:
        """Give what is in the files of a message, as the app uploaded them."""
        message = self.world.channels[shown.channel].messages[shown.ts]
        return [self._uploads.content_of(file["id"]) for file in message.files]

    def shown_beside(self, channel: Channel, thread: Spot | str | None = None) -> Json:
        """Give what an agent surface shows beside a thread: status, title, prompts, session."""
        return self.world.threads.get((channel.id, ts_of(thread) if thread else ""), {})

    def calls(self, method: str | None = None) -> list[Call]:
        """Give the Web API calls so far, of one method or all."""
        return [call for call in self._web.calls if method in (None, call.method)]

    @property
    def under_way(self) -> list[str]:
        """Give the methods that are being answered now."""
        return self._web.under_way

    @property
    def envelopes(self) -> list[Envelope]:
        """Give everything the app was sent, in order."""
        return self._delivery.envelopes

    @property
    def unacknowledged(self) -> list[Envelope]:
        """Give what the app has not answered for."""
        return self._delivery.unacknowledged

    @property
    def socket_count(self) -> int:
        """Give how many sockets take envelopes."""
        return self._sockets.count

    async def settled(self, *, timeout: float = 10.0) -> None:  # noqa: ASYNC109 - for tests' callers
        """Wait until every envelope is acknowledged or given up and no call is being answered."""
        await self.until(lambda: self._delivery.quiet and not self._web.under_way, timeout=timeout)

    async def until(self, condition: Callable[[], bool], *, timeout: float | None = 10.0) -> None:  # noqa: ASYNC109 - likewise
        """Wait until `condition` holds; it is asked again at each call, acknowledgement and connection."""
        await self._changes.until(condition, timeout=timeout)

    def _send(self, envelope: Envelope) -> Envelope:
        self._changes.tell()
        return self._delivery.send(envelope, self._transport)

    def _routes(self) -> web.Application:
        doors = SideDoors(self.world, self._parts.interactivity)
        app = web.Application(client_max_size=8 * 2**20, middlewares=[self._answer_unless_down])
        app.router.add_route("*", "/api/{method}", self._web.handle)
        app.router.add_post("/upload/{ticket}", self._web.take_upload)
        app.router.add_get("/link/", self._sockets.serve)
        app.router.add_post("/response/{key}", doors.respond)
        app.router.add_get("/oauth/v2/authorize", doors.authorize)
        return app

    @web.middleware
    async def _answer_unless_down(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        return cut(request) if self._away else await handler(request)
