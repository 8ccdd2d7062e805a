"""`deskmate discord`: the desk in the servers a bot was invited to."""

import asyncio
import contextlib
import logging

import discord

from adapters.discord.app import DiscordApp
from adapters.discord.options import Aim, Options
from adapters.discord.permissions import invite_url
from bots.discord_lives import live_on
from bots.discord_settings import DiscordSettings
from bots.sections import AllSettings
from bots.serving import Say, listed, run_parts
from core.access import role_of
from core.words import WORDS

log = logging.getLogger(__name__)

NAMES_SECONDS = 2.0
"""How long the start waits for the names of servers, which come one by one."""
CLOSE_SECONDS = 1.5
"""How long Discord has to say goodbye: with what the desk needs to stop that stays below ten seconds."""


def run_discord(settings: AllSettings, given: DiscordSettings) -> int:
    """Serve until told to leave; returns the exit code."""
    return run_parts(settings, [DiscordPart(settings, given)])


def options_of(settings: AllSettings) -> Options:
    """Give what the operator chose. Whoever may do more than a customer is staff."""
    section = settings.discord
    return Options(
        support=frozenset(section.support),
        is_staff=lambda ref: role_of(settings, ref) != "customer",
        content=section.content,
        open_threads=section.open_threads,
        stream_after=section.stream_after,
    )


class DiscordPart:
    """Discord, of a desk. What the desk says last still goes out: the client is closed after the desk."""

    title = "Discord"

    def __init__(self, settings: AllSettings, given: DiscordSettings) -> None:
        # What the library says of voice, which nobody asked for.
        discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False
        aim = Aim(given.api_base, given.gateway, given.shards, given.shard_count)
        self._app = DiscordApp(given.token, WORDS, options=options_of(settings), aim=aim)
        self._lives: asyncio.Task[None] | None = None

    @property
    def app(self) -> DiscordApp:
        return self._app

    async def __aenter__(self) -> "DiscordPart":
        await self._app.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._lives is not None:
            self._lives.cancel()
            await asyncio.wait({self._lives}, timeout=CLOSE_SECONDS)
        await self._app.__aexit__(*_)

    async def serve(self, say: Say) -> None:
        self._lives = lives = asyncio.create_task(live_on(self._app))
        greeting = asyncio.create_task(self._greet(say))
        try:
            # Not cancelled with this: what is left to be said needs the client.
            await asyncio.shield(lives)
        finally:
            greeting.cancel()
            await asyncio.wait({greeting})

    async def _greet(self, say: Say) -> None:
        await self._app.until_ready()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(NAMES_SECONDS):
                while not all(self._app.guilds):  # noqa: ASYNC110 - nobody tells when a name comes
                    await asyncio.sleep(0.01)
        names = [name for name in self._app.guilds if name]
        if names:
            say(f"Connected to {listed(names)} as @{self._app.bot}. Try: DM it, or /ticket-summary")
        else:
            say(f"@{self._app.bot} is in no server yet: invite it with {invite_url(self._app.application)}")
