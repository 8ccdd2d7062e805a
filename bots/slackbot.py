"""`deskmate slack`: the desk in a Slack workspace, or in many."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import aiohttp
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from starlette.routing import Route

from adapters.slack.app import SlackApp
from adapters.slack.installs import OneWorkspace, refusal_of
from adapters.slack.manifest import INSTALL_PATH
from adapters.slack.oauth import Client
from adapters.slack.oauth_web import oauth_routes
from adapters.slack.permissions import APP_TOKEN_SCOPE
from adapters.slack.web import http_app
from adapters.slack.workspaces import ManyWorkspaces
from bots.listening import Address, listening, read_address
from bots.serving import Say, listed, run_parts
from bots.slack_settings import APP_TOKEN, SlackSettings, grouped_workspaces
from core.config import Settings
from core.errors import ConfigError, PlatformError

log = logging.getLogger(__name__)

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0


def run_slack(settings: Settings, slack: SlackSettings, http: str | None = None) -> int:
    """Serve until told to leave, over Socket Mode, or over HTTP at HOST:PORT; returns the exit code."""
    return run_parts(settings, [SlackPart(settings, slack, http)])


class SlackPart:
    """Slack, of a desk. It waits for Slack before the desk opens, but not where people are served elsewhere too."""

    title = "Slack"

    def __init__(
        self, settings: Settings, slack: SlackSettings, http: str | None = None, *, beside_others: bool = False
    ) -> None:
        self._slack = slack
        self._address = read_address(http) if http is not None else None
        self._beside_others = beside_others
        self._installs = ManyWorkspaces() if slack.for_many else OneWorkspace(slack.bot_token, slack.api_url)
        self._app = SlackApp(self._installs, slack.api_url, grouped=grouped_workspaces(settings))

    @property
    def app(self) -> SlackApp:
        return self._app

    async def __aenter__(self) -> "SlackPart":
        if self._beside_others:
            with suppress(PlatformError):
                await self._reach_once()
        else:
            await _until_reached(self._reach_once)
        await self._app.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._app.__aexit__(*_)

    async def serve(self, say: Say) -> None:
        await _until_reached(self._reach_once)
        app, slack, address = self._app, self._slack, self._address
        async with _listening(app, slack, address) if address else _connected(app, slack):
            # Beside what comes in now: where Slack allows one call a minute this takes its time.
            app.begin_catch_up()
            say(await _greeting(self._installs, slack))
            await asyncio.Event().wait()

    async def _reach_once(self) -> None:
        if isinstance(self._installs, OneWorkspace) and not self._installs.workspace:
            await self._installs.connect()


async def _greeting(installs: OneWorkspace | ManyWorkspaces, slack: SlackSettings) -> str:
    if isinstance(installs, OneWorkspace):
        return f"Connected to {installs.workspace} as @{installs.bot}. Try: DM it, or /ticket-summary"
    names = [install.workspace for install in await installs.installs()]
    if names:
        return f"Connected to {listed(names)}. Try: DM it, or /ticket-summary"
    where = slack.public_url + INSTALL_PATH if slack.public_url else f"{INSTALL_PATH} at the desk's public address"
    return f"No workspace yet: open {where}"


async def _until_reached(ask: Callable[[], Awaitable[None]]) -> None:
    """Ask Slack about a token, as soon as it can be reached. Raises ConfigError where Slack refuses the token."""
    pause = FIRST_PAUSE
    while True:
        try:
            return await ask()
        except PlatformError as error:
            log.warning("%s; trying again in %.0f s", error, pause)
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)


@asynccontextmanager
async def _connected(app: SlackApp, slack: SlackSettings) -> AsyncIterator[None]:
    """Take in what people do, over Socket Mode, until left."""
    client = AsyncWebClient(slack.bot_token, base_url=slack.api_url, retry_handlers=[])
    await _until_reached(lambda: check_app_token(slack))
    handler = AsyncSocketModeHandler(app.bolt, slack.app_token, web_client=client)
    try:
        await handler.connect_async()  # type: ignore[no-untyped-call]  # Bolt's handlers have no annotations
        yield
    finally:
        await handler.close_async()  # type: ignore[no-untyped-call]  # likewise


@asynccontextmanager
async def _listening(app: SlackApp, slack: SlackSettings, address: Address) -> AsyncIterator[None]:
    """Take in what Slack posts to an address, until left. Raises ConfigError where it cannot be listened at."""
    web = http_app(app, slack.signing_secrets, _install_pages(app, slack))
    async with listening(web, address):
        yield


def _install_pages(app: SlackApp, slack: SlackSettings) -> list[Route]:
    if not isinstance(app.installs, ManyWorkspaces):
        return []
    return oauth_routes(client_of(slack), app.installs, app)


def client_of(slack: SlackSettings) -> Client:
    """Give the app's client as the settings name it."""
    return Client(slack.client_id, slack.client_secret, slack.api_url, slack.public_url)


async def check_app_token(slack: SlackSettings) -> None:
    """Ask for a connection once: Slack's client would ask for ever with a token that is wrong.

    Raises ConfigError where the token is refused, PlatformError where Slack is away.
    """
    client = AsyncWebClient(base_url=slack.api_url, retry_handlers=[])
    try:
        await client.apps_connections_open(app_token=slack.app_token or "")
    except (aiohttp.ClientError, TimeoutError) as error:
        raise PlatformError(f"Slack cannot be reached at {slack.api_url}: {type(error).__name__}") from error
    except SlackApiError as error:
        said = refusal_of(error)
        raise ConfigError(
            f"{APP_TOKEN} was refused ({said}): create one under Basic Information > App-Level Tokens, "
            f"scope `{APP_TOKEN_SCOPE}`, and turn Socket Mode on"
        ) from error
