import pytest

from core.errors import StageClosedError
from core.sessions import TurnSession

WINDOW = [{"role": "user", "content": "before"}, {"role": "assistant", "content": "yes"}]
ASKED = {"role": "user", "content": "now"}


@pytest.fixture
def session():
    return TurnSession("slack/T1/dm/U7", list(WINDOW))


async def test_a_turn_reads_its_window_and_then_what_it_added(session):
    await session.add_items([ASKED])

    assert await session.get_items() == [*WINDOW, ASKED]
    assert session.items == [ASKED]


@pytest.mark.parametrize(("limit", "seen"), [(0, []), (1, [ASKED]), (2, [WINDOW[1], ASKED]), (9, [*WINDOW, ASKED])])
async def test_a_limit_takes_the_newest_items(session, limit, seen):
    await session.add_items([ASKED])

    assert await session.get_items(limit) == seen


async def test_a_turn_can_take_back_only_what_it_added(session):
    await session.add_items([ASKED])

    assert await session.pop_item() == ASKED
    assert await session.pop_item() is None
    assert await session.get_items() == WINDOW


async def test_clearing_a_turn_leaves_committed_history_alone(session):
    await session.add_items([ASKED])
    await session.clear_session()

    assert session.items == []
    assert await session.get_items() == WINDOW


async def test_a_closed_turn_takes_no_more_items(session):
    await session.add_items([ASKED])
    session.close()

    with pytest.raises(StageClosedError):
        await session.add_items([ASKED])
    assert session.items == [ASKED]


async def test_what_a_turn_adds_does_not_change_the_window_it_was_given():
    window = list(WINDOW)
    session = TurnSession("s", window)

    await session.add_items([ASKED])
    (await session.get_items()).clear()

    assert window == WINDOW


async def test_items_are_kept_without_what_only_one_provider_understands(session):
    text = {"type": "output_text", "text": "Done.", "annotations": [], "logprobs": []}
    call = {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "recall", "arguments": "{}", "status": "x"}
    await session.add_items(
        [
            {"type": "reasoning", "id": "rs_1", "summary": []},
            call,
            {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [text]},
        ]
    )

    assert session.items == [
        {"type": "function_call", "call_id": "c1", "name": "recall", "arguments": "{}"},
        {"role": "assistant", "content": "Done."},
    ]
