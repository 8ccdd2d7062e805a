"""Commands that look after a store."""

import asyncio
from typing import TYPE_CHECKING

from bots.commands.common import FAILED, Options, extra, reading_command, write

if TYPE_CHECKING:
    from bots.commands.common import Commands


def add_doctor(commands: "Commands") -> None:
    doctor = reading_command(commands, "doctor", "check store, keys and model, and say what to do", _doctor)
    doctor.add_argument("--slack", action="store_true", help="check the Slack app too: tokens, scopes, connection")
    doctor.add_argument("--discord", action="store_true", help="check the Discord app too: token, intents, permissions")


def add_fsck(commands: "Commands") -> None:
    fsck = reading_command(commands, "fsck", "check what must be true of every row, also while a desk serves", _fsck)
    fsck.add_argument("--deep", action="store_true", help="open all that is sealed too; takes long")
    fsck.add_argument("--repair", action="store_true", help="mend what can be mended without deleting; no desk may run")


def _doctor(options: Options) -> int:
    from bots import tables
    from bots.doctor import examine
    from bots.settings import read_settings

    findings = asyncio.run(examine(read_settings()))
    if options.slack:
        with extra("slack"):
            from bots.slack_doctor import examine_slack
        asyncio.run(examine_slack(findings))
    if options.discord:
        with extra("discord"):
            from bots.discord_doctor import examine_discord
        asyncio.run(examine_discord(findings))
    write(options, findings.value(), tables.doctor)
    return 0 if findings.ok else FAILED


def _fsck(options: Options) -> int:
    from bots import checking, tables
    from bots.settings import read_settings

    do = checking.repair if options.repair else checking.check
    found = asyncio.run(do(read_settings(), deep=options.deep))
    write(options, found, tables.fsck)
    return 0 if found["ok"] else FAILED
