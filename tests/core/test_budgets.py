import asyncio
from itertools import count

import pytest
from agents import Usage as SdkUsage
from agents.testing import ModelStep, ScriptedModel

import core.budgets
from core.budgets import period_of
from core.config import check_settings
from core.errors import ConfigError
from core.ledger import ALWAYS, read_ledger
from core.models import UserMessage
from core.queries.bill import BudgetOf
from core.tickets import all_tickets
from tests.core.agent_scene import called, said
from tests.core.talk import Street, open_talk, place

DAY = 86_400_000_000
OPENING = {"subject": "no ink", "description": "no ink", "priority": "normal"}


def used(output, tokens):
    return ModelStep(output=output, usage=SdkUsage(requests=1, input_tokens=tokens, output_tokens=0))


def capped(**budget):
    return {"answer_tokens": 10, "customer": budget}


async def counted(talk, kind="customer"):
    (row, *_) = await read_ledger(talk.store, ALWAYS)
    name = f"customer/{row.customer}" if kind == "customer" else "workspace/local"
    found = {span: await talk.store.read(BudgetOf(f"{name}/{span}")) for span in ("day", "month")}
    return {span: (rows[0].tokens, rows[0].nano) for span, rows in found.items() if rows}


async def booked(talk):
    return sum(row.input_tokens + row.output_tokens for row in await read_ledger(talk.store, ALWAYS))


async def test_at_the_cap_the_desk_says_so_kindly_and_asks_no_model():
    model = ScriptedModel([used(said("One."), 100_000), used(said("Two."), 1)])
    async with open_talk(model, budgets=capped(day_tokens=100_000)) as talk:
        assert (await talk.say("alice", "one"))[0].startswith("One.")
        (answer,) = await talk.say("alice", "two")
        assert answer == (
            "What you may use of me is used up for today, and begins anew tomorrow (UTC). So I did not answer. "
            "Say `staff` and I open a ticket for our staff."
        )
        assert len(model.calls) == 1
        assert await talk.say("bob", "two") == ["Two."]


async def test_what_is_counted_is_what_is_booked_whatever_became_of_the_turn():
    steps = [used(said("One."), 5), used(called("list_tickets"), 70), RuntimeError("gone"), used(said("Three."), 900)]
    async with open_talk(ScriptedModel(steps), work={"model_retries": 0}, budgets=capped(day_tokens=10**6)) as talk:
        for text in ("one", "two", "three"):
            await talk.say("alice", text)
        await talk.command("alice", "undo")
        assert await booked(talk) == 975
        assert await counted(talk) == {"day": (975, 0)}


async def test_a_call_that_was_cut_off_keeps_its_reservation():
    begun = asyncio.Event()

    async def stream(call):
        begun.set()
        await asyncio.Event().wait()
        yield None

    async with open_talk(ScriptedModel([ModelStep.stream(stream)]), budgets=capped(day_tokens=10**6)) as talk:
        await talk.desk.accept(UserMessage("m-1", place("alice"), "tell me all"))
        await begun.wait()
        await talk.command("alice", "stop")
        (tokens, _) = (await counted(talk))["day"]
        assert tokens >= await booked(talk) > 0


async def test_a_budget_that_is_reached_in_mid_turn_ends_it_with_nothing_done():
    steps = [used(called("create_ticket", **OPENING), 99_999), used(said("Opened."), 1)]
    async with open_talk(ScriptedModel(steps), budgets=capped(day_tokens=100_000)) as talk:
        (answer,) = await talk.say("alice", "no ink")
        assert "in the middle of this, so I stopped and changed nothing." in answer
        assert await all_tickets(talk.store, talk.sealer, 10) == []
        assert [row.outcome for row in await read_ledger(talk.store, ALWAYS)] == ["blocked"]


@pytest.mark.parametrize("thread", ["conversation", "ticket"])
async def test_at_the_cap_a_ticket_for_staff_is_opened_at_a_button_without_a_model(thread):
    model = ScriptedModel([used(said("One."), 100_000)])
    where = {"channel": "help", "thread": "t1"}
    async with open_talk(model, budgets=capped(day_tokens=100_000), strategies={"thread": thread}) as talk:
        await talk.say("alice", "hello")
        await talk.say("alice", "the printer burns", **where)
        (button,) = talk.last.buttons
        for _ in range(2):
            (answer,) = await talk.command("alice", button.command, *button.args, message=talk.last.key, **where)
            assert answer == "TKT-1001 is with our staff now: the printer burns"
        (ticket,) = await all_tickets(talk.store, talk.sealer, 10)
        assert (ticket.name, ticket.status, ticket.description) == (
            "TKT-1001",
            "waiting_for_staff",
            "the printer burns",
        )
        assert len(model.calls) == 1


@pytest.mark.parametrize("whose", ["customer", "workspace"])
async def test_ten_concurrent_turns_stay_under_a_cap_by_what_they_reserved(whose):
    answers, decided, all_decided = 0, count(1), asyncio.Event()

    def decide():
        """Of ten each asks the model, or is refused."""
        if next(decided) == 10:
            all_decided.set()

    class Refusing(Street):
        async def post(self, delivery):
            decide()
            return await super().post(delivery)

    async def answer(call):
        nonlocal answers
        answers += 1
        decide()
        await all_decided.wait()
        return used(said("Yes."), 3_000)

    people = ["alice"] * 10 if whose == "customer" else [f"person{number}" for number in range(10)]
    budgets = {"answer_tokens": 20_000, whose: {"day_tokens": 100_000}}
    model = ScriptedModel([ModelStep.respond(answer)] * 10)
    async with open_talk(model, platform=Refusing(), budgets=budgets) as talk:
        for number, user in enumerate(people):
            ref = place(user, channel="help", thread=f"t{number}")
            await talk.desk.accept(UserMessage(f"m-{number}", ref, "hello"))
        await talk.desk.drain()
        assert answers == 4
        assert (await counted(talk, whose))["day"] == (12_000, 0)


