import re

import pytest

from core.clock import now
from core.errors import ConfigError
from core.models import Command, Reaction, UserMessage
from core.queries.counts import Counts
from core.queries.log import AuditLines
from core.queries.said import FeedbackOf
from core.tickets import all_tickets, staff_change
from core.words import WORDS, word_named, word_of_reaction
from tests.core.talk import open_talk, place
from tests.storage.samples import commit


async def let_wait(talk, ticket):
    changes = {"status": "waiting_for_staff"}
    _, records = staff_change(ticket, changes, talk.sealer, actor=ticket.customer, at=now())
    await commit(talk.store, *records)


async def test_every_word_of_the_table_answers_or_is_silent_as_it_says(talk):
    await talk.say("alice", "hello")
    for word in WORDS:
        said = await talk.command("alice", word.name)
        assert bool(said) == (word.answer != "none"), word.name


async def test_an_unknown_word_is_answered_with_what_to_do(talk):
    assert await talk.command("alice", "frobnicate") == [
        "I do not know `frobnicate`. Say `help` to see what I understand."
    ]


async def test_a_word_after_an_exclamation_mark_is_never_a_turn(talk):
    assert (await talk.say("alice", "!whoami"))[0].startswith("You are Alice")
    assert await talk.command("alice", "history") == ["Nothing was said here yet."]


async def test_an_exclamation_that_is_no_word_is_a_message(talk):
    assert "!important" in (await talk.say("alice", "!important the server is down"))[0]


@pytest.mark.parametrize("name", ["↩️", "↩", ":leftwards_arrow_with_hook:", "leftwards_arrow_with_hook"])
def test_a_reaction_means_its_word_in_every_spelling(name):
    assert word_of_reaction(name).name == "undo"


def test_skin_tones_do_not_change_what_a_reaction_means():
    assert word_of_reaction("+1::skin-tone-3").name == "helpful"
    assert word_of_reaction("👍🏽").name == "helpful"
    assert word_of_reaction("👎🏿").name == "not helpful"


def test_words_are_found_in_any_case():
    assert word_named(" Undo ").name == "undo"
    assert word_named("nonsense") is None


async def test_a_branch_keeps_the_main_line_as_it_was(talk):
    await talk.say("alice", "my invoice number is 17")
    (made,) = await talk.command("alice", "branch", "what-if")
    assert made == "You are on branch what-if now, from turn 1. Say `switch main` to return."
    (answer,) = await talk.say("alice", "my invoice number is 99")
    assert answer.endswith("(branch what-if; `switch main` to return)")
    await talk.command("alice", "switch", "main")
    (shown,) = await talk.command("alice", "history")
    assert "99" not in shown
    (listed,) = await talk.command("alice", "branches")
    assert "- main: 1 turn (you are here)" in listed
    assert "- what-if: 2 turns" in listed


async def test_branch_and_switch_never_touch_tickets(talk):
    await talk.say("alice", "open a ticket: no ink")
    await talk.command("alice", "branch")
    await talk.say("alice", "resolve TKT-1001")
    await talk.command("alice", "switch", "main")
    (ticket,) = await all_tickets(talk.store, talk.sealer, 10)
    assert ticket.status == "resolved"


async def test_a_branch_can_start_from_an_older_turn(talk):
    await talk.say("alice", "one", id_="q1")
    await talk.say("alice", "two")
    (made,) = await talk.react("alice", "q1", "twisted_rightwards_arrows")
    assert made.startswith("You are on branch what-if-1 now, from turn 1.")


@pytest.mark.parametrize(
    ("word", "args", "answer"),
    [
        ("branch", ("main",), "A branch of that name is here already. Choose another name, or `switch` to it."),
        ("branch", ("a b",), "A branch name is up to 40 letters, digits, dots, dashes and underscores."),
        ("switch", ("nowhere",), "There is no branch of that name here. Say `branches` to see them."),
        ("switch", (), "Say it like this: `switch NAME`."),
        ("rewind", ("9",), "There is no such turn here. Say `history` to see the turns and their numbers."),
        ("rewind", ("x",), "Say it like this: `rewind N`."),
        ("undo", ("many",), "Say it like this: `undo [n]`."),
        (
            "history",
            ("0",),
            "Say it like this: `history` for the newest ten turns, `history 20` for that many, from 1 to 100.",
        ),
        ("ticket", ("TKT-1",), "There is no such ticket among yours. Say `tickets` to see them."),
        ("open", ("nonsense",), "There is no such ticket among yours. Say `tickets` to see them."),
        ("ticket-summary", (), "You have no tickets yet."),
    ],
)
async def test_what_cannot_be_done_is_said_in_one_line(talk, word, args, answer):
    await talk.say("alice", "hello")
    assert await talk.command("alice", word, *args) == [answer]


