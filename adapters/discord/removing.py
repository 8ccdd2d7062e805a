"""Messages of ours that we delete ourselves: Discord tells of each deletion, and not who deleted."""

import time

from adapters.discord.api import UNKNOWN_MESSAGE, DiscordApi, RefusedCallError
from core.ports import Notes

REMOVED = "removed"
DAYS = 1
"""How long it is known: Discord tells of a deletion at once, and again where a session is resumed."""

_DAY = 86_400


class Removing:
    """Deletes messages of ours, and knows afterwards that no moderator did."""

    def __init__(self, api: DiscordApi) -> None:
        """Nothing is opened here."""
        self._api = api
        self._notes: Notes | None = None

    def remember_in(self, notes: Notes) -> None:
        """Use these notes from now on."""
        self._notes = notes

    async def remove(self, channel: str, message: str) -> None:
        """Delete a message of ours; one that is gone is no error. To do it twice does no harm."""
        if self._notes:
            await self._notes.put(REMOVED, message, time.time())
        path = "/channels/{channel_id}/messages/{message_id}"
        try:
            await self._api.call("DELETE", path, channel_id=channel, message_id=message)
        except RefusedCallError as error:
            if error.code != UNKNOWN_MESSAGE:
                raise

    async def was_us(self, message: str) -> bool:
        """Whether we deleted a message ourselves."""
        return bool(self._notes and await self._notes.get(REMOVED, message))

    async def tidy(self) -> None:
        """Forget what Discord no longer tells of."""
        if self._notes is None:
            return
        for message, at in (await self._notes.all(REMOVED)).items():
            if at < time.time() - DAYS * _DAY:
                await self._notes.drop(REMOVED, message)
