"""A server on the simulated Discord with the desk in it, and people who do things there."""

import asyncio
from dataclasses import replace

from adapters.discord.options import Options
from tests.adapters.discord_harness import DiscordHarness

QUESTION = "open a ticket: the printer burns"


class PlainHarness(DiscordHarness):
    """As an operator gets it, but for the wait before an answer is streamed."""

    options = Options(stream_after=60.0)
    messages_a_minute = 0


class SlowHarness(PlainHarness):
    """One message a minute is all it takes of a person."""

    messages_a_minute = 1


class SupportHarness(PlainHarness):
    options = Options(stream_after=60.0, support=frozenset({"#help", "posts"}))


class BlindHarness(PlainHarness):
    """Without the intent to read messages."""

    options = Options(stream_after=60.0, content=False)


class StreamingHarness(PlainHarness):
    options = replace(DiscordHarness.options, stream_after=0.0)


class Server:
    def __init__(self, harness):
        self.harness = harness
        self.discord = harness.discord
        self.help = harness.channel
        self.alice, self.bob = harness.person("alice"), harness.person("bob")
        self.quiet = harness.quiet

    async def ask(self, text=QUESTION, *, person=None):
        """Mention the app in the channel; the thread that is opened for it."""
        message = self.mention(text, person=person)
        await self.quiet()
        return self.discord.world.channels[message.id]

    def mention(self, text=QUESTION, *, person=None, channel=None):
        return (person or self.alice).say(channel or self.help, f"{self.discord.mention} {text}")

    def ours(self, channel, person=None):
        shown = self.discord.seen_by(person or self.alice, channel)
        return [one for one in shown if one.user == self.discord.app.id and not one.loading and one.text]

    def texts(self, channel, person=None):
        return [one.text for one in self.ours(channel, person)]

    def calls(self, route):
        return [call for call in self.discord.calls(route) if call.ok]

    async def begins(self, condition):
        async with asyncio.timeout(10):
            while not condition():
                await asyncio.sleep(0.001)


class Quick:
    """asyncio, but for the library's pauses."""

    def __getattr__(self, name):
        return getattr(asyncio, name)

    @staticmethod
    async def sleep(*_):
        await asyncio.sleep(0.002)


class Clock(Quick):
    """asyncio, but for pauses: they pass at once, and are added up."""

    def __init__(self):
        self.passed = 0.0

    async def sleep(self, seconds):
        self.passed += seconds
        await asyncio.sleep(0)


def hurry(monkeypatch):
    """Let nothing wait for a clock."""
    for module in ("http", "shard", "client", "webhook.async_"):
        monkeypatch.setattr(f"discord.{module}.asyncio", Quick())
    monkeypatch.setattr("adapters.discord.identifying.FIRST_PAUSE", 0.0)
    monkeypatch.setattr("adapters.discord.identifying.MOST_A_DAY", 10_000)
    monkeypatch.setattr("adapters.discord.showing.SECONDS_BETWEEN", 0.0)
    monkeypatch.setattr("adapters.discord.door.PAUSE_SECONDS", 0.01)
    monkeypatch.setattr("adapters.discord.hearing.CATCH_UP_PAUSE", 0.01)
    monkeypatch.setattr("core.posting.FIRST_PAUSE", 0.005)
    monkeypatch.setattr("core.posting.LONGEST_PAUSE", 0.02)
    monkeypatch.setattr("core.desk.STOP_SECONDS", 0.1)
