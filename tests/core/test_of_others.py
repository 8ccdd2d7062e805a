"""What staff says of somebody else: `hold`, `forget`, `export` and `unlink` with a person and a reason."""

import json

import pytest

from core.audit import audit_lines
from core.customers import Identity, find_customer, identity_row
from core.errors import StoreError
from core.lanes import Lane
from core.legal_holds import hold_on
from core.models import Command, ConversationRef
from core.naming import NO_REASON, UNKNOWN
from core.noted import OTHERS_READ
from core.of_others import ALONE, HELD, LINKED
from core.people import find_person
from core.queries.outbox import DeliveriesTo
from core.replies import FAREWELL
from tests.core.staffed import REFUSED, ROLES, id_of, id_of_new, lines, open_staffed
from tests.core.talk import Street, open_talk, place
from tests.core.town import open_town

SAYS = {"hold": "ada", "forget": "ada", "unlink": "ada", "export": "sue"}
"""Each word, and who may say it of somebody else."""
THREAD = {"channel": "c", "thread": "t"}


@pytest.fixture
async def talk():
    async with open_staffed() as talk:
        yield talk


async def held(talk, user="alice"):
    person = await find_person(talk.store, talk.sealer, f"terminal/local/{user}")
    return await hold_on(talk.store, talk.sealer, person.id)


# --- every word -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", SAYS)
async def test_without_a_reason_one_line_says_so_and_nothing_is_done(talk, word):
    before = await audit_lines(talk.store, talk.sealer, 100)
    for args in (("alice",), ("@alice", " ")):
        assert await talk.command(SAYS[word], word, *args) == [NO_REASON]
        assert (talk.last.private, talk.last.buttons, talk.last.file) == (True, (), None)
    assert await audit_lines(talk.store, talk.sealer, 100) == before


@pytest.mark.parametrize("word", SAYS)
async def test_who_is_of_another_workspace_is_answered_like_who_is_nobody(talk, word):
    other = ConversationRef("terminal", "other", "dm-olaf", "olaf")
    await talk.hand_in(Command("o1", other, "whoami"))
    said = [await talk.command(SAYS[word], word, who, "a", "complaint") for who in ("olaf", "<@olaf>", "nobody")]
    assert said == [[UNKNOWN]] * 3
    assert await lines(talk, "hold", "forget asked", "export_person", "unlink") == []


@pytest.mark.parametrize("word", SAYS)
async def test_who_belongs_to_another_workspace_is_nobody_here_whatever_they_are_called_here(talk, word):
    await talk.hand_in(Command("o1", ConversationRef("terminal", "other", "dm-olaf", "olaf"), "whoami"))
    olaf = await find_person(talk.store, talk.sealer, "terminal/other/olaf")
    called = identity_row(talk.sealer, olaf.id, Identity("terminal", "local", "olaf"), 1)
    await talk.desk.writer.commit((called,))
    assert await talk.command(SAYS[word], word, "olaf", "a", "complaint") == [UNKNOWN]


@pytest.mark.parametrize("word", SAYS)
@pytest.mark.parametrize("who", ["alice", "nobody", "by:0.0123456789ab"])
async def test_who_may_not_is_refused_alike_whether_they_exist_or_not(talk, word, who):
    (told,) = await talk.command("bob", word, who, "curious")
    assert told == (REFUSED if word == "hold" else f"{REFUSED} Of yourself you say `{word}` alone.")
    assert talk.last.private


@pytest.mark.parametrize("word", SAYS)
async def test_what_is_said_where_others_read_is_answered_in_private(word):
    async with open_talk(platform=Street(writes_directly=True), roles=ROLES) as talk:
        await talk.say("alice", "hello")
        # `here` is where other words post their answer for all.
        for last in ("why", "here"):
            await talk.command(SAYS[word], word, "alice", "say", last, **THREAD)
            assert talk.last.private


async def test_help_tells_each_word_to_those_who_may_say_it(talk):
    shown = {user: (await talk.command(user, "help"))[0] for user in ("ada", "sue", "bob")}
    for word, args in (("hold", "[end] [@person REASON]"), ("forget", "@person REASON"), ("unlink", "@person REASON")):
        assert [f"`{word} {args}`" in text for text in shown.values()] == [True, False, False]
    assert ["`export @person REASON`" in text for text in shown.values()] == [True, True, False]


