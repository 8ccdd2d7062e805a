"""What can happen to a message, whoever does it, and the events that follow from it."""

from simulators.discord_service.announcer import Announcer
from simulators.discord_service.mentions import Allowed, settle_mentions
from simulators.discord_service.model import Channel, Json, Message
from simulators.discord_service.shapes import channel_json, emoji_json, member_json, message_event, thread_member_json
from simulators.discord_service.world import World

SUPPRESS_EMBEDS = 1 << 2
SYSTEM = (1, 2, 3, 4, 5, 6, 7, 18, 21)


class Happenings:
    """Changes the world and announces it, in Discord's order."""

    def __init__(self, world: World, announcer: Announcer) -> None:
        self._world = world
        self._announcer = announcer

    def post(self, message: Message, allowed: Allowed | None = None) -> Message:
        """Let a message appear. In a thread it wakes the thread up and makes its author a member."""
        channel = self._world.channels[message.channel]
        settle_mentions(self._world, message, allowed or Allowed(), calls=True)
        if channel.is_thread and message.type not in SYSTEM:
            self._enter(channel, message)
        channel.messages[message.id] = message
        channel.total_sent += 1
        self._announcer.in_channel(channel, "MESSAGE_CREATE", message_event(self._world, message))
        return message

    def edit(self, message: Message, changes: Json, allowed: Allowed | None = None) -> Message:
        """Change a message; only its author's change of words or parts counts as an edit."""
        for name, value in changes.items():
            setattr(message, name, value)
        if message.flags & SUPPRESS_EMBEDS:
            message.embeds = []
        if set(changes) - {"flags", "pinned"}:
            message.edited = self._world.clock()
        if "content" in changes:
            settle_mentions(self._world, message, allowed or Allowed(), calls=False)
        self.announce_change(message)
        return message

    def unfurl(self, message: Message, embed: Json) -> None:
        """Let Discord itself add a preview of a link: an update without an edit."""
        if not message.flags & SUPPRESS_EMBEDS:
            message.embeds = [*message.embeds, embed]
            self.announce_change(message)

    def announce_change(self, message: Message) -> None:
        """Tell how a message looks now; nobody is told of an ephemeral one."""
        if not message.visible_to:
            channel = self._world.channels[message.channel]
            self._announcer.in_channel(channel, "MESSAGE_UPDATE", message_event(self._world, message))

    def delete(self, message: Message) -> None:
        """Remove a message; a thread that started from it stays."""
        channel = self._world.channels[message.channel]
        self._bury(channel, message)
        self._announcer.in_channel(channel, "MESSAGE_DELETE", {"id": message.id} | place_of(channel))

    def delete_many(self, channel: Channel, messages: list[Message]) -> None:
        """Remove messages at once, announced as one event."""
        for message in messages:
            self._bury(channel, message)
        ids = [message.id for message in messages]
        self._announcer.in_channel(channel, "MESSAGE_DELETE_BULK", {"ids": ids} | place_of(channel))

    def react(self, message: Message, user: str, emoji: str) -> None:
        """Put a reaction on; a second one of the same kind changes nothing."""
        users = message.reactions.setdefault(emoji, [])
        if user in users:
            return
        users.append(user)
        channel = self._world.channels[message.channel]
        body = _reaction(message, user, emoji) | place_of(channel)
        if not message.webhook:
            body["message_author_id"] = message.author
        if channel.guild and (member := self._world.guilds[channel.guild].members.get(user)):
            body["member"] = member_json(self._world, member)
        self._announcer.in_channel(channel, "MESSAGE_REACTION_ADD", body)

    def unreact(self, message: Message, user: str, emoji: str) -> None:
        """Take a reaction off, if it is there."""
        users = message.reactions.get(emoji, [])
        if user not in users:
            return
        users.remove(user)
        if not users:
            del message.reactions[emoji]
        channel = self._world.channels[message.channel]
        self._announcer.in_channel(
            channel, "MESSAGE_REACTION_REMOVE", _reaction(message, user, emoji) | place_of(channel)
        )

    def clear_reactions(self, message: Message, emoji: str | None = None) -> None:
        """Take all reactions off, or all of one kind."""
        channel = self._world.channels[message.channel]
        body: Json = {"message_id": message.id} | place_of(channel)
        if emoji is None:
            message.reactions.clear()
            self._announcer.in_channel(channel, "MESSAGE_REACTION_REMOVE_ALL", body)
        elif message.reactions.pop(emoji, None):
            body |= {"emoji": emoji_json(emoji)}
            self._announcer.in_channel(channel, "MESSAGE_REACTION_REMOVE_EMOJI", body)

    def pin(self, message: Message, *, pinned: bool) -> None:
        """Pin a message, or take the pin out."""
        channel = self._world.channels[message.channel]
        self.edit(message, {"pinned": pinned})
        self._announcer.in_channel(channel, "CHANNEL_PINS_UPDATE", place_of(channel) | {"last_pin_timestamp": None})

    def type(self, channel: Channel, user: str) -> None:
        """Show that somebody is typing."""
        body: Json = {"user_id": user, "timestamp": int(self._world.clock())} | place_of(channel)
        if channel.guild:
            body["member"] = member_json(self._world, self._world.guilds[channel.guild].members[user])
        self._announcer.in_channel(channel, "TYPING_START", body)

    def add_to_thread(self, thread: Channel, user: str) -> None:
        """Make somebody a member of a thread. The app itself is told of it with the thread, if that was hidden."""
        if user in thread.thread_members:
            return
        hidden = not self._world.sees(self._world.app.id, thread)
        thread.thread_members[user] = self._world.clock()
        if user == self._world.app.id and hidden:
            self._announcer.in_channel(thread, "THREAD_CREATE", channel_json(self._world, thread))
        added = thread_member_json(thread, user)
        member = self._world.guilds[thread.guild].members.get(user)
        added |= {"member": member_json(self._world, member), "presence": None} if member else {}
        self._members_changed(thread, {"added_members": [added]})

    def remove_from_thread(self, thread: Channel, user: str) -> None:
        """Take somebody out of a thread."""
        if thread.thread_members.pop(user, None) is not None:
            self._members_changed(thread, {"removed_member_ids": [user]})

    def wake(self, thread: Channel) -> None:
        """Open an archived thread again."""
        thread.archived, thread.changed = False, self._world.clock()
        self._announcer.in_channel(thread, "THREAD_UPDATE", channel_json(self._world, thread))

    def _enter(self, thread: Channel, message: Message) -> None:
        if thread.archived:
            self.wake(thread)
        if not message.webhook:
            self.add_to_thread(thread, message.author)

    def _members_changed(self, thread: Channel, change: Json) -> None:
        count = min(len(thread.thread_members), 50)
        body: Json = {"id": thread.id, "guild_id": thread.guild, "member_count": count} | change
        self._announcer.in_channel(thread, "THREAD_MEMBERS_UPDATE", body)

    def _bury(self, channel: Channel, message: Message) -> None:
        del channel.messages[message.id]
        channel.graves[message.id] = message


def place_of(channel: Channel) -> Json:
    """Give where something happened."""
    return {"channel_id": channel.id} | ({"guild_id": channel.guild} if channel.guild else {})


def _reaction(message: Message, user: str, emoji: str) -> Json:
    body: Json = {"user_id": user, "message_id": message.id, "emoji": emoji_json(emoji)}
    return body | {"burst": False, "type": 0}
