"""Python's collector is kept from stopping a busy loop, and still does its work."""

import asyncio
import gc
import weakref

from bots.collecting import AT_THE_LATEST, collecting_aside

FAST = 0.01


class Circle:
    def __init__(self):
        self.self = self


async def until_gone(circle):
    async with asyncio.timeout(10):
        while circle() is not None:
            await asyncio.sleep(0)


def old_collections():
    return gc.get_stats()[2]["collections"]


async def test_what_is_old_is_never_looked_through_in_the_middle_of_work():
    async with collecting_aside():
        before = old_collections()
        kept = [[number] for number in range(1_000_000)]
        assert old_collections() == before
        del kept


async def test_in_a_quiet_moment_what_is_in_a_circle_goes(monkeypatch):
    monkeypatch.setattr("bots.collecting.LOOK_SECONDS", FAST)
    monkeypatch.setattr("bots.collecting.ON_TIME", 60.0)
    async with collecting_aside():
        circle = weakref.ref(Circle())
        gc.collect(1)
        await until_gone(circle)


async def test_where_no_moment_is_quiet_it_goes_at_the_latest_after_a_while(monkeypatch):
    monkeypatch.setattr("bots.collecting.LOOK_SECONDS", FAST)
    monkeypatch.setattr("bots.collecting.ON_TIME", -1.0)
    async with collecting_aside():
        before = old_collections()
        until = asyncio.get_running_loop().time() + 10 * FAST
        while asyncio.get_running_loop().time() < until:
            await asyncio.sleep(0)
        assert old_collections() == before
        monkeypatch.setattr("bots.collecting.AT_THE_LATEST", 0.0)
        async with asyncio.timeout(10):
            while old_collections() == before:
                await asyncio.sleep(0)
    assert AT_THE_LATEST <= 60.0


async def test_afterwards_the_collector_is_as_it_was():
    before = gc.get_threshold()
    async with collecting_aside():
        assert gc.get_threshold() != before
        assert gc.get_freeze_count() > 0
    assert gc.get_threshold() == before
    assert gc.get_freeze_count() == 0
