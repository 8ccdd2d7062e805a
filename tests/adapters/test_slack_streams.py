"""Answers that are streamed: however it goes, one whole answer stands there in the end."""

import pytest

from core.config import Settings
from tests.adapters.slack_town import StreamingHarness

pytestmark = pytest.mark.usefixtures("hurried")


@pytest.fixture
async def harness(tmp_path):
    settings = Settings(store=f"sqlite:///{tmp_path}/desk.db", model="offline")
    async with StreamingHarness(settings) as harness:
        yield harness


# --- streams ----------------------------------------------------------------------------------------------------------


async def test_a_stream_that_slack_ends_still_ends_in_the_whole_answer(town, half_way):
    town.alice.dm("open a ticket: no ink")
    await town.half_shown()
    town.slack.expire_streams()
    half_way.set()
    await town.quiet()
    assert town.tickets(town.alice, town.alice.im) == ["no ink"]
    assert len(town.ours(town.alice, town.alice.im)) == 1


async def test_slacks_own_stop_leaves_the_stream_alone_and_the_text_marked(town, half_way):
    question = town.alice.dm("open a ticket: no ink")
    await town.half_shown()
    (shown,) = [one for one in town.ours(town.alice, town.alice.im) if one.streaming]
    (ended,) = town.alice.stop(town.alice.im, question)
    before = len(town.slack.calls())
    await town.quiet()
    (answer,) = town.ours(town.alice, town.alice.im)
    assert answer.ts == shown.ts == ended
    assert answer.text.endswith("(stopped)")
    assert not [call for call in town.slack.calls()[before:] if call.method in ("chat.appendStream", "chat.stopStream")]


async def test_a_stream_that_a_moderator_deletes_is_followed_by_the_answer_once(town, half_way):
    town.alice.dm("open a ticket: no ink")
    await town.half_shown()
    town.slack.expire_streams()
    town.bob.delete(town.ours(town.alice, town.alice.im)[0])
    town.slack.faults.cut_answer("chat.postMessage", times=1)
    half_way.set()
    await town.quiet()
    assert town.tickets(town.alice, town.alice.im) == ["no ink"]


@pytest.mark.parametrize("fault", ["cut_answer", "cut_request", "fail"])
async def test_a_stream_whose_start_was_cut_is_where_the_answer_stands(town, fault):
    getattr(town.slack.faults, fault)("chat.startStream", times=1)
    town.slack.faults.cut_answer("chat.update", times=1)
    town.slack.faults.cut_answer("chat.postMessage", times=1)
    town.alice.dm("open a ticket: no ink")
    await town.quiet()
    assert town.tickets(town.alice, town.alice.im) == ["no ink"]
    assert len(town.ours(town.alice, town.alice.im)) == 1


async def test_a_stream_that_was_begun_before_a_restart_is_where_the_answer_stands(town, half_way):
    town.alice.dm("open a ticket: no ink")
    await town.half_shown()
    await town.harness.restart()
    await town.quiet()
    assert town.tickets(town.alice, town.alice.im) == ["no ink"]
    (answer,) = town.ours(town.alice, town.alice.im)
    assert not answer.streaming


async def test_two_streams_of_one_thread_are_told_apart(town):
    town.slack.faults.cut_answer("chat.startStream", times=1)
    town.slack.faults.delay("conversations.replies", seconds=0.05)
    root = town.ask("open a ticket: no ink")
    town.ask("open a ticket: no paper", thread=root)
    await town.quiet()
    assert town.tickets(town.alice, town.help) == ["no ink", "no paper"]
    assert not any(one.streaming for one in town.ours(town.alice, town.help))


# --- a stream that Slack ends by itself -------------------------------------------------------------------------------


async def _goes_on_in_another(town, steps, question):
    """Let Slack end what is shown, and the answer go on; what was shown before."""
    await town.half_shown()
    (shown,) = town.ours(town.alice, town.alice.im)
    town.slack.expire_streams()
    steps.release()
    await town.slack.until(lambda: _appended(town)[-1] not in ("", shown.ts))
    return shown


