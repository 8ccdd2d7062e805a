import json

import pytest

from core.audit import audit_lines
from core.candidates import session_mark
from core.customers import find_customer
from core.models import Command
from core.queries.outbox import DeliveriesTo
from core.queries.people import SessionById
from core.queries.turns import ItemRow, PagedRow, TurnRow, TurnsSpokenBy
from core.replies import FAREWELL
from core.transcript import TURNS, read_page, read_transcript
from tests.core.talk import open_talk, place

ROLES = {"terminal/local/sam": "agent", "terminal/local/sue": "supervisor"}
REFUSED, NOTHING = "You may not do that here.", "There is no such conversation."
WHY = ("she", "asked", "for", "help")


@pytest.fixture
async def talk():
    async with open_talk(roles=ROLES) as talk:
        await talk.say("alice", "open a ticket: no ink")
        await talk.say("alice", "my cat is called Mia")
        yield talk


async def reviews(talk):
    return [line for line in await audit_lines(talk.store, talk.sealer, 100) if line.action == "review"]


def button(talk, label="More"):
    return next(one for one in talk.last.buttons if one.label == label)


async def press(talk, user, pressed, *args):
    return await talk.command(user, pressed.command, *(args or pressed.args))


@pytest.mark.parametrize(
    "who", ["alice", "@alice", "<@alice>", "<@!alice>", "<@alice|Alice>", "terminal/local/dm/alice"]
)
async def test_staff_reads_a_conversation_with_all_that_was_done_and_says_why(talk, who):
    await talk.command("alice", "undo")
    (text,) = await talk.command("sam", "review", who, *WHY)
    assert talk.last.private
    for part in ("terminal/local/dm/alice", "Asked: open a ticket: no ink", "Tool create_ticket(", "TKT-1001", "Mia"):
        assert part in text
    assert "taken back or on another branch" in text
    (line,) = await reviews(talk)
    assert line.detail == {"by": "terminal/local/sam", "role": "agent", "reason": "she asked for help"}


@pytest.mark.parametrize("args", [("alice",), ("alice", " ")])
async def test_without_a_reason_nothing_is_read(talk, args):
    (answer,) = await talk.command("sam", "review", *args)
    assert answer.startswith("Say why you need to read it")
    assert await reviews(talk) == []


@pytest.mark.parametrize("who", ["alice", "nobody", "terminal/local/dm/alice", "terminal/local/dm/nobody"])
async def test_a_customer_is_refused_alike_whether_it_exists_or_not(talk, who):
    assert await talk.command("bob", "review", who, *WHY) == [REFUSED]
    assert talk.last.private
    assert await reviews(talk) == []


async def test_help_tells_the_words_of_staff_to_staff_alone(talk):
    assert "`review" in (await talk.command("sam", "help"))[0]
    assert "`review" not in (await talk.command("bob", "help"))[0]


@pytest.mark.parametrize("who", ["nobody", "discord/G1/dm/alice", "@", "terminal/other/dm/alice"])
async def test_who_or_what_is_not_there_is_said_not_to_be(talk, who):
    (answer,) = await talk.command("sam", "review", who, *WHY)
    assert answer.startswith(("I know no conversation of that person", "There is no such conversation"))
    assert await reviews(talk) == []


async def test_of_several_conversations_one_is_picked(talk):
    await talk.say("alice", "the other one", channel="c", thread="t")
    (answer,) = await talk.command("sam", "review", "alice", *WHY)
    assert (answer, len(talk.last.buttons)) == ("Which conversation do you want to read?", 2)
    assert await reviews(talk) == []
    picked = next(one for one in talk.last.buttons if "/thread/" in one.label or "c/t" in one.label)
    assert "the other one" in (await press(talk, "sam", picked))[0]
    assert [line.detail["reason"] for line in await reviews(talk)] == ["she asked for help"]


async def many_conversations(talk, more=11):
    for number in range(more):
        await talk.say("alice", f"conversation number {number}", channel="c", thread=f"t{number}")


def picked(talk):
    return [one.label.split(", ")[-1] for one in talk.last.buttons if one.label != "More"]


