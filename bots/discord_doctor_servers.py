"""`deskmate doctor --discord` on servers: where the app is, and what it may do there and in support channels."""

from collections.abc import Iterable

import discord
from discord.abc import GuildChannel

from adapters.discord.permissions import PERMISSIONS, Permission, invite_url
from bots.doctor import Findings
from bots.sections import DiscordSection
from bots.serving import listed

SERVERS = 20
"""Servers that are looked at."""
_CHECK = "discord servers"
_FORUMS = (discord.ChannelType.forum, discord.ChannelType.media)


async def look_at_servers(
    client: discord.Client, findings: Findings, section: DiscordSection, application: str
) -> None:
    """Say where the app is and what it may not do there, and whether each support channel is somewhere."""
    servers = [server async for server in client.fetch_guilds(limit=SERVERS + 1)]
    if not servers:
        return findings.note(_CHECK, "the app is in none", do=f"invite it: {invite_url(application)}")
    wanted = {name.strip().removeprefix("#").lower() for name in section.support}
    found: set[str] = set()
    for server in servers[:SERVERS]:
        found |= await _look_at_server(client, findings, await client.fetch_guild(server.id), wanted)
    if len(servers) > SERVERS:
        return findings.note(_CHECK, f"the app is in more than {SERVERS}; the others were not looked at")
    for name in sorted(wanted - found):
        findings.note(
            "discord support",
            f"no server has a channel or forum {name} that the app is told of",
            do="look at `support` under [discord] in desk.toml: names without #, or ids",
        )
    return None


async def _look_at_server(
    client: discord.Client, findings: Findings, server: discord.Guild, wanted: set[str]
) -> set[str]:
    """Look at a server and its support channels; which of those that are wanted are there."""
    us = await server.fetch_member(client.user.id if client.user else 0)
    missing = _missing(us.guild_permissions)
    findings.note(
        _CHECK,
        f"{server.name}: {_said(missing)}",
        do=f"invite the app again, with {invite_url(str(client.application_id))}" if missing else "",
    )
    found: set[str] = set()
    closed: list[str] = []
    for channel in await server.fetch_channels():
        called = {str(channel.id), channel.name.lower()} & wanted
        if called and channel.type in (discord.ChannelType.text, discord.ChannelType.news, *_FORUMS):
            found |= called
            _look_at_channel(findings, server, channel, us)
        elif channel.type is discord.ChannelType.text and _opens_no_thread(channel.permissions_for(us)):
            closed.append(f"#{channel.name}")
    if closed and not missing:
        findings.note(
            _CHECK,
            f"{server.name}: it answers in the channel, as it may open no thread, in {listed(closed)}",
            do="in the settings of each, Permissions, allow Create Public Threads to the app",
        )
    return found


def _look_at_channel(findings: Findings, server: discord.Guild, channel: GuildChannel, us: discord.Member) -> None:
    missing = _missing(channel.permissions_for(us), in_forum=channel.type in _FORUMS)
    findings.note(
        "discord support",
        f"{server.name} #{channel.name}: {_said(missing)}",
        do=f"in the settings of #{channel.name} in {server.name}, Permissions, allow it to the app" if missing else "",
    )


def _opens_no_thread(granted: discord.Permissions) -> bool:
    """Whether the app is heard in a channel and may open no thread there."""
    return granted.view_channel and granted.send_messages and not granted.create_public_threads


def _missing(granted: discord.Permissions, *, in_forum: bool = False) -> list[Permission]:
    asked: Iterable[Permission] = (one for one in PERMISSIONS if one.in_forums or not in_forum)
    return [one for one in asked if not (granted.administrator or getattr(granted, one.name))]


def _said(missing: list[Permission]) -> str:
    if not missing:
        return "it may do all that is needed"
    return "; ".join(f"{one.label} is missing: to {one.why}" for one in missing)
