"""Slack's Web API as the desk calls it: nothing is posted twice unasked, and every failure has one meaning.

slack_sdk's own retry handlers are off: when an answer is lost they post again. https://docs.slack.dev/apis/web-api/
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from adapters.payloads import Json
from core.errors import PlatformError, RejectedError, UnknownOutcomeError

log = logging.getLogger(__name__)


TIMEOUT_SECONDS = 20
UPLOAD_SECONDS = 120
LEAST_WAIT = 1.0
BURST, PER_SECOND = 4, 1.0
"""Messages a channel takes at once, and each second after that. https://docs.slack.dev/apis/web-api/rate-limits"""

_TOKEN = frozenset(
    (
        "invalid_auth",
        "not_authed",
        "token_revoked",
        "token_expired",
        "account_inactive",
        "missing_scope",
        "no_permission",
    )
)
"""Refusals that end when an operator mends the app: what was to be said waits until then."""
_SCOPE = ("missing_scope", "no_permission")
_ONCE = frozenset(
    (
        "chat.postMessage",
        "chat.postEphemeral",
        "chat.startStream",
        "chat.appendStream",
        "files.completeUploadExternal",
    )
)
"""Methods that do it a second time when they are called a second time; of all others nobody could tell."""
_TROUBLE = frozenset(("internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org"))


class NotGrantedError(PlatformError):
    """The token may not do that until an operator mends the app."""


class MissingScopeError(NotGrantedError):
    """The token is good, and has not the permission for this call."""


class RefusedCallError(RejectedError):
    """Slack said no for good; `said` is its word for why."""

    def __init__(self, method: str, said: str) -> None:
        super().__init__(f"{method}: {said}")
        self.said = said


@dataclass(slots=True)
class _Pace:
    """How much a channel may still be sent at once."""

    left: float = BURST
    at: float = field(default_factory=time.monotonic)

    def wait(self) -> float:
        """Take one message; the seconds to wait before it."""
        now = time.monotonic()
        self.left = min(BURST, self.left + (now - self.at) * PER_SECOND) - 1
        self.at = now
        return max(0.0, -self.left / PER_SECOND)


class SlackApi:
    """Calls Slack for the workspaces that installed the app. Opened and closed by who made it."""

    def __init__(self, base_url: str, token_of: Callable[[str], Awaitable[str]]) -> None:
        """`token_of` gives the bot's token in a workspace; nothing is connected before the first call."""
        self._base_url = base_url
        self._token_of = token_of
        self._clients: dict[str, AsyncWebClient] = {}
        self._paces: dict[tuple[str, str], _Pace] = {}
        self._http: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> "SlackApi":
        """Open the one HTTP session all calls share."""
        self._http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT_SECONDS))
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close it."""
        if self._http is not None:
            await self._http.close()

    async def call(self, workspace: str, method: str, **arguments: Any) -> Json:  # noqa: ANN401  what Slack takes
        """Call a method; 429 waits as long as Slack says, as often as it says so.

        Raises RefusedCallError where Slack says no for good, UnknownOutcomeError where the call was cut or Slack failed
        in it, and PlatformError where it may be tried again: it was surely not done, or to do it twice does no harm.
        """
        client = await self._client(workspace)
        given = {name: value for name, value in arguments.items() if value is not None}
        body = {"json": given} if _reads_json(method) else {"data": given}
        while True:
            try:
                answer = await client.api_call(method, **body)  # type: ignore[arg-type]  # one of two that fit
                return dict(answer.data) if isinstance(answer.data, dict) else {}
            except SlackApiError as error:
                await asyncio.sleep(_retry_after(error, method))
            except aiohttp.ClientConnectorError as error:
                raise PlatformError(f"{method}: Slack cannot be reached") from error
            except (aiohttp.ClientError, TimeoutError, ConnectionError, ValueError) as error:
                raise _unknown(method, f"the call was cut ({type(error).__name__})") from error

    async def say(self, workspace: str, method: str, **arguments: Any) -> Json:  # noqa: ANN401  what Slack takes
        """Call a method that puts something before people, not faster than its channel takes it."""
        channel = str(arguments["channel"])
        if len(self._paces) > 10_000:
            self._paces = {key: pace for key, pace in self._paces.items() if time.monotonic() - pace.at < BURST}
        pause = self._paces.setdefault((workspace, channel), _Pace()).wait()
        if pause:
            await asyncio.sleep(pause)
        return await self.call(workspace, method, **arguments)

    async def upload(self, url: str, content: bytes) -> None:
        """Send a file's bytes to the address Slack gave for them. Raises as `call` does; to send twice does no harm."""
        while True:
            try:
                status, wait = await self._send(url, content)
            except (aiohttp.ClientError, TimeoutError, ConnectionError, ValueError) as error:
                raise PlatformError(f"the upload was cut ({type(error).__name__})") from error
            if status == 200:
                return
            if status >= 500:
                raise PlatformError(f"Slack failed at the upload ({status})")
            if status != 429:
                raise RefusedCallError("the upload", str(status))
            await asyncio.sleep(wait)

    async def _send(self, url: str, content: bytes) -> tuple[int, float]:
        """The status an upload is answered with, and the seconds to wait where there are too many."""
        if self._http is None:
            raise PlatformError("Slack is called before it is opened")
        limit = aiohttp.ClientTimeout(total=UPLOAD_SECONDS)
        async with self._http.post(url, data=content, timeout=limit) as answer:
            return answer.status, float(answer.headers.get("Retry-After", LEAST_WAIT))

    def forget(self, workspace: str) -> None:
        """Use the workspace's token no more; the next call asks for it again."""
        self._clients.pop(workspace, None)

    async def _client(self, workspace: str) -> AsyncWebClient:
        if workspace not in self._clients:
            token = await self._token_of(workspace)
            self._clients[workspace] = AsyncWebClient(
                token, base_url=self._base_url, session=self._http, retry_handlers=[], timeout=TIMEOUT_SECONDS
            )
        return self._clients[workspace]


def _reads_json(method: str) -> bool:
    """Whether a method takes its arguments as JSON; the others take a form."""
    return method.startswith(("chat.", "views.", "assistant.", "agents."))


def _unknown(method: str, why: str) -> PlatformError:
    """What it means that nobody knows whether a call was done."""
    error = UnknownOutcomeError if method in _ONCE else PlatformError
    return error(f"{method}: {why}")


def _retry_after(error: SlackApiError, method: str) -> float:
    """The seconds to wait where that is all that is wrong; raises what the failure means otherwise."""
    answer = error.response
    status = getattr(answer, "status_code", 200)
    # What a server in between says of its own trouble is no JSON.
    said = answer.data if answer is not None and isinstance(answer.data, dict) else {}
    name = str(said.get("error", ""))
    if status == 429 or name in ("ratelimited", "rate_limited"):
        seconds = float(answer.headers.get("Retry-After", LEAST_WAIT))
        log.info("%s has to wait %.0f s: Slack's rate limit", method, seconds)
        return max(seconds, 0.0)
    if status >= 500 or name in _TROUBLE:
        raise _unknown(method, f"Slack failed ({name or status})") from error
    if name in _TOKEN:
        needed = said.get("needed")
        missing = f", scope {needed} is missing" if needed else ""
        log.error("%s was refused: %s%s. Look at the token, with `deskmate doctor --slack`", method, name, missing)
        kind = MissingScopeError if name in _SCOPE else NotGrantedError
        raise kind(f"{method}: {name}{missing}") from error
    raise RefusedCallError(method, name) from error
