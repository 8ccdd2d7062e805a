"""How often sessions of the gateway begin: Discord allows a thousand a day, and then takes the bot's token away.

The library begins another one every five seconds where Discord refuses them at once. Here the pauses grow, and soon
the client ends instead: who made it knows how long to wait before the next one. What other processes began only
Discord knows, and says before a client connects: also one that is started again and again takes no more than there are.
https://docs.discord.com/developers/events/gateway#identifying
https://docs.discord.com/developers/events/gateway#session-start-limit-object
"""

import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

import discord

if TYPE_CHECKING:
    from discord.types.gateway import SessionStartLimit

FIRST_PAUSE, LONGEST_PAUSE = 5.0, 20.0
"""Seconds between two sessions of a shard: what Discord wants, and what a client waits for at most."""
RAN_WELL = 300.0
MOST_A_DAY = 950
KEPT_BACK = 50
"""Sessions that are left alone: what Discord counts may be behind, and an operator has to get in."""
_DAY = 86_400.0


class SessionsEndError(discord.ClientException):
    """Sessions end as soon as they begin."""


class SessionsUsedUpError(discord.ClientException):
    """No more sessions may begin for so many `seconds`."""

    def __init__(self, message: str, seconds: float) -> None:
        super().__init__(message)
        self.seconds = seconds


def check_left(limit: "SessionStartLimit", shards: int) -> None:
    """Check Discord's own count before a session of each shard begins. Raises SessionsUsedUpError."""
    if limit["remaining"] - shards < KEPT_BACK:
        said = f"of the {limit['total']:,} sessions a day that Discord allows {limit['remaining']:,} are left"
        raise SessionsUsedUpError(said, limit["reset_after"] / 1000)


class Identifying:
    """Says how long to wait before a session begins. Outlives clients, as Discord counts over all of them."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """No session began yet."""
        self._clock = clock
        self._begun: deque[float] = deque()
        self._last: dict[int, float] = {}
        self._pauses: dict[int, float] = {}

    def pause(self, shard: int, *, initial: bool) -> float:
        """Count a session that a shard is about to begin; the seconds to wait before it does.

        The `initial` one of a client waits for nothing. Raises SessionsEndError where there were too many.
        """
        now = self._clock()
        while self._begun and self._begun[0] <= now - _DAY:
            self._begun.popleft()
        if now - self._last.get(shard, -RAN_WELL) >= RAN_WELL:
            self._pauses[shard] = FIRST_PAUSE
        pause = 0.0 if initial else self._pauses[shard]
        if pause > LONGEST_PAUSE or len(self._begun) >= MOST_A_DAY:
            raise SessionsEndError(f"{len(self._begun)} sessions began within a day, the last ones ended at once")
        if not initial:
            self._pauses[shard] *= 2
        self._last[shard] = now + pause
        self._begun.append(now + pause)
        return pause
