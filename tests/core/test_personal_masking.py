"""What must never be kept is taken out before the first row of it is written, wherever it was said."""

import asyncio
import json
from dataclasses import replace

import pytest
from agents.testing import ModelStep, ScriptedModel, assistant_message, function_call
from hypothesis import given
from hypothesis import strategies as st

from core.config import check_settings
from core.masking_settings import KINDS
from core.models import Command, FileNote, MessageEdited, Profile, Quote, UserMessage
from core.personal.checksums import luhn
from core.personal.masking import PersonalData
from core.queries.turns import TurnsOf
from tests.core.personal_samples import CARD, CARDS, EMAILS, IBANS, IPS, NATIONAL_IDS, SECRETS
from tests.core.talk import Street, open_talk, place

EVERYTHING = dict.fromkeys(KINDS, "mask_before_storage")
VALUES = [*CARDS.values(), *EMAILS.values(), *IBANS.values(), *IPS.values(), *SECRETS.values()]
SHORT_CARD, LONG_CARD = "668675967164", "4111111111111111110"
"""Numbers as ids of the desk's own and of a platform's may be."""


def personal(**settings):
    return PersonalData(check_settings({"personal_data": settings}).personal_data)


@pytest.fixture
def sealed(monkeypatch):
    """All that is sealed while the test runs, in clear."""
    from adapters.sealing.sealer import KeyringSealer

    contents, seal = [], KeyringSealer.seal

    def keep(self, place, content):
        contents.append(content)
        return seal(self, place, content)

    monkeypatch.setattr(KeyringSealer, "seal", keep)
    return contents


async def test_by_default_a_card_is_kept_nowhere_and_the_answer_shows_what_stands_in_its_place(sealed):
    async with open_talk() as talk:
        (answer,) = await talk.say("alice", f"remember that my card is {CARD}")
        assert "[card removed]" in answer
        assert CARD.encode() not in b"".join(sealed)


async def test_what_is_kept_by_default_stays_as_it_was_said():
    async with open_talk() as talk:
        await talk.say("alice", "my e-mail is alice@example.org")
        (answer,) = await talk.say("alice", "what is my e-mail?")
        assert "alice@example.org" in answer


@pytest.mark.parametrize("value", [CARD, "alice@example.org", "+44 20 7946 0958", SECRETS["private key"]])
async def test_nothing_of_a_kind_is_sealed_by_whatever_way_it_comes_in(value, sealed):
    def knows(message, first):
        told = Profile(f"Alice {value}", email="alice.known@example.org")
        return replace(message, profile=told, quotes=(Quote(f"Bob {value}", f"use {value}"),))

    ticket = [function_call("create_ticket", {"subject": "Pay", "description": "As you said."}, call_id="c1")]
    model = ScriptedModel([ticket, [assistant_message("Done.")], *[[assistant_message("Yes.")] for _ in range(4)]])
    async with open_talk(model, platform=Street(knows=knows), personal_data=EVERYTHING) as talk:
        told = Profile(f"Alice {value}", email="alice.told@example.org")
        files = (FileNote(f"{value}.pdf", "pdf", 7),)
        where = place("alice", channel="c", thread="t")
        await talk.hand_in(UserMessage("m1", where, f"ticket: pay by {value}", told, files=files))
        await talk.hand_in(MessageEdited("e1", where, "m1", f"no, pay with {value}"))
        await talk.hand_in(UserMessage("m2", where, f"!nonsense {value}"))
        await talk.hand_in(UserMessage("m3", where, f"!branch {value}"))
        await talk.hand_in(Command("k1", where, "branch", tuple(value.split())))
        await talk.hand_in(Command("k2", where, "retry"))
    kept = b"".join(sealed)
    assert b" removed]" in kept
    for form in (value, json.dumps(value)[1:-1], "alice.told@example.org", "alice.known@example.org"):
        assert form.encode() not in kept, form
    assert value not in str(model.calls)


async def test_what_waits_in_the_inbox_is_masked_already(sealed):
    begun, gate = asyncio.Event(), asyncio.Event()

    async def wait(call):
        begun.set()
        await gate.wait()
        return [assistant_message("One.")]

    async with open_talk(ScriptedModel([ModelStep.respond(wait), [assistant_message("Two.")]])) as talk:
        await talk.desk.accept(UserMessage("m1", place("alice"), "hello"))
        await begun.wait()
        await talk.desk.accept(UserMessage("m2", place("alice"), f"and my card is {CARD}"))
        assert any(b"and my card is [card removed]" in content for content in sealed)
        assert CARD.encode() not in b"".join(sealed)
        gate.set()
        await talk.desk.drain()


async def test_an_edit_that_changes_nothing_but_the_card_is_no_edit():
    async with open_talk() as talk:
        await talk.say("alice", f"my card is {CARD}", id_="q1")
        await talk.say("alice", "thanks")
        assert await talk.edit("alice", "q1", "my card is 5555555555554444") == []


async def test_a_message_that_is_refused_or_fails_is_masked_too(sealed):
    async with open_talk(ScriptedModel([RuntimeError("no")])) as talk:
        await talk.say("alice", f"{CARD} {'a' * 17_000}")
        await talk.say("alice", f"pay with {CARD}")
        (session, *_) = {row.session for row in await _turns(talk)}
        assert session
    assert CARD.encode() not in b"".join(sealed)


@pytest.mark.parametrize(
    "args",
    [
        ("turn", "41111111111111117111111111111111"),
        ("1", f"in:{SHORT_CARD}"),
        (f"by:7.{SHORT_CARD}", f"in:{SHORT_CARD}", "2"),
        (f"<@{LONG_CARD}>", "a", "complaint"),
    ],
)
async def test_ids_in_buttons_and_mentions_are_kept_whatever_number_they_look_like(args):
    assert luhn(SHORT_CARD) and luhn(LONG_CARD)
    event = Command("k1", place("alice"), "review", args)
    assert await personal(**EVERYTHING).masked(event) == event


@pytest.mark.parametrize(
    ("args", "kept"),
    [
        (("turn", CARD), ("turn", "[card", "removed]")),
        ((f"in:{SHORT_CARD}", "4111", "1111", "1111", "1111", "2"), (f"in:{SHORT_CARD}", "[card", "removed]", "2")),
    ],
)
async def test_what_stands_beside_an_id_is_masked(args, kept):
    event = Command("k1", place("alice"), "branch", args)
    assert (await personal(**EVERYTHING).masked(event)).args == kept


async def test_the_model_is_told_what_stands_in_the_place_of_a_value():
    model = ScriptedModel([[assistant_message("Yes.")]])
    async with open_talk(model) as talk:
        await talk.say("alice", "hello")
    assert "[card removed]" in model.calls[0].system_instructions


@given(st.lists(st.one_of(st.text(max_size=30), st.sampled_from(VALUES)), max_size=8).map(" ".join))
async def test_to_mask_twice_changes_nothing(text):
    told = personal(**EVERYTHING, national_ids=NATIONAL_IDS)
    masked = await told.mask(text)
    assert await told.mask(masked) == masked


@given(st.lists(st.one_of(st.text(max_size=30), st.sampled_from(VALUES)), max_size=8).map("\n".join))
async def test_nothing_of_a_masked_kind_is_found_in_what_was_masked(text):
    told = personal(**EVERYTHING)
    assert await told._never_kept.find(await told.mask(text)) == []


async def _turns(talk):
    key = talk.sealer.lookup("session", await talk.desk._kit.places.name_at(place("alice")))
    return await talk.store.read(TurnsOf(key))
