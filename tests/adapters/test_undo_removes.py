"""Undo where the operator wants answers removed, on every platform: they go, and `redo` posts them again, once."""

import pytest

from core.config import Settings, WorkSettings
from tests.adapters.conftest import HARNESSES
from tests.adapters.slack_harness import SlackHarness
from tests.adapters.slack_town import Town

UNDO = "leftwards_arrow_with_hook"


def removing(tmp_path):
    work = WorkSettings(undo_shows="removed")
    return Settings(store=f"sqlite:///{tmp_path}/desk.db", model="offline", work=work)


@pytest.fixture(params=HARNESSES)
async def platform(request, tmp_path):
    async with HARNESSES[request.param](removing(tmp_path)) as harness:
        yield harness


@pytest.fixture
async def town(tmp_path, hurried):
    async with SlackHarness(removing(tmp_path)) as harness:
        yield Town(harness)


def answers(platform, **where):
    return [seen for seen in platform.sees(**where) if seen.text.startswith(("I opened", "(A stand-in"))]


async def test_an_answer_that_is_undone_is_gone(platform):
    await platform.say("open a ticket: no ink")
    await platform.command("undo")
    assert answers(platform) == []
    assert platform.sees()[-1].text.startswith("Taken back. TKT-1001 is withdrawn.")


async def test_a_reaction_removes_the_answer_without_a_word(platform):
    question = await platform.say("open a ticket: no ink", where="help")
    await platform.react(question, UNDO, where="help")
    assert [seen.text for seen in platform.sees(where="help") if seen.text] == []


async def test_redo_posts_a_removed_answer_again_once(platform):
    question = await platform.say("open a ticket: no ink")
    (answer,) = answers(platform)
    await platform.react(question, UNDO)
    await platform.restart()
    await platform.command("redo")
    (again,) = answers(platform)
    assert (again.text, again.key != answer.key) == (answer.text, True)


async def test_what_was_posted_again_is_removed_and_posted_again_as_often_as_asked(platform):
    question = await platform.say("open a ticket: no ink")
    for _ in range(3):
        await platform.react(question, UNDO)
        assert answers(platform) == []
        await platform.react(question, UNDO, removed=True)
        assert len(answers(platform)) == 1


async def test_an_answer_that_was_posted_again_is_still_an_answer_of_its_turn(platform):
    question = await platform.say("open a ticket: no ink")
    await platform.react(question, UNDO)
    await platform.react(question, UNDO, removed=True)
    await platform.react(answers(platform)[0].key, UNDO)
    assert answers(platform) == []


# --- Slack ------------------------------------------------------------------------------------------------------------


async def test_slack_telling_of_the_removal_is_not_taken_for_a_moderators(town):
    question = town.alice.dm("open a ticket: no ink")
    await town.quiet()
    town.alice.react(question, UNDO)
    await town.quiet()
    assert town.ours(town.alice, town.alice.im) == []
    town.alice.unreact(question, UNDO)
    await town.quiet()
    assert town.tickets(town.alice, town.alice.im) == ["no ink"]
    town.alice.slash("/desk", "history")
    await town.quiet()
    assert "(removed by a moderator)" not in "\n".join(town.texts(town.alice, town.alice.im))


@pytest.mark.parametrize("fault", ["cut_answer", "cut_request", "fail"])
@pytest.mark.parametrize("method", ["chat.delete", "chat.postMessage"])
async def test_removed_and_posted_again_over_cut_calls_it_stands_there_once(town, fault, method):
    question = town.alice.dm("open a ticket: no ink")
    await town.quiet()
    getattr(town.slack.faults, fault)(method, times=2)
    town.alice.react(question, UNDO)
    await town.quiet()
    assert town.ours(town.alice, town.alice.im) == []
    town.alice.unreact(question, UNDO)
    await town.quiet()
    assert town.tickets(town.alice, town.alice.im) == ["no ink"]
    assert len(town.ours(town.alice, town.alice.im)) == 1


async def test_an_answer_that_slack_keeps_becomes_the_line(town):
    town.slack.faults.refuse("chat.delete", "cant_delete_message")
    question = town.alice.dm("open a ticket: no ink")
    await town.quiet()
    town.alice.react(question, UNDO)
    await town.quiet()
    assert [text[:11] for text in town.texts(town.alice, town.alice.im)] == ["Taken back."]
