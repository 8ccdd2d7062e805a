"""Building a workspace: teams, people, bots, channels, and what happens to them."""

from typing import Literal

from simulators.slack_service.model import Channel, Install, Message, Team, User, UserGroup
from simulators.slack_service.parts import Parts
from simulators.slack_service.people import OtherBot, Person
from simulators.slack_service.world import World


class Places:
    """The workspace-building half of the service. It opens with the team Acme, the app installed."""

    def __init__(self, parts: Parts) -> None:
        self.world: World = parts.world
        self.acme = self.world.add_team("Acme")
        self.install = self.world.install(self.acme)
        self._parts = parts

    @property
    def mention(self) -> str:
        """Give what names the app in a message."""
        return f"<@{self.install.user}>"

    def team(self, name: str, *, installed: bool = False) -> Team:
        """Found another workspace."""
        team = self.world.add_team(name)
        if installed:
            self.world.install(team)
        return team

    def person(
        self, name: str, *, team: Team | None = None, email: str = "", tz: str = "Europe/Vienna", locale: str = "en-US"
    ) -> Person:
        """Let somebody join, of Acme if not said otherwise."""
        team = team or self.acme
        short = name.lower().replace(" ", ".")
        user = User(
            self.world.ids.new("U"),
            team.id,
            short,
            name,
            email or f"{short}@{team.domain}.example",
            tz=tz,
            locale=locale,
        )
        return Person(self._parts, self.world.add_user(user))

    def other_bot(self, name: str) -> OtherBot:
        """Let another app's bot join Acme."""
        ids = self.world.ids
        user = User(ids.new("U"), self.acme.id, name, name, bot_id=ids.new("B"), app_id=ids.new("A"))
        return OtherBot(self._parts, self.world.add_user(user))

    def channel(
        self,
        name: str,
        *people: Person | OtherBot,
        private: bool = False,
        app: bool = True,
        shared_with: Team | None = None,
    ) -> Channel:
        """Open a channel with these people, and the app unless told otherwise."""
        members = [*([self.install.user] if app else []), *(person.id for person in people)]
        channel = self.world.add_channel(self.acme.id, "group" if private else "channel", name, members)
        channel.shared_with += [shared_with.id] if shared_with else []
        return channel

    def group_dm(self, *people: Person) -> Channel:
        """Open a group DM with the app in it."""
        return self.world.direct(self.acme.id, [self.install.user, *(person.id for person in people)])

    def group(self, name: str, *people: Person) -> UserGroup:
        """Make a user group of Acme."""
        group = UserGroup(self.world.ids.new("S"), self.acme.id, name, [person.id for person in people])
        self.world.groups[group.id] = group
        return group

    def archive(self, channel: Channel) -> None:
        """Archive a channel; the app hears of it."""
        channel.archived = True
        self._membership(channel, "channel_archive", self.install.user)

    def add_app(self, channel: Channel) -> None:
        """Invite the app to a channel."""
        channel.members.append(self.install.user)
        self._membership(channel, "member_joined_channel", self.install.user)

    def remove_app(self, channel: Channel) -> None:
        """Remove the app from a channel: it hears that it left, and nothing from there afterwards."""
        self._membership(channel, "member_left_channel", self.install.user)
        channel.members.remove(self.install.user)

    def detect_language(self, message: Message, locale: str = "de") -> None:
        """Let Slack find out a message's language, which comes to the app as `message_changed`."""
        self._parts.happenings.touch(message, {"language": {"locale": locale, "is_reliable": True}})

    def consent(self, team: Team, person: Person) -> str:
        """Let somebody allow the app in their team; give the code for `oauth.v2.access`."""
        code = self.world.ids.new("code.")
        self.world.codes[code] = (team.id, person.id)
        return code

    def revoke_tokens(self, install: Install | None = None) -> None:
        """Revoke the bot's token; the app is told, and its calls are refused from now on."""
        self._end(install or self.install, "token_revoked", uninstalled=False)

    def uninstall(self, install: Install | None = None) -> None:
        """Uninstall the app from a team."""
        self._end(install or self.install, "account_inactive", uninstalled=True)

    def _end(self, install: Install, error: Literal["token_revoked", "account_inactive"], *, uninstalled: bool) -> None:
        tokens = {"oauth": [], "bot": [install.user]}
        stamp = self.world.stamps.new()
        announcer = self._parts.announcer
        announcer.in_team(install.team, {"type": "tokens_revoked", "tokens": tokens, "event_ts": stamp})
        if uninstalled:
            announcer.in_team(install.team, {"type": "app_uninstalled", "event_ts": self.world.stamps.new()})
        install.dead = error

    def _membership(self, channel: Channel, kind: str, user: str) -> None:
        event = {"type": kind, "user": user, "channel": channel.id, "team": channel.team}
        event |= {"channel_type": channel.id[0], "event_ts": self.world.stamps.new()}
        self._parts.announcer.in_channel(channel, event)
