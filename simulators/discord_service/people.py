"""Those who use Discord: people, other bots, and webhooks."""

from collections.abc import Mapping

from simulators.discord_service import limits
from simulators.discord_service.hands import Hands, Spot
from simulators.discord_service.model import PRIVATE_THREAD, PUBLIC_THREAD, Channel, Json, Message, User
from simulators.discord_service.parts import Parts
from simulators.discord_service.writing import attach

Files = Mapping[str, bytes]


class Person(Hands):
    """Somebody with a keyboard. What they do is done at once; the events follow to every socket."""

    @property
    def id(self) -> str:
        """Give the user's id."""
        return self.user.id

    @property
    def name(self) -> str:
        """Give the name on the screen."""
        return self.user.name

    @property
    def mention(self) -> str:
        """Give what names this person in a message."""
        return f"<@{self.id}>"

    def dm(self, text: str, *, reply_to: Spot | None = None, files: Files | None = None) -> Message:
        """Write to the app."""
        return self.say(self.im, text, reply_to=reply_to, files=files)

    def say(
        self,
        channel: Channel,
        text: str = "",
        *,
        reply_to: Spot | None = None,
        files: Files | None = None,
        nonce: str | None = None,
    ) -> Message:
        """Write in a channel, a thread or a direct conversation; with Nitro up to 4,000 characters."""
        most = limits.NITRO_CONTENT if self.user.nitro else limits.CONTENT
        if len(text) > most:
            raise ValueError(f"{self.name} cannot write more than {most} characters")
        message = Message(self._world.ids.new(), channel.id, self.id, text, sent=self._world.clock(), nonce=nonce)
        message.attachments = [attach(self._world, channel.id, name, said) for name, said in (files or {}).items()]
        if reply_to:
            message.type, message.reference = 19, reference_to(channel, reply_to)
        return self._parts.happenings.post(message)

    def send_sticker(self, channel: Channel, name: str) -> Message:
        """Send a sticker, and no words."""
        message = Message(self._world.ids.new(), channel.id, self.id, sent=self._world.clock())
        message.stickers = [{"id": self._world.ids.new(), "name": name, "format_type": 1}]
        return self._parts.happenings.post(message)

    def edit(self, message: Spot, text: str) -> Message:
        """Change one's own words."""
        return self._parts.happenings.edit(self._find(message), {"content": text})

    def delete(self, *messages: Spot) -> None:
        """Delete a message, one's own or as a moderator anybody's; several at once become one event."""
        found = [self._find(message) for message in messages]
        if len(found) == 1:
            self._parts.happenings.delete(found[0])
        else:
            self._parts.happenings.delete_many(self._world.channels[found[0].channel], found)

    def react(self, message: Spot, emoji: str) -> None:
        """Put a reaction on."""
        self._parts.happenings.react(self._find(message), self.id, emoji)

    def unreact(self, message: Spot, emoji: str) -> None:
        """Take one's own reaction off."""
        self._parts.happenings.unreact(self._find(message), self.id, emoji)

    def clear_reactions(self, message: Spot, emoji: str | None = None) -> None:
        """Take all reactions off, or all of one kind, as a moderator."""
        self._parts.happenings.clear_reactions(self._find(message), emoji)

    def pin(self, message: Spot, *, pinned: bool = True) -> None:
        """Pin a message; the channel says so."""
        found = self._find(message)
        self._parts.happenings.pin(found, pinned=pinned)
        if pinned:
            channel = self._world.channels[found.channel]
            notice = Message(self._world.ids.new(), channel.id, self.id, type=6, sent=self._world.clock())
            notice.reference = reference_to(channel, found)
            self._parts.happenings.post(notice)

    def type(self, channel: Channel) -> None:
        """Start typing."""
        self._parts.happenings.type(channel, self.id)

    # --- threads ------------------------------------------------------------------------------------------------------

    def open_thread(
        self, channel: Channel, name: str, *, message: Spot | None = None, private: bool = False
    ) -> Channel:
        """Open a thread, from a message or without one."""
        start = self._find(message) if message else None
        kind = PRIVATE_THREAD if private else PUBLIC_THREAD
        id_ = start.id if start else self._world.ids.new()
        thread = Channel(id_, kind, name, channel.guild, channel.id, owner=self.id)
        return self._parts.rooms.open_thread(thread, start=start)

    def post(self, forum: Channel, title: str, text: str, *, tags: tuple[str, ...] = ()) -> Channel:
        """Open a post in a forum; its first message has its id."""
        thread = self.open_thread(forum, title)
        thread.applied_tags = [tag["id"] for tag in forum.tags if tag["name"] in tags]
        message = Message(thread.id, thread.id, self.id, text, sent=self._world.clock())
        self._parts.happenings.post(message)
        return thread

    def archive(self, thread: Channel, *, archived: bool = True, locked: bool | None = None) -> None:
        """Close a thread or open it again; as a moderator also lock it."""
        changes: Json = {"archived": archived} | ({} if locked is None else {"locked": locked})
        self._parts.rooms.change_thread(thread, changes)

    def rename(self, thread: Channel, name: str) -> None:
        """Give a thread another name."""
        self._parts.rooms.change_thread(thread, {"name": name})

    def delete_thread(self, thread: Channel) -> None:
        """Delete a thread, as a moderator."""
        self._parts.rooms.delete(thread)

    def invite(self, thread: Channel, user: User) -> None:
        """Bring somebody into a thread: `discord.app`, or a person's `.user`."""
        self._parts.happenings.add_to_thread(thread, user.id)

    def remove(self, thread: Channel, user: User) -> None:
        """Take somebody out of a thread."""
        self._parts.happenings.remove_from_thread(thread, user.id)


class OtherBot:
    """A bot that is not the app under test."""

    def __init__(self, parts: Parts, user: User) -> None:
        self._parts = parts
        self.user = user
        self.id = user.id

    @property
    def mention(self) -> str:
        """Give what names this bot in a message."""
        return f"<@{self.id}>"

    def say(self, channel: Channel, text: str, *, embeds: tuple[Json, ...] = ()) -> Message:
        """Write as a bot does."""
        return self._parts.happenings.post(self._message(channel, text, embeds))

    def webhook(self, channel: Channel, text: str, *, name: str = "Feed") -> Message:
        """Write as a webhook does: under a name of its own, with an id nobody is a member with."""
        message = self._message(channel, text, ())
        message.webhook, message.webhook_name = self.id, name
        return self._parts.happenings.post(message)

    def edit(self, message: Message, text: str) -> Message:
        """Change its own words."""
        return self._parts.happenings.edit(message, {"content": text})

    def react(self, message: Message, emoji: str) -> None:
        """Put a reaction on."""
        self._parts.happenings.react(message, self.id, emoji)

    def _message(self, channel: Channel, text: str, embeds: tuple[Json, ...]) -> Message:
        world = self._parts.world
        return Message(world.ids.new(), channel.id, self.id, text, sent=world.clock(), embeds=list(embeds))


def reference_to(channel: Channel, message: Spot) -> Json:
    """Give what names a message in another."""
    place = {"channel_id": channel.id} | ({"guild_id": channel.guild} if channel.guild else {})
    return place | {"type": 0, "message_id": message.id}