def _appended(town):
    """The streams that took text, in order."""
    return ["", *(call.args["ts"] for call in town.slack.calls("chat.appendStream") if call.ok)]


def _let_go(steps):
    for _ in range(100):
        steps.release()


async def test_a_stream_that_slack_ends_goes_on_in_a_new_one_and_nothing_stands_there_twice(town, steps):
    question = town.alice.dm("open a ticket: no ink")
    shown = await _goes_on_in_another(town, steps, question)
    await town.slack.until(lambda: bool(town.slack.calls("chat.delete")))
    (goes_on,) = town.ours(town.alice, town.alice.im)
    assert goes_on.streaming
    assert goes_on.text.startswith(shown.text)
    _let_go(steps)
    await town.quiet()
    (answer,) = town.ours(town.alice, town.alice.im)
    assert (answer.ts, answer.streaming) == (goes_on.ts, False)
    assert town.tickets(town.alice, town.alice.im) == ["no ink"]
    assert [button.label for button in answer.buttons] == ["Undo", "Retry", "Helpful", "Not helpful"]


async def test_an_answer_that_went_on_in_a_new_stream_is_taken_back_there(town, steps):
    question = town.alice.dm("open a ticket: no ink")
    await _goes_on_in_another(town, steps, question)
    _let_go(steps)
    await town.quiet()
    (answer,) = town.ours(town.alice, town.alice.im)
    town.alice.react(answer, "leftwards_arrow_with_hook")
    await town.quiet()
    assert [text[:11] for text in town.texts(town.alice, town.alice.im)] == ["Taken back."]


async def test_a_desk_killed_after_a_stream_went_on_in_a_new_one_leaves_one_answer(town, steps):
    question = town.alice.dm("open a ticket: no ink")
    await _goes_on_in_another(town, steps, question)
    await town.harness.restart()
    await town.quiet()
    (answer,) = town.ours(town.alice, town.alice.im)
    assert not answer.streaming
    assert town.tickets(town.alice, town.alice.im) == ["no ink"]


@pytest.mark.parametrize("fault", ["cut_answer", "cut_request", "fail"])
async def test_where_the_start_of_the_new_stream_is_cut_one_answer_stands_there(town, steps, fault):
    town.alice.dm("open a ticket: no ink")
    await town.half_shown()
    town.slack.expire_streams()
    getattr(town.slack.faults, fault)("chat.startStream", times=1)
    _let_go(steps)
    await town.quiet()
    (answer,) = town.ours(town.alice, town.alice.im)
    assert not answer.streaming
    assert town.tickets(town.alice, town.alice.im) == ["no ink"]


async def test_where_slack_keeps_the_old_stream_it_says_that_the_answer_goes_on_below(town, steps):
    town.slack.faults.refuse("chat.delete", "cant_delete_message")
    question = town.alice.dm("open a ticket: no ink")
    await _goes_on_in_another(town, steps, question)
    _let_go(steps)
    await town.quiet()
    old, answer = town.ours(town.alice, town.alice.im)
    assert old.text == "(continued below)"
    assert town.tickets(town.alice, town.alice.im) == ["no ink"]


async def test_a_stream_that_slack_ends_again_and_again_still_ends_in_one_whole_answer(town, steps):
    town.slack.faults.delay("chat.appendStream", seconds=0.05)
    town.alice.dm("open a ticket: no ink")
    for number in range(1, 5):
        await town.slack.until(lambda number=number: len(_started(town)) == number)
        town.slack.expire_streams()
    _let_go(steps)
    await town.quiet()
    assert len(town.ours(town.alice, town.alice.im)) == 1
    assert town.tickets(town.alice, town.alice.im) == ["no ink"]
    assert len(_started(town)) == 4


# --- stopping what is written -----------------------------------------------------------------------------------------


