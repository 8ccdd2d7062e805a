"""`link` and `unlink`: two identities that are one customer."""

import asyncio
import json
import re

import pytest

from core import link_codes
from core.customers import Identity
from core.link_codes import GUESSES_PER_CODE, GUESSES_PER_PERSON
from core.linking import ALREADY, ASK, ENOUGH, LINKED, NOT_PROVED, OFF, OWN, TOLD, WRONG
from core.models import Command, ConversationRef, UserMessage
from core.people import open_note
from core.queries.log import NotesOf
from core.records.outbox import AddDelivery
from core.records.people import PutCustomer
from core.unlinking import ALONE, UNLINKED
from core.writer import GroupWriter
from tests.core.town import DISCORD, MALLORY, SLACK, TERMINAL, open_town, ref

# --- proving ----------------------------------------------------------------------------------------------------------


async def test_a_code_makes_one_customer_of_two_and_their_tickets_are_listed_together(town):
    await town.say(SLACK, "open a ticket: no ink")
    assert await town.linked(SLACK, DISCORD) == LINKED["join"]
    assert await town.word(DISCORD, "tickets") == "- TKT-1001: no ink (open, priority normal) (on slack)"
    assert "TKT-1001: no ink" in await town.word(DISCORD, "ticket", "TKT-1001")
    assert "also alice on slack" in await town.word(DISCORD, "whoami")
    assert "also 77 on discord" in await town.word(SLACK, "whoami")


async def test_two_tickets_of_one_number_are_told_apart_by_their_platform(town):
    await town.say(SLACK, "open a ticket: no ink")
    await town.say(DISCORD, "open a ticket: no paper")
    await town.linked(SLACK, DISCORD)
    assert "no paper" in await town.word(DISCORD, "ticket", "TKT-1001")
    assert "no ink" in await town.word(DISCORD, "ticket", "tkt-1001", "slack")


@pytest.mark.parametrize("how", ["join", "apart"])
async def test_what_becomes_of_the_histories_is_asked_and_never_guessed(town, how):
    said = await town.word(DISCORD, "link", await town.code(SLACK))
    assert said == ASK
    asked = town.streets["discord"].posted[-1]
    assert asked.private
    assert [(button.command, button.args) for button in asked.buttons] == [("link", ("join",)), ("link", ("apart",))]
    assert "also" not in await town.word(DISCORD, "whoami")
    assert await town.word(DISCORD, "link", how) == LINKED[how]
    assert "also" in await town.word(DISCORD, "whoami")


async def test_nobody_chooses_who_has_proved_nothing(town):
    assert await town.word(MALLORY, "link", "join") == NOT_PROVED
    await town.word(DISCORD, "link", await town.code(SLACK))
    assert await town.word(MALLORY, "link", "join") == NOT_PROVED


async def test_a_code_is_taken_in_any_case_with_any_blanks(town):
    code = await town.code(SLACK)
    assert await town.word(DISCORD, "link", *code.lower().split("-"), "JOIN") == LINKED["join"]


async def test_a_code_works_once(town):
    code = await town.code(SLACK)
    assert await town.word(DISCORD, "link", code, "join") == LINKED["join"]
    assert await town.word(MALLORY, "link", code, "join") == WRONG


async def test_a_code_whose_choice_is_open_is_used(town):
    code = await town.code(SLACK)
    await town.word(DISCORD, "link", code)
    assert await town.word(MALLORY, "link", code, "join") == WRONG


async def test_a_new_code_replaces_the_one_before(town):
    first, second = await town.code(SLACK), await town.code(SLACK)
    assert await town.word(DISCORD, "link", first, "join") == WRONG
    assert await town.word(DISCORD, "link", second, "join") == LINKED["join"]


async def test_a_code_is_too_old_after_ten_minutes(town, monkeypatch):
    code, later = await town.code(SLACK), link_codes.now() + 10 * 60_000_000 + 1
    monkeypatch.setattr(link_codes, "now", lambda: later)
    assert await town.word(DISCORD, "link", code, "join") == WRONG


