"""What goes wrong between the desk and Slack, and what people see of it: every answer, once, in order."""

import pytest

from core.config import Settings
from tests.adapters.slack_harness import SlackHarness, SlackHttpHarness
from tests.adapters.slack_town import QuickHarness, becomes

both_modes = pytest.mark.parametrize("harness", [QuickHarness, SlackHttpHarness], indirect=True)
pytestmark = pytest.mark.usefixtures("hurried")


@pytest.fixture(params=[SlackHarness])
async def harness(request, tmp_path):
    settings = Settings(store=f"sqlite:///{tmp_path}/desk.db", model="offline")
    async with request.param(settings) as harness:
        yield harness


# --- Slack is away ----------------------------------------------------------------------------------------------------


@both_modes
async def test_when_slack_was_away_all_answers_go_out_in_order_and_once(town, gate, caplog):
    caplog.set_level("INFO", "core.posting")
    root = town.ask("open a ticket: thing 0")
    for number in range(1, 4):
        town.ask(f"open a ticket: thing {number}", thread=root)
    town.bob.dm("open a ticket: thing of bob")
    await town.taken_in()
    town.slack.down()
    gate.set()
    await becomes(lambda: "waits" in caplog.text)
    town.slack.up()
    await town.harness._desk.drain()
    assert town.tickets(town.alice, town.help) == ["thing 0", "thing 1", "thing 2", "thing 3"]
    assert town.tickets(town.bob, town.bob.im) == ["thing of bob"]


@both_modes
async def test_what_is_said_while_slack_is_away_is_answered_once_when_it_is_back(town):
    town.slack.down()
    town.alice.dm("open a ticket: no ink")
    town.slack.up()
    await town.slack.until(lambda: bool(town.slack.calls("chat.postMessage")))
    await town.quiet()
    assert town.tickets(town.alice, town.alice.im) == ["no ink"]


async def test_where_the_look_up_fails_it_is_made_again(town):
    town.slack.faults.cut_request("chat.postMessage", times=1)
    town.slack.faults.fail("conversations.replies", times=2)
    town.alice.dm("open a ticket: no ink")
    await town.quiet()
    assert town.tickets(town.alice, town.alice.im) == ["no ink"]


async def test_a_reaction_on_an_answer_that_is_just_being_posted_counts(town):
    town.slack.faults.cut_answer("chat.postMessage", times=1)
    town.slack.faults.delay("conversations.replies", seconds=0.1)
    town.ask("open a ticket: no ink")
    await town.slack.until(lambda: bool(town.ours(town.alice, town.help)))
    town.alice.react(town.ours(town.alice, town.help)[0], "leftwards_arrow_with_hook")
    await town.quiet()
    assert [text[:11] for text in town.texts(town.alice, town.help)] == ["Taken back."]


async def test_a_reaction_on_an_answer_that_the_desk_does_not_know_to_be_posted_counts(town):
    town.slack.faults.cut_answer("chat.postMessage", times=1)
    town.slack.faults.fail("conversations.replies")
    town.ask("open a ticket: no ink")
    await town.slack.until(lambda: bool(town.slack.calls("conversations.replies")))
    await town.harness._bot.aclose()
    town.alice.react(town.ours(town.alice, town.help)[0], "leftwards_arrow_with_hook")
    town.slack.faults.clear()
    town.slack.faults.delay("conversations.replies", seconds=0.1)
    await town.harness.restart()
    await town.quiet()
    assert [text[:11] for text in town.texts(town.alice, town.help)] == ["Taken back."]


@pytest.mark.parametrize("fault", ["fail", "cut_request", "cut_answer"])
async def test_an_answer_that_slack_fails_at_more_than_once_is_looked_for_and_posted(town, fault):
    town.slack.faults.fail("chat.postMessage", times=1)
    getattr(town.slack.faults, fault)("chat.postMessage", times=2)
    town.alice.dm("open a ticket: no ink")
    await town.quiet()
    town.alice.dm("!undo")
    await town.quiet()
    assert [text[:11] for text in town.texts(town.alice, town.alice.im)] == ["Taken back."]


async def test_an_undo_that_slack_fails_at_again_and_again_is_shown_in_the_end(town):
    question = town.alice.dm("open a ticket: no ink")
    await town.quiet()
    town.slack.faults.fail("chat.update", times=3)
    town.alice.react(question, "leftwards_arrow_with_hook")
    await town.quiet()
    assert [text[:11] for text in town.texts(town.alice, town.alice.im)] == ["Taken back."]


async def test_an_answer_deep_in_a_long_thread_is_found_again(town, monkeypatch):
    monkeypatch.setattr("adapters.slack.history.PAGES", 1)
    root = town.bob.say(town.help, "a long story")
    for number in range(201):
        town.bob.say(town.help, f"line {number}", thread=root)
    await town.quiet()
    town.slack.faults.cut_answer("chat.postMessage", times=1)
    town.ask("open a ticket: no ink", thread=root)
    await town.quiet()
    assert town.tickets(town.alice, town.help) == ["no ink"]


# --- what the desk may no longer do -----------------------------------------------------------------------------------


@pytest.mark.parametrize("closed", ["archive", "remove_app"])
async def test_where_a_channel_is_closed_to_it_the_desk_goes_on_elsewhere(town, gate, closed, caplog):
    root = town.ask("open a ticket: no ink")
    town.ask("open a ticket: no paper", thread=root)
    await town.taken_in()
    getattr(town.slack, closed)(town.help)
    gate.set()
    await town.quiet()
    town.bob.dm("open a ticket: thing of bob")
    await town.quiet()
    assert town.ours(town.alice, town.help) == []
    assert town.tickets(town.bob, town.bob.im) == ["thing of bob"]
    assert not [record for record in caplog.records if record.exc_info]


async def test_a_channel_it_was_asked_back_to_goes_on(town):
    root = town.ask("open a ticket: no ink")
    await town.quiet()
    town.slack.remove_app(town.help)
    town.slack.add_app(town.help)
    town.ask("open a ticket: no paper", thread=root)
    await town.quiet()
    assert town.tickets(town.alice, town.help) == ["no ink", "no paper"]


async def test_with_a_revoked_token_answers_wait_until_it_is_valid_again(town, gate, caplog):
    caplog.set_level("INFO", "core.posting")
    root = town.ask("open a ticket: no ink")
    town.ask("open a ticket: no paper", thread=root)
    town.bob.dm("open a ticket: thing of bob")
    await town.taken_in()
    town.slack.revoke_tokens()
    gate.set()
    await becomes(lambda: "token_revoked" in caplog.text)
    assert town.ours(town.alice, town.help) == []
    town.slack.install.dead = ""
    await town.harness._desk.drain()
    assert town.tickets(town.alice, town.help) == ["no ink", "no paper"]
    assert town.tickets(town.bob, town.bob.im) == ["thing of bob"]


async def test_an_answer_that_a_moderator_deletes_is_never_posted_again(town):
    root = town.ask("open a ticket: no ink")
    await town.quiet()
    town.bob.delete(town.ours(town.alice, town.help)[0])
    await town.quiet()
    await town.harness.restart()
    town.ask("open a ticket: no paper", thread=root)
    await town.quiet()
    assert town.tickets(town.alice, town.help) == ["no paper"]


async def test_a_question_that_is_deleted_before_it_is_answered_leaves_nothing_that_was_said(town, gate):
    root = town.ask("open a ticket: my secret")
    await town.taken_in()
    town.alice.delete(root)
    await town.taken_in()
    gate.set()
    await town.quiet()
    assert [one for one in town.texts(town.alice, town.help) if "my secret" in one] == []
