"""A turn leaves nothing that only the collector would find: in a crowd that would stop the loop."""

import asyncio
import gc
import weakref

import pytest
from agents import Runner

from tests.core.talk import open_talk

TURNS = 20
ROUNDS = 50
"""Of the loop, in which tasks that are over are let go."""


async def some_rounds():
    for _ in range(ROUNDS):
        await asyncio.sleep(0)


@pytest.fixture
def no_collector():
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.fixture
def runs(monkeypatch):
    runs, run = [], Runner.run_streamed

    def noted(*args, **rest):
        result = run(*args, **rest)
        runs.append(weakref.ref(result))
        return result

    monkeypatch.setattr(Runner, "run_streamed", noted)
    return runs


async def test_a_run_that_is_over_is_gone_at_once(no_collector, runs):
    async with open_talk() as talk:
        for number in range(TURNS):
            await talk.say("alice", f"this is line {number}")
        await some_rounds()
        assert len(runs) == TURNS
        assert [run() for run in runs if run() is not None] == []


async def test_of_a_turn_the_collector_finds_nothing(no_collector):
    async with open_talk() as talk:
        await talk.say("alice", "this warms up")
        gc.collect()
        for number in range(TURNS):
            await talk.say("alice", f"open a ticket: number {number}")
        await some_rounds()
        assert gc.collect() < TURNS