async def test_ones_own_code_links_nobody(town):
    assert await town.word(SLACK, "link", await town.code(SLACK), "join") == OWN


async def test_who_is_linked_already_is_told(town):
    await town.linked(SLACK, DISCORD)
    assert await town.linked(SLACK, DISCORD) == ALREADY


async def test_wrong_guesses_are_limited_for_each_person(town):
    code = await town.code(SLACK)
    for _ in range(GUESSES_PER_PERSON):
        assert await town.word(MALLORY, "link", "AAAAA-AAAAA", "join") == WRONG
    assert await town.word(MALLORY, "link", code, "join") == ENOUGH
    assert await town.word(DISCORD, "link", code, "join") == LINKED["join"]


async def test_wrong_guesses_are_limited_for_each_code(town):
    code = await town.code(SLACK)
    for number in range(GUESSES_PER_CODE):
        guesser = Identity("discord", "G1", f"guesser-{number}")
        assert await town.word(guesser, "link", code[:5] + "AAAAA", "join") == WRONG
    assert await town.word(DISCORD, "link", code, "join") == WRONG


async def test_guesses_made_at_once_are_all_counted(town):
    await town.word(MALLORY, "whoami")
    places = [ConversationRef("discord", "G1", f"c{n}", MALLORY.user, direct=False) for n in range(GUESSES_PER_PERSON)]
    guesses = [Command(f"g{n}", place, "link", ("AAAAAAAAAA",)) for n, place in enumerate(places)]
    await asyncio.gather(*map(town.talk.desk.accept, guesses))
    await town.talk.desk.drain()
    assert await town.word(MALLORY, "link", await town.code(SLACK), "join") == ENOUGH


async def test_a_code_is_in_no_note_no_audit_line_and_no_log(town, caplog):
    caplog.set_level("DEBUG")
    code = await town.code(SLACK)
    notes = [note for kind in ("link code", "link asker") for note in await town.store.read(NotesOf("desk", kind))]
    await town.word(DISCORD, "link", code, "join")
    kept = json.dumps([*[open_note(town.sealer, note) for note in notes], await town.said()]) + caplog.text
    assert len(notes) == 2
    assert not [half for half in code.split("-") if half in kept]


async def test_two_who_link_each_other_at_once_are_linked_once(town):
    codes = [await town.code(SLACK), await town.code(DISCORD)]
    events = [
        Command("a", ref(DISCORD), "link", (codes[0], "apart")),
        Command("b", ref(SLACK), "link", (codes[1], "apart")),
    ]
    await asyncio.gather(*map(town.talk.desk.accept, events))
    await town.talk.desk.drain()
    said = [street.posted[-1].text for street in (town.streets["slack"], town.streets["discord"])]
    assert sorted(said) == sorted([LINKED["apart"], ALREADY])
    assert [action for action, _, _ in await town.said()].count("link") == 2


async def test_three_platforms_are_one_person(town):
    await town.say(SLACK, "open a ticket: no ink")
    await town.linked(SLACK, DISCORD)
    await town.linked(DISCORD, TERMINAL)
    assert "no ink" in await town.word(TERMINAL, "tickets")
    await town.word(DISCORD, "unlink")
    assert "no ink" in await town.word(TERMINAL, "tickets")
    assert "no ink" not in await town.word(DISCORD, "tickets")


async def test_a_code_of_somebody_who_was_forgotten_links_nobody(town):
    code = await town.code(SLACK)
    await town.word(SLACK, "forget", "confirm")
    assert await town.word(DISCORD, "link", code, "join") == WRONG


async def test_a_link_leaves_a_line_for_each_of_both_in_the_audit_log(town):
    await town.linked(SLACK, DISCORD, "apart")
    one, other = (await town.person(SLACK)).id, (await town.person(DISCORD)).id
    await town.word(SLACK, "unlink")
    said = [line for line in await town.said() if line[0] in ("link", "unlink")]
    assert sorted(said[:2]) == sorted(
        [
            ("link", one, {"with": [other], "histories": "apart"}),
            ("link", other, {"with": [one], "histories": "apart"}),
        ]
    )
    assert said[2:] == [("unlink", one, {"with": [other]}), ("unlink", other, {"from": one})]


