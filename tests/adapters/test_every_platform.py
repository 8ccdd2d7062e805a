"""What every platform does, through its own payloads, its real app and a real desk."""

import pytest

from core.words import WORDS

TICKET = "open a ticket: the printer burns"
UNDO, REDO, RETRY = "leftwards_arrow_with_hook", "arrow_right_hook", "repeat"


def texts(platform, user="alice", where=None):
    return [seen.text for seen in platform.sees(user, where)]


def last(platform, user="alice", where=None):
    return platform.sees(user, where)[-1]


async def tickets(platform, user="alice", where=None):
    await platform.command("tickets", user=user, where=where)
    return last(platform, user, where).text


async def turns(platform, user="alice", where=None):
    await platform.command("history", user=user, where=where)
    return last(platform, user, where).text


# --- answers ----------------------------------------------------------------------------------------------------------


async def test_who_writes_is_answered(platform):
    await platform.say("hello")
    assert "alice" in last(platform).text


async def test_a_message_that_comes_twice_is_answered_once(platform):
    message = await platform.say(TICKET)
    await platform.redeliver(message)
    assert len(platform.sees()) == 1
    assert (await tickets(platform)).count("TKT-") == 1


async def test_a_message_that_comes_again_after_a_restart_is_answered_once(platform):
    message = await platform.say(TICKET)
    await platform.restart()
    await platform.redeliver(message)
    assert len(platform.sees()) == 1


async def test_a_command_that_comes_twice_is_done_once(platform):
    await platform.say("my invoice number is INV-1")
    await platform.say("hello")
    undo = await platform.command("undo")
    await platform.redeliver(undo)
    assert "INV-1" in await turns(platform)


async def test_a_restart_forgets_nothing(platform):
    await platform.say("my invoice number is INV-2041")
    await platform.restart()
    await platform.say("what was my invoice number?")
    assert "INV-2041" in last(platform).text


async def test_a_blank_message_gets_one_kind_answer(platform):
    await platform.say(" \n ")
    assert len(platform.sees()) == 1
    assert "Something went wrong" not in last(platform).text


async def test_a_message_over_the_limit_is_refused_kindly(platform):
    await platform.say("a" * 16_001)
    assert "16,000 characters" in last(platform).text


async def test_what_cannot_be_kept_is_mended(platform):
    await platform.say("my code word is B\0-\ud8007")
    assert "B-\ufffd7" in await turns(platform)


# --- taking back ------------------------------------------------------------------------------------------------------


async def test_undo_takes_a_turn_back_and_says_so_in_the_place_of_its_answer(platform):
    await platform.say(TICKET)
    await platform.command("undo")
    (answer,) = platform.sees()
    assert answer.taken_back
    assert answer.text == "Taken back. TKT-1001 is withdrawn. Remove the reaction or say `redo` to bring it back."
    assert "withdrawn" in await tickets(platform)


async def test_redo_brings_turn_text_and_ticket_back(platform):
    await platform.say(TICKET)
    before = platform.sees()
    await platform.command("undo")
    await platform.command("redo")
    assert platform.sees() == before
    assert "open" in await tickets(platform)


@pytest.mark.parametrize("on", ["question", "answer"])
async def test_a_reaction_on_the_question_or_on_the_answer_takes_their_turn_back(platform, on):
    question = await platform.say(TICKET)
    await platform.react(question if on == "question" else last(platform).key, UNDO)
    assert [seen.taken_back for seen in platform.sees()] == [True]


async def test_a_reaction_on_question_and_answer_is_one_undo(platform):
    await platform.say("hello")
    question = await platform.say(TICKET)
    answer = last(platform).key
    await platform.react(question, UNDO)
    await platform.react(answer, UNDO)
    assert [seen.taken_back for seen in platform.sees()] == [False, True]


async def test_taking_the_reaction_off_brings_it_back(platform):
    question = await platform.say(TICKET)
    before = platform.sees()
    await platform.react(question, UNDO)
    await platform.react(question, UNDO, removed=True)
    assert platform.sees() == before


async def test_taking_the_reaction_off_after_something_new_does_nothing(platform):
    question = await platform.say(TICKET)
    await platform.react(question, UNDO)
    await platform.say("hello")
    before = platform.sees()
    await platform.react(question, UNDO, removed=True)
    assert platform.sees() == before


