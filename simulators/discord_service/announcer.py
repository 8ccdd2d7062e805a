"""Deciding who hears of what: the right shard, the intents, a place the app can look into."""

from collections.abc import Callable

from simulators.discord_service.faults import Faults
from simulators.discord_service.gateway import Gateway
from simulators.discord_service.intents import Intent, about_others, readable, wanted
from simulators.discord_service.model import Channel, Json
from simulators.discord_service.world import World


class Announcer:
    """Hands events to the sessions."""

    def __init__(self, world: World, gateway: Gateway, faults: Faults, tell: Callable[[], None]) -> None:
        self._world = world
        self._gateway = gateway
        self._faults = faults
        self._tell = tell

    def in_channel(self, channel: Channel, name: str, data: Json) -> None:
        """Announce what happened in a channel, if the app can look into it and is not a stranger to it."""
        if self._world.sees(self._world.app.id, channel):
            self.in_guild(channel.guild, name, data)
        self._tell()

    def in_guild(self, guild: str, name: str, data: Json) -> None:
        """Announce what happened in a guild, or in direct messages when it is empty."""
        others = about_others(name, data, self._world.app.id)
        for session in list(self._gateway.listening(guild)):
            if others and not session.intents & Intent.GUILD_MEMBERS:
                continue
            if wanted(name, session.intents, direct=not guild):
                body = self._readable(name, data, session.intents, direct=not guild)
                session.dispatch(name, body, twice=self._faults.draw_duplicate())
        self._tell()

    def _readable(self, name: str, data: Json, intents: int, *, direct: bool) -> Json:
        if name not in ("MESSAGE_CREATE", "MESSAGE_UPDATE"):
            return data
        content = bool(intents & Intent.MESSAGE_CONTENT)
        return readable(data, self._world.app.id, content=content, direct=direct)
