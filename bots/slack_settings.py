"""What `deskmate slack` is told by its environment, under the names Slack's own documentation gives them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bots.settings import given_here
from core.config import GROUP, Settings
from core.errors import ConfigError

SLACK = "https://slack.com/api/"

BOT_TOKEN, APP_TOKEN = "SLACK_BOT_TOKEN", "SLACK_APP_TOKEN"  # noqa: S105 - names, not tokens
SIGNING_SECRET, API_URL = "SLACK_SIGNING_SECRET", "SLACK_API_URL"  # noqa: S105 - likewise
CLIENT_ID, CLIENT_SECRET = "SLACK_CLIENT_ID", "SLACK_CLIENT_SECRET"  # noqa: S105 - likewise
PUBLIC_URL = "SLACK_PUBLIC_URL"
VARIABLES = (BOT_TOKEN, APP_TOKEN, SIGNING_SECRET, CLIENT_ID, CLIENT_SECRET, PUBLIC_URL, API_URL)

_WHERE = {
    BOT_TOKEN: "install the app, then copy the Bot User OAuth Token (xoxb-...) from OAuth & Permissions",
    APP_TOKEN: "create one under Basic Information > App-Level Tokens, scope `connections:write`",
    SIGNING_SECRET: "copy it from Basic Information > App Credentials",
    CLIENT_ID: "copy it from Basic Information > App Credentials",
    CLIENT_SECRET: "copy it from Basic Information > App Credentials",
}
_BEGINS = {BOT_TOKEN: "xoxb-", APP_TOKEN: "xapp-"}


@dataclass(frozen=True, slots=True)
class SlackSettings:
    """Tokens and addresses. `signing_secrets` are two while the secret is rotated.

    One workspace has a `bot_token`; for many there is a client id and its secret instead.
    """

    bot_token: str = field(repr=False)
    app_token: str | None = field(repr=False)
    signing_secrets: tuple[str, ...] = field(repr=False)
    api_url: str
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    public_url: str | None = None

    @property
    def for_many(self) -> bool:
        """Whether every workspace may install the app."""
        return bool(self.client_id)


def read_slack_settings(
    environ: Mapping[str, str] | None = None, folder: Path = Path(), *, http: bool = False
) -> SlackSettings:
    """Read what is needed in Socket Mode, or over HTTP. Raises ConfigError that says where to find what is missing."""
    given = {name: text.strip() for name, text in given_here(environ, folder).items() if name in VARIABLES}
    for name in _needed(given, http=http):
        _check(name, given.get(name, ""))
    secrets = tuple(part.strip() for part in given.get(SIGNING_SECRET, "").split(",") if part.strip())
    if len(secrets) > 2:
        raise ConfigError(f"{SIGNING_SECRET}: {len(secrets)} secrets were found; allowed: one, or the old and the new")
    return SlackSettings(
        bot_token=given.get(BOT_TOKEN, ""),
        app_token=given.get(APP_TOKEN),
        signing_secrets=secrets,
        api_url=_address(API_URL, given.get(API_URL, SLACK)) + "/",
        client_id=given.get(CLIENT_ID, ""),
        client_secret=given.get(CLIENT_SECRET, ""),
        public_url=_address(PUBLIC_URL, given[PUBLIC_URL]) if PUBLIC_URL in given else None,
    )


def names_client(environ: Mapping[str, str] | None = None, folder: Path = Path()) -> bool:
    """Whether the settings are for many workspaces, as far as they go."""
    return not {CLIENT_ID, CLIENT_SECRET}.isdisjoint(given_here(environ, folder))


def names_slack(environ: Mapping[str, str] | None = None, folder: Path = Path()) -> bool:
    """Whether anything is set that only an app in Slack has."""
    return not {*_WHERE}.isdisjoint(given_here(environ, folder))


def grouped_workspaces(settings: Settings) -> frozenset[str]:
    """The workspaces whose user groups give roles."""
    named = [identity.split("/") for identity in settings.roles]
    return frozenset(workspace for platform, workspace, who in named if platform == "slack" and who.startswith(GROUP))


def _needed(given: Mapping[str, str], *, http: bool) -> tuple[str, ...]:
    """What has to be set. Raises ConfigError where it is not clear for whom the app is: one workspace, or many."""
    named = next((name for name in (CLIENT_ID, CLIENT_SECRET) if name in given), None)
    if named is None:
        return BOT_TOKEN, SIGNING_SECRET if http else APP_TOKEN
    if BOT_TOKEN in given:
        raise ConfigError(
            f"{BOT_TOKEN} and {named} are both set: keep the token to serve its one workspace, or the client id and "
            "secret to serve every workspace that installs the app"
        )
    if not http:
        raise ConfigError(
            f"{named} is set, and many workspaces are served over HTTP alone: start with --http HOST:PORT, or set "
            f"{BOT_TOKEN} and {APP_TOKEN} instead to serve one"
        )
    return CLIENT_ID, CLIENT_SECRET, SIGNING_SECRET


def _address(name: str, url: str) -> str:
    if not url.startswith(("http://", "https://")):
        raise ConfigError(f"{name} is {url!r}: it has to begin with https://, as {SLACK} does")
    return url.rstrip("/")


def _check(name: str, value: str) -> None:
    if not value:
        raise ConfigError(f"{name} is not set: {_WHERE[name]}")
    begins = _BEGINS.get(name)
    if begins and not value.startswith(begins):
        raise ConfigError(f"{name} does not begin with {begins}: {_WHERE[name]}")
