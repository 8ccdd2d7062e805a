"""The Web API's front door: arguments, faults, tokens, the method, the answer."""

import base64
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from aiohttp import web

from simulators.faults import Fault, cut, held_up
from simulators.slack_service.arguments import Arguments, read_arguments, read_file
from simulators.slack_service.context import Context
from simulators.slack_service.errors import RefusedError
from simulators.slack_service.faults import Faults
from simulators.slack_service.methods import METHODS, Method
from simulators.slack_service.model import Json

UPLOAD = "upload"
"""What the POST of a file's bytes goes by, where methods are named."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call as it came in and what became of it: `answer` is what was done, `faults` what came in between."""

    method: str
    args: Json
    token: str
    answer: Json
    faults: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Tell whether the call did something."""
        return bool(self.answer.get("ok"))


class WebApi:
    """Answers `/api/METHOD`, and takes the bytes of files."""

    def __init__(self, base: Context, faults: Faults, tell: Callable[[], None]) -> None:
        self.calls: list[Call] = []
        self.under_way: list[str] = []
        self._base = base
        self._faults = faults
        self._tell = tell

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one call, under way until then."""
        name = request.match_info["method"]
        with self._seen_under_way(name):
            try:
                args = await read_arguments(request)
            except RefusedError as error:
                return web.json_response(error.answer())
            token = token_of(request, args)
            asked = Call(name, args, token, {})
            early, answer = await self._answer(request, asked, lambda faults: self._call(name, args, token, faults))
            return early or web.json_response(answer, headers=self._headers(name, token))

    async def take_upload(self, request: web.Request) -> web.StreamResponse:
        """Take the bytes of a file. Without a token: who has the address may; with faults like a method's."""
        with self._seen_under_way(UPLOAD):
            ticket, content = request.match_info["ticket"], await read_file(request)
            asked = Call(UPLOAD, {"ticket": ticket, "size": len(content)}, "", {})
            early, answer = await self._answer(request, asked, lambda faults: self._receive(ticket, content, faults))
            return early or web.Response(text=answer["said"], status=answer["status"])

    @contextmanager
    def _seen_under_way(self, name: str) -> Iterator[None]:
        self.under_way.append(name)
        self._tell()
        try:
            yield
        finally:
            self.under_way.remove(name)
            self._tell()

    async def _answer(
        self, request: web.Request, asked: Call, do: Callable[[list[Fault]], Json]
    ) -> tuple[web.StreamResponse | None, Json]:
        """Do what was asked, as far as the faults let it; what is answered in its place, and its answer."""
        faults = self._faults.draw(asked.method, asked.args)
        kinds = tuple(fault.kind for fault in faults)
        await held_up(faults, done=False)
        early = answered_early(request, faults)
        answer = {"ok": False} if early else do(faults)
        self.calls.append(replace(asked, answer=answer, faults=kinds))
        await held_up(faults, done=True)
        return early or (cut(request) if "cut_after" in kinds else None), answer

    def _receive(self, ticket: str, content: bytes, faults: list[Fault]) -> Json:
        refused = next((fault.error for fault in faults if fault.kind == "refused"), "")
        status = 400 if refused else self._base.uploads.receive(ticket, content)
        said = f"OK - {len(content)}" if status == 200 else refused or "upload refused"
        return {"ok": status == 200, "status": status, "said": said}

    def _call(self, name: str, args: Json, token: str, faults: list[Fault]) -> Json:
        try:
            for fault in faults:
                if fault.kind == "refused":
                    raise RefusedError(fault.error)
            method = METHODS.get(name)
            if method is None:
                raise RefusedError("unknown_method", req_method=name)
            self._check_token(method, token)
            context = replace(self._base, args=Arguments(args), token=token)
            if method.scope:
                context.need(method.scope)
            return {"ok": True} | method.run(context)
        except RefusedError as error:
            return error.answer()

    def _check_token(self, method: Method, token: str) -> None:
        if method.whose == "none":
            return
        if not token:
            raise RefusedError("not_authed")
        if method.whose == "app":
            if token != self._base.world.app_token:
                raise RefusedError("not_allowed_token_type" if token.startswith("xoxb-") else "invalid_auth")
            return
        install = self._base.world.installs.get(token)
        if install is None:
            raise RefusedError("invalid_auth")
        if install.dead:
            raise RefusedError(install.dead)

    def _headers(self, name: str, token: str) -> dict[str, str]:
        install = self._base.world.installs.get(token)
        scopes = ",".join(sorted(install.scopes)) if install else "connections:write"
        method = METHODS.get(name)
        return {"X-OAuth-Scopes": scopes, "X-Accepted-OAuth-Scopes": method.scope if method else ""}


def token_of(request: web.Request, args: Json) -> str:
    """Give the token: of the header, or of the argument, which is then forgotten.

    A Basic header names the app instead; its two words become arguments.
    """
    given = str(args.pop("token", ""))
    kind, _, word = request.headers.get("Authorization", "").partition(" ")
    if kind == "Basic":
        args["client_id"], _, args["client_secret"] = base64.b64decode(word).decode().partition(":")
    return word.strip() if kind == "Bearer" else given


def answered_early(request: web.Request, faults: list[Fault]) -> web.StreamResponse | None:
    """Give the answer of a fault that leaves the work undone."""
    for fault in faults:
        if fault.kind == "cut_before":
            return cut(request)
        if fault.kind == "server_error":
            return web.Response(status=500, text="simulated server error")
        if fault.kind == "rate_limited":
            wait = {"Retry-After": str(math.ceil(fault.seconds))}
            return web.json_response({"ok": False, "error": "ratelimited"}, status=429, headers=wait)
    return None
