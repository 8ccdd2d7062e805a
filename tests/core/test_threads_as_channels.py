"""What platforms need whose threads are channels of their own, and which do not say who deleted a message."""

import pytest

from core.models import Accepted, Command, MessageDeleted
from tests.core.talk import open_talk, place

TICKET = "open a ticket: the printer burns"


@pytest.fixture
async def talk():
    async with open_talk() as talk:
        yield talk


def own(thread):
    return {"channel": thread, "thread": thread}


async def slash(talk, user, word, *args, channel="parent"):
    return await talk.hand_in(Command(talk.next_id(), place(user, channel=channel), word, args, loose=True))


def settled(talk):
    return [delivery.settles for delivery in talk.street.posted]


# --- a word beside the conversations ----------------------------------------------------------------------------------


async def test_a_word_said_beside_threads_that_are_channels_means_the_askers_own(talk):
    await talk.say("alice", TICKET, **own("t1"))
    await talk.say("bob", "hello", **own("t2"))
    await slash(talk, "alice", "undo")
    assert talk.last.text.startswith("Taken back.")
    assert talk.last.ref.thread == "t1"


async def test_with_two_such_threads_the_person_picks_and_the_picked_one_is_meant(talk):
    await talk.say("alice", TICKET, **own("t1"))
    await talk.say("alice", "hello", **own("t2"))
    await slash(talk, "alice", "undo")
    picked = next(button for button in talk.last.buttons if "burns" in button.label)
    await slash(talk, "alice", "undo", *picked.args)
    assert talk.last.ref.thread == "t1"


async def test_a_thread_in_another_channel_is_not_meant(talk):
    await talk.say("alice", TICKET, channel="elsewhere", thread="t1")
    await slash(talk, "alice", "undo")
    assert talk.last.text == "There is nothing to undo."


# --- a message somebody deleted ---------------------------------------------------------------------------------------


async def test_a_message_deleted_by_nobody_knows_whom_is_forgotten_with_its_answer(talk):
    await talk.say("alice", "my invoice number is INV-2041", **own("t1"))
    question = talk.street.posted[-1].to
    await talk.hand_in(MessageDeleted("gone", place("", **own("t1")), question))
    assert "INV-2041" not in (await talk.say("alice", "what was my invoice number?", **own("t1")))[-1]


@pytest.mark.parametrize("where", [{}, own("t1")], ids=["direct", "shared"])
async def test_a_deletion_of_what_the_desk_does_not_know_makes_nobody_a_customer(talk, where):
    event = MessageDeleted("gone", place("", **where), "never seen")
    assert await talk.desk.accept(event) is Accepted.IGNORED


# --- a conversation that is settled -----------------------------------------------------------------------------------


async def test_the_answer_that_resolves_the_last_ticket_settles_its_conversation(talk):
    await talk.say("alice", TICKET)
    await talk.say("alice", "resolve TKT-1001")
    assert settled(talk) == [False, True]


async def test_while_another_ticket_is_open_the_conversation_is_not_settled(talk):
    await talk.say("alice", TICKET)
    await talk.say("alice", "open a ticket: no ink")
    await talk.say("alice", "resolve TKT-1001")
    assert settled(talk) == [False, False, False]


async def test_resolving_a_ticket_of_another_conversation_settles_nothing(talk):
    await talk.say("alice", TICKET, **own("t1"))
    await talk.say("alice", "resolve TKT-1001", **own("t2"))
    assert settled(talk) == [False, False]


# --- branches, to be offered ------------------------------------------------------------------------------------------


async def test_the_branches_of_a_place_are_known_by_name(talk):
    assert await talk.desk.branches_at(place("alice")) == []
    await talk.say("alice", "hello")
    await talk.command("alice", "branch", "what-if")
    assert sorted(await talk.desk.branches_at(place("alice"))) == ["main", "what-if"]
