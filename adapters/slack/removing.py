"""Messages of ours that we delete ourselves. Slack tells of each deletion, and not who deleted: that is noted here."""

import time

from adapters.slack.api import RefusedCallError, SlackApi
from core.models import ConversationRef
from core.ports import Notes

REMOVED = "removed"
DAYS = 7
"""How long it is known: Slack tells of a deletion at once, and again for some hours."""

_DAY = 86_400


class Removing:
    """Deletes messages of ours, and knows afterwards that no moderator did."""

    def __init__(self, api: SlackApi) -> None:
        """Nothing is opened here."""
        self._api = api
        self._notes: Notes | None = None

    def remember_in(self, notes: Notes) -> None:
        """Use these notes from now on."""
        self._notes = notes

    async def remove(self, ref: ConversationRef, ts: str) -> bool:
        """Delete a message of ours; False where Slack keeps it, as a workspace may want. To do it twice does no harm.

        Raises PlatformError where it may be tried again.
        """
        if self._notes:
            await self._notes.put(REMOVED, _name(ref, ts), time.time())
        try:
            await self._api.call(ref.workspace, "chat.delete", channel=ref.channel, ts=ts)
        except RefusedCallError as error:
            return error.said == "message_not_found"
        return True

    async def was_us(self, ref: ConversationRef, ts: str) -> bool:
        """Whether we deleted a message ourselves."""
        return bool(self._notes and await self._notes.get(REMOVED, _name(ref, ts)))

    async def tidy(self) -> None:
        """Forget what Slack no longer tells of."""
        if self._notes is None:
            return
        for name, at in (await self._notes.all(REMOVED)).items():
            if at < time.time() - DAYS * _DAY:
                await self._notes.drop(REMOVED, name)


def _name(ref: ConversationRef, ts: str) -> str:
    return f"{ref.workspace}/{ref.channel}/{ts}"