# --- being told -------------------------------------------------------------------------------------------------------


def told(town, who=SLACK):
    """What somebody was told of a use of their code, for them alone."""
    said = TOLD.format(platform="discord")
    return [one.ref for one in town.streets[who.platform].posted if one.text == said and one.private]


@pytest.mark.parametrize("steps", [("join",), ("apart",), ("", "join"), ("", "apart")])
async def test_who_gave_the_code_is_told_in_private_where_they_got_it(town, steps):
    first, *choice = steps
    await town.word(DISCORD, "link", await town.code(SLACK), *filter(None, (first,)))
    assert told(town) == ([] if choice else [ref(SLACK)])
    for how in choice:
        await town.word(DISCORD, "link", how)
    assert told(town) == [ref(SLACK)]
    assert not [one for one in town.streets["discord"].posted if "code you got here" in one.text]


async def test_who_got_the_code_among_others_is_told_there_alone(town):
    await town.word(SLACK, "whoami")
    channel = ConversationRef("slack", "T1", "general", "alice", thread="t", direct=False, groups=("fans",))
    await town.talk.desk.accept(Command("g", channel, "link"))
    await town.talk.desk.drain()
    code = re.search(r"`link (\S+)`", town.streets["slack"].posted[-1].text)[1]
    await town.word(DISCORD, "link", code, "join")
    assert told(town) == [channel]


async def test_nobody_is_told_of_a_code_that_linked_nobody(town):
    code = await town.code(SLACK)
    await town.word(MALLORY, "link", code[:5] + "AAAAA", "join")
    await town.word(MALLORY, "link", code)
    assert told(town) == []


async def test_it_is_told_in_the_commit_that_links_them_and_is_theirs_to_forget(town, monkeypatch):
    code, commits, commit = await town.code(SLACK), [], GroupWriter.commit

    async def noted(self, records, *rest, **more):
        commits.append(records)
        return await commit(self, records, *rest, **more)

    monkeypatch.setattr(GroupWriter, "commit", noted)
    await town.word(DISCORD, "link", code, "apart")
    one = (await town.person(SLACK)).id
    (linking,) = [records for records in commits if any(isinstance(each, PutCustomer) for each in records)]
    assert [each.owner for each in linking if isinstance(each, AddDelivery) and each.platform == "slack"] == [one]


async def test_where_a_code_was_given_is_forgotten_with_who_got_it(town):
    await town.word(DISCORD, "link", await town.code(SLACK))
    assert "dm-alice" in json.dumps([open_note(town.sealer, row) for row in await askers(town)])
    await town.word(SLACK, "forget", "confirm")
    (left,) = [open_note(town.sealer, row) for row in await askers(town)]
    assert (left["given"], left["proved"]) == (None, "")
    assert await town.word(DISCORD, "link", "join") == NOT_PROVED


async def askers(town):
    return await town.store.read(NotesOf("desk", "link asker"))


# --- what the operator allows -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("across", "answer"), [("platforms", "two platforms"), ("workspaces", LINKED["join"])])
async def test_two_workspaces_of_a_platform_are_linked_where_the_operator_says_so(across, answer):
    async for town in open_town("memory:", linking={"across": across}):
        assert answer in await town.linked(SLACK, Identity("slack", "T2", "alice"))


@pytest.mark.parametrize("across", ["platforms", "workspaces"])
async def test_two_people_of_one_workspace_are_never_one(across):
    async for town in open_town("memory:", linking={"across": across}):
        assert f"people of two {across}" in await town.linked(DISCORD, MALLORY)


async def test_nobody_is_linked_where_the_operator_says_so():
    async for town in open_town("memory:", linking={"across": "nothing"}):
        assert await town.word(SLACK, "link") == OFF


async def test_a_link_raises_no_role():
    async for town in open_town("memory:", roles={str(SLACK): "admin"}):
        await town.linked(SLACK, DISCORD)
        assert "role admin" in await town.word(SLACK, "whoami")
        assert "role" not in await town.word(DISCORD, "whoami")


