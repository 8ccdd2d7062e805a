"""What is masked before the model is kept in clear, is never seen by the model, and comes back to its owner."""

import asyncio

import pytest
from agents.testing import ScriptedModel, function_call
from hypothesis import given
from hypothesis import strategies as st

from core.config import check_settings
from core.history import History, past_turn
from core.ids import new_id
from core.masking_settings import KINDS
from core.models import Profile, Quote, TurnStatus, UserMessage
from core.personal.masking import PersonalData
from core.personal.veil import Unveiling
from core.sealed import encode
from core.summing import Summaries
from tests.core.agent_scene import Scene, called, said, streaming, unstreamed
from tests.core.personal_samples import CARD, CARDS, EMAILS, IBANS, IPS, NATIONAL_IDS, PHONES, SECRETS
from tests.core.talk import Street, open_talk, place

VEILED = dict.fromkeys(KINDS, "mask_before_model")
EMAIL, PHONE = "alice@example.org", "+44 20 7946 0958"
BOBS = "bob@example.com"
THREAD = {"channel": "c", "thread": "t"}
VALUES = [*CARDS.values(), *EMAILS.values(), *IBANS.values(), *IPS.values(), *PHONES.values()]


def veil(own=None, **settings):
    return PersonalData(check_settings({"personal_data": VEILED | settings}).personal_data).veil(own)


def scene(*steps, **given):
    return Scene(ScriptedModel(steps), settings=check_settings({"personal_data": VEILED}), **given)


def seen_by(model):
    """All that a scripted model was given, as one text."""
    return "\n".join(f"{call.system_instructions}\n{call.input}" for call in model.calls)


# --- what the model sees ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [*VALUES, *SECRETS.values()])
async def test_the_model_sees_a_token_and_its_reader_the_value(value):
    kind = next(iter(await veil()._finder.find(value))).kind
    told = scene(said(f"I wrote <{kind.upper()}_1> down."))

    answer = await told.ask(f"it is {value}, thanks")

    assert value not in seen_by(told.model)
    assert f"it is <{kind.upper()}_1>, thanks" in seen_by(told.model)
    if kind != "secret":
        assert answer.text == answer.shown == f"I wrote {value} down."


async def test_nothing_the_model_is_given_holds_a_value_in_clear():
    def knows(message, first):
        return type(message)(message.id, message.ref, message.text, quotes=(Quote("Bob", f"write to {BOBS}"),))

    steps = [
        [function_call("remember_preference", {"name": "mail", "value": "<EMAIL_1>"}, call_id="c1")],
        [function_call("create_ticket", {"subject": "Call", "description": "At <PHONE_1>"}, call_id="c2")],
        called("list_tickets", "c3"),
        called("get_conversation_summary", "c4"),
        called("recall", "c5", question="mail"),
        said("Done."),
        said("Again."),
    ]
    model = ScriptedModel(steps)
    async with open_talk(model, platform=Street(knows=knows), personal_data=VEILED) as talk:
        await talk.say("alice", f"call {PHONE}, write {EMAIL}, card {CARD}")
        await talk.say("alice", f"is {EMAIL} right?")
    for value in (PHONE, EMAIL, CARD, BOBS):
        assert value not in seen_by(model)
    assert len(model.calls) == 7


async def test_a_tool_is_given_the_value_and_the_ticket_holds_it():
    ticket = [
        function_call("create_ticket", {"subject": "Call <PHONE_1>", "description": "Or <EMAIL_1>"}, call_id="c1")
    ]
    async with open_talk(ScriptedModel([ticket, said("Done.")]), personal_data=VEILED) as talk:
        await talk.say("alice", f"a ticket please: call {PHONE} or {EMAIL}")
        (shown,) = await talk.command("alice", "ticket", "TKT-1001")
        assert f"Call {PHONE}" in shown
        assert f"Or {EMAIL}" in shown


