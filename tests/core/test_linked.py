"""What holds for somebody who is several customers: holds, retention, forgetting, exports and pace."""

import json

import pytest

from core import link_codes, pace
from core.audit import Author
from core.errors import BadInputError, ErasedError
from core.keeping_settings import RetentionSettings
from core.legal_holds import ON_HOLD, hold_on, put_hold
from core.queries.counts import HeldOf
from core.queries.log import NotesOf
from core.queries.tickets import Tickets
from core.retention import due
from tests.core.town import DISCORD, MALLORY, SLACK, open_town


async def test_a_hold_on_either_holds_both(town):
    await town.linked(SLACK, DISCORD, "apart")
    await put_on_hold(town, SLACK)
    assert "legal hold" in await town.word(DISCORD, "forget", "confirm")
    assert await hold_on(town.store, town.sealer, (await town.person(DISCORD)).id) is not None


async def put_on_hold(town, who):
    person = await town.person(who)
    await town.talk.desk.writer.commit(
        tuple(await put_hold(town.store, town.sealer, person, reason="case 7", by=Author("me")))
    )


async def test_nobody_leaves_a_hold_by_unlinking(town):
    await town.linked(SLACK, DISCORD, "apart")
    await put_on_hold(town, SLACK)
    assert await town.word(DISCORD, "unlink") == ON_HOLD
    assert "also" in await town.word(DISCORD, "whoami")


async def test_what_is_old_is_kept_of_both_while_either_is_on_hold(town):
    for who in (SLACK, DISCORD, MALLORY):
        await town.say(who, "hello")
    await town.linked(SLACK, DISCORD, "apart")
    await put_on_hold(town, DISCORD)
    keep = RetentionSettings(conversation_days=30)
    found = await due(town.store, town.sealer, keep, at=link_codes.now() + 31 * 86_400_000_000)
    assert [each.session.owner for each in found.conversations] == [(await town.person(MALLORY)).id]


async def test_what_is_noted_on_each_platform_goes_when_either_is_forgotten(town):
    await town.linked(SLACK, DISCORD, "apart")
    for street, who in (("slack", SLACK), ("discord", DISCORD)):
        await town.streets[street].notes.put("heard", f"dm-{who.user}", 1)
    await town.word(DISCORD, "forget", "confirm")
    assert [await town.streets[name].notes.all("heard") for name in ("slack", "discord")] == [{}, {}]
    assert [await town.store.read(NotesOf("desk", kind)) for kind in ("link code", "link asker")] == [[], []]


async def test_a_link_gives_nobody_a_double_pace(monkeypatch):
    async for town in open_town("memory:", pace={"customer": {"messages_a_minute": 3}}):
        await town.linked(SLACK, DISCORD, "apart")
        later = link_codes.now() + pace.MINUTE
        monkeypatch.setattr(pace, "now", lambda at=later: at)
        said = [await town.say(who, "hello") for who in (SLACK, DISCORD, SLACK, DISCORD, MALLORY)]
        assert ["more than 3 messages a minute" in one for one in said] == [False, False, False, True, False]


@pytest.mark.parametrize("how", ["join", "apart"])
@pytest.mark.parametrize("who", [SLACK, DISCORD])
async def test_who_is_forgotten_is_forgotten_as_both(town, how, who):
    await town.say(SLACK, "open a ticket: no ink")
    await town.say(DISCORD, "my order number is ORD-9")
    await town.linked(SLACK, DISCORD, how)
    await town.say(DISCORD, "my order number is ORD-10")
    people = [(await town.person(each)).id for each in (SLACK, DISCORD)]
    said = await town.word(who, "forget", "confirm")
    assert "I forgot you" in said
    for id_ in people:
        with pytest.raises(ErasedError):
            await town.sealer.prepare((id_,))
        held = {row.table for row in await town.store.read(HeldOf(id_)) if row.rows}
        assert held <= {"usage", "audit"}, held
    for each in (SLACK, DISCORD):
        with pytest.raises(BadInputError):
            await town.person(each)
    assert [row.number for row in await town.store.read(Tickets(9))] == [1001]


async def test_an_export_holds_both(town):
    await town.say(SLACK, "my invoice number is INV-2041")
    await town.linked(SLACK, DISCORD, "apart")
    await town.word(DISCORD, "export")
    found = json.loads(town.streets["discord"].posted[-1].file.content)
    assert found["person"]["name"] == "77"
    (other,) = found["linked"]
    assert other["person"]["name"] == "alice"
    assert [turn["said"] for turn in other["turns"]] == ["my invoice number is INV-2041"]