async def test_a_reaction_on_an_older_turn_asks_first(platform):
    first = await platform.say(TICKET)
    await platform.say("hello")
    await platform.react(first, UNDO)
    assert last(platform).private
    assert "this turn and the 1 after it" in last(platform).text
    assert "open" in await tickets(platform)


async def test_a_reaction_that_means_nothing_does_nothing(platform):
    question = await platform.say("hello")
    await platform.react(question, "tada")
    assert len(platform.sees()) == 1


async def test_retry_answers_again(platform):
    question = await platform.say(TICKET)
    await platform.react(question, RETRY)
    assert [seen.taken_back for seen in platform.sees()] == [True, False]
    assert (await tickets(platform)).count("(open") == 1


async def test_there_is_nothing_to_undo_at_first(platform):
    await platform.command("undo")
    assert texts(platform) == ["There is nothing to undo."]


# --- edits and deletions ----------------------------------------------------------------------------------------------


async def test_an_edited_message_is_answered_again(platform):
    question = await platform.say("open a ticket: the pinter burns")
    await platform.edit(question, TICKET)
    assert [seen.taken_back for seen in platform.sees()] == [True, False]
    listed = await tickets(platform)
    assert "the printer burns (open" in listed
    assert "the pinter burns (open" not in listed


async def test_an_edit_that_changes_nothing_is_no_edit(platform):
    question = await platform.say("hello")
    await platform.edit(question, "hello")
    assert len(platform.sees()) == 1


async def test_a_deleted_message_is_forgotten_with_its_answer(platform):
    question = await platform.say("my invoice number is INV-2041")
    await platform.delete(question)
    assert "INV-2041" not in "".join(texts(platform))
    await platform.say("what was my invoice number?")
    assert "INV-2041" not in last(platform).text


async def test_nobody_edits_or_deletes_for_somebody_else(platform):
    question = await platform.say("my invoice number is INV-2041", where="t1")
    before = platform.sees("alice", "t1")
    await platform.edit(question, "my invoice number is X", user="bob", where="t1")
    await platform.delete(question, user="bob", where="t1")
    assert platform.sees("alice", "t1") == before


# --- branches, clearing -----------------------------------------------------------------------------------------------


async def test_a_what_if_leaves_the_main_branch_alone(platform):
    await platform.say("my invoice number is INV-1")
    await platform.command("branch", "what-if")
    await platform.say("my order number is ORD-2")
    await platform.command("switch", "main")
    assert "ORD-2" not in await turns(platform)
    await platform.command("switch", "what-if")
    assert "ORD-2" in await turns(platform)


async def test_rewind_keeps_what_was_before(platform):
    await platform.say("my invoice number is INV-1")
    await platform.say("my order number is ORD-2")
    await platform.command("rewind", "1")
    assert "INV-1" in await turns(platform)
    assert "ORD-2" not in last(platform).text


async def test_clearing_asks_first_and_then_forgets(platform):
    await platform.say("my invoice number is INV-2041")
    await platform.command("clear")
    assert last(platform).private
    assert "INV-2041" in await turns(platform)
    await platform.command("clear", "confirm")
    assert await turns(platform) == "Nothing was said here yet."
    await platform.say("what was my invoice number?")
    assert "INV-2041" not in last(platform).text


# --- words ------------------------------------------------------------------------------------------------------------


async def test_every_word_is_understood(platform):
    await platform.say("hello")
    for word in WORDS:
        await platform.command(word.name)
    assert not [text for text in texts(platform) if "do not know" in text or "Something went wrong" in text]


async def test_a_word_with_an_exclamation_mark_is_no_turn(platform):
    await platform.say("hello")
    await platform.say("!whoami")
    assert "You are alice" in last(platform).text
    assert "whoami" not in await turns(platform)


async def test_an_unknown_word_is_refused_privately(platform):
    await platform.command("nonsense", where="t1")
    assert last(platform, "alice", "t1").private
    assert "help" in last(platform, "alice", "t1").text
    assert platform.sees("bob", "t1") == []