async def test_a_value_of_many_lines_reaches_a_tool_as_it_was_written():
    key = SECRETS["private key"]
    ticket = [function_call("create_ticket", {"subject": "Key", "description": "It is <SECRET_1>"}, call_id="c1")]
    async with open_talk(ScriptedModel([ticket, said("Done.")]), personal_data=VEILED) as talk:
        await talk.say("alice", f"a ticket please: {key}")
        (shown,) = await talk.command("alice", "ticket", "TKT-1001")
        assert f"It is {key}" in shown


async def test_a_secret_never_comes_back_into_an_answer():
    told = scene(said("Your key is <SECRET_1>."))

    answer = await told.ask(f"my key is {SECRETS['openai']}")

    assert (answer.status, answer.text) == (TurnStatus.DONE, "Your key is <SECRET_1>.")


async def test_a_value_keeps_its_token_through_all_calls_of_a_turn_and_in_the_next_turn():
    steps = [called("list_tickets", "c1"), called("list_tickets", "c2"), said("Yes."), said("Yes.")]
    told = scene(*steps)
    await told.ask(f"{EMAIL} and {BOBS}")
    await told.ask(f"{BOBS} and {EMAIL}")

    seen = [str(call.input) for call in told.model.calls]
    assert all("<EMAIL_1> and <EMAIL_2>" in one for one in seen)
    assert "<EMAIL_2> and <EMAIL_1>" in seen[-1]


async def test_a_summary_is_made_of_tokens_and_kept_in_clear():
    model = ScriptedModel([said("She is at <EMAIL_1>."), said("She is at <EMAIL_1>.")])
    settings = check_settings({"personal_data": VEILED, "model": "some-model", "openai_api_key": "k"})
    summaries = Summaries(settings, model, PersonalData(settings.personal_data))
    past = past_turn(new_id(), 1, [encode({"role": "user", "content": f"write to {EMAIL}"})], speaker="c-alice")

    assert (await summaries.of(History("", 0, (past,)))).text == f"She is at {EMAIL}."
    assert (await summaries.of(History("", 0, (past,)), own=[])).text == "She is at <EMAIL_1>."
    assert EMAIL not in seen_by(model)


async def test_where_nothing_is_masked_the_model_is_the_one_that_was_given():
    model = ScriptedModel([said("Yes.")])
    await Scene(model).ask(f"write to {EMAIL}")

    assert EMAIL in seen_by(model)


# --- tokens that nobody gave out --------------------------------------------------------------------------------------


async def test_a_token_the_model_makes_up_stays_as_it_is():
    told = scene(said("Is it <CARD_7> or <NOBODY_1>?"))

    assert (await told.ask(f"my mail is {EMAIL}")).text == "Is it <CARD_7> or <NOBODY_1>?"


async def test_a_token_somebody_types_is_nobodys_value():
    told = scene(said("You wrote <TEXT_1> and <EMAIL_1>."))

    answer = await told.ask(f"I am {EMAIL}. What is <EMAIL_1>?")

    assert "What is <TEXT_1>?" in seen_by(told.model)
    assert answer.text == f"You wrote <EMAIL_1> and {EMAIL}."


async def test_a_token_somebody_types_in_another_turn_is_nobodys_value_either():
    told = scene(said("Noted."), said("It is <TEXT_1>, is it not?"))
    await told.ask("remember <EMAIL_1>")

    assert (await told.ask(f"I am {EMAIL}")).text == "It is <EMAIL_1>, is it not?"


# --- who gets what back -----------------------------------------------------------------------------------------------


async def test_where_others_read_only_the_askers_own_values_come_back():
    model = ScriptedModel([said("Noted, <EMAIL_1>."), said("You are <EMAIL_2>, she is <EMAIL_1>.")])
    async with open_talk(model, personal_data=VEILED) as talk:
        assert await talk.say("alice", f"I am {EMAIL}", **THREAD) == [f"Noted, {EMAIL}."]
        assert await talk.say("bob", f"and I am {BOBS}", **THREAD) == [f"You are {BOBS}, she is <EMAIL_1>."]
        shown = [progress.text for progress in talk.street.shown if progress.ref.user == "bob"]
        assert not any(EMAIL in text for text in shown)


