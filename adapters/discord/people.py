"""What Discord knows besides what it sends: what others said in the thread before, and somebody's roles."""

import logging
from dataclasses import replace

from adapters.discord.api import DiscordApi
from adapters.discord.reading import QUOTED, quotes_of
from adapters.discord.refs import Us
from adapters.discord.threads import Threads
from adapters.payloads import Json, text_in
from core.errors import PlatformError
from core.models import UserMessage

log = logging.getLogger(__name__)


class People:
    """Asks what was said before the desk was called, and for roles. Who speaks, a message says itself."""

    def __init__(self, api: DiscordApi, threads: Threads) -> None:
        """Nothing is opened here."""
        self._api = api
        self._threads = threads

    async def with_member(self, put: Json) -> Json:
        """Add the member with their roles to what somebody did in a server. Best effort: without, they have none."""
        guild, user = text_in(put, "guild_id"), text_in(put, "user_id")
        if not (guild and user):
            return put
        try:
            path = "/guilds/{guild_id}/members/{user_id}"
            return put | {"member": await self._api.call("GET", path, guild_id=guild, user_id=user)}
        except PlatformError as error:
            log.info("the roles of %s could not be read: %s", user, error)
            return put

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
