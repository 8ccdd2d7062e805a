"""Of a crowd only so many go on at a time, in the order they came."""

import asyncio
from itertools import pairwise

from core.turnstile import MOST, Turnstile

CROWD = 200


async def beat(beats, passed):
    while len(passed) < CROWD:
        beats.append(len(passed))
        await asyncio.sleep(0)


async def crowd(turnstile, passed, each=lambda: None):
    async def go(number):
        await turnstile.passed()
        passed.append(number)
        each()

    async with asyncio.TaskGroup() as tasks:
        for number in range(CROWD):
            tasks.create_task(go(number))


async def test_between_two_rounds_of_the_loop_only_so_many_of_a_crowd_go_on():
    passed, beats = [], []
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(crowd(Turnstile(), passed))
        tasks.create_task(beat(beats, passed))
    assert passed == list(range(CROWD))
    assert max(later - before for before, later in pairwise(beats)) <= MOST


async def test_where_a_round_takes_long_one_goes_on_at_a_time(monkeypatch):
    monkeypatch.setattr("core.turnstile.ROUND_SECONDS", 0.0)
    passed, beats = [], []
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(crowd(Turnstile(), passed))
        tasks.create_task(beat(beats, passed))
    assert max(later - before for before, later in pairwise(beats[2:])) == 1


async def test_who_comes_alone_does_not_wait():
    turnstile = Turnstile()
    passing = turnstile.passed()
    try:
        passing.send(None)
    except StopIteration:
        return
    raise AssertionError("it waited")


async def test_who_gave_up_keeps_nobody_waiting():
    turnstile, passed = Turnstile(), []
    impatient = [asyncio.create_task(turnstile.passed()) for _ in range(CROWD)]
    await asyncio.sleep(0)
    for task in impatient[MOST:]:
        task.cancel()
    await crowd(turnstile, passed)
    assert passed == list(range(CROWD))
