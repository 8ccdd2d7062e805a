"""Installing by OAuth: the way to Slack's consent page, and what a code from there is worth.

https://docs.slack.dev/authentication/installing-with-oauth
"""

import hashlib
import hmac
import logging
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlencode, urljoin

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from adapters.payloads import Json, object_in, text_in
from adapters.slack.installs import refusal_of
from adapters.slack.manifest import REDIRECT_PATH
from adapters.slack.permissions import SCOPES
from adapters.slack.refs import Us
from adapters.slack.workspaces import Install
from core.errors import ConfigError, PlatformError

log = logging.getLogger(__name__)

STATE_SECONDS = 600
"""How long somebody may take on Slack's consent page."""
_NO_CODE = frozenset(("invalid_code", "code_already_used"))
_NO_CLIENT = frozenset(("invalid_client_id", "bad_client_secret"))

_AGAIN = "Nothing was installed. Please start again."


class NotInstalledError(Exception):
    """Nothing was installed: `status` answers the browser, the message is for the person before it."""

    def __init__(self, status: int, said: str) -> None:
        super().__init__(said)
        self.status = status


@dataclass(frozen=True, slots=True)
class Client:
    """The app as Slack's OAuth knows it. Without `public_url` Slack goes back to the app's first redirect URL."""

    id: str
    secret: str = field(repr=False)
    api_url: str
    public_url: str | None = None

    @property
    def redirect_url(self) -> str | None:
        """Where Slack sends people back to."""
        return self.public_url and self.public_url + REDIRECT_PATH


class States:
    """Words that only we can make, each good once and for ten minutes, also after a restart.

    They are signed, not kept: who asks for many of them fills nothing. Kept in memory is which were used.
    """

    def __init__(self, secret: str, *, clock: Callable[[], float] = time.time) -> None:
        """`secret` is the app's client secret; its signatures are of no use elsewhere."""
        self._key = hmac.digest(secret.encode(), b"deskmate: the state of an install", hashlib.sha256)
        self._clock = clock
        self._used: dict[str, int] = {}

    def new(self) -> str:
        """Make a state nobody can guess."""
        return self._signed(f"{secrets.token_urlsafe(24)}.{int(self._clock()) + STATE_SECONDS}")

    def use(self, state: str, *, held: str) -> None:
        """Use a state up; `held` is what the browser kept of it. NotInstalledError where it is not good any more."""
        said, _, _ = state.rpartition(".")
        ours = hmac.compare_digest(state.encode(), self._signed(said).encode())
        if not ours or not hmac.compare_digest(state.encode(), held.encode()):
            raise NotInstalledError(400, f"This was not begun in this browser. {_AGAIN}")
        ends, now = int(said.rpartition(".")[2]), self._clock()
        if ends < now:
            raise NotInstalledError(400, f"That took more than ten minutes. {_AGAIN}")
        self._used = {used: until for used, until in self._used.items() if until >= now}
        if state in self._used:
            raise NotInstalledError(400, f"This page was opened before. {_AGAIN}")
        self._used[state] = ends

    def _signed(self, said: str) -> str:
        return f"{said}.{hmac.digest(self._key, said.encode(), hashlib.sha256).hex()}"


def consent_url(client: Client, state: str, *, plain: bool = False) -> str:
    """Where somebody allows the app in their workspace; `plain` without what belongs to Slack's agent surface."""
    asked = {
        "client_id": client.id,
        "scope": ",".join(scope.name for scope in SCOPES if not (plain and scope.agent)),
        "state": state,
    }
    if client.redirect_url:
        asked["redirect_uri"] = client.redirect_url
    return f"{urljoin(client.api_url, '../oauth/v2/authorize')}?{urlencode(asked)}"


async def exchange(client: Client, code: str) -> Install:
    """Give a code back for what it stands for.

    Raises NotInstalledError where it is none, or for what we do not serve; PlatformError where Slack is away.
    """
    try:
        return _install(await _access(client, code))
    except SlackApiError as error:
        raise _refused(refusal_of(error)) from error


async def check_client(client: Client) -> None:
    """Ask Slack whether it knows the client. Raises ConfigError where not, PlatformError where Slack is away."""
    try:
        await _access(client, "a code that nobody was given")
    except SlackApiError as error:
        said = refusal_of(error)
        if said in _NO_CLIENT:
            raise ConfigError(
                f"SLACK_CLIENT_ID or SLACK_CLIENT_SECRET was refused ({said}): copy both from Basic Information > "
                "App Credentials"
            ) from error


async def _access(client: Client, code: str) -> Json:
    web = AsyncWebClient(base_url=client.api_url, retry_handlers=[], logger=_quiet_log())
    given = {"client_id": client.id, "client_secret": client.secret, "code": code}
    if client.redirect_url:
        given["redirect_uri"] = client.redirect_url
    try:
        # In the form, as Slack takes it too: the client's own method builds a header in a way aiohttp gives up.
        answer = await web.api_call("oauth.v2.access", data=given)
    except (aiohttp.ClientError, TimeoutError, ConnectionError, ValueError) as error:
        raise PlatformError(f"Slack cannot be reached at {client.api_url}: {type(error).__name__}") from error
    return answer.data if isinstance(answer.data, dict) else {}


def _refused(said: str) -> NotInstalledError:
    if said in _NO_CODE:
        return NotInstalledError(400, f"Slack does not know this visit any more. {_AGAIN}")
    log.error(
        "an install was refused (%s): compare SLACK_CLIENT_ID, SLACK_CLIENT_SECRET and SLACK_PUBLIC_URL with Basic "
        "Information and with the redirect URLs under OAuth & Permissions",
        said,
    )
    return NotInstalledError(503, "This desk is not set up right for Slack. Please tell who runs it.")


def _install(answer: Json) -> Install:
    """Read what Slack gives for a code."""
    team, token = object_in(answer, "team"), text_in(answer, "access_token")
    us = Us(text_in(team, "id"), text_in(answer, "bot_user_id"))
    if answer.get("is_enterprise_install"):
        raise NotInstalledError(
            400, "The app cannot be installed for a whole organisation. Please choose one workspace of it."
        )
    if "expires_in" in answer:
        log.error("an install was refused: token rotation is on. A token that expires cannot be kept: turn it off")
        raise NotInstalledError(503, "This desk is not set up right for Slack. Please tell who runs it.")
    if not (us.team and us.user and token):
        raise PlatformError("Slack's answer to oauth.v2.access names no workspace, no bot or no token")
    scopes = frozenset(name for name in text_in(answer, "scope").split(",") if name)
    return Install(us, text_in(team, "name") or us.team, token, scopes, time.time())


def _quiet_log() -> logging.Logger:
    """Slack's client writes whole answers, with the token in them, where somebody logs everything."""
    quiet = log.getChild("client")
    quiet.setLevel(logging.WARNING)
    return quiet
