"""What one Web API call has in hand."""

from dataclasses import dataclass

from simulators.slack_service.arguments import Arguments
from simulators.slack_service.errors import RefusedError
from simulators.slack_service.happenings import Happenings
from simulators.slack_service.interactivity import Interactivity
from simulators.slack_service.model import Channel, Install, Message, User
from simulators.slack_service.sockets import Sockets
from simulators.slack_service.uploads import Uploads
from simulators.slack_service.world import World


@dataclass(frozen=True, slots=True)
class Context:
    """One call: who asks, with which arguments, and the parts it may need."""

    world: World
    happenings: Happenings
    interactivity: Interactivity
    sockets: Sockets
    uploads: Uploads
    args: Arguments
    token: str

    @property
    def install(self) -> Install:
        """Give the install whose token was used."""
        return self.world.installs[self.token]

    def need(self, scope: str) -> None:
        """Refuse without this scope, naming what is needed and what there is."""
        scopes = self.install.scopes
        if scope not in scopes:
            raise RefusedError("missing_scope", needed=scope, provided=",".join(sorted(scopes)))

    def channel(self, name: str = "channel") -> Channel:
        """Give the channel named by an argument."""
        return self.world.channel_for(self.install, self.args.text(name))

    def joined_channel(self, name: str = "channel") -> Channel:
        """Give a channel the app may write to."""
        channel = self.channel(name)
        if channel.archived:
            raise RefusedError("is_archived")
        if self.install.user not in channel.members:
            raise RefusedError("not_in_channel")
        return channel

    def own_message(self, channel: Channel, error: str) -> Message:
        """Give the message named by `ts`; refuse with `error` when somebody else wrote it."""
        message = self.world.message_in(channel, self.args.text("ts"))
        if message.user != self.install.user:
            raise RefusedError(error)
        return message

    def user(self, name: str = "user") -> User:
        """Give the user named by an argument."""
        user = self.world.users.get(self.args.text(name))
        if user is None:
            raise RefusedError("user_not_found")
        return user
