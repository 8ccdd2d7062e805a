"""The workspaces the app is installed in: the bot's token in each, and who it is there."""

import logging
from collections.abc import Sequence
from typing import Protocol

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack.refs import Us
from core.errors import ConfigError, PlatformError
from core.ports import Notes

log = logging.getLogger(__name__)


class Installs(Protocol):
    """Where the app is installed now. Nothing here asks Slack."""

    def remember_in(self, notes: Notes) -> None:
        """Keep here what has to be known after a restart."""
        ...

    async def all(self) -> Sequence[Us]:
        """Every workspace the app is installed in. Raises UnreadableError where that cannot be told."""
        ...

    async def at(self, team: str) -> Us | None:
        """Who we are to what comes from a workspace; None where the app is not installed."""
        ...

    async def token_of(self, workspace: str) -> str:
        """The token there. Raises PlatformError where the app is not installed: what is to be said waits."""
        ...

    async def drop(self, workspace: str, *, at: float) -> None:
        """Slack took the token back, at this time."""
        ...


class OneWorkspace:
    """The app in the one workspace its token is of."""

    def __init__(self, token: str, base_url: str) -> None:
        """Nothing is asked before `connect`."""
        self._token = token
        self._base_url = base_url
        self.us = Us("", "")
        self.workspace = ""
        self.bot = ""
        self.scopes = frozenset[str]()

    async def connect(self) -> None:
        """Ask Slack whose token it is. Raises ConfigError where it is nobody's, PlatformError where Slack is away."""
        client = AsyncWebClient(self._token, base_url=self._base_url, retry_handlers=[])
        try:
            found = await client.auth_test()
        except SlackApiError as error:
            said = refusal_of(error)
            raise ConfigError(
                f"SLACK_BOT_TOKEN was refused ({said}): install the app and copy the Bot User OAuth Token "
                "(xoxb-...) from OAuth & Permissions"
            ) from error
        except Exception as error:
            raise PlatformError(f"Slack cannot be reached at {self._base_url}: {type(error).__name__}") from error
        self.us = Us(str(found["team_id"]), str(found["user_id"]))
        self.workspace, self.bot = str(found.get("team", "")), str(found.get("user", ""))
        granted = {name.lower(): value for name, value in found.headers.items()}.get("x-oauth-scopes", "")
        self.scopes = frozenset(name.strip() for name in granted.split(",") if name.strip())

    def remember_in(self, notes: Notes) -> None:
        """Nothing has to be remembered: the token comes from the settings."""

    async def all(self) -> Sequence[Us]:
        """The one."""
        return (self.us,)

    async def at(self, team: str) -> Us | None:
        """Always the one: also where somebody of another workspace speaks in a shared channel."""
        return self.us

    async def token_of(self, workspace: str) -> str:
        """The token of the workspace; all pieces of others wait."""
        if workspace != self.us.team:
            raise PlatformError(f"the app is not installed in workspace {workspace}")
        return self._token

    async def drop(self, workspace: str, *, at: float) -> None:
        """Say that Slack took the token back; it is the operator's to set another one."""
        log.error("Slack took the token of this workspace back: install the app again, and set SLACK_BOT_TOKEN anew")


def refusal_of(error: SlackApiError) -> str:
    """Why Slack refused a token. Raises PlatformError where it was not the token: Slack is away, or wants a pause."""
    answer = error.response
    said = str(answer.data.get("error", "")) if isinstance(answer.data, dict) else ""
    if answer.status_code == 429 or answer.status_code >= 500 or said in ("ratelimited", "internal_error"):
        raise PlatformError(f"Slack fails ({said or answer.status_code})") from error
    return said
