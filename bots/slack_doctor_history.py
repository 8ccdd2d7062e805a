"""`deskmate doctor --slack` on catching up: which history the token may read, and how often."""

from adapters.slack.history_probe import METHODS, TYPES, Probed, heard_of, probe
from adapters.slack.installs import OneWorkspace
from adapters.slack.refs import PLATFORM
from bots.assemble import open_records
from bots.doctor import Findings
from bots.settings import read_settings, store_file
from core.errors import DeskError
from core.notes import PlatformNotes
from core.personal.masking import PersonalData


async def look_at_history(findings: Findings, install: OneWorkspace, api_url: str) -> None:
    """Say what may be read in which type of channel, and try it in conversations the desk knows."""
    if install.scopes:
        _look_at_types(findings, install.scopes)
    try:
        places = await _known(install.us.team)
    except DeskError:
        # What is wrong with the store was found before.
        places = []
    if not places:
        return findings.note("slack history", "not tried: the desk knows no conversation there yet")
    token = await install.token_of(install.us.team)
    for method in METHODS:
        findings.note("slack history", _told(await probe(token, api_url, method, places)))


def _look_at_types(findings: Findings, granted: frozenset[str]) -> None:
    may = [kind for scope, kind in TYPES.items() if scope in granted]
    may_not = [f"{kind} ({scope} is missing)" for scope, kind in TYPES.items() if scope not in granted]
    not_read = f"; not {', '.join(may_not)}" if may_not else ""
    findings.note("slack history", f"the token reads {', '.join(may) or 'nothing'}{not_read}")


def _told(probed: Probed) -> str:
    refused = f", was refused ({', '.join(sorted(probed.refused))})" if probed.refused else ""
    if probed.wait is not None:
        pace = f"Slack wants {probed.wait} s between calls: catching up reads one conversation in that time"
    else:
        pace = "takes several calls at once"
    return f"{probed.method}{refused}: {pace}" if probed.answered or probed.wait else f"{probed.method}{refused}"


async def _known(workspace: str) -> list[tuple[str, str]]:
    settings = read_settings()
    path = store_file(settings)
    if path is not None and not path.exists():  # noqa: ASYNC240 - nothing else runs
        return []
    async with open_records(settings) as records:
        writer, personal = records.writer(), PersonalData(settings.personal_data)
        return await heard_of(
            PlatformNotes(PLATFORM, store=records.store, sealer=records.sealer, writer=writer, personal=personal),
            workspace,
        )
