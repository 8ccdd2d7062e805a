"""What one REST call has in hand."""

from dataclasses import dataclass, field
from typing import Any

from simulators.discord_service.commands import Commands
from simulators.discord_service.errors import RefusedError
from simulators.discord_service.gateway import Gateway
from simulators.discord_service.happenings import Happenings
from simulators.discord_service.intents import readable
from simulators.discord_service.interactivity import Interactivity
from simulators.discord_service.model import Channel, Json, Message
from simulators.discord_service.permissions import Permission
from simulators.discord_service.rooms import Rooms
from simulators.discord_service.shapes import message_json
from simulators.discord_service.world import World
from simulators.discord_service.writing import Upload


@dataclass(frozen=True, slots=True)
class Context:
    """One call: what it asks for, and the parts it may need."""

    world: World
    gateway: Gateway
    happenings: Happenings
    rooms: Rooms
    interactivity: Interactivity
    commands: Commands
    names: dict[str, str] = field(default_factory=dict)
    """The parts of the path: `channel`, `message`, ..."""
    query: dict[str, str] = field(default_factory=dict)
    body: Any = field(default_factory=dict)
    uploads: tuple[Upload, ...] = ()

    @property
    def app(self) -> str:
        """Give the app's user id."""
        return self.world.app.id

    def channel(self, *needed: Permission) -> Channel:
        """Give the channel of the path, if the app may look into it and do what is needed."""
        channel = self.world.channel(self.names["channel"])
        allowed = self.world.permissions(self.app, channel)
        if Permission.VIEW_CHANNEL not in allowed:
            raise RefusedError(50001)
        if any(each not in allowed for each in needed):
            raise RefusedError(50013)
        return channel

    def message(self, channel: Channel) -> Message:
        """Give the message of the path."""
        return self.world.message(channel, self.names["message"])

    def thread(self) -> Channel:
        """Give the thread of the path."""
        channel = self.channel()
        if not channel.is_thread:
            raise RefusedError(50024)
        return channel

    def shown(self, message: Message) -> Json:
        """Write a message as the app may read it."""
        channel = self.world.channels[message.channel]
        content = "message_content" in self.world.setup.privileged
        return readable(message_json(self.world, message), self.app, content=content, direct=not channel.guild)
