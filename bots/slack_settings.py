"""What `deskmate slack` is told by its environment, under the names Slack's own documentation gives them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bots.settings import given_here
from core.errors import ConfigError

SLACK = "https://slack.com/api/"

BOT_TOKEN, APP_TOKEN = "SLACK_BOT_TOKEN", "SLACK_APP_TOKEN"  # noqa: S105 - names, not tokens
SIGNING_SECRET, API_URL = "SLACK_SIGNING_SECRET", "SLACK_API_URL"  # noqa: S105 - likewise
VARIABLES = (BOT_TOKEN, APP_TOKEN, SIGNING_SECRET, API_URL)

_WHERE = {
    BOT_TOKEN: "install the app, then copy the Bot User OAuth Token (xoxb-...) from OAuth & Permissions",
    APP_TOKEN: "create one under Basic Information > App-Level Tokens, scope `connections:write`",
    SIGNING_SECRET: "copy it from Basic Information > App Credentials",
}
_BEGINS = {BOT_TOKEN: "xoxb-", APP_TOKEN: "xapp-"}


@dataclass(frozen=True, slots=True)
class SlackSettings:
    """Tokens and addresses. `signing_secrets` are two while the secret is rotated."""

    bot_token: str = field(repr=False)
    app_token: str | None = field(repr=False)
    signing_secrets: tuple[str, ...] = field(repr=False)
    api_url: str


def read_slack_settings(
    environ: Mapping[str, str] | None = None, folder: Path = Path(), *, http: bool = False
) -> SlackSettings:
    """Read what is needed in Socket Mode, or over HTTP. Raises ConfigError that says where to find what is missing."""
    given = given_here(environ, folder)
    needed = (BOT_TOKEN, SIGNING_SECRET if http else APP_TOKEN)
    for name in needed:
        _check(name, given.get(name, "").strip())
    secrets = tuple(part.strip() for part in given.get(SIGNING_SECRET, "").split(",") if part.strip())
    if len(secrets) > 2:
        raise ConfigError(f"{SIGNING_SECRET}: {len(secrets)} secrets were found; allowed: one, or the old and the new")
    api_url = given.get(API_URL, SLACK).strip()
    if not api_url.startswith(("http://", "https://")):
        raise ConfigError(f"{API_URL} is {api_url!r}: it has to begin with https://, as {SLACK} does")
    app_token = given.get(APP_TOKEN, "").strip() or None
    return SlackSettings(given[BOT_TOKEN].strip(), app_token, secrets, api_url.rstrip("/") + "/")


def _check(name: str, value: str) -> None:
    if not value:
        raise ConfigError(f"{name} is not set: {_WHERE[name]}")
    begins = _BEGINS.get(name)
    if begins and not value.startswith(begins):
        raise ConfigError(f"{name} does not begin with {begins}: {_WHERE[name]}")
