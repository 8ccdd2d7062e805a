"""What people do wrong in Slack, and what is forged there: an honest answer, or nothing."""

import json

import pytest

from core.config import Settings
from core.queries.people import Customers, SessionsSpokenBy
from core.queries.turns import TurnsOf
from tests.adapters.slack_harness import SlackHarness

pytestmark = pytest.mark.usefixtures("hurried")


@pytest.fixture
async def harness(tmp_path):
    async with SlackHarness(Settings(store=f"sqlite:///{tmp_path}/desk.db", model="offline")) as harness:
        yield harness


@pytest.mark.parametrize("text", ["", " ", "  :"])
async def test_a_mention_without_words_gets_one_kind_answer(town, text):
    town.alice.say(town.help, f"{town.slack.mention}{text}")
    await town.quiet()
    (answer,) = town.texts(town.alice, town.help)
    assert answer.startswith("I got an empty message.")


async def test_a_file_without_words_is_noted_and_answered(town):
    town.alice.share_file(town.alice.im, "invoice.pdf")
    await town.quiet()
    assert len(town.ours(town.alice, town.alice.im)) == 1


async def test_in_a_thread_whose_first_message_is_deleted_meanwhile_the_answer_stands_all_the_same(town, gate):
    root = town.bob.say(town.help, "the printer upstairs is out of ink")
    question = town.ask("open a ticket: no ink", thread=root)
    await town.taken_in()
    town.bob.delete(root)
    await town.taken_in()
    gate.set()
    await town.quiet()
    (answer,) = town.ours(town.alice, town.help)
    assert answer.thread_ts == question.thread_ts
    assert town.tickets(town.alice, town.help) == ["no ink"]


async def test_when_the_only_message_of_a_thread_is_deleted_meanwhile_the_desk_goes_on_elsewhere(town, gate):
    town.alice.delete(town.alice.dm("open a ticket: no ink"))
    await town.taken_in()
    gate.set()
    await town.quiet()
    town.bob.dm("open a ticket: thing of bob")
    await town.quiet()
    assert town.tickets(town.bob, town.bob.im) == ["thing of bob"]


@pytest.mark.parametrize("value", ["", "nonsense", "[]", '{"c":"explode"}', '{"c":"undo","a":"all"}'])
async def test_a_button_with_a_value_we_never_wrote_is_refused_to_who_pressed_it(town, value):
    town.ask("open a ticket: no ink")
    await town.quiet()
    town.alice.press(town.ours(town.alice, town.help)[0], "desk:undo", value=value)
    await town.quiet()
    answer, refusal = town.ours(town.alice, town.help)
    assert "I opened TKT-1001" in answer.text
    assert refusal.ephemeral
    assert len(town.ours(town.bob, town.help)) == 1


@pytest.mark.parametrize("forged", ["turn", "session"])
async def test_a_button_forged_with_what_names_another_conversation_reaches_nothing_of_it(town, forged):
    town.bob.dm("open a ticket: thing of bob")
    await town.quiet()
    args = await _names_of_the_only_conversation(town.harness._desk._kit.store, forged)
    town.alice.dm("open a ticket: no ink")
    await town.quiet()
    value = json.dumps({"c": "undo", "a": args})
    town.alice.press(town.ours(town.alice, town.alice.im)[0], "desk:undo", value=value)
    await town.quiet()
    assert town.tickets(town.bob, town.bob.im) == ["thing of bob"]
    town.bob.slash("/desk", "tickets")
    await town.quiet()
    assert "(open" in town.texts(town.bob, town.bob.im)[-1]


async def _names_of_the_only_conversation(store, forged):
    (customer,) = await store.read(Customers())
    (session,) = await store.read(SessionsSpokenBy(customer.id, 9))
    (turn,) = await store.read(TurnsOf(session.id))
    return ["turn", turn.id] if forged == "turn" else [f"in:{session.id.hex()[:12]}"]
