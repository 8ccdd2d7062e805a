import re

import pytest
from agents.testing import ScriptedModel, assistant_message

from core.access import Door, Reader, search_for
from core.audit import audit_lines
from core.clock import now
from core.errors import BadInputError, NotAllowedError, StoreError
from core.ids import first_id, new_id, time_of
from core.models import Command, ConversationRef, Profile, UserMessage
from core.records.turns import RewriteTurn
from core.search import SLICE, Bounds, Scope, Search
from tests.core.books import open_books
from tests.core.talk import open_talk, place

ROLES = {"terminal/local/sam": "agent", "terminal/local/sue": "supervisor", "terminal/other/ann": "admin"}
REFUSED, NOTHING = "You may not do that here.", "There is no such conversation."
WHY = ("--reason", "a", "complaint")


@pytest.fixture
async def talk():
    async with open_talk(roles=ROLES) as talk:
        await talk.say("alice", "open a ticket: the Printer burns")
        await talk.say("alice", "my cat is called Mia")
        await talk.say("bob", "my printers are fine")
        yield talk


async def searches(talk):
    return [line for line in await audit_lines(talk.store, talk.sealer, 100) if line.action == "search"]


async def find(talk, *args, user="sam"):
    (text,) = await talk.command(user, "search", *args, *WHY)
    return text


def snippets(text):
    return re.findall(r"(?:Asked|Answered): (.*)", text)


async def test_staff_finds_who_said_a_word_newest_first_and_the_log_says_who_asked_what_and_saw_what(talk):
    text = await find(talk, "PRINTER")
    assert talk.last.private
    assert snippets(text) == ["my printers are fine", "open a ticket: the Printer burns"]
    for part in ("Bob, ", "terminal/local/dm/bob", "turn 1", "TKT-1001", "up to the oldest"):
        assert part in text
    (line,) = await searches(talk)
    assert line.detail | {"shown": 0} == {
        "by": "terminal/local/sam",
        "role": "agent",
        "reason": "a complaint",
        "asked": {"words": "PRINTER", "workspace": "local"},
        "reached": None,
        "shown": 0,
    }
    assert len(line.detail["shown"]) == 2


@pytest.mark.parametrize(
    ("args", "found"),
    [
        (("printer", "burn"), ["open a ticket: the Printer burns"]),
        (("burns", "printer"), ["open a ticket: the Printer burns"]),
        (("rinter",), []),
        (("mia",), ["my cat is called Mia"]),
        (("called", "--customer", "@alice"), ["my cat is called Mia"]),
        (("--customer", "bob"), ["my printers are fine"]),
        (("printer", "--customer", "<@bob>"), ["my printers are fine"]),
        (("--ticket", "TKT-1001"), ["open a ticket: the Printer burns"]),
        (("--ticket", "tkt-1001", "--customer", "bob"), []),
        (("mia", "\u2014customer", "alice"), ["my cat is called Mia"]),
        (("printer", "--since", "2999-01-01"), []),
        (("printer", "--before", "2000-01-01"), []),
        (("mia", "--since", "2000-01-01T10:30", "--before", "2999-01-01T00:00+02:00"), ["my cat is called Mia"]),
        ((".*",), []),
        (("(",), []),
    ],
)
async def test_words_person_ticket_and_time_may_be_said_together(talk, args, found):
    if not re.search(r"\w", args[0]):
        args = (*args, "zebra")
    assert snippets(await find(talk, *args)) == found


async def test_what_the_desk_answered_is_found_too_and_what_failed_is_marked():
    steps = [[assistant_message("A zebra is striped.")], RuntimeError("gone")]
    async with open_talk(ScriptedModel(steps), roles=ROLES, work={"model_retries": 0}) as talk:
        await talk.say("alice", "hello")
        await talk.say("alice", "is it black and white?")
        assert "Answered: A zebra is striped." in await find(talk, "zebra")
        assert "turn 2 (failed)" in await find(talk, "black")


async def test_what_was_taken_back_is_marked(talk):
    await talk.command("alice", "undo")
    assert "turn 2 (taken back)" in await find(talk, "mia")
    assert "turn 1 (taken back)" not in await find(talk, "burns")


@pytest.mark.parametrize(
    "args",
    [
        (),
        ("printer",),
        ("printer", "--reason"),
        ("--reason", "why"),
        ("printer", "--colour", "red", "--reason", "why"),
        ("printer", "--since", "yesterday", "--reason", "why"),
        ("printer", "--since", "1969-12-31", "--reason", "why"),
        ("printer", "--reason", "a", "--reason", "b"),
    ],
)
async def test_without_a_reason_or_with_what_cannot_be_read_nothing_is_searched(talk, args):
    (answer,) = await talk.command("sam", "search", *args)
    assert answer.startswith(("Say why you search", "Say it like this", "A time is a day"))
    assert await searches(talk) == []