async def test_clear_asks_first_and_then_deletes_for_good(talk):
    await talk.say("alice", "open a ticket: no ink")
    (question,) = await talk.command("alice", "clear")
    assert question.startswith("This deletes this conversation (1 turn) for good")
    assert talk.last.private
    await talk.command("alice", "clear", "confirm")
    counts = {row.table: row.rows for row in await talk.store.read(Counts())}
    assert (counts["turn"], counts["item"], counts["ticket"]) == (0, 0, 1)
    assert await talk.command("alice", "history") == ["Nothing was said here yet."]
    assert await talk.command("alice", "redo") == ["There is nothing to redo."]
    assert len(await talk.say("alice", "hello again")) == 1


async def test_only_staff_clears_what_others_said_too(talk):
    where = {"channel": "c1", "thread": "t1"}
    await talk.say("alice", "hello", **where)
    await talk.say("bob", "hello", **where)
    assert await talk.command("bob", "clear", "confirm", **where) == [
        "Others spoke here too: only staff can clear this conversation."
    ]


async def test_new_starts_afresh_and_keeps_the_old_conversation(talk):
    await talk.say("alice", "one")
    await talk.command("alice", "new")
    assert await talk.command("alice", "history") == ["Nothing was said here yet."]
    assert "terminal/local/dm/alice/~2" in (await talk.command("alice", "whoami"))[0]
    assert {row.table: row.rows for row in await talk.store.read(Counts())}["turn"] == 1


async def test_what_follows_new_in_one_breath_belongs_to_the_new_conversation(talk):
    alice = place("alice")
    for event in (
        UserMessage("m1", alice, "one"),
        Command("m2", alice, "new"),
        UserMessage("m3", alice, "two"),
        UserMessage("m4", alice, "!whoami"),
        Command("m5", alice, "new"),
        UserMessage("m6", alice, "three"),
    ):
        await talk.desk.accept(event)
    await talk.desk.drain()
    assert "terminal/local/dm/alice/~2" in next(said.text for said in talk.street.posted if "branch main" in said.text)
    answered = [posted.text for posted in talk.street.posted]
    assert [sum(f"“{word}”" in text for text in answered) for word in ("one", "two", "three")] == [1, 1, 1]
    (history,) = await talk.command("alice", "history")
    assert history.startswith("1. alice: three\n") and "2. " not in history


async def test_what_follows_new_about_an_older_message_stays_with_it(talk):
    await talk.say("alice", "one", id_="m1")
    await talk.desk.accept(Command("c1", place("alice"), "new"))
    await talk.desk.accept(Reaction("r1", place("alice"), "m1", "leftwards_arrow_with_hook", removed=False))
    await talk.desk.accept(UserMessage("m2", place("alice"), "two"))
    await talk.desk.drain()
    assert len(await talk.desk.items_at(place("alice"))) == 2
    assert any(posted.text.startswith("Taken back.") for posted in talk.street.posted)


async def test_a_muted_conversation_is_not_answered(talk):
    await talk.command("alice", "mute")
    assert await talk.say("alice", "hello") == []
    await talk.command("alice", "unmute")
    assert len(await talk.say("alice", "hello")) == 1


async def test_numbers_agree_with_what_is_counted(talk):
    assert (await talk.command("alice", "whoami"))[0].endswith("branch main, 0 turns.")
    assert " 0 tokens in 0 model calls " in (await talk.command("alice", "usage"))[0]
    await talk.say("alice", "hello")
    assert (await talk.command("alice", "whoami"))[0].endswith("branch main, 1 turn.")
    assert " in 1 model call (" in (await talk.command("alice", "usage"))[0]


