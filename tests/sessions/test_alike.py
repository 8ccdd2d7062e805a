"""A session on a server does what one in SQLite does, whatever is asked of it in whatever order."""

import asyncio
import uuid
from contextlib import nullcontext

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.storage.sessions import open_session
from core.errors import DeskError
from tests.backends import redis_url
from tests.postgres import url_for
from tests.sessions.samples import answer, call, used, user

NAMES = st.sampled_from(["main", "left", "right"])
TURNS = st.integers(1, 6)
STEPS = st.one_of(
    st.tuples(st.just("say"), st.integers(1, 3)),
    st.tuples(st.just("go on"), st.integers(1, 2)),
    st.tuples(st.sampled_from(["undo", "rewind"]), TURNS),
    st.tuples(st.sampled_from(["redo", "pop_item", "clear_session"])),
    st.tuples(st.just("create_branch_from_turn"), TURNS, NAMES),
    st.tuples(st.just("switch_to_branch"), NAMES),
    st.tuples(st.just("delete_branch"), NAMES, st.booleans()),
    st.tuples(st.just("store_run_usage"), st.integers(1, 9)),
)


@pytest.fixture(scope="module", params=["redis", "postgresql"])
def opened(request, tmp_path_factory):
    """A loop, and what opens a session of a new name twice: on a server and in memory."""
    folder = tmp_path_factory.mktemp("alike")
    with redis_url() if request.param == "redis" else nullcontext(url_for(folder)) as url, asyncio.Runner() as runner:

        def open_both():
            name = uuid.uuid4().hex
            return [open_session(where, name, master_key="ab" * 32) for where in (url, "memory:")]

        keep = open_both()
        yield runner, open_both
        for session in keep:
            session.close()


async def do(session, step, number):
    what, *args = step
    if what == "say":
        return await session.add_items([item for at in range(*args) for item in (user(f"{number}.{at}"), call(at))])
    if what == "go on":
        return await session.add_items([answer(f"{number}.{at}") for at in range(*args)])
    if what == "store_run_usage":
        return await session.store_run_usage(used(requests=args[0], input_tokens=number))
    return await getattr(session, what)(*args)


async def outcome(asked):
    try:
        return await asked
    except (DeskError, ValueError) as error:
        return type(error), str(error)


async def seen(session):
    branches = await session.list_branches()
    return (
        await session.get_items(limit=5),
        await session.get_items(),
        sorted((one["branch_id"], one["message_count"], one["user_turns"], one["is_current"]) for one in branches),
        [await session.get_items(branch_id=one["branch_id"]) for one in sorted(branches, key=lambda o: o["branch_id"])],
        [(one["turn"], one["full_content"]) for one in await session.get_conversation_turns()],
        await session.get_tool_usage(),
        await session.get_session_usage(),
        await session.get_turn_usage(),
    )


@settings(max_examples=settings.default.max_examples // 8)
@given(steps=st.lists(STEPS, min_size=6, max_size=25))
def test_a_session_on_a_server_does_what_one_in_memory_does(opened, steps):
    runner, open_both = opened

    async def compare():
        ours, model = open_both()
        for number, step in enumerate(steps):
            assert await outcome(do(ours, step, number)) == await outcome(do(model, step, number)), step
            assert await seen(ours) == await seen(model), step
        ours.close()
        model.close()

    runner.run(compare())