async def test_what_people_say_of_themselves_is_still_about_themselves(talk):
    for args in ((), ("me",)):
        (asked,) = await talk.command("bob", "forget", *args)
        assert asked.startswith("This makes me forget you")
    await talk.command("ada", "export")
    assert json.loads(talk.last.file.content)["person"]["name"] == "ada"
    assert "You are not linked" in (await talk.command("ada", "unlink"))[0]


@pytest.mark.parametrize("word", SAYS)
async def test_what_cannot_be_noted_is_not_done_and_not_shown(talk, word, monkeypatch):
    if word == "unlink":
        await link_elsewhere(talk)
    finish, posted = Lane.finish, len(talk.street.posted)

    async def refuse(self, event, records, **more):
        if records and any(type(record).__name__ == "AddAudit" for record in records):
            monkeypatch.setattr(Lane, "finish", finish)
            talk.settings.roles.clear()
            raise StoreError("the disk is full")
        return await finish(self, event, records, **more)

    monkeypatch.setattr(Lane, "finish", refuse)
    monkeypatch.setattr("core.worker.PAUSE_SECONDS", 0.01)
    await talk.desk.accept(Command("w", place(SAYS[word]), word, ("alice", "a", "complaint")))
    await talk.desk.drain()
    assert all(one.text.startswith(REFUSED) for one in talk.street.posted[posted:])
    assert await held(talk) is None
    assert await lines(talk, "hold", "forget asked", "export_person", "unlink") == []
    person = await find_customer(talk.store, talk.sealer, place("alice"))
    assert len(person.links) == (word == "unlink")


# --- hold -------------------------------------------------------------------------------------------------------------


async def test_a_hold_is_put_listed_and_ended_and_each_is_noted_with_who_and_why(talk):
    (put,) = await talk.command("ada", "hold", "<@alice>", "case", "7")
    assert put.startswith("Alice is on hold now")
    assert "legal hold" in (await talk.command("alice", "forget", "confirm"))[0]
    (listed,) = await talk.command("ada", "hold")
    assert listed.startswith("- Alice (alice), since ")
    assert listed.endswith(f", by {(await held(talk)).by}: case 7")
    (ended,) = await talk.command("ada", "hold", "end", "@alice", "case", "closed")
    assert ended == "Alice is not on hold any more."
    assert await held(talk) is None
    who = {"by": "terminal/local/ada", "role": "admin"}
    assert await lines(talk, "hold", "hold_list", "end hold") == [
        ("hold", who | {"reason": "case 7"}),
        ("hold_list", who),
        ("end hold", who | {"reason": "case closed"}),
    ]


async def test_a_hold_that_is_not_there_is_not_ended(talk):
    (said,) = await talk.command("ada", "hold", "end", "alice", "over")
    assert said.startswith("There is no hold on Alice here.")
    assert (await talk.command("ada", "hold", "end"))[0] == "Say it like this: `hold [end] [@person REASON]`."
    assert await lines(talk, "end hold") == []


async def test_only_holds_of_the_own_workspace_are_listed():
    roles = {f"terminal/{there}/ada": "admin" for there in ("local", "other")}
    async with open_talk(roles=roles) as talk:
        there = ConversationRef("terminal", "other", "dm", "ada")
        await talk.hand_in(Command("o1", ConversationRef("terminal", "other", "dm-olaf", "olaf"), "whoami"))
        await talk.hand_in(Command("o2", there, "hold", ("olaf", "case", "8")))
        assert (await talk.command("ada", "hold"))[0].startswith("Nobody of this workspace is on hold.")
        assert "case 8" in (await talk.hand_in(Command("o3", there, "hold")))[0]


# --- export -----------------------------------------------------------------------------------------------------------


async def test_an_export_is_a_file_for_the_reader_alone_and_is_noted(talk):
    await talk.say("bob", "my invoice number is INV-7")
    (said,) = await talk.command("sue", "export", "alice", "she", "asked")
    assert said == "This is all I keep of Alice here: 1 turn, 1 ticket."
    assert (talk.last.private, talk.last.stays, talk.last.ref.user) == (True, True, "sue")
    found = json.loads(talk.last.file.content)
    assert [turn["said"] for turn in found["turns"]] == ["open a ticket: no ink"]
    assert "INV-7" not in talk.last.file.content
    (line,) = [one for one in await audit_lines(talk.store, talk.sealer, 9) if one.action == "export_person"]
    assert line.subject == line.owner == await id_of(talk)
    assert line.detail == {"by": "terminal/local/sue", "role": "supervisor", "reason": "she asked"}