async def test_a_ticket_that_waits_for_staff_is_told_in_words_with_times_in_utc(talk):
    await talk.say("alice", "open a ticket: no ink")
    (ticket,) = await all_tickets(talk.store, talk.sealer, 10)
    await let_wait(talk, ticket)
    line = "TKT-1001: no ink (waiting for staff, priority normal)"
    assert await talk.command("alice", "tickets") == [f"- {line}"]
    for word, args in (("ticket", ("TKT-1001",)), ("ticket-summary", ())):
        (shown,) = await talk.command("alice", word, *args)
        assert shown.startswith(line)
        assert re.search(r"^- \d{4}-\d\d-\d\d \d\d:\d\d UTC status: open to waiting for staff \(staff\)$", shown, re.M)
        assert "_" not in shown


@pytest.mark.parametrize("word", ["summary", "ticket-summary"])
async def test_nothing_is_offered_to_be_posted_where_nobody_else_reads(talk, word):
    await talk.say("alice", "open a ticket: no ink")
    await talk.command("alice", word)
    assert talk.last.buttons == ()


async def test_a_summary_asked_for_in_words_in_a_shared_thread_is_given_and_names_nobody_elses_ticket(talk):
    where = {"channel": "c1", "thread": "t1"}
    await talk.say("alice", "open a ticket: no ink", **where)
    await talk.say("bob", "open a ticket: no paper", **where)
    (shown,) = await talk.say("bob", "summary", **where)
    assert "TKT-1002 “no paper”" in shown
    assert "“open a ticket: no paper” – I opened TKT-1002" in shown
    assert "TKT-1001" not in shown
    assert "no ink" not in shown


async def test_ticket_summary_tells_where_the_newest_open_ticket_stands(talk):
    where = {"channel": "c1", "thread": "t1"}
    await talk.say("alice", "open a ticket: no ink", **where)
    (shown,) = await talk.command("alice", "ticket-summary", **where)
    assert shown.startswith("TKT-1001: no ink (open, priority normal)\nopened ")
    assert "TKT-1001 is about: no ink." in shown
    assert talk.last.private
    assert talk.last.buttons[0].label == "Post here"
    await talk.command("alice", "ticket-summary", *talk.last.buttons[0].args, **where)
    assert not talk.last.private


async def test_a_withdrawn_ticket_is_not_summed_up_unasked(talk):
    await talk.say("alice", "open a ticket: no ink")
    await talk.command("alice", "undo")
    assert await talk.command("alice", "ticket-summary") == ["You have no tickets yet."]


async def test_feedback_is_kept_with_the_turn_and_answered_by_nothing(talk):
    await talk.say("alice", "hello", id_="q1")
    assert await talk.react("alice", "q1", "+1") == []
    assert await talk.command("alice", "not helpful") == []
    session = talk.sealer.lookup("session", "terminal/local/dm/alice")
    (feedback,) = await talk.store.read(FeedbackOf(session))
    assert feedback.value == "not helpful"


async def test_money_is_shown_to_staff_and_tokens_to_customers():
    prices = {"models": {"offline": {"input": "1.00", "output": "2.00"}}}
    async with open_talk(roles={"terminal/local/bob": "supervisor"}, prices=prices) as talk:
        await talk.say("alice", "hello")
        await talk.say("bob", "hello")
        assert "USD" not in (await talk.command("alice", "usage"))[0]
        assert "USD 0.00" in (await talk.command("bob", "usage"))[0]


async def test_undo_leaves_an_audit_line(talk):
    await talk.say("alice", "hello")
    await talk.command("alice", "undo")
    assert [line.action for line in await talk.store.read(AuditLines(10))] == ["undo"]


async def test_a_place_of_strategy_ticket_is_bound_by_its_first_message():
    async with open_talk(strategies={"direct": "ticket", "thread": "ticket"}) as talk:
        await talk.say("alice", "the printer eats paper", channel="c1", thread="t1")
        (ticket,) = await all_tickets(talk.store, talk.sealer, 10)
        assert (ticket.name, ticket.subject) == ("TKT-1001", "the printer eats paper")
        assert ticket.session == "ticket/local/TKT-1001"
        await talk.say("alice", "and it smokes", channel="c1", thread="t1")
        (shown,) = await talk.command("alice", "history", channel="c1", thread="t1")
        assert "2. Alice: and it smokes" in shown