async def test_people_are_told_once_when_most_of_it_is_used():
    steps = [used(said("One."), 50_000), used(said("Two."), 35_000), used(said("Three."), 1), used(said("Four."), 1)]
    async with open_talk(ScriptedModel(steps), budgets=capped(day_tokens=100_000)) as talk:
        texts = [text for said in ("one", "two", "three", "four") for text in await talk.say("alice", said)]
        assert [("used up to 80 percent" in text) for text in texts] == [False, False, True, False]


@pytest.mark.parametrize("whose", ["customer", "workspace"])
async def test_staff_are_told_once_when_most_of_it_is_used_and_not_what_was_said(whose):
    steps = [used(said("One."), 50_000), used(said("Two."), 35_000), used(said("Three."), 1), used(said("Four."), 1)]
    budgets = {"answer_tokens": 10, whose: {"day_tokens": 100_000}}
    async with open_talk(ScriptedModel(steps), budgets=budgets, staff_channel="terminal/local/staff") as talk:
        for text in ("one", "two", "three", "four"):
            await talk.say("alice", text)
        told = [each.text for each in talk.street.posted if each.ref.channel == "staff"]
        assert told == [f"The day budget of a {whose} is used up to 80 percent: terminal/local/dm/alice"]


async def test_a_budget_in_money_counts_what_calls_cost():
    prices = {"models": {"offline": {"input": "10", "output": "0"}}}
    steps = [used(said("One."), 100_000), used(said("Two."), 1)]
    async with open_talk(ScriptedModel(steps), prices=prices, budgets=capped(month_money="1.00")) as talk:
        await talk.say("alice", "one")
        assert await counted(talk) == {"month": (100_000, 10**9)}
        (answer,) = await talk.say("alice", "two")
        assert "is used up for this month" in answer
        assert "1.00" not in answer


async def test_a_tier_has_a_budget_of_its_own():
    steps = [used(said("One."), 100_000)] * 4
    budgets = {"customer": {"day_tokens": 50_000}, "tiers": {"premium": {"day_tokens": 500_000}}}
    async with open_talk(ScriptedModel(steps), budgets=budgets) as talk:
        for user, tier in (("alice", "premium"), ("bob", "free")):
            await talk.say(user, "one", tier=tier)
        assert await talk.say("alice", "two") == ["One."]
        assert "used up" in (await talk.say("bob", "two"))[0]


async def test_a_clock_that_is_set_back_opens_no_day_again(monkeypatch):
    today = 20_000 * DAY
    model = ScriptedModel([used(said("One."), 100_000), used(said("Two."), 100_000), used(said("Three."), 1)])
    async with open_talk(model, budgets=capped(day_tokens=100_000)) as talk:
        for at, answers in ((today, True), (today + DAY, True), (today, False), (today + DAY, False)):
            monkeypatch.setattr(core.budgets, "now", lambda at=at: at)
            assert ("used up for today" not in (await talk.say("alice", "hello"))[0]) is answers
        monkeypatch.setattr(core.budgets, "now", lambda: today + 2 * DAY)
        assert await talk.say("alice", "hello") == ["Three."]


async def test_at_the_cap_a_summary_is_an_extract():
    model = ScriptedModel([used(said("One."), 100_000), used(said("A summary."), 1)])
    # The stand-in makes no summaries: with a key there is a model that does.
    async with open_talk(model, budgets=capped(day_tokens=100_000), openai_api_key="k") as talk:
        await talk.say("alice", "my fan is loud")
        assert "my fan is loud" in (await talk.command("alice", "summary"))[0]
        assert len(model.calls) == 1


def test_periods_are_days_and_months_in_utc():
    midnight = 1_767_225_600_000_000  # 2026-01-01
    assert period_of("day", midnight) - period_of("day", midnight - 1) == 1
    assert period_of("month", midnight) - period_of("month", midnight - 1) == 1
    assert period_of("month", midnight) == period_of("month", midnight + 31 * DAY - 1)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"customer": {"day_token": 1}}, r"budgets\.customer\.day_token"),
        ({"customer": {"day_tokens": -1}}, r"budgets\.customer\.day_tokens"),
        ({"customer": {"day_money": "lots"}}, r"budgets\.customer\.day_money"),
        ({"tiers": {"gold": {"day_tokens": 1}}}, r"budgets\.tiers\.gold: must be one of tiers\.names"),
        ({"warn_percent": 0}, r"budgets\.warn_percent"),
    ],
)
def test_a_budget_that_says_nothing_is_refused(settings, told):
    with pytest.raises(ConfigError, match=told):
        check_settings({"budgets": settings})


async def test_a_budget_in_money_is_refused_where_the_model_has_no_price():
    with pytest.raises(ConfigError, match=r"prices\.models\.\S+ says no price"):
        async with open_talk(budgets=capped(day_money="1"), openai_api_key="k"):
            pass