async def lists(talk):
    return [line for line in await audit_lines(talk.store, talk.sealer, 100) if line.action == "sessions_list"]


async def test_every_conversation_can_be_reached_by_buttons_page_by_page_and_each_page_is_noted(talk):
    await many_conversations(talk)
    (said,) = await talk.command("sam", "review", "alice", *WHY)
    assert said == "Which conversation do you want to read? Page 1 of 3, newest first."
    seen = picked(talk)
    for page in (2, 3):
        assert f"Page {page} of 3" in (await press(talk, "sam", button(talk)))[0]
        seen += picked(talk)
    assert seen == [
        *(f"terminal/local/thread/c/t{number}" for number in reversed(range(11))),
        "terminal/local/dm/alice",
    ]
    assert [one.label for one in talk.last.buttons if one.label == "More"] == []
    assert [line.detail["reason"] for line in await lists(talk)] == ["she asked for help"] * 3
    assert "Mia" in (await press(talk, "sam", talk.last.buttons[-1]))[0]
    assert len(await reviews(talk)) == 1


async def test_a_page_of_the_list_asks_for_the_role_anew_and_serves_nobody_else(talk):
    await many_conversations(talk, 6)
    await talk.command("sam", "review", "alice", *WHY)
    more = button(talk)
    assert await press(talk, "sue", more) == [NOTHING]
    talk.settings.roles.pop("terminal/local/sam")
    assert await press(talk, "sam", more) == [REFUSED]
    assert len(await lists(talk)) == 1


async def test_forged_pages_of_the_list_are_answered_as_if_there_were_nothing(talk):
    await many_conversations(talk, 6)
    await talk.command("sam", "review", "alice", *WHY)
    name, older, _ = button(talk).args
    for page in ("0", "-1", "3", "9" * 30, "at1", ""):
        assert await talk.command("sam", "review", name, older, page) == [NOTHING], page
    assert len(await lists(talk)) == 1


async def many_turns(talk, turns=TURNS + 3):
    for number in range(turns - 2):
        await talk.say("alice", f"message number {number}")


async def test_a_long_conversation_is_read_page_by_page_and_each_page_is_noted(talk):
    await many_turns(talk)
    (first,) = await talk.command("sam", "review", "alice", *WHY)
    (second,) = await press(talk, "sam", button(talk))
    assert ("Page 1 of 2" in first, "Page 2 of 2" in second) == (True, True)
    assert [text.count("Asked: ") for text in (first, second)] == [TURNS, 3]
    assert talk.last.buttons == ()
    assert [line.detail["reason"] for line in await reviews(talk)] == ["she asked for help"] * 2


async def test_a_role_taken_away_meanwhile_counts_at_the_next_page(talk):
    await many_turns(talk)
    await talk.command("sam", "review", "alice", *WHY)
    more = button(talk)
    talk.settings.roles.pop("terminal/local/sam")
    assert await press(talk, "sam", more) == [REFUSED]
    assert len(await reviews(talk)) == 1


async def test_a_button_serves_nobody_else(talk):
    await many_turns(talk)
    await talk.command("sam", "review", "alice", *WHY)
    more = button(talk)
    assert await press(talk, "bob", more) == [REFUSED]
    assert await press(talk, "sue", more) == [NOTHING]
    assert len(await reviews(talk)) == 1


async def test_forged_buttons_are_answered_as_if_there_were_nothing(talk):
    await many_turns(talk)
    await talk.say("bob", "my dog is called Rex")
    await talk.command("sam", "review", "alice", *WHY)
    name, session, page = button(talk).args
    bobs = session_mark(talk.sealer.lookup("session", "terminal/local/dm/bob"))
    forged = [
        (name, bobs, page),
        (name, "in:" + "0" * 12, page),
        (name, session.removeprefix("in:"), page),
        (name, session, "0"),
        (name, session, "-1"),
        (name, session, "9" * 30),
        (name, session),
        (name, session, page, "4"),
        ("by:0.000000000000", session, page),
        ("by:x", session, page),
        ("by:" + "9" * 15 + "." + name[-12:], session, page),
    ]
    for args in forged:
        assert await talk.command("sam", "review", *args) == [NOTHING], args
    assert len(await reviews(talk)) == 1


