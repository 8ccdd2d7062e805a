"""`deskmate doctor --slack`: whether the app is set up in Slack as the desk needs it."""

from adapters.slack.installs import OneWorkspace
from adapters.slack.permissions import EVENTS, SCOPES
from bots.doctor import Findings
from bots.slack_doctor_history import look_at_history
from bots.slack_doctor_installs import reached_installs
from bots.slack_settings import SIGNING_SECRET, SlackSettings, names_client, read_slack_settings
from bots.slackbot import check_app_token
from core.errors import ConfigError, PlatformError


async def examine_slack(findings: Findings) -> None:
    """Look at tokens and scopes, and say what is missing and where to get it; of events, what there has to be."""
    if names_client():
        for install in await reached_installs(findings):
            _look_at_scopes(findings, install.scopes)
            await look_at_history(findings, install, read_slack_settings(http=True).api_url)
        return _name_events(findings)
    try:
        slack = read_slack_settings()
        install = OneWorkspace(slack.bot_token, slack.api_url)
        await install.connect()
    except (ConfigError, PlatformError) as error:
        return findings.note("slack", "the desk cannot serve there", do=str(error))
    findings.note("slack", f"@{install.bot} in {install.workspace}")
    _look_at_scopes(findings, install.scopes)
    _name_events(findings)
    await look_at_history(findings, install, slack.api_url)
    await _look_at_connection(findings, slack)
    if not slack.signing_secrets:
        findings.note("slack http", f"{SIGNING_SECRET} is not set: Socket Mode does without it")


def _look_at_scopes(findings: Findings, granted: frozenset[str]) -> None:
    if not granted:
        return findings.note("slack scopes", "Slack does not say which the token has")
    missing = [scope for scope in SCOPES if scope.name not in granted and not scope.optional]
    refused = [scope.name for scope in SCOPES if scope.name not in granted and scope.optional]
    optional = f" (optional, not given: {', '.join(refused)})" if refused else ""
    if not missing:
        return findings.note("slack scopes", f"all that are needed{optional}")
    for scope in missing:
        findings.note(
            "slack scopes",
            f"{scope.name} is missing: to {scope.why}",
            do="add it under OAuth & Permissions > Scopes, then install the app again",
        )


def _name_events(findings: Findings) -> None:
    """Name the events: Slack tells no bot what it is subscribed to."""
    names = ", ".join(f"{event.name} (not in a plain app)" if event.agent else event.name for event in EVENTS)
    findings.note("slack events", f"Slack does not say which are subscribed; Event Subscriptions has to list {names}")


async def _look_at_connection(findings: Findings, slack: SlackSettings) -> None:
    try:
        await check_app_token(slack)
    except (ConfigError, PlatformError) as error:
        return findings.note("slack socket", "Slack gives no connection", do=str(error))
    findings.note("slack socket", "Slack gives a connection")