async def test_who_takes_anothers_name_gets_none_of_their_values():
    model = ScriptedModel([said("Noted."), said("You are <EMAIL_1>.")])
    async with open_talk(model, personal_data=VEILED) as talk:
        await talk.say("alice", f"I am {EMAIL}", **THREAD)
        asked = UserMessage("m9", place("bob", **THREAD), "who am I?", Profile("Alice"))
        assert await talk.hand_in(asked) == ["You are <EMAIL_1>."]


async def test_a_tool_writes_no_value_of_somebody_else_into_a_ticket():
    ticket = [function_call("create_ticket", {"subject": "Hers", "description": "Write <EMAIL_1>"}, call_id="c1")]
    async with open_talk(ScriptedModel([said("Noted."), ticket, said("Done.")]), personal_data=VEILED) as talk:
        await talk.say("alice", f"I am {EMAIL}", **THREAD)
        await talk.say("bob", "open a ticket for her", **THREAD)
        (shown,) = await talk.command("bob", "ticket", "TKT-1001")
        assert "Write <EMAIL_1>" in shown


async def test_what_the_operator_wrote_for_customers_comes_back_everywhere():
    agent = {"instructions": "Complaints go to help@acme.example."}
    model = ScriptedModel([said("Write to <EMAIL_1>.")])
    async with open_talk(model, personal_data=VEILED, agent=agent) as talk:
        assert await talk.say("alice", "whom do I write to?", **THREAD) == ["Write to help@acme.example."]


# --- streams ----------------------------------------------------------------------------------------------------------

ANSWER = "Hello! I wrote to <EMAIL_1>. And <EMAIL_1> < <CARD_9>, <EMAIL_12."


@pytest.mark.parametrize("at", range(1, len(ANSWER)))
async def test_a_token_that_comes_in_two_pieces_is_never_shown_in_part(at):
    told = scene(streaming(ANSWER[:at], ANSWER[at:]))
    whole = f"Hello! I wrote to {EMAIL}."
    asking = asyncio.create_task(told.ask(f"I am {EMAIL}"))
    while not any(text.startswith(whole) for text in told.watch.texts):
        await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking

    assert all(ANSWER.replace("<EMAIL_1>", EMAIL).startswith(text) for text in told.watch.texts)


@given(st.data())
async def test_a_text_streams_to_what_it_is_as_a_whole_however_it_is_cut(data):
    between = veil()
    await between.hide(f"{EMAIL} {CARD}")
    words = st.sampled_from(["<EMAIL_1>", "<CARD_1>", "<EMAIL_2>", "<", ">", "<EMAIL", "_1>", "a", " ", "<<", "1"])
    text = "".join(data.draw(st.lists(words, max_size=12)))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6)))
    stream = Unveiling(between)

    pieces = [stream.add(text[start:end]) for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]

    assert "".join([*pieces, stream.end()]) == between.reveal(text)


async def test_an_answer_that_comes_whole_is_revealed_too():
    told = scene(unstreamed("You are <EMAIL_1>."))

    assert (await told.ask(f"I am {EMAIL}")).text == f"You are {EMAIL}."


@given(st.lists(st.one_of(st.text(max_size=30), st.sampled_from([*VALUES, "<CARD_1>", "<", "<TEXT_1>"])), max_size=8))
async def test_what_is_hidden_and_revealed_is_the_text_it_was(parts):
    text, between = " ".join(parts), veil(secret="keep", national_ids=NATIONAL_IDS)

    assert between.reveal(await between.hide(text)) == text


async def test_a_call_that_fails_is_repeated_behind_the_veil_too():
    model = ScriptedModel([RuntimeError("no"), said("Yes, <EMAIL_1>.")])
    async with open_talk(model, personal_data=VEILED) as talk:
        assert await talk.say("alice", f"I am {EMAIL}") == [f"Yes, {EMAIL}."]
    assert [EMAIL in str(call.input) for call in model.calls] == [False, False]


def test_there_is_no_veil_where_nothing_is_masked_before_the_model():
    assert PersonalData(check_settings({}).personal_data).veil() is None
