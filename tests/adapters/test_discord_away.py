"""Discord is away for half an hour: what was to be said is said when it is back, in order, once."""

import asyncio

import pytest

from bots.discord_lives import live_on
from core.config import Settings
from tests.adapters.discord_harness import DiscordHarness
from tests.adapters.discord_server import Clock, Server, hurry

HALF_AN_HOUR = 30 * 60


@pytest.fixture
def clock(monkeypatch):
    hurry(monkeypatch)
    clock = Clock()
    monkeypatch.setattr("bots.discord_lives.asyncio", clock)
    return clock


class SupervisedHarness(DiscordHarness):
    async def connect(self):
        self.running = asyncio.create_task(live_on(self.app))
        self._bot.push_async_callback(self._end)
        await self.app.until_ready()
        await self.discord.settled()

    async def _end(self):
        self.running.cancel()
        await asyncio.wait({self.running})


@pytest.fixture
async def server(clock, tmp_path):
    settings = Settings(store=f"sqlite:///{tmp_path}/desk.db", model="offline")
    async with SupervisedHarness(settings) as harness:
        yield Server(harness)


async def test_after_half_an_hour_without_discord_everything_is_answered_once_and_in_order(server, clock, gate):
    gate.set()
    server.alice.dm("hello")
    thread = await server.ask("hello")
    gate.clear()
    places = server.alice.im, thread
    for place in places:
        server.alice.say(place, "open a ticket: before 0")
    await server.discord.settled()
    await server.harness.app.settled()
    begun = clock.passed
    server.discord.down()
    gate.set()
    for number in range(1, 5):
        for place in places:
            server.alice.say(place, f"open a ticket: meanwhile {number}")
    await server.begins(lambda: clock.passed > begun + HALF_AN_HOUR)
    server.discord.up()
    for place in places:
        await server.begins(lambda place=place: len(server.texts(place)) == 6)
    await server.quiet()
    for place in places:
        answers = server.texts(place)[1:]
        said = ["before 0", *(f"meanwhile {number}" for number in range(1, 5))]
        assert [word in answer for word, answer in zip(said, answers, strict=True)] == [True] * 5
    assert server.discord.gateway.identifies <= 3
