import pytest

from core.errors import (
    NoSuchTurnError,
    NothingToRedoError,
    NothingToUndoError,
)
from tests.sessions.samples import answer, say, turns, user


async def test_a_turn_begins_at_a_user_item_and_what_comes_before_the_first_is_of_turn_1(session):
    leading = {"role": "system", "content": "Be kind."}
    await session.add_items([leading])
    await session.add_items([user("one"), answer("1"), user("two")])
    await session.add_items([answer("2")])
    by_turn = await session.get_conversation_by_turns()
    assert {number: [item["type"] for item in items] for number, items in by_turn.items()} == {
        1: ["other", "user", "assistant"],
        2: ["user", "assistant"],
    }


async def test_undo_takes_back_turns_and_redo_brings_them_back(session):
    await say(session, 1, 2, 3)
    assert await session.undo(2) == 1
    assert await session.get_items() == turns(1)
    assert await session.redo() == 3
    assert await session.get_items() == turns(1, 2, 3)


async def test_each_redo_brings_back_what_one_undo_took(session):
    await say(session, 1, 2, 3)
    await session.undo()
    await session.undo()
    assert [await session.redo(), await session.redo()] == [2, 3]
    with pytest.raises(NothingToRedoError):
        await session.redo()


@pytest.mark.parametrize("change", ["turn", "item", "pop"])
async def test_nothing_comes_back_once_something_else_was_done(session, change):
    await say(session, 1, 2, 3)
    await session.undo()
    if change == "turn":
        await say(session, 4)
    elif change == "item":
        await session.add_items([answer("one more")])
    else:
        await session.pop_item()
    before = await session.get_items()
    with pytest.raises(NothingToRedoError):
        await session.redo()
    assert await session.get_items() == before


async def test_an_undo_before_a_new_turn_is_not_redone_after_that_turn_was_undone_and_redone(session):
    await say(session, 1, 2)
    await session.undo()
    await say(session, 3)
    await session.undo()
    assert await session.redo() == 2
    with pytest.raises(NothingToRedoError):
        await session.redo()
    assert await session.get_items() == turns(1, 3)


async def test_rewind_keeps_the_turn_it_names(session):
    await say(session, 1, 2, 3, 4)
    assert await session.rewind(2) == 2
    assert await session.get_items() == turns(1, 2)
    await session.redo()
    assert await session.get_items() == turns(1, 2, 3, 4)


async def test_there_is_no_going_back_to_what_is_not_there(session):
    for going_back in (session.undo(), session.redo(), session.rewind(1)):
        with pytest.raises((NothingToUndoError, NothingToRedoError, NoSuchTurnError)):
            await going_back
    await say(session, 1)
    with pytest.raises(NothingToUndoError):
        await session.undo(2)
    for number in (0, 2, -1):
        with pytest.raises(NoSuchTurnError):
            await session.rewind(number)
    assert await session.get_items() == turns(1)


async def test_what_is_added_after_an_undo_leaves_the_undone_turns_as_they_were(session):
    await say(session, 1, 2)
    await session.undo()
    await session.add_items([answer("more of turn 1")])
    assert await session.get_items() == [*turns(1), answer("more of turn 1")]
    assert await session.undo() == 0
    assert await session.redo() == 1
