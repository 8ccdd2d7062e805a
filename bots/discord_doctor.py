"""`deskmate doctor --discord`: whether the app is set up on Discord as the desk needs it."""

import asyncio

import discord
from discord.http import Route

from adapters.discord.identifying import SessionsUsedUpError, check_left
from adapters.discord.permissions import invite_url
from adapters.discord.words import Interaction, Tree
from bots.discord_doctor_servers import look_at_servers
from bots.discord_lives import AWAY, away
from bots.discord_settings import (
    PORTAL,
    TOKEN,
    WHERE_CONTENT_IS,
    WHERE_TOKENS_ARE,
    DiscordSettings,
    read_discord_settings,
)
from bots.doctor import Findings
from bots.sections import DiscordSection
from bots.settings import read_settings
from core.errors import ConfigError, PlatformError
from core.words import WORDS

LOOK_SECONDS = 60.0
"""How long Discord may take for all that is asked."""


async def examine_discord(findings: Findings) -> None:
    """Look at token, app, servers and channels without the gateway, and say what is missing and where to grant it."""
    try:
        given, section = read_discord_settings(), read_settings().discord
        await _look(findings, given, section)
    except (ConfigError, PlatformError) as error:
        findings.note("discord", "the desk cannot serve there", do=str(error))


async def _look(findings: Findings, given: DiscordSettings, section: DiscordSection) -> None:
    """Look at everything. Raises ConfigError where the token is refused, PlatformError where Discord is away."""
    discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False
    if given.api_base:
        Route.BASE = given.api_base
    try:
        async with asyncio.timeout(LOOK_SECONDS), discord.Client(intents=discord.Intents(guilds=True)) as client:
            await client.login(given.token)
            await _look_as(client, findings, section)
    except discord.LoginFailure as error:
        raise ConfigError(f"{TOKEN} was refused: {WHERE_TOKENS_ARE}") from error
    except (*AWAY, discord.DiscordException, TimeoutError) as error:
        raise PlatformError(away(error) or f"Discord did not answer: {type(error).__name__}") from error


async def _look_as(client: discord.Client, findings: Findings, section: DiscordSection) -> None:
    app = await client.application_info()
    findings.note("discord", f"@{client.user.name if client.user else '?'}, application {app.name} ({app.id})")
    _look_at_application(findings, app, section)
    findings.note("discord invite", invite_url(str(app.id)))
    await _look_at_sessions(client, findings)
    await _look_at_commands(client, findings, app.id)
    await look_at_servers(client, findings, section, str(app.id))


def _look_at_application(findings: Findings, app: discord.AppInfo, section: DiscordSection) -> None:
    granted = app.flags.gateway_message_content or app.flags.gateway_message_content_limited
    if not section.content:
        findings.note("discord intents", "message content is not asked for: `content` is off under [discord]")
    elif granted:
        findings.note("discord intents", "message content is granted")
    else:
        works = "only mentions, direct messages, commands and menus work"
        findings.note("discord intents", f"message content is not granted: {works}", do=WHERE_CONTENT_IS)
    if app.interactions_endpoint_url:
        findings.note(
            "discord commands",
            "Discord sends them to an Interactions Endpoint URL, not to the desk",
            do=f"take it off at {PORTAL}/{app.id}/information",
        )


async def _look_at_sessions(client: discord.Client, findings: Findings) -> None:
    shards, _, limit = await client.http.get_bot_gateway()
    found = f"{limit['remaining']:,} of {limit['total']:,} that may begin in a day are left"
    try:
        check_left(limit, shards)
    except SessionsUsedUpError as error:
        wait = f"wait {error.seconds / 60:.0f} minutes, and find out what starts the bot again and again"
        findings.note("discord sessions", found, do=wait)
    else:
        findings.note("discord sessions", found)


async def _look_at_commands(client: discord.Client, findings: Findings, application: int) -> None:
    async def take(_: Interaction) -> None:
        """Nobody says anything here."""

    async def offer(_: Interaction, __: str) -> list[str]:
        return []

    tree = Tree(client, WORDS, take, {"ticket": offer, "branch": offer})
    wanted = [(command.to_dict(tree)["type"], command.name) for command in tree.get_commands()]
    known = {(one["type"], one["name"]) for one in await client.http.get_global_commands(application)}
    missing = [name for kind, name in wanted if (kind, name) not in known]
    if not known:
        findings.note("discord commands", "none yet: the first start of `deskmate discord` tells Discord")
    elif missing:
        findings.note("discord commands", f"missing: {', '.join(missing)}", do="start `deskmate discord` again")
    else:
        findings.note("discord commands", f"all {len(wanted)} are there")
