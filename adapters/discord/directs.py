"""Direct conversations: which channel one is, and that it is read again after a time in which nobody listened.

Discord gives bots no list of them. To open one is silent, and gives the one that is there; so the desk opens it when
somebody speaks to it in a server, and from then on also finds what they write there first while it is down. It is done
at their word and not too often: Discord shuts out bots that open many.
https://docs.discord.com/developers/resources/user#create-dm
"""

import time
from collections import OrderedDict, deque
from collections.abc import Callable

from adapters.discord.api import DiscordApi
from adapters.discord.catch_up import CatchUp
from adapters.discord.refs import Room
from adapters.payloads import text_in

MET = 10_000
"""People who are known to be met, at most: the others are met once more."""
MOST_A_MINUTE = 10
MINUTE = 60.0


class Directs:
    """Opens direct conversations."""

    def __init__(self, api: DiscordApi, catch_up: CatchUp, clock: Callable[[], float] = time.monotonic) -> None:
        """Nobody was met yet."""
        self._api = api
        self._catch_up = catch_up
        self._clock = clock
        self._missed: Callable[[], None] = lambda: None
        self._met: OrderedDict[str, None] = OrderedDict()
        self._opened: deque[float] = deque(maxlen=MOST_A_MINUTE)

    def tell(self, missed: Callable[[], None]) -> None:
        """Call this where something was missed in a conversation that was opened, and is to be read."""
        self._missed = missed

    async def of(self, user: str) -> str:
        """The direct conversation with somebody; to open it twice opens one. Raises PlatformError."""
        opened = await self._api.call("POST", "/users/@me/channels", body={"recipient_id": user})
        room, newest = Room(text_in(opened, "id"), "direct"), text_in(opened, "last_message_id")
        if self._catch_up.finds(room, newest):
            self._missed()
        else:
            await self._catch_up.know(room, newest)
        return room.id

    async def meet(self, user: str) -> None:
        """Know the direct conversation with somebody who spoke in a server. Raises PlatformError."""
        if user in self._met:
            self._met.move_to_end(user)
            return
        if len(self._opened) == MOST_A_MINUTE and self._clock() - self._opened[0] < MINUTE:
            return
        self._opened.append(self._clock())
        self._met[user] = None
        if len(self._met) > MET:
            self._met.popitem(last=False)
        await self.of(user)
