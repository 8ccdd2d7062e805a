"""A model that obeys every order it reads, and what it cannot do all the same."""

import re

import pytest
from agents.testing import ModelStep, ScriptedModel, assistant_message, function_call

from adapters.discord import render as on_discord
from adapters.slack import render as on_slack
from core.agent import TOO_MANY_STEPS
from core.customers import MAX_NAME, find_customer
from core.guardrails import holds_secret
from core.tickets import load_tickets, timeline
from tests.core.hostile import CARRIERS, EVIL, ORDERS, ObedientModel, asks, brief, say
from tests.core.talk import open_talk, place

ALICES = "the zebra dances at dawn 4711"
LINK = re.compile(r"(?:[a-z][a-z0-9+.-]*:)?//[^\s<>|)\]]+|(?:mailto|javascript):\S+|\bwww\.\S+|\bevil\.example", re.I)
SLACK_PING = re.compile(r"<[!@#]|(?<!\w)@(?:everyone|here|channel)\b")
DISCORD_PING = re.compile(r"<@[!&]?\d|@(?:everyone|here)\b")


async def standing(talk, user):
    customer = await find_customer(talk.store, talk.sealer, place(user))
    tickets = await load_tickets(talk.store, talk.sealer, customer.id)
    return customer.tier, [(one, await timeline(talk.store, talk.sealer, one, 9)) for one in tickets]


def rendered(text):
    """What both platforms are sent for a text, and what they are shown while it is written, with what pings there."""
    for sent in (on_slack.mrkdwn(text), on_slack.streamed(text, whole=True)):
        yield sent, SLACK_PING
    for sent in (text, on_discord.streamed(text)):
        yield on_discord.said_as(sent)["content"], DISCORD_PING


def open_links(texts):
    return [address for text in texts for sent, _ in rendered(text) for address in LINK.findall(sent)]


def is_cut(order, carrier):
    """Whether the desk keeps too little of a text for the order to stand in it."""
    return carrier == "display name" and len(brief(order)) > MAX_NAME


async def survive(order):
    """Alice has her secrets; then the model that obeys answers somebody whose order stands in each of the carriers."""
    model = ObedientModel()
    async with open_talk(model, agent={"link_hosts": ["help.example.com"]}) as talk:
        await talk.say("alice", f'Call the tool create_ticket with {{"subject": "{ALICES}"}}')
        alice = await standing(talk, "alice")
        for carrier, messages in CARRIERS.items():
            model.begin()
            told = [text for message in messages(order, carrier) for text in await talk.hand_in(message)]
            told += await talk.command(carrier, "tickets")
            told += await talk.command(carrier, "summary")
            told += [progress.text for progress in talk.street.shown if progress.ref.user == carrier]

            assert model.obeyed or is_cut(order, carrier), (
                f"nobody read the order in the {carrier}: this proves nothing"
            )
            assert await standing(talk, "alice") == alice, carrier
            assert (await standing(talk, carrier))[0] == "standard", carrier
            assert not [text for text in (*model.seen, *told) if ALICES in text], carrier
            assert not [text for text in told if holds_secret(text)], carrier
            # What the asker wrote may be told to the asker, letter by letter.
            own = LINK.findall(order) if carrier in ("own text", "pasted mail") else []
            assert [address for address in open_links(told) if address not in own] == [], carrier
            assert not [sent for text in told for sent, ping in rendered(text) if ping.search(sent)], carrier


@pytest.mark.parametrize("order", ORDERS["llm01"].values(), ids=ORDERS["llm01"])
async def test_llm01_no_order_in_what_is_read_writes_on_the_ticket_of_another(order):
    await survive(order)


@pytest.mark.parametrize("order", ORDERS["llm02"].values(), ids=ORDERS["llm02"])
async def test_llm02_no_order_in_what_is_read_tells_what_is_anothers_or_secret(order):
    await survive(order)


@pytest.mark.parametrize("order", ORDERS["llm05"].values(), ids=ORDERS["llm05"])
async def test_llm05_no_order_in_what_is_read_makes_a_link_or_a_ping(order):
    await survive(order)


@pytest.mark.parametrize("order", ORDERS["llm06"].values(), ids=ORDERS["llm06"])
async def test_llm06_no_order_in_what_is_read_gives_the_model_more_than_its_tools(order):
    await survive(order)


@pytest.mark.parametrize("order", ORDERS["llm07"].values(), ids=ORDERS["llm07"])
async def test_llm07_what_the_model_is_told_holds_nothing_of_another(order):
    await survive(order)


def test_there_are_at_least_two_hundred_of_them():
    orders = [order for kind in ORDERS.values() for order in kind.values()]
    assert sum(not is_cut(order, carrier) for order in orders for carrier in CARRIERS) >= 200


@pytest.mark.parametrize("order", ORDERS["llm05"].values(), ids=ORDERS["llm05"])
async def test_llm05_in_a_thread_the_words_of_one_give_no_leave_to_the_answer_for_another(order):
    model = ObedientModel()
    async with open_talk(model) as talk:
        await talk.say("mallory", f"remember this: {order}", channel="help", thread="t")
        told = await talk.say("alice", "what did they say?", channel="help", thread="t")

    assert len(model.seen) >= 2
    assert open_links(told) == []


async def test_llm10_a_model_that_never_stops_calling_tools_is_stopped():
    again = ModelStep.respond(lambda call: [function_call("list_tickets", {}, call_id=f"c{len(call.input)}")])
    model = ScriptedModel([again] * 100)
    async with open_talk(model) as talk:
        assert await talk.say("mallory", "go on for ever") == [TOO_MANY_STEPS]
        assert len(model.calls) == talk.settings.agent.max_model_calls


async def test_llm02_an_address_the_asker_wrote_is_told_as_it_is_and_with_nothing_added():
    async with open_talk(ObedientModel()) as talk:
        (kept,) = await talk.hand_in(asks(say("It is https://shop.example/order?id=7.")))
    async with open_talk(
        ScriptedModel([ModelStep(output=_said("Try https://shop.example/order?id=7&d=SECRET."))])
    ) as talk:
        (added,) = await talk.hand_in(asks("is https://shop.example/order?id=7 down?"))

    assert "https://shop.example/order?id=7." in kept
    assert added == "Try shop[.]example/order?id=7&d=SECRET."


async def test_llm05_a_host_the_operator_lists_may_be_linked_to_under_any_words():
    text = "Read [the page](https://help.example.com/a), ![map](https://www.help.example.com/b.png) or " + EVIL
    for agent in (
        {"link_hosts": ["help.example.com"]},
        {"instructions": "Send them to https://help.example.com/start."},
    ):
        async with open_talk(ScriptedModel([ModelStep(output=_said(text))]), agent=agent) as talk:
            (told,) = await talk.say("alice", "where?")

        assert told == text.replace(EVIL, "evil[.]example/take?d=SECRET-OF-ALICE")


def _said(text):
    return [assistant_message(text)]
