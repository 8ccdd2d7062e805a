import json

import pytest

from adapters.storage.sessions import open_session
from core.errors import (
    BranchExistsError,
    NoSuchBranchError,
)
from tests.sessions.samples import answer, call, output, say, turns, used, user


async def test_a_branch_keeps_the_turn_it_is_made_from_and_becomes_the_current_one(session):
    await say(session, 1, 2, 3)
    assert await session.create_branch_from_turn(2, "what if") == "what if"
    assert await session.get_items() == turns(1, 2)
    await say(session, 4)
    assert await session.get_items() == turns(1, 2, 4)
    assert await session.get_items(branch_id="main") == turns(1, 2, 3)
    assert await session.get_items(limit=3, branch_id="main") == turns(3)[1:]


async def test_branches_that_end_in_one_turn_grow_apart(session):
    await say(session, 1)
    await session.create_branch_from_turn(1, "other")
    await session.add_items([answer("on other")])
    await session.switch_to_branch("main")
    await session.add_items([answer("on main")])
    assert await session.get_items() == [*turns(1), answer("on main")]
    assert await session.get_items(branch_id="other") == [*turns(1), answer("on other")]


async def test_branches_are_listed_with_what_is_on_them(session):
    assert await session.list_branches() == []
    await say(session, 1, 2)
    await session.create_branch_from_turn(1, "other")
    listed = await session.list_branches()
    assert [{key: branch[key] for key in branch if key != "created_at"} for branch in listed] == [
        {"branch_id": "main", "message_count": 8, "user_turns": 2, "is_current": False},
        {"branch_id": "other", "message_count": 4, "user_turns": 1, "is_current": True},
    ]


async def test_the_name_of_a_branch_is_taken_once_and_made_up_where_none_is_given(session):
    await say(session, 1)
    with pytest.raises(BranchExistsError, match="already been used"):
        await session.create_branch_from_turn(1, "main")
    names = [await session.create_branch_from_turn(1) for _ in range(2)]
    assert len({"main", *names}) == 3
    for blank in ("", "  "):
        with pytest.raises(ValueError, match="cannot be empty"):
            await session.create_branch_from_turn(1, blank)


async def test_a_branch_can_be_made_from_what_was_said(session):
    await say(session, 1, 2, 3)
    assert await session.create_branch_from_content("QUESTION 2", "there") == "there"
    assert await session.get_items() == turns(1, 2)
    with pytest.raises(ValueError, match="No user turns found"):
        await session.create_branch_from_content("never said")


async def test_what_is_not_there_is_a_value_error_as_in_the_sdk(session):
    await say(session, 1)
    with pytest.raises(ValueError, match="Turn 5 does not contain a user message in branch 'main'"):
        await session.create_branch_from_turn(5)
    for going in (session.switch_to_branch("x"), session.delete_branch("x"), session.get_items(branch_id="x")):
        with pytest.raises(NoSuchBranchError, match="Branch 'x' does not exist"):
            await going


async def test_the_current_branch_is_deleted_only_with_force_and_main_never(session):
    await say(session, 1)
    await session.create_branch_from_turn(1, "other")
    with pytest.raises(ValueError, match="Cannot delete current branch"):
        await session.delete_branch("other")
    await session.delete_branch("other", force=True)
    assert [branch["branch_id"] for branch in await session.list_branches() if branch["is_current"]] == ["main"]
    with pytest.raises(ValueError, match="Cannot delete the 'main' branch"):
        await session.delete_branch("main", force=True)
    assert await session.get_items() == turns(1)


async def test_the_current_branch_is_remembered(lasting_url):
    async with open_session(lasting_url, "alice") as session:
        await say(session, 1, 2)
        await session.create_branch_from_turn(1, "other")
    async with open_session(lasting_url, "alice") as session:
        assert await session.get_items() == turns(1)


async def test_what_users_said_is_listed_and_found(session):
    long = "word " * 40
    await session.add_items(
        [user(long), answer("1"), {"role": "user", "content": [{"type": "input_text", "text": "Café"}]}]
    )
    first, second = await session.get_conversation_turns()
    assert first == first | {"turn": 1, "content": long[:100] + "...", "full_content": long, "can_branch": True}
    assert second == second | {"turn": 2, "content": json.dumps(second["full_content"], ensure_ascii=False)}
    assert [found["turn"] for found in await session.find_turns_by_content("café")] == [2]
    assert [found["content"] for found in await session.find_turns_by_content("WORD")] == [long]
    assert await session.find_turns_by_content("input_text") == []


async def test_tools_are_counted_by_turn_and_named_as_the_sdk_names_them(session):
    await session.add_items([user("all"), call(1), output(1), call(2), output(2), {"type": "shell_call", "action": {}}])
    mcp = {"type": "mcp_call", "server_label": "files", "name": "read", "arguments": "{}"}
    await session.add_items([user("more"), mcp, call(3) | {"namespace": "crm"}, call(4) | {"namespace": "look_up"}])
    await session.add_items([user("search"), {"type": "tool_search_output", "tools": []}])
    assert sorted(await session.get_tool_usage()) == [
        ("crm.look_up", 1, 2),
        ("files.read", 1, 2),
        ("look_up", 1, 2),
        ("look_up", 2, 1),
        ("shell_call", 1, 1),
        ("tool_search", 1, 3),
    ]


async def test_usage_is_kept_by_turn_and_stored_anew_for_the_same_turn(session):
    assert await session.get_session_usage() is None
    await say(session, 1)
    await session.store_run_usage(used(requests=9, input_tokens=9, output_tokens=9))
    await session.store_run_usage(used(requests=1, input_tokens=50, output_tokens=30, total_tokens=80))
    await say(session, 2)
    await session.store_run_usage(used(requests=2, input_tokens=75, output_tokens=45, total_tokens=120))
    total = {"requests": 3, "input_tokens": 125, "output_tokens": 75, "total_tokens": 200, "total_turns": 2}
    assert await session.get_session_usage() == total
    first, second = await session.get_turn_usage()
    assert (first["user_turn_number"], second["user_turn_number"], second["total_tokens"]) == (1, 2, 120)
    assert await session.get_turn_usage(1) == {key: first[key] for key in first if key != "user_turn_number"}
    assert await session.get_turn_usage(3) == {}


@pytest.mark.parametrize("loss", ["undo", "pop", "clear", "branch"])
async def test_the_bill_never_shrinks(session, loss):
    await say(session, 1, 2)
    await session.create_branch_from_turn(1, "other")
    await session.add_items([user("question 3")])
    await session.store_run_usage(used(requests=1, input_tokens=10, output_tokens=5))
    if loss == "undo":
        await session.undo()
    elif loss == "pop":
        await session.pop_item()
    elif loss == "clear":
        await session.clear_session()
    else:
        await session.delete_branch("other", force=True)
    kept = await session.get_session_usage()
    assert (kept["requests"], kept["total_tokens"]) == (1, 15)
    assert await session.get_session_usage("other") == kept
    assert await session.get_session_usage("main") is None
