"""The REST API's front door: arguments, faults, token, limits, the route, the answer."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from aiohttp import web
from aiohttp.web_request import FileField

from simulators.discord_service import buckets
from simulators.discord_service.context import Context
from simulators.discord_service.errors import RefusedError, WrongTokenError
from simulators.discord_service.faults import Faults
from simulators.discord_service.model import Json
from simulators.discord_service.routes import ROUTES, Route
from simulators.discord_service.writing import Upload
from simulators.faults import Fault, cut, held_up

PREFIX = "/api/v10"


@dataclass(frozen=True, slots=True)
class Call:
    """One call as it came in and what became of it: `answer` is what was done, `faults` what came in between."""

    route: str
    path: str
    args: Any
    query: dict[str, str]
    status: int
    answer: Any
    faults: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Tell whether the call did something."""
        return self.status < 300


class Rest:
    """Answers calls."""

    def __init__(self, base: Context, faults: Faults, tell: Callable[[], None]) -> None:
        self.calls: list[Call] = []
        self.under_way: list[str] = []
        self._base = base
        self._faults = faults
        self._tell = tell

    def add_to(self, app: web.Application) -> None:
        """Put every route where a client looks for it; what is no route is not found."""
        for name, route in ROUTES.items():
            method, _, path = name.partition(" ")
            app.router.add_route(method, PREFIX + path, self._handler(name, route))
        app.router.add_route("*", PREFIX + "/{rest:.*}", self._handler("", Route(not_found)))

    def _handler(self, name: str, route: Route) -> Callable[[web.Request], Any]:
        async def handle(request: web.Request) -> web.StreamResponse:
            self.under_way.append(name)
            self._tell()
            try:
                return await self._answer(request, name, route)
            finally:
                self.under_way.remove(name)
                self._tell()

        return handle

    async def _answer(self, request: web.Request, name: str, route: Route) -> web.StreamResponse:
        path = f"{request.method} {request.path.removeprefix(PREFIX)}"
        body, uploads = await read_body(request)
        faults = self._faults.struck(name, path)
        kinds = tuple(fault.kind for fault in faults)
        await held_up(faults, done=False)
        share, everywhere = self._share(name, path, major_of(request), faults)
        headers = buckets.headers_of(name, share, time.time())
        status, answer = early_answer(faults, share, everywhere=everywhere)
        if status == 429:
            headers |= buckets.refusal_headers(share.wait, everywhere=everywhere)
        if not status and "cut_before" not in kinds:
            context = replace(self._base, names=dict(request.match_info), body=body, uploads=uploads)
            status, answer = self._call(replace(context, query=dict(request.query)), route, request, faults)
        self.calls.append(Call(name or path, path, body, dict(request.query), status or 0, answer, kinds))
        await held_up(faults, done=True)
        if "cut_before" in kinds or "cut_after" in kinds:
            return cut(request)
        return respond(status, answer, headers)

    def _call(self, context: Context, route: Route, request: web.Request, faults: list[Fault]) -> tuple[int, Any]:
        try:
            for fault in faults:
                if fault.kind == "refused":
                    raise RefusedError(int(fault.error))
            if route.token and request.headers.get("Authorization") != f"Bot {context.world.setup.token}":
                raise WrongTokenError
            if context.body is None:
                raise RefusedError(50109)
            answer = route.run(context)
        except RefusedError as error:
            return error.status, error.answer()
        return (204, None) if answer is None else (route.status, answer)

    def _share(self, name: str, path: str, major: str, faults: list[Fault]) -> tuple[buckets.Share, bool]:
        planned = next((fault for fault in faults if fault.kind == "rate_limited"), None)
        if planned:
            return buckets.Share(buckets.PLENTY, 0, planned.seconds, planned.seconds), planned.everywhere
        bucket = self._faults.bucket_of(name, path)
        if bucket is None:
            return buckets.UNLIMITED, False
        everywhere = bucket.pattern == "*"
        key = "" if everywhere else f"{name} {major}"
        return bucket.take(key, self._base.world.clock()), everywhere


def not_found(context: Context) -> None:
    """Refuse an address that is no route."""
    raise RefusedError(0)


def major_of(request: web.Request) -> str:
    """Give what a bucket is counted by: the channel, guild or webhook."""
    names = request.match_info
    return names.get("channel") or names.get("guild") or names.get("token") or ""


async def read_body(request: web.Request) -> tuple[Any, tuple[Upload, ...]]:
    """Read what a call says, None when it is not JSON, and the files that came with it."""
    if not request.content_type.startswith("multipart/"):
        return parsed(await request.text()), ()
    form = await request.post()
    files = [(name, field) for name, field in form.items() if isinstance(field, FileField)]
    uploads = tuple(Upload(name.strip("files[]"), field.filename, field.file.read()) for name, field in files)
    return parsed(str(form.get("payload_json", ""))), uploads


def parsed(text: str) -> Any:  # noqa: ANN401 - whatever JSON holds
    """Read JSON; nothing said is an empty object, nonsense None."""
    try:
        return json.loads(text) if text else {}
    except ValueError:
        return None


def early_answer(faults: list[Fault], share: buckets.Share, *, everywhere: bool) -> tuple[int, Json | str]:
    """Give status and body of what leaves the work undone; status 0 when nothing does."""
    if any(fault.kind == "server_error" for fault in faults):
        return 500, "simulated server error"
    if share.wait:
        words = "You are being rate limited."
        return 429, {"message": words, "retry_after": share.wait, "global": everywhere}
    return 0, ""


def respond(status: int, answer: Any, headers: dict[str, str]) -> web.Response:  # noqa: ANN401 - whatever JSON holds
    """Write an answer."""
    if status == 204:
        return web.Response(status=204, headers=headers)
    if isinstance(answer, str):
        return web.Response(status=status, text=answer, headers=headers)
    # Without a charset, as Discord has it: discord.py compares the whole header.
    return web.Response(
        status=status, body=json.dumps(answer).encode(), content_type="application/json", headers=headers
    )
