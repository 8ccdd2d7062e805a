import asyncio
from dataclasses import replace

import pytest

from adapters.storage import open_store
from core.errors import SpentError
from core.queries.bill import BudgetOf, BudgetRow
from core.records.bill import ReserveBudget, SettleBudget
from core.writer import GroupWriter
from tests.storage.conftest import BACKENDS
from tests.storage.samples import commit


def reserve(tokens, nano=0, **changes):
    return replace(ReserveBudget("c/day", 7, tokens, nano, 100, None, 80, None), **changes)


async def counted(store, counter="c/day"):
    return [(row.period, row.tokens, row.nano) for row in await store.read(BudgetOf(counter))]


async def test_what_fits_is_counted_and_what_does_not_is_refused_whole(store):
    await commit(store, reserve(60, 5), reserve(60, 5, counter="c/month", most_tokens=1000))
    with pytest.raises(SpentError):
        await commit(store, reserve(41, counter="c/month", most_tokens=1000), reserve(41))
    assert await counted(store) == await counted(store, "c/month") == [(7, 60, 5)]
    await commit(store, reserve(40))
    with pytest.raises(SpentError):
        await commit(store, reserve(1))


async def test_money_has_a_limit_of_its_own(store):
    await commit(store, reserve(10**9, 60, most_tokens=None, most_nano=100))
    with pytest.raises(SpentError):
        await commit(store, reserve(1, 41, most_tokens=None, most_nano=100))
    await commit(store, reserve(1, 40, most_tokens=None, most_nano=100))


async def test_the_first_count_that_comes_to_the_share_is_told_so_once_in_a_period(store):
    reservations = [reserve(50), reserve(30), reserve(1), reserve(10, period=8), reserve(70, period=8)]
    crossings = [(await commit(store, each))[0] for each in reservations]
    assert crossings == [[(7, 0)], [(7, 1)], [(7, 2)], [(8, 0)], [(8, 1)]]
    assert await commit(store, reserve(90, counter="d/day")) == ([(7, 1)],)


async def test_a_newer_period_begins_at_nothing_and_an_older_one_never_comes_back(store):
    await commit(store, reserve(100))
    await commit(store, reserve(70, period=8))
    assert await commit(store, reserve(20, period=7)) == ([(8, 1)],)
    with pytest.raises(SpentError):
        await commit(store, reserve(11, period=7))
    assert await counted(store) == [(8, 90, 0)]


async def test_a_call_is_settled_in_the_period_it_was_counted_in_or_not_at_all(store):
    await commit(store, reserve(60, 9))
    await commit(store, SettleBudget("c/day", 7, -20, 3))
    assert await counted(store) == [(7, 40, 12)]
    await commit(store, reserve(10, period=8))
    await commit(store, SettleBudget("c/day", 7, -20, 3))
    assert await counted(store) == [(8, 10, 0)]


async def test_of_many_reservations_at_once_only_as_many_are_made_as_fit(store):
    async with GroupWriter(store) as writer:
        made = [writer.commit((reserve(15),)) for _ in range(10)]
        refused = [one for one in await asyncio.gather(*made, return_exceptions=True) if isinstance(one, SpentError)]
    assert len(refused) == 4
    assert await store.read(BudgetOf("c/day")) == [BudgetRow(7, 90, 0)]


async def test_a_reservation_that_is_refused_does_not_fail_its_neighbours(store):
    outcomes = await store.write([(reserve(99),), (reserve(99),), (reserve(99, counter="d/day"),)])
    assert [isinstance(outcome, SpentError) for outcome in outcomes] == [False, True, False]


async def test_two_processes_on_one_database_never_reserve_more_than_there_is(tmp_path):
    url = BACKENDS["postgresql"](tmp_path)
    async with open_store(url) as one, open_store(url) as other:
        made = [(one, other)[number % 2].write([(reserve(15),)]) for number in range(20)]
        outcomes = [outcome for (outcome,) in await asyncio.gather(*made)]
        assert sum(isinstance(outcome, SpentError) for outcome in outcomes) == 14
        assert await counted(one) == [(7, 90, 0)]
