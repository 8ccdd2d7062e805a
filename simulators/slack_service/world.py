"""All there is on the other side: teams, users, channels, installs, and looking them up."""

from collections.abc import Callable

from simulators.slack_service.errors import RefusedError
from simulators.slack_service.ids import Ids, Stamps
from simulators.slack_service.model import AppSetup, Channel, Install, Json, Kind, Message, Team, User, UserGroup, View

SLACKBOT = "USLACKBOT"


class World:
    """The state of the service. It knows nothing of HTTP and sends nothing."""

    def __init__(self, app: AppSetup, clock: Callable[[], float]) -> None:
        self.app = app
        self.clock = clock
        self.ids = Ids()
        self.stamps = Stamps(clock)
        self.app_token = f"xapp-1-{app.id}-simulated"
        self.teams: dict[str, Team] = {}
        self.users: dict[str, User] = {}
        self.channels: dict[str, Channel] = {}
        self.installs: dict[str, Install] = {}
        self.files: dict[str, Json] = {}
        self.groups: dict[str, UserGroup] = {}
        self.views: dict[str, View] = {}
        self.homes: dict[tuple[str, str], View] = {}
        self.codes: dict[str, tuple[str, str]] = {}
        self._directs: dict[tuple[str, frozenset[str]], Channel] = {}
        self.threads: dict[tuple[str, str], Json] = {}
        """What agent surfaces show of a thread: status, title, prompts, session."""

    def add_team(self, name: str) -> Team:
        """Found a workspace."""
        team = Team(self.ids.new("T"), name)
        self.teams[team.id] = team
        return team

    def add_user(self, user: User) -> User:
        """Let somebody join a team."""
        self.users[user.id] = user
        return user

    def install(self, team: Team) -> Install:
        """Install the app in a team and give it a token there."""
        bot_id = self.ids.new("B")
        user = User(self.ids.new("U"), team.id, self.app.name, self.app.name, bot_id=bot_id, app_id=self.app.id)
        self.add_user(user)
        install = Install(team.id, user.id, bot_id, f"xoxb-{team.id}-{bot_id}", self.app.scopes)
        self.installs[install.token] = install
        return install

    def install_in(self, team: str) -> Install | None:
        """Give the live install of a team."""
        return next((each for each in self.installs.values() if each.team == team and not each.dead), None)

    def install_for(self, channel: Channel) -> Install | None:
        """Give the live install that hears what is said in a channel."""
        teams = [channel.team, *channel.shared_with]
        return next((each for each in map(self.install_in, teams) if each and each.user in channel.members), None)

    def install_of(self, user: User) -> Install:
        """Give the install a person uses: of their own team, else the first (people of shared channels)."""
        return self.install_in(user.team) or next(iter(self.installs.values()))

    def im_of(self, user: User) -> Channel:
        """Give a person's direct conversation with the app."""
        install = self.install_of(user)
        return self.direct(install.team, [install.user, user.id])

    def add_channel(self, team: str, kind: Kind, name: str, members: list[str]) -> Channel:
        """Open a channel."""
        prefix = "D" if kind == "im" else "C"
        channel = Channel(self.ids.new(prefix), team, kind, name, list(dict.fromkeys(members)))
        self.channels[channel.id] = channel
        return channel

    def direct(self, team: str, members: list[str]) -> Channel:
        """Give the one direct conversation of exactly these users, opened when first used."""
        key = (team, frozenset(members))
        if key not in self._directs:
            kind: Kind = "im" if len(members) == 2 else "mpim"
            names = "--".join(self.users[user].name for user in members)
            name = "" if kind == "im" else f"mpdm-{names}-1"
            self._directs[key] = self.add_channel(team, kind, name, members)
        return self._directs[key]

    def channel_for(self, install: Install, channel_id: str) -> Channel:
        """Give a channel the install may know of, else refuse as Slack does."""
        channel = self.channels.get(channel_id)
        if channel is None or install.team not in (channel.team, *channel.shared_with):
            raise RefusedError("channel_not_found")
        if channel.kind != "channel" and install.user not in channel.members:
            raise RefusedError("channel_not_found")
        return channel

    def message_in(self, channel: Channel, ts: str) -> Message:
        """Give a message that everyone can see."""
        message = channel.messages.get(ts)
        if message is None or message.subtype == "tombstone":
            raise RefusedError("message_not_found")
        return message

    def permalink(self, message: Message) -> str:
        """Give the address of a message."""
        channel = self.channels[message.channel]
        link = (
            f"https://{self.teams[channel.team].domain}.slack.com/archives/{channel.id}/p{message.ts.replace('.', '')}"
        )
        if message.thread_ts and message.thread_ts != message.ts:
            link += f"?thread_ts={message.thread_ts}&cid={channel.id}"
        return link
