import pytest

from core.errors import ChangedError
from core.queries.lanes import LaneById, NextEvent, QueuedAfter
from core.queries.said import MessageByKey
from core.records.guards import QueueEnds
from core.records.lanes import FinishEvent, MoveEvent
from tests.storage.samples import S, commit, event, message, one, session


async def pending(store, session_):
    return (await one(store, LaneById(session_))).pending


async def test_an_event_that_moves_waits_in_the_other_lane_with_its_message(store):
    await commit(store, *session(), *session(b"new"), event("e1"), event("e2"), message(turn="e2"))
    await commit(store, MoveEvent("e2", b"new"))
    assert (await pending(store, S), await pending(store, b"new")) == (1, 1)
    assert [row.id for row in await store.read(NextEvent(b"new"))] == ["e2"]
    assert (await one(store, MessageByKey(message().key))).session == b"new"


async def test_events_that_move_keep_their_order_among_those_that_wait_there(store):
    await commit(store, *session(), *session(b"new"), event("e1"), event("e2"), event("e3", session=b"new"))
    await commit(store, MoveEvent("e2", b"new"), MoveEvent("e1", b"new"))
    assert [row.id for row in await store.read(QueuedAfter(b"new", 0))] == ["e1", "e2", "e3"]
    assert await pending(store, S) == 0


async def test_what_was_dealt_with_does_not_move(store):
    await commit(store, *session(), *session(b"new"), event("e1"), message(turn="e1"))
    await commit(store, FinishEvent("e1", "done"))
    await commit(store, MoveEvent("e1", b"new"))
    assert await store.read(LaneById(b"new")) == []
    assert (await one(store, MessageByKey(message().key))).session == S


async def test_what_waits_after_an_event_is_listed_oldest_first(store):
    await commit(store, *session(), event("e1"), event("e2"), event("e3", session=b"other"), event("e4"))
    await commit(store, FinishEvent("e2", "done"))
    assert [row.id for row in await store.read(QueuedAfter(S, 0))] == ["e1", "e4"]
    assert [row.id for row in await store.read(QueuedAfter(S, 1))] == ["e4"]


async def test_a_queue_that_has_grown_meanwhile_is_noticed(store):
    await commit(store, *session(), event("e1"), event("e2"))
    await commit(store, QueueEnds(S, 2))
    await commit(store, event("e3"))
    with pytest.raises(ChangedError):
        await commit(store, QueueEnds(S, 2))
