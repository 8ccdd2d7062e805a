from core.customers import open_customer
from core.queries.bill import UsageLedger
from core.queries.people import Customers
from core.queries.tickets import TicketsOf
from core.tickets import all_tickets
from tests.core.talk import open_talk


async def tickets(talk):
    return {ticket.name: ticket.status.value for ticket in await all_tickets(talk.store, talk.sealer, 100)}


async def test_undo_withdraws_the_ticket_its_turn_opened(talk):
    await talk.say("alice", "open a ticket: the printer is on fire")
    assert await tickets(talk) == {"TKT-1001": "open"}
    said = await talk.command("alice", "undo")
    assert said == ["Taken back. TKT-1001 is withdrawn. Remove the reaction or say `redo` to bring it back."]
    assert talk.last.kind == "retract"
    assert await tickets(talk) == {"TKT-1001": "withdrawn"}


async def test_redo_brings_back_the_ticket_and_the_text(talk):
    (answer,) = await talk.say("alice", "open a ticket: the printer is on fire")
    await talk.command("alice", "undo")
    assert await talk.command("alice", "redo") == [answer]
    assert talk.last.kind == "restore"
    assert await tickets(talk) == {"TKT-1001": "open"}


async def test_a_reaction_on_question_and_answer_is_one_undo(talk):
    await talk.say("alice", "hello", id_="q1")
    await talk.say("alice", "open a ticket: no ink", id_="q2")
    answer = talk.last.key
    assert len(await talk.react("alice", "q2", "leftwards_arrow_with_hook")) == 1
    assert await talk.react("alice", answer, "↩️") == []
    assert (await talk.command("alice", "history"))[0].startswith("1. Alice: hello")


async def test_taking_the_undo_reaction_off_is_redo(talk):
    await talk.say("alice", "open a ticket: no ink", id_="q1")
    await talk.react("alice", "q1", "leftwards_arrow_with_hook")
    await talk.react("alice", "q1", "leftwards_arrow_with_hook", removed=True)
    assert await tickets(talk) == {"TKT-1001": "open"}


async def test_taking_the_reaction_off_after_a_new_turn_does_nothing(talk):
    await talk.say("alice", "open a ticket: no ink", id_="q1")
    await talk.react("alice", "q1", "leftwards_arrow_with_hook")
    await talk.say("alice", "never mind")
    assert await talk.react("alice", "q1", "leftwards_arrow_with_hook", removed=True) == []
    assert await tickets(talk) == {"TKT-1001": "withdrawn"}


async def test_undo_on_an_older_turn_asks_first(talk):
    await talk.say("alice", "one", id_="q1")
    for text in ("two", "three"):
        await talk.say("alice", text)
    (question,) = await talk.react("alice", "q1", "leftwards_arrow_with_hook")
    assert question == "That takes back this turn and the 2 after it. Say `undo 3` to do it."
    assert talk.last.private
    assert len(await talk.command("alice", "undo", *talk.last.buttons[0].args)) == 3
    assert await talk.command("alice", "history") == ["Nothing was said here yet."]


async def test_undo_on_nothing_says_so(talk):
    assert await talk.command("alice", "undo") == ["There is nothing to undo."]
    assert await talk.command("alice", "redo") == ["There is nothing to redo."]


async def test_redo_is_gone_once_something_new_was_said(talk):
    await talk.say("alice", "one")
    await talk.command("alice", "undo")
    await talk.say("alice", "two")
    assert await talk.command("alice", "redo") == ["There is nothing to redo."]


async def test_two_undos_take_two_redos(talk):
    await talk.say("alice", "one")
    await talk.say("alice", "two")
    await talk.command("alice", "undo")
    await talk.command("alice", "undo")
    await talk.command("alice", "redo")
    await talk.command("alice", "redo")
    assert await talk.command("alice", "redo") == ["There is nothing to redo."]
    (shown,) = await talk.command("alice", "history")
    assert "1. Alice: one" in shown
    assert "2. Alice: two" in shown


async def test_others_may_not_take_back_what_alice_said(talk):
    where = {"channel": "c1", "thread": "t1"}
    await talk.say("alice", "open a ticket: no ink", id_="q1", **where)
    assert await talk.react("bob", "q1", "leftwards_arrow_with_hook", **where) == []
    (refusal,) = await talk.command("bob", "undo", **where)
    assert refusal == "Only the person who wrote those messages, or staff, can do that."
    assert talk.last.private


async def test_staff_may_take_back_what_alice_said():
    async with open_talk(roles={"terminal/local/bob": "agent"}) as talk:
        where = {"channel": "c1", "thread": "t1"}
        await talk.say("alice", "open a ticket: no ink", **where)
        await talk.command("bob", "undo", **where)
        assert await tickets(talk) == {"TKT-1001": "withdrawn"}


