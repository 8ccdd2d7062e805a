"""What can happen to a message, whoever does it, and the events that follow from it."""

import re

from simulators.slack_service import events
from simulators.slack_service.announcer import Announcer
from simulators.slack_service.model import Channel, Json, Message
from simulators.slack_service.shapes import message_json
from simulators.slack_service.world import SLACKBOT, World

LINK = re.compile(r"<(https?://[^|>]+)")


class Happenings:
    """Changes the world and announces it, in Slack's order."""

    def __init__(self, world: World, announcer: Announcer) -> None:
        self._world = world
        self._announcer = announcer

    def post(self, message: Message) -> Message:
        """Let a message appear. A mention is announced twice; a reply also changes its root, a link unfurls."""
        channel = self._channel(message)
        root = channel.messages.get(message.thread_ts or "")
        before = message_json(root, channel) if root else {}
        channel.put(message)
        self._announcer.in_channel(channel, events.message_posted(message, channel))
        if self._mentions_app(message, channel):
            self._announcer.in_channel(channel, events.app_mentioned(message, channel))
        if root:
            self._changed(root, before)
        self._unfurl(message)
        return message

    def edit(self, message: Message, by: str, changes: Json) -> Message:
        """Change a message's text, blocks, attachments or metadata."""
        before = message_json(message, self._channel(message), metadata=True)
        for name, value in changes.items():
            setattr(message, name, value)
        message.edited = {"user": by, "ts": self._world.stamps.new()}
        self._changed(message, before)
        self._unfurl(message)
        return message

    def touch(self, message: Message, extra: Json) -> None:
        """Let Slack itself add something to a message, such as its language; the text stays."""
        before = message_json(message, self._channel(message), metadata=True)
        message.extra = message.extra | extra
        self._changed(message, before)

    def finish_stream(self, message: Message) -> None:
        """End a stream and announce the text it ended with."""
        before = message_json(message, self._channel(message))
        message.stream = "completed"
        self._changed(message, before)

    def delete(self, message: Message) -> None:
        """Remove a message. One with replies leaves a tombstone, announced as a change."""
        channel = self._channel(message)
        before = message_json(message, channel, metadata=True)
        if channel.replies(message.ts):
            channel.put(self._tombstone(message))
            self._changed(channel.messages[message.ts], before)
            return
        root = channel.messages.get(message.thread_ts or "")
        root_before = message_json(root, channel) if root else {}
        channel.drop(message)
        self._announcer.in_channel(channel, events.message_deleted(before, channel, self._world.stamps.new()))
        if root and root is not message:
            self._changed(root, root_before)

    def react(self, message: Message, user: str, name: str) -> bool:
        """Put a reaction on; False when it is there already."""
        users = message.reactions.setdefault(name, [])
        if user in users:
            return False
        users.append(user)
        self._reaction("reaction_added", message, user, name)
        return True

    def unreact(self, message: Message, user: str, name: str) -> bool:
        """Take a reaction off; False when there is none."""
        users = message.reactions.get(name, [])
        if user not in users:
            return False
        users.remove(user)
        if not users:
            del message.reactions[name]
        self._reaction("reaction_removed", message, user, name)
        return True

    def _channel(self, message: Message) -> Channel:
        return self._world.channels[message.channel]

    def _changed(self, message: Message, before: Json) -> None:
        channel = self._channel(message)
        stamp = self._world.stamps.new()
        self._announcer.in_channel(channel, events.message_changed(message, before, channel, stamp))

    def _reaction(self, kind: str, message: Message, user: str, name: str) -> None:
        stamp = self._world.stamps.new()
        event = events.reaction(kind, message, user=user, name=name, event_ts=stamp)
        self._announcer.in_channel(self._channel(message), event)

    def _mentions_app(self, message: Message, channel: Channel) -> bool:
        install = self._world.install_for(channel)
        return channel.kind != "im" and install is not None and f"<@{install.user}>" in message.text

    def _unfurl(self, message: Message) -> None:
        found = LINK.search(message.text) if message.unfurl and not message.attachments else None
        if found is None:
            return
        before = message_json(message, self._channel(message), metadata=True)
        message.attachments = [{"from_url": found[1], "title": found[1], "fallback": found[1], "id": 1}]
        self._changed(message, before)

    def _tombstone(self, message: Message) -> Message:
        text = "This message was deleted."
        extra: Json = {"hidden": True, "parent_user_id": SLACKBOT}
        thread = message.thread_ts or message.ts
        return Message(
            message.ts, message.channel, SLACKBOT, message.team, text, thread, subtype="tombstone", extra=extra
        )
