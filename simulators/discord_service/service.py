"""The service: starts, wires the parts, and answers what tests ask."""

import time
from collections.abc import Callable
from fnmatch import fnmatchcase
from types import TracebackType
from typing import Self

from aiohttp import web
from aiohttp.typedefs import Handler

from simulators.change import Changes
from simulators.discord_service.announcer import Announcer
from simulators.discord_service.commands import Commands
from simulators.discord_service.context import Context
from simulators.discord_service.faults import Faults
from simulators.discord_service.gateway import Gateway
from simulators.discord_service.happenings import Happenings
from simulators.discord_service.interactions import Interaction
from simulators.discord_service.interactivity import Interactivity
from simulators.discord_service.model import AppSetup, Channel, Json
from simulators.discord_service.parts import Parts
from simulators.discord_service.people import Person
from simulators.discord_service.places import Places
from simulators.discord_service.rest import PREFIX, Call, Rest
from simulators.discord_service.rooms import Rooms
from simulators.discord_service.shown import Shown, seen_by
from simulators.discord_service.timing import Timing
from simulators.discord_service.world import World
from simulators.faults import cut

HOST = "127.0.0.1"


class DiscordService(Places):
    """One Discord with one app under test. `async with` starts and stops it."""

    def __init__(
        self,
        *,
        app: AppSetup | None = None,
        timing: Timing | None = None,
        clock: Callable[[], float] = time.time,
        seed: int = 0,
        port: int = 0,
    ) -> None:
        world = World(app or AppSetup(), clock, timing or Timing())
        self.faults = Faults(seed)
        self._changes = Changes()
        self.gateway = Gateway(world, self.faults, self._changes.tell)
        announcer = Announcer(world, self.gateway, self.faults, self._changes.tell)
        happenings = Happenings(world, announcer)
        rooms = Rooms(world, announcer, happenings)
        interactivity = Interactivity(world, happenings, announcer)
        self.commands = Commands(world)
        super().__init__(Parts(world, happenings, rooms, interactivity, self.commands))
        base = Context(world, self.gateway, happenings, rooms, interactivity, self.commands)
        self._rest = Rest(base, self.faults, self._changes.tell)
        self._port = port
        self._away = False

    async def __aenter__(self) -> Self:
        self._runner = web.AppRunner(self._routes(), access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, HOST, self._port).start()
        self.world.base_url = f"http://{HOST}:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for link in self.gateway.links:
            link.close(1001)
        await self._runner.cleanup()

    # --- what the app under test is told -----------------------------------------------------------------------------

    @property
    def api_base(self) -> str:
        """Give the REST API's address, as discord.py's `Route.BASE`."""
        return f"{self.world.base_url}{PREFIX}"

    @property
    def gateway_url(self) -> str:
        """Give the gateway's address, as discord.py's `DiscordWebSocket.DEFAULT_GATEWAY`."""
        return f"{self.world.base_url.replace('http', 'ws')}/gateway"

    @property
    def token(self) -> str:
        """Give the app's token."""
        return self.world.setup.token

    # --- what happens to the service itself --------------------------------------------------------------------------

    def down(self) -> None:
        """Be away: calls and sockets are dropped, events wait in their sessions."""
        self._away = True
        self.drop_sockets()

    def up(self) -> None:
        """Be back."""
        self._away = False

    def drop_sockets(self) -> None:
        """Cut every socket without a word."""
        for link in self.gateway.links:
            link.abort()

    def close_sockets(self, code: int = 4000) -> None:
        """Close every socket with a code."""
        for link in self.gateway.links:
            link.close(code)

    def reconnect(self) -> None:
        """Tell every socket to come again (opcode 7)."""
        self.send_raw({"op": 7, "d": None})

    def invalidate_sessions(self, *, resumable: bool = False) -> None:
        """Tell every socket that its session is invalid (opcode 9); one that is not resumable is forgotten."""
        if not resumable:
            self.gateway.forget_sessions()
        self.send_raw({"op": 9, "d": resumable})

    def expire_sessions(self) -> None:
        """Forget every session silently: the next RESUME is refused."""
        self.gateway.forget_sessions()

    def send_raw(self, frame: Json | str) -> None:
        """Send every socket a frame, or as text something that is none."""
        for link in self.gateway.links:
            link.send(frame)

    # --- what tests ask ----------------------------------------------------------------------------------------------

    def seen_by(self, person: Person, channel: Channel, *, deleted: bool = False) -> list[Shown]:
        """Give what a person sees in a channel or a thread; with `deleted` also what is gone."""
        return seen_by(self.world, person.user, channel, deleted=deleted)

    def calls(self, route: str | None = None) -> list[Call]:
        """Give the REST calls so far: all, or of routes such as `POST /channels/{channel}/messages`, `PUT *`."""
        return [each for each in self._rest.calls if route is None or _goes_by(each, route)]

    @property
    def under_way(self) -> list[str]:
        """Give the routes that are being answered now."""
        return list(self._rest.under_way)

    @property
    def interactions(self) -> list[Interaction]:
        """Give every interaction so far, in order."""
        return self._parts.interactivity.interactions

    @property
    def unanswered(self) -> list[Interaction]:
        """Give the interactions the app has not answered."""
        return [each for each in self.interactions if not each.answer]

    @property
    def socket_count(self) -> int:
        """Give how many sockets have a session."""
        return self.gateway.count

    async def settled(self, *, timeout: float = 10.0) -> None:  # noqa: ASYNC109 - for tests' callers
        """Wait until every event is written to the connected sockets and no call is being answered."""
        await self.until(lambda: self.gateway.quiet and not self._rest.under_way, timeout=timeout)

    async def until(self, condition: Callable[[], bool], *, timeout: float | None = 10.0) -> None:  # noqa: ASYNC109 - likewise
        """Wait until `condition` holds; it is asked again at each call, event and frame."""
        await self._changes.until(condition, timeout=timeout)

    def _routes(self) -> web.Application:
        app = web.Application(client_max_size=25 * 2**20, middlewares=[self._answer_unless_down])
        app.router.add_get("/gateway", self.gateway.serve)
        app.router.add_get("/resume", self.gateway.serve)
        app.router.add_get("/attachments/{rest:.*}", self._file)
        self._rest.add_to(app)
        return app

    async def _file(self, request: web.Request) -> web.StreamResponse:
        content = self.world.files.get(request.path)
        return web.Response(status=404) if content is None else web.Response(body=content)

    @web.middleware
    async def _answer_unless_down(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        return cut(request) if self._away else await handler(request)


def _goes_by(call: Call, route: str) -> bool:
    return fnmatchcase(call.route, route) or fnmatchcase(call.path, route)
