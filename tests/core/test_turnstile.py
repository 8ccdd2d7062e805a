"""Of a crowd only so many go on at a time, in the order they came."""

import asyncio
from itertools import pairwise

import pytest

from core.turnstile import FEW, ROUND_SECONDS, Turnstile

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
    assert max(later - before for before, later in pairwise(beats)) <= FEW


@pytest.mark.parametrize(("share", "room"), [(2, 1), (0.5, 2), (0.25, 4), (0.01, 16)])
async def test_as_many_go_on_as_fit_into_a_round_and_no_more_than_the_most(monkeypatch, share, room):
    now, passed, beats = [0.0], [], []
    monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: now[0])

    def each():
        now[0] += share * ROUND_SECONDS * 0.999

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(crowd(Turnstile(most=16), passed, each))
        tasks.create_task(beat(beats, passed))
    # The first few are let in before anybody knows what they take, and of the last ones there are no more.
    grown = [later - before for before, later in pairwise(beats)][4:-2]
    assert max(grown) == room


async def test_what_others_do_in_a_round_takes_nobodys_room(monkeypatch):
    now, passed, beats = [0.0], [], []
    monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: now[0])

    async def others():
        while len(passed) < CROWD:
            now[0] += ROUND_SECONDS
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(others())
        tasks.create_task(crowd(Turnstile(most=16), passed))
        tasks.create_task(beat(beats, passed))
    assert max(later - before for before, later in pairwise(beats)) == 16


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
    for task in impatient[FEW:]:
        task.cancel()
    await crowd(turnstile, passed)
    assert passed == list(range(CROWD))