async def test_one_budget_is_for_both():
    async for town in open_town("memory:", budgets={"customer": {"day_tokens": 4000}}):
        await town.linked(SLACK, DISCORD, "apart")
        while "is used up for" not in await town.say(SLACK, "hello"):
            pass
        assert "is used up for" in await town.say(DISCORD, "hello")
        assert "is used up for" not in await town.say(MALLORY, "hello")


async def test_usage_is_counted_together_from_then_on(town):
    await town.linked(SLACK, DISCORD, "apart")
    await town.say(SLACK, "hello")
    await town.say(DISCORD, "hello")
    used = await town.word(SLACK, "usage")
    assert "2 model calls" in used
    assert await town.word(DISCORD, "usage") == used


# --- histories --------------------------------------------------------------------------------------------------------


async def test_joined_histories_are_one_conversation_and_known_on_both_sides(town):
    await town.say(SLACK, "my invoice number is INV-2041")
    await town.say(SLACK, "remember that I prefer mornings")
    await town.linked(SLACK, DISCORD)
    assert "INV-2041" in await town.say(DISCORD, "what was my invoice number?")
    assert "INV-2041" in await town.word(DISCORD, "history")
    await town.say(DISCORD, "my order number is ORD-9")
    assert "ORD-9" in await town.say(SLACK, "what was my order number?")


async def test_what_was_said_before_is_found_after_a_fresh_start(town):
    await town.say(SLACK, "my invoice number is INV-2041")
    await town.linked(SLACK, DISCORD)
    await town.word(DISCORD, "new")
    assert "INV-2041" not in await town.word(DISCORD, "history")
    assert "INV-2041" in await town.say(DISCORD, "what was my invoice number?")


async def test_histories_kept_apart_stay_apart(town):
    await town.say(SLACK, "my invoice number is INV-2041")
    await town.linked(SLACK, DISCORD, "apart")
    assert "INV-2041" not in await town.say(DISCORD, "what was my invoice number?")
    assert await town.word(DISCORD, "undo") != ""
    assert "INV-2041" in await town.word(SLACK, "history")


async def test_what_was_said_on_one_side_is_undone_on_the_other(town):
    await town.linked(SLACK, DISCORD)
    await town.say(SLACK, "open a ticket: no ink")
    await town.word(DISCORD, "undo")
    assert "withdrawn" in await town.word(SLACK, "tickets")


async def test_after_unlink_nothing_of_the_other_is_seen(town):
    await town.say(SLACK, "my invoice number is INV-2041")
    await town.say(SLACK, "open a ticket: no ink")
    await town.say(DISCORD, "my order number is ORD-9")
    await town.linked(SLACK, DISCORD)
    assert await town.word(DISCORD, "unlink") == UNLINKED
    assert await town.word(DISCORD, "tickets") == "You have no tickets yet."
    assert "INV-2041" not in await town.word(DISCORD, "history")
    assert "ORD-9" in await town.word(DISCORD, "history")
    assert "INV-2041" not in await town.say(DISCORD, "what was my invoice number?")
    assert await town.word(DISCORD, "unlink") == ALONE


async def test_who_starts_afresh_while_linked_leaves_no_conversation_to_the_other(town):
    await town.linked(SLACK, DISCORD)
    await town.word(DISCORD, "new")
    await town.say(DISCORD, "my order number is ORD-9")
    await town.word(SLACK, "unlink")
    await town.word(SLACK, "new")
    assert "ORD-9" not in await town.word(SLACK, "history")
    assert "ORD-9" in await town.word(DISCORD, "history")


async def test_what_waits_behind_a_link_is_said_in_the_conversation_it_joins(town):
    await town.say(SLACK, "my invoice number is INV-2041")
    code = await town.code(SLACK)
    await town.talk.desk.accept(Command("l", ref(DISCORD), "link", (code, "join")))
    await town.talk.desk.accept(UserMessage("w", ref(DISCORD), "what was my invoice number?"))
    await town.talk.desk.drain()
    assert "INV-2041" in town.streets["discord"].posted[-1].text
