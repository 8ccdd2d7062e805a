import asyncio
import os
import threading

import pytest
from agents import Agent, RunConfig, Runner, SessionSettings
from agents.testing import ScriptedModel, assistant_message, function_call
from agents.tool import function_tool

from adapters.sealing.postgres_keyring import CONNECTIONS
from adapters.storage.postgres import READERS
from adapters.storage.sessions import WRITERS, open_session
from tests.sessions.samples import say, turns


@function_tool
def look_up(what: str) -> str:
    """Look something up."""
    return f"found {what}"


def agent(*answers):
    steps = [
        [function_call("look_up", {"what": "it"}, call_id="call_1")],
        *([assistant_message(text)] for text in answers),
    ]
    return Agent(name="test", model=ScriptedModel(steps), tools=[look_up])


def test_run_sync_after_run_sync_remembers(url):
    session = open_session(url, "alice")
    tested = agent("It is there.", "Yes.")
    for question, said in (("Where is it?", "It is there."), ("Really?", "Yes.")):
        asyncio.set_event_loop(asyncio.new_event_loop())
        assert Runner.run_sync(tested, question, session=session).final_output == said
        asyncio.get_event_loop().close()
    assert [item.get("role", item.get("type")) for item in tested.model.calls[-1].input] == [
        "user",
        "function_call",
        "function_call_output",
        "assistant",
        "user",
    ]
    session.close()


async def test_a_streamed_run_remembers_and_the_limit_of_a_run_holds(session):
    tested = agent("It is there.", "Yes.")
    for question in ("Where is it?", "Really?"):
        limited = RunConfig(session_settings=SessionSettings(limit=1))
        async for _ in Runner.run_streamed(tested, question, session=session, run_config=limited).stream_events():
            pass
    assert len(tested.model.calls[-1].input) == 2
    assert len(await session.get_items()) == 6


def test_one_session_is_used_from_two_loops_in_turns_and_from_threads_at_once(url):
    session = open_session(url, "alice")
    loops = [asyncio.new_event_loop() for _ in range(2)]
    for number in range(4):
        loops[number % 2].run_until_complete(say(session, number))
    for loop in loops:
        loop.close()
    threads = [threading.Thread(target=asyncio.run, args=(say(session, number),)) for number in range(4, 8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = asyncio.run(session.get_items())
    assert found[:16] == turns(0, 1, 2, 3)
    assert len(found) == 32
    session.close()


async def test_two_objects_of_one_session_know_what_the_other_did(url):
    async with open_session(url, "alice") as first, open_session(url, "alice") as second:
        await say(first, 1)
        assert await second.get_items(limit=50) == turns(1)
        await second.undo()
        assert await first.get_items(limit=50) == []


async def test_sessions_keep_apart(url):
    async with open_session(url, "alice") as alice, open_session(url, "bob") as bob:
        await say(alice, 1)
        await say(bob, 2)
        assert (await alice.get_items(), await bob.get_items()) == (turns(1), turns(2))


async def test_hundreds_of_sessions_hold_no_descriptors_of_their_own(url):
    def descriptors():
        return len(os.listdir("/proc/self/fd"))

    async with open_session(url, "0") as first:
        await say(first, 1)
        others = [open_session(url, str(number)) for number in range(1, 500)]
        before = descriptors()
        await asyncio.gather(*(say(other, 1) for other in others))
        # PostgreSQL is asked over a few connections, opened where many ask at once.
        more = READERS + CONNECTIONS + WRITERS - 1 if url.startswith("postgresql") else 0
        assert before <= descriptors() <= before + more
        for other in others:
            other.close()


async def test_a_closed_session_refuses_even_nothing(session):
    session.close()
    await session.close()
    for doing in (session.add_items([]), session.get_items(), session.undo()):
        with pytest.raises(RuntimeError, match="DeskSession is closed"):
            await doing


def have_ended(threads):
    """Whether all of them end: what a thread had open is closed before it is seen to be gone."""
    for thread in threads:
        thread.join(10)
    return not any(thread.is_alive() for thread in threads)


def test_the_last_session_lets_go_of_every_thread_and_descriptor(url):
    before, open_before = set(threading.enumerate()), len(os.listdir("/proc/self/fd"))
    sessions = [open_session(url, str(number)) for number in range(3)]
    for session in sessions:
        asyncio.run(say(session, 1))
    ours = set(threading.enumerate()) - before
    assert ours
    for session in sessions:
        session.close()
    assert have_ended(ours)
    assert len(os.listdir("/proc/self/fd")) == open_before


def test_a_session_that_is_only_dropped_lets_go_too(url):
    before = set(threading.enumerate())
    session = open_session(url, "alice")
    asyncio.run(say(session, 1))
    ours = set(threading.enumerate()) - before
    assert "deskmate sessions" in {thread.name for thread in ours}
    del session
    assert have_ended(ours)
