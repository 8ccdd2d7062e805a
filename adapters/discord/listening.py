"""Until when the gateway was listened to: what was said later, in a place nobody heard of before, was missed.

It is one moment for all places: where a channel was heard of, its own mark says it better. Clocks differ, and a dead
connection is noticed late, so that some minutes before it are looked through too: the inbox refuses what it has.
"""

import time

from adapters.discord.refs import snowflake_at
from core.ports import Notes

LISTENED, GATEWAY = "listened", "gateway"
KEEP_EVERY = 30.0
"""Seconds after which the moment is written down anew."""
MARGIN = 180.0
TOGETHER = 600.0
"""Connections that begin within so many seconds begin together: shards, and tries that fail."""


class Listening:
    """Remembers the moment over restarts, and over connections that end."""

    def __init__(self) -> None:
        """Nobody listened yet."""
        self._notes: Notes | None = None
        self._until = self._since = self._began = self._noted = 0.0

    def remember_in(self, notes: Notes) -> None:
        """Use these notes from now on."""
        self._notes = notes

    async def load(self) -> None:
        """Read until when a desk before this one listened."""
        noted = await self._notes.get(LISTENED, GATEWAY) if self._notes else None
        self._until = self._noted = float(noted or 0.0)

    def begins(self) -> None:
        """Take note that a connection begins: what was said since the one before it may have been missed."""
        now = time.time()
        if now - self._began > TOGETHER:
            self._since = self._until
        self._began = now

    def hears(self) -> None:
        """Take note that the gateway says something."""
        self._until = time.time()

    def missed(self, message: str) -> bool:
        """Whether a message came when nobody may have listened. Nothing was missed before the first time."""
        return bool(self._since) and message.isdecimal() and int(message) > int(self.since)

    @property
    def since(self) -> str:
        """The first id of what may have been missed."""
        return snowflake_at(self._since - MARGIN)

    async def keep(self) -> None:
        """Write the moment down, if it is time to. Not while something is still to be read: a crash would lose it."""
        if self._notes and self._until - self._noted > KEEP_EVERY:
            await self._notes.put(LISTENED, GATEWAY, self._until)
            self._noted = self._until