async def test_rewind_keeps_turn_n(talk):
    for text in ("one", "two", "three"):
        await talk.say("alice", text)
    await talk.command("alice", "rewind", "1")
    (shown,) = await talk.command("alice", "history")
    assert "1. Alice: one" in shown
    assert "two" not in shown
    assert await talk.command("alice", "rewind", "7") == [
        "There is no such turn here. Say `history` to see the turns and their numbers."
    ]


async def test_retry_answers_again_and_takes_the_first_answer_back(talk):
    await talk.say("alice", "open a ticket: no ink")
    retracted, again = await talk.command("alice", "retry")
    assert retracted == "Answered again below."
    assert "TKT-1002" in again
    assert await tickets(talk) == {"TKT-1001": "withdrawn", "TKT-1002": "open"}


async def test_undone_turns_stay_on_the_bill(talk):
    await talk.say("alice", "hello")
    (before,) = await talk.store.read(UsageLedger(0, 2**63 - 1))
    await talk.command("alice", "undo")
    (after,) = await talk.store.read(UsageLedger(0, 2**63 - 1))
    assert after.requests == before.requests > 0


async def test_an_edited_newest_message_is_answered_again(talk):
    await talk.say("alice", "open a ticket: no ik", id_="q1")
    await talk.edit("alice", "q1", "open a ticket: no ink")
    shown = await all_tickets(talk.store, talk.sealer, 10)
    assert {ticket.subject: ticket.status.value for ticket in shown} == {"no ik": "withdrawn", "no ink": "open"}
    await talk.react("alice", "q1", "leftwards_arrow_with_hook")
    assert set((await tickets(talk)).values()) == {"withdrawn"}


async def test_an_edit_without_a_change_of_text_does_nothing(talk):
    await talk.say("alice", "hello", id_="q1")
    assert await talk.edit("alice", "q1", "hello") == []


async def test_an_older_edited_message_changes_the_stored_text_only(talk):
    await talk.say("alice", "my invoice is 17", id_="q1")
    await talk.say("alice", "thanks")
    (note,) = await talk.edit("alice", "q1", "my invoice is 18")
    assert "changed that message" in note
    assert talk.last.private
    (shown,) = await talk.command("alice", "history")
    assert "my invoice is 18 (edited)" in shown
    assert "18" in (await talk.say("alice", "what was my invoice number?"))[0]


async def test_nobody_edits_what_another_person_said(talk):
    where = {"channel": "c1", "thread": "t1"}
    await talk.say("alice", "hello", id_="q1", **where)
    assert await talk.edit("bob", "q1", "goodbye", **where) == []


async def test_a_deleted_message_is_erased_with_its_answer(talk):
    await talk.say("alice", "my invoice is 17", id_="q1")
    await talk.say("alice", "thanks")
    await talk.delete("alice", "q1")
    (shown,) = await talk.command("alice", "history")
    assert "17" not in shown
    assert "1. (erased)" in shown
    assert "17" not in (await talk.say("alice", "what was my invoice number?"))[0]


async def test_a_deleted_newest_message_is_undone_too(talk):
    await talk.say("alice", "open a ticket: no ink", id_="q1")
    await talk.delete("alice", "q1")
    assert await tickets(talk) == {"TKT-1001": "withdrawn"}
    assert await talk.command("alice", "redo") == ["There is nothing to redo."]


async def test_tickets_of_nobody_else_are_touched_by_undo(talk):
    await talk.say("alice", "open a ticket: no ink")
    await talk.say("bob", "open a ticket: no paper")
    await talk.command("bob", "undo")
    assert await tickets(talk) == {"TKT-1001": "open", "TKT-1002": "withdrawn"}
    assert await talk.store.read(TicketsOf("nobody")) == []


async def test_undo_forgets_what_its_turn_remembered_and_redo_remembers_it_again(talk):
    async def preferences():
        (row,) = await talk.store.read(Customers())
        return open_customer(row, talk.sealer).preferences

    await talk.say("alice", "remember that I like tea")
    before = await preferences()
    assert before
    await talk.command("alice", "undo")
    assert await preferences() == {}
    await talk.command("alice", "redo")
    assert await preferences() == before


async def test_undo_leaves_a_preference_that_was_set_again_later(talk):
    await talk.say("alice", "remember that my colour is red", id_="q1")
    await talk.command("alice", "branch")
    await talk.say("alice", "remember that my colour is blue")
    await talk.command("alice", "switch", "main")
    await talk.command("alice", "undo")
    (row,) = await talk.store.read(Customers())
    assert list(open_customer(row, talk.sealer).preferences.values()) == ["blue"]


async def test_nobody_is_welcomed_back_at_the_first_message(talk):
    await talk.command("alice", "whoami")
    (answer,) = await talk.say("alice", "hello", id_="q1")
    assert "back" not in answer
    assert "back" not in (await talk.edit("alice", "q1", "hello!"))[-1]
