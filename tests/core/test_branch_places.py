"""A branch may go on in a place of its own, beside the one it comes from: each keeps to its own line."""

import pytest

from core.models import UserMessage
from tests.core.talk import open_talk, place

MINE = {"channel": "t1", "thread": "t1"}


@pytest.fixture
async def talk():
    async with open_talk() as talk:
        talk.street.opens_places = True
        yield talk


async def opened(talk):
    """Alice tries a what-if in a thread of its own; what says where that is."""
    await talk.say("alice", "my invoice number is INV-1", **MINE)
    await talk.say("alice", "!branch cheaper thread", **MINE)
    there = next(one.ref for one in talk.street.posted if one.ref.channel != "t1")
    return {"channel": there.channel, "thread": there.thread}


def texts(talk, where):
    return [one.text for one in talk.street.posted if one.ref.channel == where["channel"]]


async def test_the_new_place_starts_from_the_turn_and_the_old_one_goes_on_as_it_was(talk):
    there = await opened(talk)
    assert texts(talk, there)[0].startswith("This is branch cheaper, from turn 1")
    await talk.say("alice", "what is my invoice number?", **there)
    assert "INV-1" in talk.last.text
    await talk.say("alice", "my order number is ORD-2", **there)
    await talk.say("alice", "what is my order number?", **MINE)
    assert "ORD-2" not in talk.last.text
    await talk.say("alice", "!history", **MINE)
    assert "ORD-2" not in talk.last.text and "order number?" in talk.last.text


async def test_answers_in_its_own_place_do_not_say_how_to_return(talk):
    there = await opened(talk)
    await talk.say("alice", "hello", **there)
    assert "switch main" not in talk.last.text
    await talk.say("alice", "hello", **MINE)
    assert "switch main" not in talk.last.text


async def test_undo_there_takes_back_nothing_here(talk):
    there = await opened(talk)
    await talk.say("alice", "my order number is ORD-2", **there)
    await talk.say("alice", "!undo", **there)
    await talk.say("alice", "!history", **there)
    assert "ORD-2" not in talk.last.text and "INV-1" in talk.last.text
    await talk.say("alice", "!history", **MINE)
    assert "INV-1" in talk.last.text


async def test_switch_and_branch_there_change_that_place_alone(talk):
    there = await opened(talk)
    await talk.say("alice", "my order number is ORD-2", **there)
    await talk.say("alice", "!branch dearer", **there)
    await talk.say("alice", "my room number is 7", **there)
    await talk.say("alice", "!switch cheaper", **there)
    await talk.say("alice", "!history", **there)
    assert "ORD-2" in talk.last.text and "room number" not in talk.last.text
    await talk.say("alice", "!whoami", **MINE)
    assert "branch main" in talk.last.text


async def test_new_there_begins_a_conversation_of_its_own(talk):
    there = await opened(talk)
    await talk.say("alice", "!new", **there)
    await talk.say("alice", "my order number is ORD-2", **there)
    await talk.say("alice", "!new", **MINE)
    await talk.say("alice", "hello", **MINE)
    await talk.say("alice", "!history", **MINE)
    assert "ORD-2" not in talk.last.text


async def test_once_the_conversation_is_cleared_the_place_goes_on_with_what_is_left(talk):
    there = await opened(talk)
    await talk.say("alice", "!clear confirm", **MINE)
    await talk.say("alice", "what is my invoice number?", **there)
    assert "INV-1" not in talk.last.text


async def test_a_branch_that_is_gone_on_with_here_is_moved_by_its_button(talk):
    await talk.say("alice", "my invoice number is INV-1", **MINE)
    await talk.say("alice", "!branch cheaper", **MINE)
    (button,) = talk.last.buttons
    await talk.say("alice", f"!{button.command} {' '.join(button.args)}", **MINE)
    await talk.say("alice", "!whoami", **MINE)
    assert "branch main" in talk.last.text


async def test_where_there_is_no_other_place_that_is_said_and_nothing_is_branched(talk):
    await talk.say("alice", "hello")
    await talk.say("alice", "!branch cheaper thread")
    assert talk.last.text.startswith("I can open no thread beside this conversation.")
    await talk.say("alice", "!branches")
    assert "cheaper" not in talk.last.text


async def test_who_spoke_before_the_branch_need_not_call_the_desk_there(talk):
    there = await opened(talk)
    await talk.hand_in(UserMessage(talk.next_id(), place("alice", **there), "hello", called=False))
    assert talk.last.ref == place("alice", **there)