async def test_who_or_what_is_not_there_is_said_not_to_be(talk):
    assert (await find(talk, "--customer", "nobody")).startswith("I know no conversation of that person")
    assert "ticket" in await find(talk, "--ticket", "TKT-9999")
    assert await searches(talk) == []


@pytest.mark.parametrize("args", [("printer", *WHY), ("zebra", *WHY), ("printer",), ()])
async def test_a_customer_is_refused_alike_whatever_they_ask(talk, args):
    assert await talk.command("bob", "search", *args) == [REFUSED]
    assert await searches(talk) == []


async def test_another_workspace_is_not_searched(talk):
    other = ConversationRef("terminal", "other", "d", "ann")
    await talk.hand_in(UserMessage("m", other, "my printer is blue", Profile("Ann")))
    (text,) = await talk.hand_in(Command("c", other, "search", ("printer", *WHY)))
    assert snippets(text) == ["my printer is blue"]
    assert "blue" not in await find(talk, "printer")
    (text,) = await talk.hand_in(Command("c2", other, "search", ("--ticket", "TKT-1001", *WHY)))
    assert "ticket" in text
    assert "Printer" not in text


async def test_a_scope_that_is_not_the_readers_own_is_refused_at_the_door():
    async with open_books() as books:
        door, bounds = Door(books.store, books.sealer, books.writer), Bounds(9, 9.0)
        for scope in (Scope(None), Scope("other")):
            with pytest.raises(NotAllowedError):
                await search_for(
                    door, Reader("terminal/local/sam", "agent", "local"), Search(scope, "a", bounds), reason="why"
                )
        with pytest.raises(BadInputError):
            await search_for(
                door, Reader("terminal/local/sam", "agent", "local"), Search(Scope("local"), "a", bounds), reason=" "
            )
        assert await audit_lines(books.store, books.sealer, 5) == []


async def test_nothing_is_given_out_when_the_audit_line_cannot_be_written():
    class Broken:
        async def commit(self, commit):
            raise StoreError("the disk is full")

    async with open_books() as books:
        door = Door(books.store, books.sealer, Broken())
        with pytest.raises(StoreError):
            await search_for(
                door, Reader("os/local/root", "admin", None), Search(Scope(None), "a", Bounds(9, 9.0)), reason="why"
            )


async def test_what_was_cleared_deleted_or_forgotten_is_found_by_nobody(talk):
    await talk.say("alice", "my secret is xylophone", id_="q")
    assert "xylophone" in await find(talk, "xylophone")
    await talk.delete("alice", "q")
    assert snippets(await find(talk, "xylophone")) == []
    await talk.command("alice", "clear", "confirm")
    assert snippets(await find(talk, "mia")) == []
    assert snippets(await find(talk, "fine")) == ["my printers are fine"]
    await talk.command("bob", "forget", "me")
    await talk.command("bob", talk.last.buttons[0].command, *talk.last.buttons[0].args)
    await talk.desk.drain()
    assert snippets(await find(talk, "fine")) == []


async def test_an_erased_key_finds_nothing_even_where_its_rows_are_left():
    async with open_books() as books:
        alice, bob = await books.customer("alice"), await books.customer("bob")
        for who in (alice, bob):
            session = await books.session(f"terminal/local/dm/{who.name}", who)
            await books.say(session.id, who, f"ink of {who.name}")
        await books.sealer.erase(alice.id)
        door = Door(books.store, books.sealer, books.writer)
        page = await search_for(
            door, Reader("os/local/root", "admin", None), Search(Scope(None), "ink", Bounds(9, 9.0)), reason="why"
        )
        assert [hit.name for hit in page.hits] == ["Bob"]
        assert (page.opened, page.unreadable) == (1, 0)


async def test_what_does_not_open_is_counted_and_said(talk):
    (hit,) = await hits(talk, "mia")
    await talk.desk._kit.writer.commit((RewriteTurn(hit.turn, "done", 0, b"spoiled"),))
    text = await find(talk, "mia")
    assert "1 turn would not open" in text


async def hits(talk, words):
    door = Door(talk.store, talk.sealer, talk.desk._kit.writer)
    search = Search(Scope("local"), words, Bounds(9, 9.0))
    return (await search_for(door, Reader("os/local/root", "admin", None), search, reason="why")).hits


# --- pages ------------------------------------------------------------------------------------------------------------


async def press(talk, user, label):
    pressed = next(one for one in talk.last.buttons if one.label == label)
    return await talk.command(user, pressed.command, *pressed.args)


async def test_the_next_page_goes_on_where_the_last_one_ended_and_is_noted_with_the_same_reason(talk):
    for number in range(13):
        await talk.say("bob", f"message number {number}")
    first = await find(talk, "number")
    assert snippets(first) == [f"message number {number}" for number in range(12, 2, -1)]
    (second,) = await press(talk, "sam", "More")
    assert snippets(second) == [f"message number {number}" for number in range(2, -1, -1)]
    assert [line.detail["reason"] for line in await searches(talk)] == ["a complaint"] * 2
    before = re.search(r"--before ([0-9a-f]{32})", first)[1]
    assert snippets(await find(talk, "number", "--before", before)) == snippets(second)


