"""All there is on the other side: users, guilds, channels, messages, and looking them up."""

from collections.abc import Callable

from simulators.discord_service.errors import RefusedError
from simulators.discord_service.ids import Snowflakes
from simulators.discord_service.model import DIRECT_MESSAGE, AppSetup, Channel, Guild, Json, Member, Message, Role, User
from simulators.discord_service.permissions import DIRECT, EVERYONE, Permission, permissions_in
from simulators.discord_service.timing import Timing


class World:
    """The state of the service. It knows nothing of HTTP and sends nothing."""

    def __init__(self, app: AppSetup, clock: Callable[[], float], timing: Timing) -> None:
        self.setup = app
        self.clock = clock
        self.timing = timing
        self.ids = Snowflakes(clock)
        self.base_url = ""
        self.users: dict[str, User] = {}
        self.guilds: dict[str, Guild] = {}
        self.channels: dict[str, Channel] = {}
        self.files: dict[str, bytes] = {}
        self.webhooks: dict[str, Json] = {}
        self.nonces: dict[tuple[str, str], tuple[float, str, str]] = {}
        """By author and nonce: when it was used, for which message of which channel."""
        self._directs: dict[frozenset[str], Channel] = {}
        self.app = self.add_user(app.name, bot=True)

    # --- adding -------------------------------------------------------------------------------------------------------

    def add_user(self, name: str, *, bot: bool = False, nitro: bool = False) -> User:
        """Let somebody exist."""
        user = User(self.ids.new(), name, bot=bot, nitro=nitro)
        self.users[user.id] = user
        return user

    def add_guild(self, name: str) -> Guild:
        """Found a guild, without the app."""
        owner = self.add_user(f"Owner of {name}")
        guild = Guild(self.ids.new(), name, owner.id, joined=self.clock())
        guild.roles[guild.id] = Role(guild.id, "@everyone", int(EVERYONE), position=0)
        self.guilds[guild.id] = guild
        self.add_member(guild, owner)
        return guild

    def add_member(self, guild: Guild, user: User, roles: tuple[Role, ...] = ()) -> Member:
        """Let somebody join a guild."""
        member = Member(user.id, self.clock(), [role.id for role in roles])
        guild.members[user.id] = member
        return member

    def add_app(self, guild: Guild) -> None:
        """Let the app join a guild with a role of its own."""
        role = Role(self.ids.new(), self.app.name, self.setup.permissions, position=len(guild.roles))
        guild.roles[role.id] = role
        guild.joined = self.clock()
        self.add_member(guild, self.app, (role,))

    def keep(self, channel: Channel) -> Channel:
        """Keep a channel or a thread."""
        self.channels[channel.id] = channel
        if channel.guild and not channel.is_thread:
            self.guilds[channel.guild].channels[channel.id] = channel
        return channel

    def forget(self, channel: Channel) -> None:
        """Forget a channel and its threads."""
        for thread in self.threads_of(channel):
            del self.channels[thread.id]
        del self.channels[channel.id]
        if channel.guild:
            self.guilds[channel.guild].channels.pop(channel.id, None)

    def direct(self, *users: str) -> Channel:
        """Give the one direct conversation of exactly these users, opened when first used."""
        key = frozenset(users)
        if key not in self._directs:
            channel = Channel(self.ids.new(), DIRECT_MESSAGE, recipients=users)
            self._directs[key] = self.keep(channel)
        return self._directs[key]

    # --- looking up ---------------------------------------------------------------------------------------------------

    def channel(self, channel: str) -> Channel:
        """Give a channel, or refuse."""
        found = self.channels.get(channel)
        if found is None:
            raise RefusedError(10003)
        return found

    def message(self, channel: Channel, message: str) -> Message:
        """Give a message everyone sees, or refuse."""
        found = channel.messages.get(message)
        if found is None:
            raise RefusedError(10008)
        return found

    def guild(self, guild: str) -> Guild:
        """Give a guild the app is in, or refuse."""
        found = self.guilds.get(guild)
        if found is None or self.app.id not in found.members:
            raise RefusedError(10004)
        return found

    def threads_of(self, channel: Channel) -> list[Channel]:
        """Give the threads below a channel, oldest first."""
        return [each for each in self.channels.values() if each.is_thread and each.parent == channel.id]

    def permissions(self, user: str, channel: Channel) -> Permission:
        """Give what a user may do in a channel; nothing where they are not."""
        if not channel.guild:
            return DIRECT if user in channel.recipients else Permission(0)
        guild = self.guilds[channel.guild]
        member = guild.members.get(user)
        return permissions_in(guild, channel, member) if member else Permission(0)

    def may(self, user: str, channel: Channel, permission: Permission) -> bool:
        """Tell whether a user may do something in a channel."""
        return permission in self.permissions(user, channel)

    def sees(self, user: str, channel: Channel) -> bool:
        """Tell whether a user can look into a channel."""
        return self.may(user, channel, Permission.VIEW_CHANNEL)
