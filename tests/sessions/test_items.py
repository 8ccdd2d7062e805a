import asyncio

import pytest
from agents import SessionSettings
from agents.memory import Session

from adapters.storage.sessions import open_session
from core.errors import (
    NothingToRedoError,
)
from core.standalone.reading import decoded
from core.window import PIECE, Window
from tests.sessions.samples import answer, call, output, say, turn, turns, user


def test_it_is_a_session_of_the_sdk_and_opens_nothing_before_its_first_use(tmp_path):
    session = open_session(f"sqlite:///{tmp_path}/sessions.db", "alice")
    assert isinstance(session, Session)
    assert (session.session_id, session.session_settings) == ("alice", SessionSettings())
    session.close()
    assert list(tmp_path.iterdir()) == []


async def test_what_was_added_is_read_back_in_order_and_as_it_was(session):
    await say(session, 1, 2)
    assert await session.get_items() == turns(1, 2)


async def test_nothing_is_lost_that_python_can_write_as_json(session):
    odd = [
        user("a lone surrogate \ud800, NUL \x00, \u2028 and \U0001f600"),
        {"role": "assistant", "content": [], "n": [2**70, -(2**63), 1.5e300, None, True], "nested": {"": {"a": []}}},
        {"type": "x", "not a number": float("inf"), "null": None},
    ]
    await session.add_items(odd)
    assert await session.get_items() == odd
    assert await session.pop_item() == odd[-1]


async def test_what_json_cannot_hold_is_refused_and_nothing_of_it_is_kept(session):
    with pytest.raises(TypeError):
        await session.add_items([user("kept?"), {"role": "user", "content": object()}])
    await session.add_items([user("after")])
    assert await session.get_items() == [user("after")]


@pytest.mark.parametrize("limit", [0, 1, 3, 4, 5, 8, 100, -1])
async def test_a_limit_means_the_newest_and_a_negative_one_all(session, limit):
    await say(session, 1, 2)
    newest = turns(1, 2)[-limit:] if limit > 0 else []
    assert await session.get_items(limit) == (turns(1, 2) if limit < 0 else newest)


async def test_the_limit_of_the_settings_holds_where_none_is_given(url):
    async with open_session(url, "alice", session_settings={"limit": 1}) as session:
        await say(session, 1)
        assert await session.get_items() == [answer("answer 1")]
        assert await session.get_items(limit=2) == [output(1), answer("answer 1")]


async def test_under_the_limit_of_the_settings_no_output_leads_whose_call_is_cut_off(url):
    async with open_session(url, "alice", session_settings=SessionSettings(limit=3)) as session:
        await session.add_items([user("both?"), call(1), call(2), output(1), output(2), answer("both")])
        assert await session.get_items() == [answer("both")]
        await session.add_items([call(3), output(3)])
        assert await session.get_items() == [answer("both"), call(3), output(3)]


async def test_a_copy_handed_out_can_be_changed_without_changing_the_history(session):
    await session.add_items([answer("as it was")])
    for _ in range(2):
        (item,) = await session.get_items(limit=50)
        assert item == answer("as it was")
        item["content"][0]["text"] = "changed"


async def test_a_long_history_is_read_whole_and_its_end_is_read_alone(session):
    said = [user(f"{number}") for number in range(1000)]
    await session.add_items(said)
    assert await session.get_items() == said
    assert await session.get_items(limit=50) == said[-50:]
    assert await session.get_items(limit=999) == said[-999:]


async def test_while_a_long_history_is_made_of_its_pieces_the_others_of_the_loop_have_their_turn():
    steps = []

    async def read():
        steps.append(len(await decoded(Window([b"1"] * PIECE).excerpts())))

    async def other():
        steps.append("other")

    await asyncio.gather(read(), other())
    assert steps == ["other", PIECE]


async def test_items_added_at_once_from_many_tasks_all_arrive_and_keep_the_order_of_each_task(session):
    async def add(task):
        for number in range(10):
            await session.add_items([{"role": "assistant", "content": f"{task}:{number}"}])

    await asyncio.gather(*(add(task) for task in range(8)))
    found = [item["content"] for item in await session.get_items()]
    for task in range(8):
        assert [text for text in found if text.startswith(f"{task}:")] == [f"{task}:{number}" for number in range(10)]
    assert len(found) == 80


async def test_calls_are_done_in_the_order_they_were_asked(session):
    await say(session, 1)
    results = await asyncio.gather(
        session.clear_session(),
        session.add_items([user("first")]),
        session.get_items(),
        session.add_items([user("second")]),
        session.undo(),
        session.get_items(),
    )
    assert (results[2], results[5]) == ([user("first")], [user("first")])


async def test_a_cancelled_addition_is_known_to_be_there_when_the_cancellation_comes(session):
    await session.add_items([user("before")])
    adding = asyncio.create_task(session.add_items([answer("cut")]))
    await asyncio.sleep(0)
    adding.cancel()
    adding.cancel()
    with pytest.raises(asyncio.CancelledError):
        await adding
    assert await session.get_items() == [user("before"), answer("cut")]


async def test_pop_takes_the_last_item_and_with_a_turns_last_item_the_turn(session):
    await say(session, 1, 2)
    assert [await session.pop_item() for _ in range(4)] == turn(2)[::-1]
    assert await session.get_items() == turns(1)
    assert [found["turn"] for found in await session.get_conversation_turns()] == [1]
    await say(session, 3)
    assert await session.get_items() == turns(1, 3)


async def test_pop_on_an_empty_session_gives_nothing(session):
    assert await session.pop_item() is None
    await session.add_items([user("one")])
    assert [await session.pop_item(), await session.pop_item()] == [user("one"), None]


async def test_pop_on_one_branch_leaves_the_other_as_it_is(session):
    await say(session, 1, 2)
    await session.create_branch_from_turn(2, "other")
    assert await session.pop_item() == answer("answer 2")
    assert await session.get_items() == turns(1, 2)[:-1]
    assert await session.get_items(branch_id="main") == turns(1, 2)


async def test_clear_deletes_turns_and_branches_and_goes_back_to_main(session):
    await say(session, 1, 2)
    await session.create_branch_from_turn(1, "other")
    await session.clear_session()
    assert await session.get_items() == []
    assert [(branch["branch_id"], branch["is_current"]) for branch in await session.list_branches()] == [("main", True)]
    await say(session, 3)
    assert await session.get_items() == turns(3)
    with pytest.raises(NothingToRedoError):
        await session.redo()
