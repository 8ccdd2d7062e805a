"""People who share a workspace with the app, and what they see of it when something goes wrong."""

import asyncio
import re

from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_sdk.web.async_client import AsyncWebClient

from simulators.slack_service import Timing
from tests.adapters.slack_harness import SlackHarness


class QuickHarness(SlackHarness):
    """Notices at once that its connection is gone, and is sent again at once what it did not acknowledge."""

    timing = Timing(retries=(0.0, *[0.05] * 100))

    async def _connect(self, app):
        client = AsyncWebClient(self.slack.bot_token, base_url=self.slack.api_url)
        handler = AsyncSocketModeHandler(app.bolt, self.slack.app_token, web_client=client, ping_interval=0.1)
        await handler.connect_async()
        self._bot.push_async_callback(handler.close_async)


class StreamingHarness(SlackHarness):
    """Streams every answer, however quick."""

    stream_after = 0.0


class Town:
    """Alice and Bob, who share a channel with the app, and what they see of it."""

    def __init__(self, harness):
        self.harness = harness
        self.slack = harness.slack
        self.quiet = harness._quiet
        self.alice = self.slack.person("alice")
        self.bob = self.slack.person("bob")
        self.help = self.slack.channel("general", self.alice, self.bob)

    def ours(self, person, channel):
        return [one for one in self.slack.seen_by(person, channel) if one.user == self.slack.install.user]

    def texts(self, person, channel):
        return [one.text for one in self.ours(person, channel)]

    def tickets(self, person, channel):
        """The subjects of the tickets that answers say were opened, in the order they stand there."""
        return re.findall(r"I opened TKT-\d+: “(.*?)”", "\n".join(self.texts(person, channel)))

    def ask(self, text, thread=None):
        return self.alice.say(self.help, f"{self.slack.mention} {text}", thread=thread)

    async def taken_in(self):
        await self.slack.until(lambda: not self.slack.unacknowledged)

    async def half_shown(self):
        await self.slack.until(lambda: any(call.ok for call in self.slack.calls("chat.appendStream")))


async def becomes(condition):
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0)
