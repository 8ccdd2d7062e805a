"""Messages of ours that we delete ourselves, told apart from what a moderator deletes."""

from adapters.removed import Removed
from adapters.slack.api import RefusedCallError, SlackApi
from core.models import ConversationRef

DAYS = 7
"""How long it is known: Slack tells of a deletion at once, and again for some hours."""


class Removing(Removed):
    """Deletes messages of ours, and knows afterwards that no moderator did."""

    def __init__(self, api: SlackApi) -> None:
        """Nothing is opened here."""
        super().__init__(days=DAYS)
        self._api = api

    async def remove(self, ref: ConversationRef, ts: str) -> bool:
        """Delete a message of ours; False where Slack keeps it, as a workspace may want. To do it twice does no harm.

        Raises PlatformError where it may be tried again.
        """
        await self.note(_name(ref, ts))
        try:
            await self._api.call(ref.workspace, "chat.delete", channel=ref.channel, ts=ts)
        except RefusedCallError as error:
            return error.said == "message_not_found"
        return True

    async def was_us(self, ref: ConversationRef, ts: str) -> bool:
        """Whether we deleted a message ourselves."""
        return await self.has(_name(ref, ts))


def _name(ref: ConversationRef, ts: str) -> str:
    return f"{ref.workspace}/{ref.channel}/{ts}"