async def test_open_lets_another_place_be_about_the_same_ticket():
    async with open_talk(strategies={"direct": "ticket", "thread": "ticket"}) as talk:
        await talk.say("alice", "the printer eats paper", channel="c1", thread="t1")
        assert await talk.command("alice", "open", "TKT-1001") == [
            "This conversation is about TKT-1001 now: the printer eats paper (open)."
        ]
        (shown,) = await talk.command("alice", "history")
        assert "1. Alice: the printer eats paper" in shown
        assert await talk.command("bob", "open", "TKT-1001") == [
            "There is no such ticket among yours. Say `tickets` to see them."
        ]


async def test_a_first_message_that_names_an_own_ticket_goes_on_with_it():
    async with open_talk(strategies={"direct": "ticket", "thread": "ticket"}) as talk:
        await talk.say("alice", "the printer eats paper", channel="c1", thread="t1")
        await talk.say("alice", "about TKT-1001 again", channel="c1", thread="t2")
        await talk.say("bob", "about TKT-1001 too", channel="c1", thread="t3")
        tickets = {ticket.name: ticket.session for ticket in await all_tickets(talk.store, talk.sealer, 10)}
        assert sorted(tickets) == ["TKT-1001", "TKT-1002"]


async def test_a_ticket_is_not_opened_where_others_read_along(talk):
    await talk.say("alice", "open a ticket: no ink")
    (answer,) = await talk.command("alice", "open", "TKT-1001", channel="c1", thread="t1")
    assert answer.startswith("Others read this place")


async def test_what_leaves_the_window_is_kept_as_a_summary():
    async with open_talk(session={"window_tokens": 100}) as talk:
        for number in range(12):
            await talk.say("alice", f"fact number {number} is that the sky is blue on day {number}")
        assert {row.table: row.rows for row in await talk.store.read(Counts())}["turn"] == 12
        (shown,) = await talk.command("alice", "summary")
        assert "fact number 0" in shown
        assert "fact number 11" in shown


async def test_strategy_device_stops_the_start_where_a_platform_names_no_device():
    with pytest.raises(ConfigError, match=r"strategies\.direct: 'device' was found, but terminal names no devices"):
        async with open_talk(strategies={"direct": "device"}):
            pass


async def test_staff_opens_a_ticket_that_waits_for_them(talk):
    assert await talk.command("alice", "staff") == [
        "Tell me in a few words what our staff should look at: `staff the printer burns`."
    ]
    assert await talk.command("alice", "staff", "the", "printer", "burns") == [
        "TKT-1001 is with our staff now: the printer burns"
    ]
    await talk.say("alice", "open a ticket: no ink")
    await talk.say("alice", "still no ink")
    assert await talk.command("alice", "staff", "no", "ink") == ["TKT-1002 is with our staff now: no ink"]
    assert await talk.command("alice", "tickets") == [
        "- TKT-1001: the printer burns (waiting for staff, priority normal)\n"
        "- TKT-1002: no ink (waiting for staff, priority normal)"
    ]
    assert await talk.command("bob", "tickets") == ["You have no tickets yet."]


async def test_staff_without_words_is_about_the_last_message_which_is_no_subject_where_it_was_private(talk):
    await talk.say("alice", "my code is xylophone")
    for _ in range(2):
        (answer,) = await talk.command("alice", "staff")
        assert re.fullmatch(r"TKT-1001 is with our staff now: Asked on \d{4}-\d\d-\d\d at \d\d:\d\d UTC", answer)
    assert "my code is xylophone" in (await talk.command("alice", "ticket", "TKT-1001"))[0]
    where = {"channel": "c", "thread": "t"}
    assert "xylophone" not in (await talk.say("alice", "list my tickets", **where))[0]
    await talk.say("alice", "the printer burns", **where)
    assert await talk.command("alice", "staff", **where) == ["TKT-1002 is with our staff now: the printer burns"]
