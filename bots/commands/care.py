"""Commands that look after a store."""

import asyncio
from typing import TYPE_CHECKING, Any

from bots.commands.common import FAILED, Options, extra, from_store, reading_command, write

if TYPE_CHECKING:
    from bots.assemble import Records
    from bots.commands.common import Commands


def add_doctor(commands: "Commands") -> None:
    doctor = reading_command(commands, "doctor", "check store, keys and model, and say what to do", _doctor)
    doctor.add_argument("--slack", action="store_true", help="check the Slack app too: tokens, scopes, connection")
    doctor.add_argument("--discord", action="store_true", help="check the Discord app too: token, intents, permissions")


def add_moving(commands: "Commands") -> None:
    reading_command(commands, "migrate", "bring the store to the newest schema", _migrate)


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


def _migrate(options: Options) -> int:
    from bots.doctor import schema_number

    async def read(records: "Records") -> dict[str, Any]:
        # To open a store is to migrate it.
        return {"store": records.settings.store, "schema": schema_number()}

    found = from_store(read)
    write(options, found, lambda _: f"{found['store']} is at schema {found['schema']}, the newest.")
    return 0
