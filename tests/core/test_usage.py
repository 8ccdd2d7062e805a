from datetime import date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.config import Price, PriceSettings, check_settings
from core.errors import ConfigError
from core.models import Usage
from core.queries.bill import UsageLedger
from core.usage import (
    ModelCall,
    UsageSum,
    cost_nano,
    money,
    tokens,
    usage_by_turn,
    usage_of_customer,
    usage_of_session,
    usage_records,
)
from tests.core.books import open_books
from tests.core.talk import open_talk

PRICES = PriceSettings(
    models={
        "m": Price(input=Decimal("1.25"), cached=Decimal("0.125"), output=Decimal("10")),
        "plain": Price(input=Decimal("3"), output=Decimal("15")),
        "odd": Price(input=Decimal("0.0000000001"), output=Decimal("0")),
    }
)
amounts = st.integers(0, 10**12)


@pytest.fixture
async def books():
    async with open_books() as books:
        yield books


@pytest.mark.parametrize(
    ("model", "usage", "cost"),
    [
        ("m", Usage(1, 1_000_000, 0, 0), 1_250_000_000),
        ("m", Usage(1, 1_000_000, 1_000_000, 0), 125_000_000),
        ("m", Usage(1, 100, 40, 7, 5), 60 * 1250 + 40 * 125 + 7 * 10_000),
        ("plain", Usage(1, 100, 40, 0), 100 * 3000),
        ("m", Usage(1, 10, 99, 0), 10 * 125),
        ("odd", Usage(1, 3, 0, 0), 0),
        ("offline", Usage(1, 5, 0, 5), None),
    ],
)
def test_a_call_costs_what_the_table_says(model, usage, cost):
    assert cost_nano(PRICES, ModelCall(model, usage)) == cost


@pytest.mark.parametrize(
    ("day", "cost"),
    [("2025-06-30", None), ("2025-07-01", 1000), ("2025-12-31", 1000), ("2026-01-01", 3000), ("2029-01-01", 3000)],
)
def test_the_price_of_the_day_a_call_was_made_counts(day, cost):
    newest_first = [
        {"from": "2026-01-01", "input": "3", "output": "0"},
        {"from": "2025-07-01", "input": "1", "output": "0"},
    ]
    prices = check_settings({"prices": {"models": {"m": newest_first}}}).prices
    for time in ("00:00:00", "23:59:59"):
        at = int(datetime.fromisoformat(f"{day}T{time}+00:00").timestamp()) * 1_000_000
        assert cost_nano(prices, ModelCall("m", Usage(1, 1, 0, 0), at=at)) == cost


def test_a_price_without_a_day_holds_until_the_first_that_has_one():
    told = [{"input": "1", "output": "0"}, {"from": date(2026, 1, 1), "input": "3", "output": "0"}]
    prices = check_settings({"prices": {"models": {"m": told}}}).prices
    assert [prices.price_of("m", day).input for day in (date(2025, 12, 31), date(2026, 1, 1))] == [1, 3]


@pytest.mark.parametrize(
    "told",
    [
        [],
        [{"input": "1", "output": "0"}, {"input": "2", "output": "0"}],
        [{"from": day, "input": "1", "output": "0"} for day in ("2026-01-01", "2026-01-01")],
        [{"from": "soon", "input": "1", "output": "0"}],
    ],
)
def test_prices_that_cannot_be_told_apart_are_refused(told):
    with pytest.raises(ConfigError, match=r"prices\.models"):
        check_settings({"prices": {"models": {"m": told}}})


@given(amounts, amounts, st.decimals(0, 10**6, places=6), st.decimals(0, 10**6, places=6))
def test_money_is_exact_to_the_last_unit(put_in, came_out, price_in, price_out):
    prices = PriceSettings(models={"m": Price(input=price_in, output=price_out)})
    exact = put_in * int(price_in * 10**6) + came_out * int(price_out * 10**6)  # in 1e-12 of the currency
    cost = cost_nano(prices, ModelCall("m", Usage(1, put_in, 0, came_out)))
    assert abs(cost * 1000 - exact) <= 500


@pytest.mark.parametrize(
    ("nano", "unpriced", "text"),
    [
        (0, 0, "USD 0.0000"),
        (12_300_000, 0, "USD 0.0123"),
        (12_345_678, 0, "USD 0.012345678"),
        (1_234_567_800_000_000, 0, "USD 1,234,567.8000"),
        (10**30 + 1, 0, "USD 1,000,000,000,000,000,000,000.000000001"),
        (0, 1, "USD 0.0000 and 1 call without a price"),
        (5_000_000, 2000, "USD 0.0050 and 2,000 calls without a price"),
    ],
)
def test_money_reads_whole(nano, unpriced, text):
    assert money(UsageSum(1, Usage(cost_nano=nano), unpriced), PRICES) == text


def test_customers_read_tokens():
    assert tokens(UsageSum(2, Usage(2, 1200, 0, 34))) == "1,234 tokens (1,200 in, 34 out)"


async def test_booked_calls_add_up_by_customer_session_and_turn(books):
    alice = await books.customer("alice")
    session = await books.session("terminal/local/dm/alice", alice)
    calls = [
        ModelCall("m", Usage(1, 100, 40, 7, 5)),
        ModelCall("unknown", Usage(1, 10, 0, 1), estimated=True),
        ModelCall("m", Usage(1, 5, 0, 5), purpose="summary"),
    ]
    at_turn = {"customer": alice.id, "session": session.id, "turn": "t1", "branch": None}
    await books.commit(*usage_records(PRICES, calls[:2], **at_turn))
    await books.commit(*usage_records(PRICES, calls[2:], **at_turn | {"turn": None}))
    first = UsageSum(2, Usage(2, 110, 40, 8, 5, 150_000), unpriced=1, estimated=1)
    whole = UsageSum(3, Usage(3, 115, 40, 13, 5, 206_250), unpriced=1, estimated=1)
    assert await usage_of_customer(books.store, alice.id) == whole
    assert await usage_of_session(books.store, session.id) == whole
    assert (await usage_by_turn(books.store, session.id))["t1"] == first


async def test_who_used_nothing_has_a_sum_of_nothing(books):
    assert await usage_of_customer(books.store, "nobody") == UsageSum()


async def test_a_model_without_a_price_is_booked_in_tokens_and_flagged_wherever_money_is_shown():
    prices = {"models": {"another": {"input": "1", "output": "1"}}}
    async with open_talk(prices=prices, roles={"terminal/local/alice": "supervisor"}) as talk:
        await talk.say("alice", "hello")
        (row,) = await talk.store.read(UsageLedger(0, 2**62))
        assert (row.cost_nano, row.unpriced) == (0, row.calls)
        assert row.input_tokens > 0
        (told,) = await talk.command("alice", "usage")
        assert "USD 0.0000 and 1 call without a price" in told