async def test_a_button_goes_on_after_a_restart(talk):
    await many_turns(talk)
    await talk.command("sam", "review", "alice", *WHY)
    pressed = button(talk)
    async with talk.with_desk(talk.street) as desk:
        await desk.accept(Command("again", place("sam"), pressed.command, pressed.args))
        await desk.drain()
    assert "Page 2 of 2" in talk.last.text


async def test_a_button_fits_what_the_smallest_platform_keeps(talk):
    await many_turns(talk)
    await talk.command("sam", "review", "alice", *("because",) * 500)
    said = json.dumps({"c": "review", "a": button(talk).args}, separators=(",", ":"))
    assert len(said) <= 90


async def test_another_workspaces_conversation_is_as_good_as_none():
    async with open_talk(roles={"terminal/local/sam": "agent", "terminal/other/sam": "admin"}) as talk:
        await talk.say("alice", "my cat is called Mia")
        there = place("sam")
        there = type(there)(there.platform, "other", there.channel, there.user)
        for who in ("alice", "terminal/local/dm/alice"):
            texts = await talk.hand_in(Command(talk.next_id(), there, "review", (who, *WHY)))
            assert "Mia" not in texts[0]
        assert await reviews(talk) == []


async def test_a_page_reads_its_own_turns_from_the_store_and_no_others(talk, monkeypatch):
    await many_turns(talk, 3 * TURNS)
    asked, read = [], type(talk.store).read

    async def watched(store, query):
        rows = await read(store, query)
        asked.append((query, rows))
        return rows

    await talk.command("sam", "review", "alice", *WHY)
    more = button(talk)
    monkeypatch.setattr(type(talk.store), "read", watched)
    (text,) = await press(talk, "sam", more)
    shown = {f"message number {number}" for number in range(TURNS - 2, 2 * TURNS - 2)}
    assert {line.removeprefix("Asked: ") for line in text.splitlines() if line.startswith("Asked: ")} == shown
    bodies = [row for _, rows in asked for row in rows if isinstance(row, PagedRow | TurnRow | ItemRow)]
    turns = {row.id for row in bodies if isinstance(row, PagedRow)}
    assert len(turns) == TURNS
    of_others = {getattr(row, "turn", None) or row.id for row in bodies} - turns
    own = {row.id for query, rows in asked for row in rows if isinstance(query, TurnsSpokenBy)}
    assert of_others <= own, "the reader's own newest turns are read for every word"


async def test_what_staff_was_shown_is_kept_nowhere_once_it_is_posted(talk):
    await talk.command("sam", "review", "alice", *WHY)
    assert "Mia" in talk.last.text
    await talk.command("sam", "search", "mia", "--reason", *WHY)
    assert "Mia" in talk.last.text
    shown = {one.key for one in talk.street.posted if one.ref.user == "sam"}
    await talk.desk._kit.writer.flush()
    sam = await find_customer(talk.store, talk.sealer, place("sam"))
    for owner in (FAREWELL, sam.id):
        assert not {row.key for row in await talk.store.read(DeliveriesTo(owner))} & shown
    assert await talk.store.read(DeliveriesTo((await find_customer(talk.store, talk.sealer, place("alice"))).id))


async def test_a_page_says_of_its_turns_what_the_whole_transcript_says(talk):
    await many_turns(talk)
    await talk.command("alice", "undo", "2")
    await talk.command("alice", "helpful", message=talk.last.key)
    session = talk.sealer.lookup("session", "terminal/local/dm/alice")
    (row,) = await talk.store.read(SessionById(session))
    whole = await read_transcript(talk.store, talk.sealer, row)
    pages = [await read_page(talk.store, talk.sealer, row, number) for number in (1, 2, 3)]
    assert [page.of_turns for page in pages] == [len(whole.turns) + len(whole.elsewhere)] * 3
    assert [turn for page in pages for turn in page.transcript.turns] == whole.turns
    assert [turn for page in pages for turn in page.transcript.elsewhere] == whole.elsewhere
    assert len(whole.elsewhere) == 2
    assert any(turn.tickets and turn.items and turn.usage.calls for turn in whole.turns)
