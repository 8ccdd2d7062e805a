"""Those who use the workspace: people, and other bots."""

import re
import uuid

from simulators.slack_service import events
from simulators.slack_service.hands import Hands
from simulators.slack_service.model import Channel, Json, Message, User
from simulators.slack_service.parts import Parts
from simulators.slack_service.shown import Shown, flatten

MARKUP = re.compile(r"(<[@#!][^<>]+>|<https?://[^<>]+>)")
ADDRESS = re.compile(r"https?://[^\s<>]+")
Spot = Message | Shown


class Person(Hands):
    """Somebody with a keyboard. What they do is done at once; the events follow in tasks of their own."""

    @property
    def id(self) -> str:
        """Give the user's id."""
        return self.user.id

    @property
    def mention(self) -> str:
        """Give what names this person in a message."""
        return f"<@{self.id}>"

    @property
    def im(self) -> Channel:
        """Give this person's direct conversation with the app."""
        return self._world.im_of(self.user)

    @property
    def home(self) -> str:
        """Give what App Home shows this person."""
        view = self._world.homes.get((self._world.install_of(self.user).team, self.id))
        return flatten(view.body["blocks"]) if view else ""

    def dm(self, text: str, *, thread: Spot | str | None = None) -> Message:
        """Write to the app."""
        return self.say(self.im, text, thread=thread)

    def say(self, channel: Channel, text: str, *, thread: Spot | str | None = None, broadcast: bool = False) -> Message:
        """Write in a channel or a thread; `broadcast` shows a reply in the channel too."""
        message = self._message(channel, text, thread)
        if broadcast:
            message.subtype = "thread_broadcast"
        return self._parts.happenings.post(message)

    def share_file(
        self, channel: Channel, name: str, text: str = "", *, size: int = 1024, mimetype: str = "text/plain"
    ) -> Message:
        """Share a file, with words or without."""
        file: Json = {"id": self._world.ids.new("F"), "name": name, "title": name, "size": size, "mimetype": mimetype}
        file |= {"filetype": name.rsplit(".", 1)[-1], "user": self.id, "mode": "hosted", "is_external": False}
        self._world.files[file["id"]] = file
        message = self._message(channel, text, None)
        message.files, message.subtype = [file], "file_share"
        return self._parts.happenings.post(message)

    def edit(self, message: Spot, text: str) -> Message:
        """Change one's own words."""
        return self._parts.happenings.edit(self._find(message), self.id, {"text": typed(text), "blocks": []})

    def delete(self, message: Spot) -> None:
        """Delete a message: one's own, or as a moderator anybody's."""
        self._parts.happenings.delete(self._find(message))

    def react(self, message: Spot, name: str) -> None:
        """Put a reaction on."""
        self._parts.happenings.react(self._find(message), self.id, name)

    def unreact(self, message: Spot, name: str) -> None:
        """Take one's own reaction off."""
        self._parts.happenings.unreact(self._find(message), self.id, name)

    def stop(self, channel: Channel, thread: Spot | str) -> list[str]:
        """Press Slack's own stop button: the app's streams in the thread end, and the app is told which."""
        root, install = ts_of(thread), self._world.install_of(self.user)
        live = [each for each in channel.replies(root) if each.stream == "in_progress" and each.user == install.user]
        for message in live:
            self._parts.happenings.finish_stream(message)
        ended = [message.ts for message in live]
        stamp = self._world.stamps.new()
        event = events.session_stopped(channel, root, user=self.id, streams=ended, event_ts=stamp)
        self._parts.announcer.in_channel(channel, event)
        return ended

    def open_home(self, tab: str = "home") -> None:
        """Open App Home, or with `messages` the direct conversation."""
        event: Json = {"type": "app_home_opened", "user": self.id, "channel": self.im.id, "tab": tab}
        self._parts.announcer.in_team(
            self._world.install_of(self.user).team, event | {"event_ts": self._world.stamps.new()}
        )

    def join(self, channel: Channel) -> None:
        """Enter a channel."""
        channel.members.append(self.id)

    def _message(self, channel: Channel, text: str, thread: Spot | str | None) -> Message:
        return Message(
            self._world.stamps.new(),
            channel.id,
            self.id,
            self.user.team,
            typed(text),
            ts_of(thread) if thread else None,
            extra={"client_msg_id": str(uuid.uuid4())},
        )


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

    def say(self, channel: Channel, text: str, *, thread: Spot | str | None = None) -> Message:
        """Write as apps do today: a plain message with a `bot_id`."""
        return self._post(channel, text, thread, subtype="")

    def webhook(self, channel: Channel, text: str) -> Message:
        """Write as an incoming webhook does: subtype `bot_message`, no user."""
        return self._post(channel, text, None, subtype="bot_message")

    def _post(self, channel: Channel, text: str, thread: Spot | str | None, *, subtype: str) -> Message:
        message = Message(
            self._parts.world.stamps.new(),
            channel.id,
            self.id,
            self.user.team,
            text,
            ts_of(thread) if thread else None,
            subtype=subtype,
            bot_id=self.user.bot_id,
            app_id=self.user.app_id,
        )
        return self._parts.happenings.post(message)


def ts_of(spot: Spot | str) -> str:
    """Give the root of the thread a message belongs to, or would start."""
    return spot if isinstance(spot, str) else spot.thread_ts or spot.ts


def typed(text: str) -> str:
    """Give what Slack makes of typed words: three characters escaped, addresses linked, markup kept."""
    return "".join(part if MARKUP.fullmatch(part) else _plain(part) for part in MARKUP.split(text))


def _plain(text: str) -> str:
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return ADDRESS.sub(lambda found: f"<{found[0]}>", escaped)
