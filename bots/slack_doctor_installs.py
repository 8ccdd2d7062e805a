"""`deskmate doctor --slack` for many workspaces: whether the client is Slack's, and where the app is installed."""

from adapters.slack.installs import OneWorkspace
from adapters.slack.manifest import INSTALL_PATH
from adapters.slack.oauth import check_client
from adapters.slack.refs import PLATFORM
from adapters.slack.workspaces import Install, read_installs
from bots.assemble import open_records
from bots.doctor import Findings
from bots.settings import read_settings, store_file
from bots.slack_settings import SlackSettings, read_slack_settings
from bots.slackbot import client_of
from core.errors import ConfigError, DeskError, PlatformError
from core.notes import PlatformNotes
from core.personal.masking import PersonalData

_INSTALL = f"open {INSTALL_PATH} at the desk's public address"


async def reached_installs(findings: Findings) -> list[OneWorkspace]:
    """Look at the client and at each install; those whose token works, to be looked at further."""
    try:
        slack = read_slack_settings(http=True)
        await check_client(client_of(slack))
        findings.note("slack", "Slack knows the client id and its secret")
        kept = await _kept()
    except DeskError as error:
        findings.note("slack", "the desk cannot serve there", do=str(error))
        return []
    if not kept:
        findings.note("slack installs", f"none yet: {_INSTALL}")
    looked_at = [await _reach(findings, slack, install) for install in kept]
    return [install for install in looked_at if install is not None]


async def _kept() -> list[Install]:
    settings = read_settings()
    path = store_file(settings)
    if path is not None and not path.exists():  # noqa: ASYNC240 - nothing else runs
        return []
    async with open_records(settings) as records:
        writer, personal = records.writer(), PersonalData(settings.personal_data)
        notes = PlatformNotes(PLATFORM, store=records.store, sealer=records.sealer, writer=writer, personal=personal)
        return list((await read_installs(notes)).values())


async def _reach(findings: Findings, slack: SlackSettings, install: Install) -> OneWorkspace | None:
    found = OneWorkspace(install.token, slack.api_url)
    try:
        await found.connect()
    except ConfigError:
        findings.note("slack installs", f"{install.workspace}: Slack refused the token", do=f"{_INSTALL}, once more")
        return None
    except PlatformError as error:
        findings.note("slack installs", f"{install.workspace}: it cannot be told", do=str(error))
        return None
    findings.note("slack installs", f"@{found.bot} in {found.workspace}")
    return found