async def test_a_turn_that_was_found_is_read_where_it_stands(talk):
    for number in range(13):
        await talk.say("bob", f"message number {number}")
    await find(talk, "number", "12")
    (page,) = await press(talk, "sam", "Read 1")
    assert "Page 2 of 2" in page
    assert "Asked: message number 12" in page
    reviews = [line for line in await audit_lines(talk.store, talk.sealer, 9) if line.action == "review"]
    assert [line.detail["reason"] for line in reviews] == ["a complaint"]


async def test_a_button_serves_nobody_else_and_no_role_that_was_taken_away(talk):
    for number in range(13):
        await talk.say("bob", f"message number {number}")
    await find(talk, "number")
    buttons = {one.label: one for one in talk.last.buttons}
    for label, button in buttons.items():
        assert await talk.command("bob", button.command, *button.args) == [REFUSED], label
        assert await talk.command("sue", button.command, *button.args) == [NOTHING], label
    talk.settings.roles.pop("terminal/local/sam")
    for button in buttons.values():
        assert await talk.command("sam", button.command, *button.args) == [REFUSED]
    assert len(await searches(talk)) == 1


async def test_forged_buttons_are_answered_as_if_there_were_nothing(talk):
    for number in range(13):
        await talk.say("bob", f"message number {number}")
    await find(talk, "number")
    name, session, _ = next(one for one in talk.last.buttons if one.label == "Read 1").args
    alices = talk.sealer.lookup("session", "terminal/local/dm/alice").hex()[:12]
    forged = [
        ("review", name, alices, "at1"),
        ("review", name, session, "at0"),
        ("review", name, session, "at11"),
        ("review", name, session, "at99999"),
        ("review", name, session, "x"),
        ("search", name, "more"),
        ("search", "by:0.000000000000"),
        ("search", "by:x"),
    ]
    for word, *args in forged:
        assert await talk.command("sam", word, *args) == [NOTHING], args
    await talk.command("sam", "review", "bob", *WHY)
    (review_line,) = [one.args[0] for one in talk.last.buttons]
    assert await talk.command("sam", "search", review_line) == [NOTHING]
    assert len(await searches(talk)) == 1


async def test_a_search_ends_when_its_time_is_over_and_says_how_far_it_came():
    async with open_books() as books:
        alice = await books.customer("alice")
        session = await books.session("terminal/local/dm/alice", alice)
        for number in range(SLICE + 20):
            await books.say(session.id, alice, f"word {number}")
        door, reader = Door(books.store, books.sealer, books.writer), Reader("os/local/root", "admin", None)
        page = await search_for(door, reader, Search(Scope(None), "zebra", Bounds(9, 0.0)), reason="why")
        assert (page.hits, page.opened) == ((), SLICE)
        rest = Search(Scope(None, before=page.reached), "zebra", Bounds(9, 0.0))
        assert (await search_for(door, reader, rest, reason="why")).opened == 20
        whole = await search_for(door, reader, Search(Scope(None), "word", Bounds(9_999, 60.0)), reason="why")
        assert [hit.number for hit in whole.hits] == list(range(SLICE + 20, 0, -1))
        assert whole.reached is None


def test_a_time_is_the_id_that_all_made_since_sort_behind():
    id_ = new_id()
    assert first_id(time_of(id_)) <= id_
    assert first_id(time_of(id_)) > f"{(now() // 1000 - 60_000) << 80:032x}"


@pytest.mark.parametrize(
    ("said", "word"),
    [
        ("Stra\u00dfe 7", "STRASSE"),
        ("caf\u00e9", "cafe\u0301"),
        ("\uff26\uff41\uff58 ist da", "fax"),
        ("\u5929\u6c17\u4e88\u5831\u3067\u3059", "\u4e88\u5831"),
        ("line one\nline two", "two"),
    ],
)
async def test_a_word_is_found_however_it_is_written(talk, said, word):
    await talk.say("bob", said)
    assert "Nothing was found." not in await find(talk, word)


async def test_a_snippet_is_short_and_stands_round_the_word(talk):
    await talk.say("bob", " ".join(["before"] * 100 + ["zebra"] + ["after"] * 100))
    (snippet,) = snippets(await find(talk, "zebra"))
    assert "before zebra after" in snippet
    assert len(snippet) < 170


async def test_a_search_in_the_place_of_others_is_answered_to_the_asker_alone(talk):
    ref = place("sam", channel="c", thread="t")
    await talk.hand_in(Command("c1", ref, "search", ("printer", *WHY)))
    assert talk.last.private
    await talk.hand_in(UserMessage("c2", ref, "!search printer --reason a complaint"))
    assert talk.last.private
    assert len(await searches(talk)) == 2
