"""Slack is away for half an hour: what was to be said is said when it is back, in order, once."""

import pytest

from core.config import Settings
from tests.adapters.slack_clock import Clock, begins
from tests.adapters.slack_harness import SlackHarness, SlackHttpHarness

HALF_AN_HOUR = 30 * 60
BEFORE, MEANWHILE = ("before 0", "before 1", "before 2"), ("meanwhile 0", "meanwhile 1", "meanwhile 2")

pytestmark = pytest.mark.usefixtures("unhurried")


@pytest.fixture
def unhurried(monkeypatch):
    """Nothing is shortened that waits on the clock; a channel takes all at once."""
    monkeypatch.setattr("adapters.slack.api.BURST", 1_000_000)


@pytest.fixture
def clock(monkeypatch):
    """The clock of those who have something to post."""
    clock = Clock()
    monkeypatch.setattr("core.pauses.asyncio", clock)
    return clock


@pytest.fixture
def connecting(monkeypatch):
    """The clock of Slack's own client, which connects again."""
    clock = Clock()
    monkeypatch.setattr("slack_sdk.socket_mode.aiohttp.asyncio", clock)
    return clock


@pytest.fixture(params=[SlackHarness, SlackHttpHarness])
async def harness(request, clock, connecting, tmp_path):
    settings = Settings(store=f"sqlite:///{tmp_path}/desk.db", model="offline")
    async with request.param(settings) as harness:
        yield harness


def say(town, root, subjects):
    for subject in subjects:
        town.alice.dm(f"open a ticket: {subject}")
        town.ask(f"open a ticket: {subject}", thread=root)


async def test_after_half_an_hour_without_slack_everything_is_answered_once_and_in_order(
    town, clock, connecting, gate, caplog
):
    gate.set()
    root = town.ask("hello")
    await town.quiet()
    gate.clear()
    say(town, root, BEFORE)
    await town.taken_in()
    town.slack.down()
    gate.set()
    say(town, root, MEANWHILE)
    # The first answer in each of the two conversations waits, and what comes after it waits behind it.
    await begins(lambda: clock.waiting(HALF_AN_HOUR) == 2)
    if isinstance(town.harness, SlackHttpHarness):
        assert not connecting.waited
    else:
        await begins(lambda: connecting.waiting(HALF_AN_HOUR) > 0)
    assert town.tickets(town.alice, town.help) == town.tickets(town.alice, town.alice.im) == []
    town.slack.up()
    await town.quiet()
    for channel in (town.help, town.alice.im):
        answered = town.tickets(town.alice, channel)
        assert tuple(answered[:3]) == BEFORE
        # Slack itself sends what it kept in no order.
        assert tuple(sorted(answered[3:])) == MEANWHILE
    assert not [record for record in caplog.records if record.exc_info and record.name.startswith(("core", "adapters"))]
