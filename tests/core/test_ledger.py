"""What a desk books, through its front door: each call once, for whom and what it was, whatever became of it."""

import asyncio
from collections import Counter

import pytest
from agents import Usage as SdkUsage
from agents.testing import ModelStep, ScriptedModel

from core.ledger import ALWAYS, month_named, read_ledger, sums_by
from core.models import UserMessage
from core.tickets import all_tickets
from tests.core.agent_scene import called, said, used
from tests.core.talk import open_talk, place

OPENING = {"subject": "no ink", "description": "no ink", "priority": "normal"}
PRICES = {"models": {"offline": {"input": "1", "output": "2"}}}


async def by(talk, grouping):
    return sums_by(await read_ledger(talk.store, ALWAYS), grouping)


async def outcomes(talk):
    return {row.outcome: row.requests for row in await read_ledger(talk.store, ALWAYS)}


async def test_what_became_of_a_turn_is_told_apart_and_nothing_leaves_the_bill():
    steps = [used(said("One."), 1), used(said("Two."), 10), used(called("list_tickets"), 100), RuntimeError("gone")]
    async with open_talk(ScriptedModel(steps), work={"model_retries": 0}, prices=PRICES) as talk:
        await talk.say("alice", "one")
        await talk.say("alice", "two")
        await talk.say("alice", "three")
        assert await outcomes(talk) == {"done": 2, "failed": 1}
        await talk.command("alice", "undo")
        (sums,) = (await by(talk, "customer")).values()
        assert {outcome: used.usage.cost_nano for outcome, used in sums.items()} == {
            "done": 3_000,
            "undone": 30_000,
            "failed": 300_000,
        }
        await talk.command("alice", "redo")
        assert await outcomes(talk) == {"done": 2, "failed": 1}
        await talk.command("alice", "clear", "confirm")
        assert await outcomes(talk) == {"deleted": 3}


async def test_a_stopped_turn_is_booked_as_stopped():
    begun = asyncio.Event()

    async def stream(call):
        begun.set()
        await asyncio.Event().wait()
        yield None

    async with open_talk(ScriptedModel([ModelStep.stream(stream)]), prices=PRICES) as talk:
        await talk.desk.accept(UserMessage("m-1", place("alice"), "tell me all"))
        await begun.wait()
        await talk.command("alice", "stop")
        (row,) = await read_ledger(talk.store, ALWAYS)
        assert (row.outcome, row.requests, row.estimated) == ("stopped", 1, 1)
        assert row.cost_nano > 0


async def test_a_turn_is_booked_to_the_ticket_it_opened_or_changed():
    steps = [
        *(used(called("create_ticket", **OPENING), 1), used(said("Opened."), 2), used(said("You are welcome."), 4)),
        *(used(called("update_ticket", ticket_id="TKT-1001", note="still no ink"), 8), used(said("Noted."), 16)),
    ]
    async with open_talk(ScriptedModel(steps)) as talk:
        await talk.say("alice", "no ink")
        await talk.say("alice", "thank you")
        await talk.say("alice", "still no ink")
        (ticket,) = await all_tickets(talk.store, talk.sealer, 10)
        booked = {key: sums["done"].usage.input_tokens for key, sums in (await by(talk, "ticket")).items()}
        assert booked == {ticket.id: 1 + 2 + 8 + 16, "": 4}


async def test_all_that_is_said_in_a_tickets_own_session_is_booked_to_it_whoever_speaks():
    steps = [used(said("Hello."), 1), used(said("Hello again."), 2), used(said("Hello Bob."), 4)]
    strategies = {"thread": "ticket"}
    async with open_talk(ScriptedModel(steps), strategies=strategies) as talk:
        await talk.say("alice", "no ink", channel="help", thread="t1")
        await talk.say("alice", "still none", channel="help", thread="t1")
        await talk.say("bob", "me too", channel="help", thread="t1")
        (ticket,) = await all_tickets(talk.store, talk.sealer, 10)
        assert {key: sums["done"].calls for key, sums in (await by(talk, "ticket")).items()} == {ticket.id: 3}


async def test_a_turn_that_failed_is_not_booked_to_the_ticket_it_did_not_open():
    steps = [used(called("create_ticket", **OPENING), 1), RuntimeError("gone")]
    async with open_talk(ScriptedModel(steps), work={"model_retries": 0}) as talk:
        await talk.say("alice", "no ink")
        assert await all_tickets(talk.store, talk.sealer, 10) == []
        assert list(await by(talk, "ticket")) == [""]


@pytest.mark.parametrize("people", [["alice"] * 10, [f"person{number}" for number in range(10)]])
async def test_ten_concurrent_runs_book_ten_runs_usage(people):
    together = asyncio.Barrier(10)

    async def answer(call):
        await together.wait()
        return ModelStep(output=said("Yes."), usage=SdkUsage(requests=1, input_tokens=100, output_tokens=7))

    async with open_talk(ScriptedModel([ModelStep.respond(answer)] * 10), prices=PRICES) as talk:
        for number, user in enumerate(people):
            ref = place(user, channel="help", thread=f"t{number}")
            await talk.desk.accept(UserMessage(f"m-{number}", ref, "hello", called=True))
        await talk.desk.drain()
        rows = await read_ledger(talk.store, ALWAYS)
        assert sum(row.calls for row in rows) == sum(row.requests for row in rows) == 10
        assert sum(row.input_tokens for row in rows) == 1000
        assert sum(row.cost_nano for row in rows) == 10 * (100 * 1000 + 7 * 2000)
        assert len(Counter(row.customer for row in rows)) == len(set(people))


@pytest.mark.parametrize(
    ("month", "days"), [("2026-01", 31), ("2026-02", 28), ("2024-02", 29), ("2026-12", 31), ("1970-01", 31)]
)
def test_a_month_has_its_days(month, days):
    since, until = month_named(month)
    assert until - since == days * 86_400_000_000
