"""What can happen to channels, threads and guilds, and the events that follow from it."""

from dataclasses import replace

from simulators.discord_service.announcer import Announcer
from simulators.discord_service.errors import RefusedError
from simulators.discord_service.happenings import Happenings
from simulators.discord_service.model import PUBLIC_THREAD, Channel, Guild, Json, Member, Message, Role
from simulators.discord_service.shapes import channel_json, guild_json, member_json, role_json, user_json
from simulators.discord_service.world import World

HAS_THREAD = 1 << 5
THREAD_FIELDS = {"auto_archive_duration": "auto_archive", "rate_limit_per_user": "slowmode"}


class Rooms:
    """Opens, changes and closes places, and announces it."""

    def __init__(self, world: World, announcer: Announcer, happenings: Happenings) -> None:
        self._world = world
        self._announcer = announcer
        self._happenings = happenings

    def open_thread(self, thread: Channel, *, start: Message | None = None) -> Channel:
        """Open a thread, from a message or without one (then the channel says so, unless it is private)."""
        if start and (start.id in self._world.channels):
            raise RefusedError(160004)
        thread.opened = thread.changed = self._world.clock()
        thread.thread_members[thread.owner] = self._world.clock()
        self._world.keep(thread)
        body = channel_json(self._world, thread) | {"newly_created": True}
        self._announcer.in_channel(thread, "THREAD_CREATE", body)
        if start:
            start.flags |= HAS_THREAD
            self._happenings.announce_change(start)
            self._system(thread.id, thread.owner, 21, {"channel_id": start.channel, "message_id": start.id})
        elif thread.type == PUBLIC_THREAD and self._world.channels[thread.parent].type == 0:
            self._system(thread.parent, thread.owner, 18, {"channel_id": thread.id}, thread.name)
        return thread

    def change_thread(self, thread: Channel, changes: Json) -> Channel:
        """Change a thread's name, state or tags; a locked one is archived or not as it was."""
        was = (thread.archived, thread.locked)
        for name, value in changes.items():
            setattr(thread, THREAD_FIELDS.get(name, name), value)
        if (thread.archived, thread.locked) != was:
            thread.changed = self._world.clock()
        self._announcer.in_channel(thread, "THREAD_UPDATE", channel_json(self._world, thread))
        return thread

    def delete(self, channel: Channel) -> None:
        """Delete a channel or a thread."""
        if channel.is_thread:
            body: Json = {"id": channel.id, "guild_id": channel.guild, "parent_id": channel.parent}
            self._announcer.in_channel(channel, "THREAD_DELETE", body | {"type": channel.type})
        else:
            self._announcer.in_channel(channel, "CHANNEL_DELETE", channel_json(self._world, channel))
        self._world.forget(channel)

    def open_channel(self, channel: Channel) -> Channel:
        """Open a channel in a guild."""
        self._world.keep(channel)
        self._announcer.in_channel(channel, "CHANNEL_CREATE", channel_json(self._world, channel))
        return channel

    def changed(self, channel: Channel) -> None:
        """Tell how a channel is now, to the app as well that may have lost sight of it."""
        if not channel.is_thread:
            self._announcer.in_guild(channel.guild, "CHANNEL_UPDATE", channel_json(self._world, channel))

    def join(self, guild: Guild, member: Member, *, welcome: Channel | None = None) -> None:
        """Tell that somebody joined; with a message in the welcome channel if there is one."""
        body = member_json(self._world, member) | {"guild_id": guild.id}
        self._announcer.in_guild(guild.id, "GUILD_MEMBER_ADD", body)
        if welcome:
            self._system(welcome.id, member.user, 7, {})

    def leave(self, guild: Guild, user: str) -> None:
        """Let somebody leave a guild."""
        del guild.members[user]
        body: Json = {"guild_id": guild.id, "user": user_json(self._world.users[user])}
        self._announcer.in_guild(guild.id, "GUILD_MEMBER_REMOVE", body)

    def member_changed(self, guild: Guild, member: Member) -> None:
        """Tell which roles somebody has now."""
        body = member_json(self._world, member) | {"guild_id": guild.id}
        self._announcer.in_guild(guild.id, "GUILD_MEMBER_UPDATE", body)

    def role_added(self, guild: Guild, role: Role) -> None:
        """Tell of a new role."""
        body: Json = {"guild_id": guild.id, "role": role_json(role)}
        self._announcer.in_guild(guild.id, "GUILD_ROLE_CREATE", body)

    def app_joins(self, guild: Guild) -> None:
        """Let the app be invited to a guild."""
        self._world.add_app(guild)
        self._announcer.in_guild(guild.id, "GUILD_CREATE", guild_json(self._world, guild))

    def app_leaves(self, guild: Guild) -> None:
        """Let the app be removed from a guild."""
        del guild.members[self._world.app.id]
        self._announcer.in_guild(guild.id, "GUILD_DELETE", {"id": guild.id})

    def outage(self, guild: Guild, *, over: bool) -> None:
        """Let a guild be unavailable, or available again."""
        if over:
            self._announcer.in_guild(guild.id, "GUILD_CREATE", guild_json(self._world, guild) | {"unavailable": False})
        else:
            self._announcer.in_guild(guild.id, "GUILD_DELETE", {"id": guild.id, "unavailable": True})

    def _system(self, channel: str, author: str, kind: int, reference: Json, content: str = "") -> Message:
        where = self._world.channels[channel]
        guild: Json = {"guild_id": where.guild} if reference else {}
        message = Message(self._world.ids.new(), channel, author, content, kind, sent=self._world.clock())
        return self._happenings.post(replace(message, reference=reference | guild))