@pytest.mark.parametrize(
    ("word", "args"),
    [("switch", ("nowhere",)), ("rewind", ("9",)), ("rewind", ("x",)), ("undo", ("many",)), ("branch", ("main",))],
)
async def test_what_is_not_there_is_said(platform, word, args):
    await platform.say("hello")
    await platform.command(word, *args)
    assert "Something went wrong" not in last(platform).text
    assert not platform.sees()[0].taken_back


# --- keeping customers apart ------------------------------------------------------------------------------------------


async def test_customers_are_kept_apart(platform):
    await platform.say("my invoice number is INV-2041")
    await platform.say(TICKET)
    await platform.say("what was my invoice number?", user="bob")
    assert "INV-2041" not in "".join(texts(platform, "bob"))
    assert await tickets(platform, "bob") == "You have no tickets yet."


async def test_who_proves_to_be_somebody_elsewhere_sees_their_tickets_and_nobody_else_does(code, platform):
    await platform.command("link", code.lower())
    assert "no ink" not in await tickets(platform)
    await platform.command("link", "apart")
    assert (await tickets(platform))[2:] == "TKT-1001: no ink (open, priority normal) (on elsewhere)"
    await platform.command("link", code, "join", user="bob")
    assert await tickets(platform, "bob") == "You have no tickets yet."
    await platform.command("unlink")
    assert await tickets(platform) == "You have no tickets yet."


async def test_what_a_code_links_is_asked_with_two_buttons_for_the_asker_alone(code, platform):
    await platform.command("link", code, where="t1")
    asked = last(platform, "alice", "t1")
    assert "The code is good" in asked.text
    assert asked.private
    assert platform.sees("bob", "t1") == []


async def test_somebody_elses_ticket_is_as_good_as_none(platform):
    await platform.say(TICKET)
    await platform.command("ticket", "TKT-1001", user="bob")
    somebodys = last(platform, "bob").text
    await platform.command("ticket", "TKT-9999", user="bob")
    assert last(platform, "bob").text == somebodys


async def test_a_shared_place_is_one_conversation(platform):
    await platform.say("my invoice number is INV-1", where="t1")
    await platform.say("hello", user="bob", where="t1")
    assert "INV-1" in await turns(platform, "bob", "t1")


async def test_two_shared_places_are_two_conversations(platform):
    await platform.say("my invoice number is INV-1", where="t1")
    assert await turns(platform, "alice", "t2") == "Nothing was said here yet."


async def test_private_answers_are_for_the_asker_alone(platform):
    await platform.command("whoami", where="t1")
    assert last(platform, "alice", "t1").private
    assert platform.sees("bob", "t1") == []


async def test_nobody_takes_back_what_somebody_else_said(platform):
    question = await platform.say(TICKET, where="t1")
    before = platform.sees("alice", "t1")
    await platform.react(question, UNDO, user="bob", where="t1")
    assert platform.sees("alice", "t1") == before
    assert platform.sees("bob", "t1") == before
    await platform.command("undo", user="bob", where="t1")
    assert platform.sees("alice", "t1") == before
    assert last(platform, "bob", "t1").private


async def test_what_was_said_in_private_stays_out_of_shared_places(platform):
    await platform.say("my invoice number is INV-2041")
    await platform.say("what was my invoice number?", where="t1")
    assert "INV-2041" not in last(platform, "alice", "t1").text


# --- too much at once -------------------------------------------------------------------------------------------------


async def test_who_says_too_much_is_told_so_once_and_the_rest_is_left_out(slow_platform):
    for number in range(6):
        await slow_platform.say(f"open a ticket: thing {number}")
    said = texts(slow_platform)
    assert sum("I opened" in text for text in said) == 3
    assert sum("more than 3 messages a minute" in text for text in said) == 1
    assert len(said) == 4
    await slow_platform.say("hello", user="bob")
    assert "bob" in last(slow_platform, "bob").text


async def test_commands_are_counted_apart_and_one_is_told_that_they_are_too_many(slow_platform):
    for number in range(3):
        await slow_platform.say(f"open a ticket: thing {number}")
    for _ in range(5):
        await slow_platform.command("tickets")
    said = texts(slow_platform)
    assert sum(text.count("thing 2") for text in said if "TKT-1001" in text and "TKT-1003" in text) == 2
    assert sum("more than 2 commands a minute" in text for text in said) == 1