async def test_the_desk_keeps_no_copy_of_an_export(talk):
    sue = await id_of_new(talk, "sue")
    await talk.command("sue", "export", "alice", "she", "asked")
    await talk.desk.writer.flush()
    assert await talk.store.read(DeliveriesTo(FAREWELL)) == []
    assert len(await talk.store.read(DeliveriesTo(sue))) == 1


@pytest.mark.parametrize("writes_directly", [True, False])
async def test_a_file_goes_where_others_read_only_past_them(writes_directly):
    async with open_talk(platform=Street(writes_directly=writes_directly), roles=ROLES) as talk:
        await talk.say("alice", "hello")
        (said,) = await talk.command("sue", "export", "alice", "she", "asked", **THREAD)
        assert (said == OTHERS_READ, talk.last.file is None) == (not writes_directly, not writes_directly)
        assert len(await lines(talk, "export_person")) == writes_directly


# --- who is somebody elsewhere too ------------------------------------------------------------------------------------

ALICE, ELSEWHERE = Identity("terminal", "local", "alice"), Identity("discord", "G1", "77")
ADA = Identity("terminal", "local", "ada")


async def link_elsewhere(talk):
    await talk.command("alice", "link")
    code = talk.last.text.partition("`link ")[2].partition("`")[0]
    await talk.hand_in(Command("l1", ConversationRef("terminal", "other", "d", "al"), "link", (code, "apart")))


@pytest.fixture
async def linked():
    async for town in open_town("memory:", roles={str(ADA): "admin"}):
        await town.say(ELSEWHERE, "my invoice number is INV-2041")
        await town.linked(ALICE, ELSEWHERE)
        await town.say(ALICE, "what was my invoice number?")
        yield town


async def test_an_export_ends_at_the_workspace(linked):
    await linked.say(ALICE, "hello")
    await linked.word(ADA, "export", "alice", "she", "asked")
    file = linked.streets["terminal"].posted[-1].file.content
    assert "linked" not in json.loads(file)
    assert "discord" not in file


async def test_what_was_said_in_a_joined_conversation_elsewhere_is_not_in_it():
    async for town in open_town("memory:", roles={str(ADA): "admin"}):
        await town.say(ELSEWHERE, "my invoice number is INV-2041")
        await town.say(ALICE, "hello")
        await town.linked(ELSEWHERE, ALICE)
        assert "INV-2041" in await town.say(ALICE, "what was my invoice number?")
        await town.word(ADA, "export", "alice", "she", "asked")
        file = town.streets["terminal"].posted[-1].file.content
        assert [turn["said"] for turn in json.loads(file)["turns"]] == ["hello"]
        assert "INV-2041" not in file


async def test_who_is_somebody_elsewhere_is_unlinked_before_they_are_forgotten_here(linked):
    assert await linked.word(ADA, "forget", "alice", "she", "asked") == LINKED
    assert "one person with others no more" in await linked.word(ADA, "unlink", "alice", "the", "code", "was", "stolen")
    assert "also" not in await linked.word(ELSEWHERE, "whoami")
    assert await linked.word(ADA, "unlink", "alice", "again") == ALONE.format(name="alice")
    await linked.word(ADA, "forget", "alice", "she", "asked")
    (button,) = linked.streets["terminal"].posted[-1].buttons
    assert "is forgotten, and their key destroyed" in await linked.word(ADA, "forget", *button.args)
    assert "INV-2041" in await linked.word(ELSEWHERE, "history")


async def test_an_unlink_is_noted_for_both_with_who_and_why(linked):
    await linked.word(ADA, "unlink", "alice", "stolen")
    one, other = (await linked.person(ALICE)).id, (await linked.person(ELSEWHERE)).id
    assert [line for line in await linked.said() if line[0] == "unlink"] == [
        ("unlink", one, {"with": [other], "by": str(ADA), "role": "admin", "reason": "stolen"}),
        ("unlink", other, {"from": one}),
    ]


async def test_nobody_is_unlinked_while_they_are_on_hold(linked):
    await linked.word(ADA, "hold", "alice", "case", "7")
    assert await linked.word(ADA, "unlink", "alice", "stolen") == HELD
    assert "also" in await linked.word(ELSEWHERE, "whoami")
