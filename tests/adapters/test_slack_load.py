"""Slack under load: events that come twice, calls that are refused for their rate, answers that are cut."""

from collections import defaultdict

import pytest

from core.config import Settings
from tests.adapters.slack_harness import SlackHarness, SlackHttpHarness
from tests.adapters.slack_town import StreamingHarness

PEOPLE, EACH = 20, 10
pytestmark = pytest.mark.usefixtures("hurried")


@pytest.fixture
async def harness(request, tmp_path):
    settings = Settings(store=f"sqlite:///{tmp_path}/desk.db", model="offline")
    async with request.param(settings) as harness:
        yield harness


def _say_at_once(slack, people, help_):
    """Let everybody write to the app, in their direct messages and in a thread of their own."""
    said, roots = defaultdict(list), {}
    for number in range(EACH):
        for person in people:
            subject = f"thing {number} of {person.user.name}"
            if number % 3:
                said[person.im.id].append(subject)
                person.dm(f"open a ticket: {subject}")
            else:
                message = person.say(help_, f"{slack.mention} open a ticket: {subject}", thread=roots.get(person.id))
                roots.setdefault(person.id, message)
                said[roots[person.id].ts].append(subject)
    return said, roots


@pytest.mark.parametrize("harness", [SlackHarness, StreamingHarness, SlackHttpHarness], indirect=True)
async def test_under_load_with_duplicates_limits_and_cuts_every_message_has_one_answer(town):
    town.slack.faults.duplicate_events(0.2)
    for method in ("chat.postMessage", "chat.startStream", "chat.update"):
        town.slack.faults.rate_limit(method, retry_after=0, probability=0.1)
        town.slack.faults.cut_answer(method, probability=0.1)
    people = [town.slack.person(f"{chr(97 + number)}-person") for number in range(PEOPLE)]
    town.help = town.slack.channel("general", *people)
    said, roots = _say_at_once(town.slack, people, town.help)
    await town.slack.settled(timeout=40)
    await town.harness._desk.drain()
    await town.quiet()
    for person in people:
        assert sorted(town.tickets(person, person.im)) == sorted(said[person.im.id])
        mine = [subject for subject in town.tickets(person, town.help) if subject.endswith(person.user.name)]
        assert mine == said[roots[person.id].ts]
        assert not any(one.streaming for one in town.ours(person, town.help) + town.ours(person, person.im))
    assert {fault for call in town.slack.calls() for fault in call.faults} == {"rate_limited", "cut_after"}
    assert any(envelope.attempts > 1 for envelope in town.slack.envelopes)
