"""Calls of Discord's REST API through discord.py, which keeps to the rate limits; what goes wrong is ours to name.

discord.py sends a call again by itself after a server error or a cut connection, up to five times. That does no harm
where a call says the same thing twice (an edit, a nonce, a thread that a message has already); all others are sent
`once`. https://docs.discord.com/developers/topics/opcodes-and-status-codes#json
"""

import asyncio
import io
import json
from types import SimpleNamespace
from typing import Any, cast

import aiohttp
from discord import File, HTTPException
from discord.http import HTTPClient, Route

from adapters.payloads import Json
from core.errors import PlatformError, RejectedError, UnknownOutcomeError
from core.models import TextFile

LOGIN_SECONDS = 10.0
"""How long a call waits for a client that is logging in."""
CALL_SECONDS = 90.0

UNKNOWN_CHANNEL, UNKNOWN_MESSAGE, UNKNOWN_WEBHOOK, UNKNOWN_INTERACTION = 10003, 10008, 10015, 10062
CLOSED_DM, DEAD_TOKEN, ARCHIVED, THREAD_EXISTS = 50007, 50027, 50083, 160004
NO_ACCESS, NOT_PERMITTED, WRONG_CHANNEL, TOO_MANY_THREADS = 50001, 50013, 50024, 160006
_TOO_MANY, _UNAUTHORISED, _SERVER_ERROR = 429, 401, 500


class RefusedCallError(RejectedError):
    """Discord said no; `code` is its reason."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


class DiscordApi:
    """The API as the client that runs now reaches it. Between two clients calls wait, and then fail."""

    def __init__(self) -> None:
        """Nothing is connected here."""
        self._http: HTTPClient | None = None
        self._usable = asyncio.Event()

    def use(self, http: HTTPClient | None) -> None:
        """Call through this client from now on; None where there is none."""
        self._http = http
        if http is None:
            self._usable.clear()
        else:
            self._usable.set()

    async def call(  # noqa: PLR0913 - what a call consists of
        self,
        method: str,
        path: str,
        *,
        body: Json | None = None,
        query: Json | None = None,
        once: bool = False,
        file: TextFile | None = None,
        **names: str,
    ) -> Any:  # noqa: ANN401 - whatever Discord answers
        """Call a route; what it answers.

        Raises RefusedCallError where Discord says no, UnknownOutcomeError where it may or may not have happened, any
        other PlatformError where it did not.
        """
        http = await self.client()
        what = f"{method} {path}"
        options: Json = {"params": query} if query else {}
        if file is not None:
            options |= _with_file(body or {}, file)
        elif body is not None:
            options["json"] = body
        if once:
            guard = _Once(what)
            options |= {"files": [cast(File, guard)], "trace_request_ctx": guard}
        try:
            async with asyncio.timeout(CALL_SECONDS):
                return await http.request(Route(method, path, **names), **options)
        except HTTPException as error:
            raise _refusal(what, error, reads=method == "GET") from error
        except (aiohttp.ClientConnectorError, RuntimeError) as error:
            # RuntimeError: the client was closed meanwhile, before the call went out.
            raise PlatformError(f"{what}: Discord cannot be reached: {type(error).__name__}") from error
        except (aiohttp.ClientError, OSError) as error:
            kind = PlatformError if method == "GET" else UnknownOutcomeError
            raise kind(f"{what} was cut: {type(error).__name__}") from error

    async def client(self) -> HTTPClient:
        """What calls go through, waited for while it logs in. Raises PlatformError where there is none."""
        try:
            async with asyncio.timeout(LOGIN_SECONDS):
                await self._usable.wait()
        except TimeoutError:
            raise PlatformError("not logged in to Discord") from None
        if self._http is None:
            raise PlatformError("not logged in to Discord")
        return self._http


def watching() -> aiohttp.TraceConfig:
    """What a client's calls are watched by, so that `once` knows what came of the one before."""

    async def note(_: object, context: SimpleNamespace, ended: aiohttp.TraceRequestEndParams) -> None:
        asked = context.trace_request_ctx
        if isinstance(asked, _Once):
            asked.status = ended.response.status

    trace = aiohttp.TraceConfig()
    trace.on_request_end.append(note)
    return trace


def _with_file(body: Json, file: TextFile) -> Json:
    """What sends a body and a file with it; discord.py winds the file back where it sends it again."""
    sent = File(io.BytesIO(file.content.encode()), file.name)
    said = {"name": "payload_json", "value": json.dumps(body)}
    part = {"name": "files[0]", "value": sent.fp, "filename": sent.filename, "content_type": "text/plain"}
    return {"files": [sent], "form": [said, part]}


class _Once:
    """Stands among the files of a call, which discord.py winds back before it sends them again: there it is stopped.

    A call that was refused for its rate did not happen, and may go out again.
    """

    def __init__(self, what: str) -> None:
        self._what = what
        self.status = 0

    def reset(self, *, seek: int | bool = True) -> None:
        if seek and self.status != _TOO_MANY:
            raise UnknownOutcomeError(f"{self._what} is not sent twice")


def _refusal(what: str, error: HTTPException, *, reads: bool) -> PlatformError:
    said = f"{what} was refused: {error.status} {error.code}"
    if error.status in (_TOO_MANY, _UNAUTHORISED) or (reads and error.status >= _SERVER_ERROR):
        return PlatformError(said)
    if error.status >= _SERVER_ERROR:
        return UnknownOutcomeError(said)
    return RefusedCallError(said, error.code)
