"""Messages of ours that we delete ourselves, told apart from what a moderator deletes."""

from adapters.discord.api import UNKNOWN_MESSAGE, DiscordApi, RefusedCallError
from adapters.removed import Removed

DAYS = 1
"""How long it is known: Discord tells of a deletion at once, and again where a session is resumed."""


class Removing(Removed):
    """Deletes messages of ours, and knows afterwards that no moderator did."""

    def __init__(self, api: DiscordApi) -> None:
        """Nothing is opened here."""
        super().__init__(days=DAYS)
        self._api = api

    async def remove(self, channel: str, message: str) -> None:
        """Delete a message of ours; one that is gone is no error. To do it twice does no harm."""
        await self.note(message)
        path = "/channels/{channel_id}/messages/{message_id}"
        try:
            await self._api.call("DELETE", path, channel_id=channel, message_id=message)
        except RefusedCallError as error:
            if error.code != UNKNOWN_MESSAGE:
                raise

    async def was_us(self, message: str) -> bool:
        """Whether we deleted a message ourselves."""
        return await self.has(message)
