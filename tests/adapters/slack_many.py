"""A desk that every workspace may install, in a simulated Slack with two of them, and a browser to install it with."""

import json
import time
from contextlib import AsyncExitStack
from urllib.parse import parse_qs, urlsplit

import httpx

from adapters.slack.app import SlackApp
from adapters.slack.oauth import Client
from adapters.slack.oauth_web import oauth_routes
from adapters.slack.web import http_app
from adapters.slack.workspaces import ManyWorkspaces
from bots.assemble import open_desk
from simulators.slack_service import SlackService, Timing, sign
from tests.adapters.slack_harness import served


class ManyHarness:
    """The app, with a person in each workspace. It is installed in neither yet."""

    def __init__(self, settings, *, stream_after=60.0, client_secret=None, public_url=None):
        self._settings = settings
        self._stream_after = stream_after
        self._client_secret = client_secret
        self._public_url = public_url
        self._service = AsyncExitStack()
        self._bot = AsyncExitStack()

    async def __aenter__(self):
        self.slack = await self._service.enter_async_context(SlackService(timing=Timing(retries=())))
        self.acme = self.slack.install
        self.bobs_team = self.slack.team("Globex", installed=True)
        self.globex = self.slack.world.install_in(self.bobs_team.id)
        self.alice = self.slack.person("alice")
        self.bob = self.slack.person("bob", team=self.bobs_team)
        await self.start()
        return self

    async def __aexit__(self, *_):
        await self.stop()
        await self._service.aclose()

    async def start(self):
        enter = self._bot.enter_async_context
        world = self.slack.world.app
        secret = self._client_secret or world.client_secret
        client = Client(world.client_id, secret, self.slack.api_url, self._public_url)
        self.workspaces = ManyWorkspaces()
        self.app = await enter(SlackApp(self.workspaces, self.slack.api_url, stream_after=self._stream_after))
        self.desk = await enter(open_desk(self._settings, [self.app], serving=False))
        await enter(self.app.serving(self.desk))
        routes = oauth_routes(client, self.workspaces, self.app)
        self.url = await enter(served(http_app(self.app, [self.slack.signing_secret], routes)))
        self.slack.deliver_to(f"{self.url}/slack/events")

    async def stop(self):
        await self._bot.aclose()
        self._bot = AsyncExitStack()

    async def restart(self):
        await self.stop()
        await self.start()

    def browser(self):
        return httpx.AsyncClient(base_url=self.url)

    async def install(self, install, browser=None, **changed):
        """Go to Slack and come back, with what Slack would send along; `changed` sends something else."""
        team = self.slack.world.teams[install.team]
        person = next(one for one in (self.alice, self.bob) if one.user.team == team.id)
        async with browser or self.browser() as visitor:
            state = await begin(visitor)
            given = {"code": self.slack.consent(team, person), "state": state} | changed
            return await visitor.get("/slack/oauth_redirect", params={k: v for k, v in given.items() if v is not None})

    async def install_both(self):
        for install in (self.acme, self.globex):
            assert (await self.install(install)).status_code == 200

    def come_back(self, install):
        """Let Slack give an install that was taken back another token, for the same bot."""
        del self.slack.world.installs[install.token]
        install.token, install.dead = f"{install.token}-2", ""
        self.slack.world.installs[install.token] = install

    async def post(self, install, event, **envelope):
        """Send an event as Slack would for an install."""
        authorization = {"team_id": install.team, "enterprise_id": None, "user_id": install.user, "is_bot": True}
        body = {"type": "event_callback", "event_id": f"Ev{install.team}", "authorizations": [authorization]}
        content = json.dumps(body | envelope | {"event": event}).encode()
        stamp = str(int(time.time()))
        headers = {
            "Content-Type": "application/json",
            "X-Slack-Request-Timestamp": stamp,
            "X-Slack-Signature": sign(self.slack.signing_secret, stamp, content),
        }
        async with self.browser() as slack:
            assert (await slack.post("/slack/events", content=content, headers=headers)).status_code == 200

    async def quiet(self):
        await self.slack.settled()
        await self.desk.drain()
        await self.slack.settled()

    def said(self, person, channel=None):
        """What a person sees of the app's."""
        bots = (self.acme.user, self.globex.user)
        return [one.text for one in self.slack.seen_by(person, channel or person.im) if one.user in bots]

    def tokens(self, *methods):
        return {call.token for call in self.slack.calls() if call.method in methods}


async def begin(visitor, path="/slack/install"):
    """Set out for Slack; the state that goes along."""
    answer = await visitor.get(path)
    assert answer.status_code == 302
    return asked(answer)["state"]


def asked(answer):
    """What Slack is asked for."""
    return {name: value for name, (value,) in parse_qs(urlsplit(answer.headers["location"]).query).items()}