async def test_after_slacks_own_stop_the_session_is_active_again(town, half_way):
    question = town.alice.dm("open a ticket: no ink")
    await town.half_shown()
    assert town.slack.shown_beside(town.alice.im, question)["session"] == "processing"
    town.alice.stop(town.alice.im, question)
    await town.quiet()
    assert town.slack.shown_beside(town.alice.im, question)["session"] == "active"


@pytest.mark.parametrize("done_first", [True, False])
async def test_nothing_is_appended_to_a_stream_that_was_stopped_while_it_began(town, steps, done_first):
    town.slack.faults.delay("chat.startStream", seconds=0.2, done_first=done_first)
    question = town.alice.dm("open a ticket: no ink")
    await town.slack.until(lambda: "chat.startStream" in town.slack.under_way and bool(_started(town)) is done_first)
    ended = town.alice.stop(town.alice.im, question)
    assert len(ended) == (1 if done_first else 0)
    await town.quiet()
    (answer,) = town.ours(town.alice, town.alice.im)
    assert answer.text.endswith("(stopped)")
    assert not answer.streaming
    assert not town.slack.calls("chat.appendStream")
    assert len(town.slack.calls("chat.stopStream")) == (0 if done_first else 1)


def _started(town):
    return town.slack.calls("chat.startStream")


@pytest.mark.parametrize("where", ["direct", "thread"])
async def test_a_stop_reaction_on_what_is_being_written_stops_it(town, half_way, where):
    place = town.alice.im if where == "direct" else town.help
    say = town.alice.dm if where == "direct" else town.ask
    say("open a ticket: no ink")
    await town.half_shown()
    (shown,) = town.ours(town.alice, place)
    town.alice.react(shown, "octagonal_sign")
    await town.quiet()
    (answer,) = town.ours(town.alice, place)
    assert answer.ts == shown.ts
    assert answer.text.endswith("(stopped)")
    assert not answer.streaming


async def test_a_stop_reaction_on_an_answer_that_is_written_again_stops_it(town, steps):
    question = town.alice.dm("open a ticket: no ink")
    _let_go(steps)
    await town.quiet()
    while not steps.locked():
        await steps.acquire()
    before = len(_appended(town))
    town.alice.edit(question, "open a ticket: no paper")
    await town.slack.until(lambda: len(_appended(town)) > before)
    shown = town.ours(town.alice, town.alice.im)[-1]
    town.alice.react(shown, "octagonal_sign")
    await town.quiet()
    assert town.texts(town.alice, town.alice.im)[-1].endswith("(stopped)")


async def test_a_stop_reaction_of_somebody_else_stops_nothing(town, half_way):
    town.ask("open a ticket: no ink")
    await town.half_shown()
    town.bob.react(town.ours(town.alice, town.help)[0], "octagonal_sign")
    await town.taken_in()
    half_way.set()
    await town.quiet()
    assert town.tickets(town.alice, town.help) == ["no ink"]


async def test_another_reaction_on_what_is_being_written_counts_once_it_is_there(town, half_way):
    town.ask("open a ticket: no ink")
    await town.half_shown()
    town.alice.react(town.ours(town.alice, town.help)[0], "leftwards_arrow_with_hook")
    await town.taken_in()
    half_way.set()
    await town.quiet()
    assert [text[:11] for text in town.texts(town.alice, town.help)] == ["Taken back."]


@pytest.mark.parametrize("delay", [0.0, 0.1])
async def test_what_somebody_else_stopped_is_shown_no_further_and_still_answered_whole(town, steps, delay):
    town.slack.faults.delay("chat.startStream", seconds=delay, done_first=True)
    root = town.ask("open a ticket: no ink")
    await town.slack.until(lambda: bool(_started(town)))
    assert town.bob.stop(town.help, root)
    await town.slack.settled()
    shown = town.slack.calls("chat.appendStream")
    _let_go(steps)
    await town.quiet()
    assert town.tickets(town.alice, town.help) == ["no ink"]
    assert len(town.ours(town.alice, town.help)) == 1
    if delay:
        assert not shown
    assert len(_started(town)) == 1
