"""What Discord knows besides a message: what others said in the thread before."""

import logging
from dataclasses import replace

from adapters.discord.api import DiscordApi
from adapters.discord.reading import QUOTED, quotes_of
from adapters.discord.refs import Us
from adapters.discord.threads import Threads
from core.errors import PlatformError
from core.models import UserMessage

log = logging.getLogger(__name__)


class People:
    """Asks what was said before the desk was called. Who speaks, a message says itself."""

    def __init__(self, api: DiscordApi, threads: Threads) -> None:
        """Nothing is opened here."""
        self._api = api
        self._threads = threads

    async def complete(self, message: UserMessage, us: Us, *, first: bool) -> UserMessage:
        """Add what was said in a thread before, where the desk was only now called into it. Best effort."""
        ref = message.ref
        thread = self._threads.id_of(ref)
        ours = self._threads.is_planned(ref.channel)
        if not first or ref.direct or ref.thread is None or ours or thread is None or message.id == thread:
            return message
        try:
            query = {"before": message.id, "limit": QUOTED}
            page = await self._api.call("GET", "/channels/{channel_id}/messages", query=query, channel_id=thread)
        except PlatformError as error:
            log.info("what was said before %s could not be read: %s", message.id, error)
            return message
        return replace(message, quotes=(*quotes_of(page, us, before=message.id), *message.quotes))
