"""Building a Discord: guilds, people, roles, channels, and what happens to them."""

from simulators.discord_service.model import FORUM, TEXT, Channel, Guild, Message, Role, User
from simulators.discord_service.parts import Parts
from simulators.discord_service.people import OtherBot, Person
from simulators.discord_service.permissions import Permission
from simulators.discord_service.world import World


class Places:
    """The building half of the service. It opens with the guild Acme, the app in it."""

    def __init__(self, parts: Parts) -> None:
        self.world: World = parts.world
        self._parts = parts
        self.acme = self.guild("Acme")

    @property
    def app(self) -> User:
        """Give the app's user."""
        return self.world.app

    @property
    def mention(self) -> str:
        """Give what names the app in a message."""
        return f"<@{self.app.id}>"

    # --- guilds and people -------------------------------------------------------------------------------------------

    def guild(self, name: str, *, app: bool = True) -> Guild:
        """Found a guild; the app joins unless told otherwise."""
        guild = self.world.add_guild(name)
        if app:
            self._parts.rooms.app_joins(guild)
        return guild

    def person(
        self,
        name: str,
        *,
        roles: tuple[Role, ...] = (),
        guild: Guild | None = None,
        nitro: bool = False,
        welcome: Channel | None = None,
    ) -> Person:
        """Let somebody join, Acme if not said otherwise; the channel `welcome` says so."""
        person = Person(self._parts, self.world.add_user(name, nitro=nitro))
        self.join(person, guild or self.acme, roles=roles, welcome=welcome)
        return person

    def stranger(self, name: str) -> Person:
        """Let somebody exist who is in no guild."""
        return Person(self._parts, self.world.add_user(name))

    def join(
        self, person: Person, guild: Guild, *, roles: tuple[Role, ...] = (), welcome: Channel | None = None
    ) -> None:
        """Let somebody enter a guild."""
        member = self.world.add_member(guild, person.user, roles)
        self._parts.rooms.join(guild, member, welcome=welcome)

    def leave(self, person: Person, guild: Guild | None = None) -> None:
        """Let somebody leave a guild."""
        self._parts.rooms.leave(guild or self.acme, person.id)

    def close_dms(self, person: Person, *, closed: bool = True) -> None:
        """Let somebody take no direct messages any more."""
        person.user.closed = closed

    def other_bot(self, name: str, *, guild: Guild | None = None) -> OtherBot:
        """Let another app's bot join."""
        user = self.world.add_user(name, bot=True)
        self.world.add_member(guild or self.acme, user)
        return OtherBot(self._parts, user)

    def role(
        self,
        name: str,
        permissions: Permission = Permission(0),  # noqa: B008 - a constant
        *,
        guild: Guild | None = None,
        mentionable: bool = False,
    ) -> Role:
        """Add a role to a guild."""
        guild = guild or self.acme
        role = Role(self.world.ids.new(), name, int(permissions), mentionable, len(guild.roles))
        guild.roles[role.id] = role
        self._parts.rooms.role_added(guild, role)
        return role

    def give(self, person: Person, role: Role, guild: Guild | None = None) -> None:
        """Give somebody a role."""
        guild = guild or self.acme
        guild.members[person.id].roles.append(role.id)
        self._parts.rooms.member_changed(guild, guild.members[person.id])

    # --- channels ----------------------------------------------------------------------------------------------------

    def channel(
        self,
        name: str,
        *,
        forum: bool = False,
        tags: tuple[str, ...] = (),
        private_to: tuple[Person | Role | User, ...] | None = None,
        guild: Guild | None = None,
    ) -> Channel:
        """Open a text channel or a forum; `private_to` hides it from all others, the app included."""
        guild = guild or self.acme
        channel = Channel(self.world.ids.new(), FORUM if forum else TEXT, name, guild.id, position=len(guild.channels))
        channel.tags = [
            {"id": self.world.ids.new(), "name": tag, "moderated": False, "emoji_id": None, "emoji_name": None}
            for tag in tags
        ]
        if private_to is not None:
            seeing = int(Permission.VIEW_CHANNEL)
            channel.overwrites = {guild.id: (0, seeing)} | {each.id: (seeing, 0) for each in private_to}
        return self._parts.rooms.open_channel(channel)

    def forbid(self, channel: Channel, who: Person | Role | User | Guild, permission: Permission) -> None:
        """Deny somebody something in a channel; a guild stands for everyone in it."""
        self._overwrite(channel, who.id, allow=0, deny=int(permission))

    def permit(self, channel: Channel, who: Person | Role | User | Guild, permission: Permission) -> None:
        """Allow somebody something in a channel."""
        self._overwrite(channel, who.id, allow=int(permission), deny=0)

    def delete_channel(self, channel: Channel) -> None:
        """Delete a channel with everything in it."""
        self._parts.rooms.delete(channel)

    def threads(self, channel: Channel) -> list[Channel]:
        """Give the threads of a channel, or the posts of a forum, oldest first."""
        return self.world.threads_of(channel)

    # --- what Discord and others do to the app -----------------------------------------------------------------------

    def unfurl(self, message: Message, title: str = "A page") -> None:
        """Let Discord add a preview: `MESSAGE_UPDATE` without a change of words."""
        self._parts.happenings.unfurl(message, {"type": "link", "title": title, "url": "https://example.com"})

    def app_joins(self, guild: Guild) -> None:
        """Let the app be invited to a guild."""
        self._parts.rooms.app_joins(guild)

    def app_leaves(self, guild: Guild) -> None:
        """Let the app be removed from a guild."""
        self._parts.rooms.app_leaves(guild)

    def outage(self, guild: Guild, *, over: bool = False) -> None:
        """Let a guild be unavailable, or with `over` available again."""
        self._parts.rooms.outage(guild, over=over)

    def _overwrite(self, channel: Channel, who: str, *, allow: int, deny: int) -> None:
        allowed, denied = channel.overwrites.get(who, (0, 0))
        channel.overwrites[who] = ((allowed | allow) & ~deny, (denied | deny) & ~allow)
        self._parts.rooms.changed(channel)
