"""A channel that two workspaces share, with the app installed in both: each message has one answer, of one bot.

People of the other workspace are customers of their own, also where Slack does not say which team they are of.
"""

import asyncio
from itertools import permutations

import pytest

from adapters.slack import homes
from core.config import Settings
from simulators.slack_service.model import Message
from tests.adapters.slack_harness import SlackHarness
from tests.adapters.slack_many import ManyHarness
from tests.adapters.slack_town import Town

UNDO = "leftwards_arrow_with_hook"


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


# --- where Slack does not say which team somebody is of ---------------------------------------------------------------


@pytest.fixture
async def town(tmp_path, monkeypatch):
    """The app in Acme alone; Bob of Globex  comes through a shared channel."""
    monkeypatch.setattr("core.desk.STOP_SECONDS", 0.1)
    async with SlackHarness(Settings(store=f"sqlite:///{tmp_path}/desk.db", model="offline")) as harness:
        town, slack = Town(harness), harness.slack
        globex = slack.team("Globex")
        town.bob = slack.person("bob", team=globex)
        town.help = slack.channel("shared", town.alice, town.bob, shared_with=globex)
        yield town


async def bob_asks(town):
    """What Bob said, and the answer he sees."""
    said = town.bob.say(town.help, f"{town.slack.mention} open a ticket: no ink")
    await town.quiet()
    (answer,) = town.ours(town.bob, town.help)
    return said, answer


@pytest.mark.parametrize("on", ["question", "answer"])
@pytest.mark.parametrize("again", [False, True])
async def test_somebody_of_another_team_takes_back_by_a_reaction_what_they_asked(town, on, again):
    said, answer = await bob_asks(town)
    if again:
        await town.harness.restart()
    spot = said if on == "question" else answer
    town.bob.react(spot, UNDO)
    await town.quiet()
    assert [text[:11] for text in town.texts(town.bob, town.help)] == ["Taken back."]
    town.bob.unreact(spot, UNDO)
    await town.quiet()
    assert town.tickets(town.bob, town.help) == ["no ink"]


async def test_a_reaction_of_another_teams_person_on_somebody_elses_question_does_nothing(town):
    said = town.ask("open a ticket: no ink")
    await town.quiet()
    town.bob.react(said, UNDO)
    await town.quiet()
    assert town.tickets(town.alice, town.help) == ["no ink"]


async def test_slacks_own_stop_pressed_by_another_teams_person_stops_their_turn(town, gate):
    said = town.bob.say(town.help, f"{town.slack.mention} open a ticket: no ink")
    await town.taken_in()
    town.bob.stop(town.help, said)
    await town.taken_in()
    gate.set()
    await town.quiet()
    assert town.tickets(town.bob, town.help) == []


async def test_whose_team_slack_has_told_is_asked_for_once(town):
    said, _ = await bob_asks(town)
    await town.harness.restart()
    asked = len(town.slack.calls("users.info"))
    for change in (town.bob.react, town.bob.unreact) * 2:
        change(said, UNDO)
        await town.quiet()
    assert len(town.slack.calls("users.info")) == asked + 1


@pytest.mark.parametrize("trouble", ["fail", "refuse", "wait"])
async def test_where_slack_does_not_tell_the_team_a_reaction_is_nobodys_and_nothing_waits(town, trouble, monkeypatch):
    monkeypatch.setattr(homes, "PATIENCE_SECONDS", 0.05)
    said, _ = await bob_asks(town)
    await town.harness.restart()
    faults = town.slack.faults
    trouble == "fail" and faults.fail("users.info")
    trouble == "refuse" and faults.refuse("users.info", "user_not_found")
    trouble == "wait" and faults.rate_limit("users.info", retry_after=30)
    town.bob.react(said, UNDO)
    await town.quiet()
    assert town.tickets(town.bob, town.help) == ["no ink"]


async def test_an_answer_to_another_teams_person_that_a_moderator_deletes_is_taken_out(town):
    said, answer = await bob_asks(town)
    town.alice.delete(answer)
    await town.quiet()
    town.bob.say(town.help, "!history", thread=said)
    await town.quiet()
    assert "(removed by a moderator)" in town.texts(town.bob, town.help)[-1]


async def test_an_answer_in_a_thread_that_somebody_else_began_can_be_deleted_too(town):
    root = town.alice.say(town.help, "who can help here?")
    town.bob.say(town.help, f"{town.slack.mention} open a ticket: no ink", thread=root)
    await town.quiet()
    town.alice.delete(town.ours(town.bob, town.help)[0])
    await town.quiet()
    town.bob.say(town.help, "!history", thread=root)
    await town.quiet()
    assert "(removed by a moderator)" in town.texts(town.bob, town.help)[-1]
