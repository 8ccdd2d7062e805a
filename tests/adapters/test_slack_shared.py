"""A channel that two workspaces share, with the app installed in both: each message has one answer, of one bot."""

import asyncio
from itertools import permutations

import pytest

from core.config import Settings
from simulators.slack_service.model import Message
from tests.adapters.slack_many import ManyHarness


@pytest.fixture
async def house(tmp_path, monkeypatch):
    monkeypatch.setattr("adapters.slack.api.BURST", 1_000_000)
    monkeypatch.setattr("core.desk.STOP_SECONDS", 0.1)
    async with ManyHarness(Settings(store=f"sqlite:///{tmp_path}/desk.db", model="offline")) as house:
        await house.install_both()
        house.team = house.slack.world.teams[house.globex.team]
        house.shared = house.slack.channel("shared", house.alice, house.bob, shared_with=house.team)
        house.shared.members.append(house.globex.user)
        yield house


async def hear(house, person, text, *, for_, thread=None):
    """Let Slack tell of a message, once for each of these installs."""
    ts = house.slack.world.stamps.new()
    team = person.user.team
    house.shared.put(Message(ts, house.shared.id, person.id, team, text, thread_ts=thread))
    event = {"type": "message", "user": person.id, "team": team, "user_team": team, "text": text, "ts": ts}
    event |= {"channel": house.shared.id, "channel_type": "channel"} | ({"thread_ts": thread} if thread else {})
    copies = (house.post(install, event, team_id=team, is_ext_shared_channel=True) for install in for_)
    await asyncio.gather(*copies)
    await house.quiet()
    return ts


def answered_by(house):
    return [call.token for call in house.slack.calls("chat.postMessage")]


ORDERS = [("acme",), ("globex",), *permutations(("acme", "globex"))]


@pytest.mark.parametrize("order", ORDERS)
async def test_the_bot_that_is_spoken_to_answers_once_for_whichever_install_slack_tells_of_it(house, order):
    told = [getattr(house, name) for name in order]
    root = await hear(house, house.bob, f"<@{house.acme.user}> open a ticket: no ink", for_=told)
    assert answered_by(house) == [house.acme.token]
    await hear(house, house.bob, "open a ticket: no paper", for_=told, thread=root)
    assert answered_by(house) == [house.acme.token] * 2
    assert "no paper" in house.said(house.bob, house.shared)[1]


@pytest.mark.parametrize("order", ORDERS)
async def test_a_message_that_speaks_to_both_bots_is_answered_by_the_first(house, order):
    told = [getattr(house, name) for name in order]
    await hear(house, house.bob, f"<@{house.globex.user}> or <@{house.acme.user}>: is anybody there?", for_=told)
    assert answered_by(house) == [house.globex.token]


async def test_who_spoke_to_both_bots_in_a_thread_has_one_answer_there_also_after_a_restart(house):
    both = (house.globex, house.acme)
    root = await hear(house, house.bob, f"<@{house.acme.user}> open a ticket: no ink", for_=both)
    await hear(house, house.bob, f"<@{house.globex.user}> open a ticket: no paper", for_=both, thread=root)
    await house.restart()
    await hear(house, house.bob, "open a ticket: no light", for_=(house.globex,), thread=root)
    await hear(house, house.bob, "open a ticket: no heat", for_=(house.acme,), thread=root)
    assert len(answered_by(house)) == 4
    assert len(set(answered_by(house)[2:])) == 1


async def test_people_of_each_team_are_customers_of_their_own_in_a_shared_channel(house):
    both = (house.acme, house.globex)
    await hear(house, house.alice, f"<@{house.acme.user}> open a ticket: no ink", for_=both)
    await hear(house, house.bob, f"<@{house.acme.user}> show my tickets", for_=both)
    assert "no ink" in house.said(house.bob, house.shared)[0]
    assert "no ink" not in house.said(house.bob, house.shared)[1]
