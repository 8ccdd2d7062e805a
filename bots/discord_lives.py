"""Lives of a client on Discord's gateway: one that ends is followed by another, and never too many in a day.

discord.py resumes a session by itself where it can. A malformed frame, a session that is over or a network that is away
end its client; each new one identifies, which Discord allows a thousand times a day.
"""

import asyncio
import itertools
import logging
import time
from dataclasses import dataclass

import aiohttp
import discord

from adapters.discord.app import DiscordApp
from adapters.discord.identifying import SessionsEndError, SessionsUsedUpError
from bots.discord_settings import TOKEN, WHERE_CONTENT_IS, WHERE_TOKENS_ARE
from core.errors import ConfigError

log = logging.getLogger(__name__)

FIRST_PAUSE = 1.0
LONGESTAWAY, LONGEST_PAUSE = 60.0, 300.0
"""Seconds at most before the next try where Discord is away, and where a session had begun."""
BETWEEN_SESSIONS = 5.0
"""Seconds that Discord wants between the beginnings of two sessions."""
RAN_WELL = 300.0
"""Seconds after which an end is the first one again: with all of them it stays below 300 sessions a day."""
WRONG_TOKEN = 4004

AWAY = (OSError, aiohttp.ClientError, discord.HTTPException, discord.GatewayNotFound)


@dataclass(slots=True)
class Pauses:
    """How long to wait after a life that ended, before the next one."""

    away: float = FIRST_PAUSE
    broken: float = FIRST_PAUSE

    def after(self, lived: float, *, identified: bool) -> float:
        """Wait longer each time, until one ran well. Where Discord was not reached no session was used up."""
        if not identified:
            pause, self.away = self.away, min(self.away * 2, LONGESTAWAY)
            return pause
        self.away = FIRST_PAUSE
        if lived >= RAN_WELL:
            self.broken = FIRST_PAUSE
        pause, self.broken = self.broken, min(self.broken * 2, LONGEST_PAUSE)
        return max(pause, BETWEEN_SESSIONS - lived)


async def live_on(app: DiscordApp) -> None:
    """Run client after client, until cancelled. Raises ConfigError where the token is refused."""
    pauses = Pauses()
    for life in itertools.count():
        began = time.monotonic()
        connected = asyncio.create_task(_until_connected(app, again=life > 0))
        try:
            ended = await _live(app)
        finally:
            connected.cancel()
            await asyncio.wait({connected})
        identified = not connected.cancelled() or not isinstance(ended, AWAY)
        pause = _pause(pauses, ended, time.monotonic() - began, identified=identified)
        log.warning("%s; trying again in %.0f s", _reason(app, ended), pause, exc_info=_bug(ended))
        await asyncio.sleep(pause)


def _pause(pauses: Pauses, ended: Exception | None, lived: float, *, identified: bool) -> float:
    if isinstance(ended, SessionsUsedUpError):
        # Discord says itself when there are more.
        return ended.seconds + FIRST_PAUSE
    return pauses.after(lived, identified=identified)


async def _until_connected(app: DiscordApp, *, again: bool) -> None:
    await app.until_ready()
    if again:
        log.warning("connected to Discord again")


async def _live(app: DiscordApp) -> Exception | None:
    try:
        await app.run()
    except Exception as error:
        # Whatever a malformed frame came to inside the library.
        return error
    return None


def _reason(app: DiscordApp, ended: Exception | None) -> str:
    """Why a life ended. Raises ConfigError where the next one would end likewise."""
    if isinstance(ended, discord.LoginFailure):
        raise ConfigError(f"{TOKEN} was refused: {WHERE_TOKENS_ARE}") from ended
    if isinstance(ended, discord.PrivilegedIntentsRequired):
        app.do_without_content()
        return f"Discord does not let the bot read messages: {WHERE_CONTENT_IS}. It goes on without"
    if isinstance(ended, discord.ConnectionClosed):
        if ended.code == WRONG_TOKEN:
            raise ConfigError(f"{TOKEN} was refused: {WHERE_TOKENS_ARE}") from ended
        return f"Discord closed the connection ({ended.code})"
    if isinstance(ended, SessionsEndError):
        return "Discord ends each session as soon as it begins"
    if isinstance(ended, SessionsUsedUpError):
        return f"{ended}, and the bot leaves them alone: was it started again and again?"
    return away(ended) or ("the connection to Discord broke" if ended else "the connection to Discord was lost")


def away(error: Exception | None) -> str:
    """Say that Discord is away; empty where it is something else."""
    if isinstance(error, discord.HTTPException):
        return f"Discord fails ({error.status})"
    return f"Discord cannot be reached: {type(error).__name__}" if isinstance(error, AWAY) else ""


def _bug(ended: Exception | None) -> Exception | None:
    """What has to be looked into: neither Discord's doing nor the network's."""
    return None if isinstance(ended, (*AWAY, discord.DiscordException)) else ended
