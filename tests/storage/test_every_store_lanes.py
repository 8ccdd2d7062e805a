import pytest

from core.errors import ConflictError
from core.queries.lanes import LaneById, MessageBefore, NextEvent, ParkedEvents, StoppedBy, WaitingLanes
from core.records.lanes import (
    ClaimLane,
    CountAttempt,
    FinishEvent,
    FreeLanes,
    GiveBackAttempt,
    GiveBackLanes,
    MarkStop,
    ReleaseLane,
    RenewLanes,
)
from tests.storage.samples import HOUR, OVER, S, commit, event, one, session


async def claim(store, worker="worker", lease=HOUR, session_=S):
    (rows,) = await commit(store, ClaimLane(session_, worker, lease))
    return rows


async def release(store, epoch=1, always=0):
    (rows,) = await commit(store, ReleaseLane(S, epoch, always))
    return rows


async def lane(store, session_=S):
    return await one(store, LaneById(session_))


async def queued(store):
    rows = await store.read(NextEvent(S))
    assert len(rows) <= 1
    return rows[0] if rows else None


# --- the inbox --------------------------------------------------------------------------------------------------------


async def test_an_event_waits_in_the_lane_of_its_session(store):
    ((seq,),) = (await commit(store, *session(), event(at=4)))[0]
    row = await queued(store)
    assert (row.seq, row.id, row.session, row.customer, row.kind) == (seq, "e1", S, "c", "message")
    assert (row.status, row.attempts, row.stopped, row.at, row.body) == ("queued", 0, 0, 4, b"body of e1")
    row = await lane(store)
    assert (row.session, row.pending, row.epoch, row.worker, row.held) == (S, 1, 0, None, 0)


async def test_an_event_that_was_seen_before_is_not_queued_again(store):
    await commit(store, *session(), event())
    assert await commit(store, event("twin", key=event().key)) == ([],)
    assert (await lane(store)).pending == 1
    await commit(store, FinishEvent("e1", "done"))
    assert await commit(store, event("twin", key=event().key)) == ([],)
    assert await queued(store) is None


async def test_two_events_under_one_id_conflict(store):
    await commit(store, *session(), event())
    with pytest.raises(ConflictError):
        await commit(store, event(key=b"another key"))


async def test_twin_events_in_one_batch_count_once(store):
    await commit(store, *session())
    outcomes = await store.write([(event("e1", key=b"k"),), (event("e2", key=b"k"),), (event("e3", key=b"k"),)])
    assert sorted(len(rows) for (rows,) in outcomes) == [0, 0, 1]
    assert (await lane(store)).pending == 1


async def test_events_come_in_the_order_they_were_accepted(store):
    await commit(store, *session())
    for id_ in ("z", "a", "m"):
        await commit(store, event(id_, at=1))
    order = []
    while row := await queued(store):
        order.append(row.id)
        await commit(store, FinishEvent(row.id, "done"))
    assert order == ["z", "a", "m"]


async def test_a_finished_event_is_out_of_its_lane(store):
    await commit(store, *session(), event("e1"), event("e2"))
    await commit(store, FinishEvent("e1", "done"))
    assert (await queued(store)).id == "e2"
    assert (await lane(store)).pending == 1


async def test_to_finish_an_event_twice_counts_once(store):
    await commit(store, *session(), event("e1"), event("e2"))
    await commit(store, FinishEvent("e1", "parked"))
    await commit(store, FinishEvent("e1", "done"))
    assert (await lane(store)).pending == 1
    assert [row.body for row in await store.read(ParkedEvents(9))] == [b"body of e1"]


async def test_only_a_parked_event_keeps_its_body(store):
    await commit(store, *session(), event("e1"), event("e2"))
    await commit(store, FinishEvent("e1", "done"), FinishEvent("e2", "parked"))
    assert (await one(store, MessageBefore(S, 2))).body == b""
    row = await one(store, ParkedEvents(9))
    assert (row.id, row.status, row.body) == ("e2", "parked", b"body of e2")


async def test_parked_events_are_listed_oldest_first(store):
    await commit(store, *session(b"a"), *session(b"b"))
    for id_, session_ in (("3", b"b"), ("1", b"a"), ("2", b"b")):
        await commit(store, event(id_, session=session_))
    await commit(store, *(FinishEvent(id_, "parked") for id_ in ("1", "2", "3")))
    assert [row.id for row in await store.read(ParkedEvents(9))] == ["3", "1", "2"]
    assert [row.id for row in await store.read(ParkedEvents(2))] == ["3", "1"]


async def test_the_message_before_an_event_is_the_newest_one_of_its_session(store):
    await commit(store, *session(b"other"))
    for id_, changes in (
        ("m1", {}),
        ("m2", {}),
        ("word", {"kind": "command"}),
        ("theirs", {"session": b"other"}),
        ("m3", {}),
    ):
        await commit(store, event(id_, **changes))
    await commit(store, FinishEvent("m2", "done"))
    assert (await one(store, MessageBefore(S, 5))).id == "m2"
    assert (await one(store, MessageBefore(S, 6))).id == "m3"
    assert await store.read(MessageBefore(S, 1)) == []


# --- claiming ---------------------------------------------------------------------------------------------------------


async def test_a_lane_with_events_is_claimed_and_its_epoch_goes_up(store):
    await commit(store, *session(), event())
    assert await claim(store, "one", OVER) == [(1, 1)]
    assert await claim(store, "two", HOUR) == [(2, 1)]
    row = await lane(store)
    assert (row.epoch, row.worker, row.held) == (2, "two", 1)


async def test_a_lane_with_nothing_pending_is_not_to_be_had(store):
    assert await claim(store) == []
    await commit(store, *session(), event())
    await commit(store, FinishEvent("e1", "done"))
    assert await claim(store) == []
    assert (await lane(store)).epoch == 0


@pytest.mark.parametrize("worker", ["the same", "another"])
async def test_a_lane_that_is_held_is_not_to_be_had(store, worker):
    await commit(store, *session(), event())
    await claim(store, "the same")
    assert await claim(store, worker) == []
    row = await lane(store)
    assert (row.epoch, row.worker) == (1, "the same")


async def test_of_two_that_claim_in_one_batch_one_has_the_lane(store):
    await commit(store, *session(), event())
    outcomes = await store.write([(ClaimLane(S, worker, HOUR),) for worker in ("one", "two")])
    assert outcomes == [([(1, 1)],), ([],)]
    assert (await queued(store)).attempts == 1


async def test_an_event_and_the_claim_of_its_idle_lane_are_one_commit(store):
    await commit(store, *session())
    queued_, claimed = await commit(store, event(), ClaimLane(S, "worker", HOUR))
    assert queued_
    assert claimed == [(1, 1)]
    assert (await queued(store)).attempts == 1


async def test_a_claim_tells_that_older_events_wait(store):
    await commit(store, *session(), event("left"))
    added, claimed = await commit(store, event("new"), ClaimLane(S, "worker", HOUR))
    assert claimed == [(1, 2)]
    assert (await queued(store)).id == "left"


async def test_a_claim_counts_the_attempt_of_the_oldest_event_only(store):
    await commit(store, *session(), event("e1"), event("e2"))
    await claim(store)
    assert (await queued(store)).attempts == 1
    await commit(store, FinishEvent("e1", "done"))
    assert (await queued(store)).attempts == 0


async def test_a_claim_that_failed_counts_no_attempt(store):
    await commit(store, *session(), event())
    await claim(store, "one")
    await claim(store, "one")
    await claim(store, "two")
    assert (await queued(store)).attempts == 1


async def test_a_lane_whose_lease_is_over_is_claimed_again_and_counts_another_attempt(store):
    await commit(store, *session(), event())
    assert [await claim(store, "one", OVER) for _ in range(3)] == [[(1, 1)], [(2, 1)], [(3, 1)]]
    assert (await queued(store)).attempts == 3


async def test_lanes_of_two_sessions_do_not_wait_for_each_other(store):
    await commit(store, *session(b"a"), *session(b"b"), event("1", session=b"a"), event("2", session=b"b"))
    assert await claim(store, session_=b"a") == [(1, 1)]
    assert await claim(store, session_=b"b") == [(1, 1)]


async def test_a_renewed_lane_is_held_longer(store):
    await commit(store, *session(b"a"), *session(b"b"), event("1", session=b"a"), event("2", session=b"b"))
    await claim(store, "mine", OVER, b"a")
    await claim(store, "theirs", OVER, b"b")
    await commit(store, RenewLanes("mine", HOUR))
    assert (await lane(store, b"a")).held == 1
    assert (await lane(store, b"b")).held == 0
    await commit(store, RenewLanes("mine", OVER))
    assert (await lane(store, b"a")).held == 0


async def test_to_renew_does_not_bring_a_released_lane_back(store):
    await commit(store, *session(), event())
    await claim(store)
    await release(store, always=1)
    await commit(store, RenewLanes("worker", HOUR))
    row = await lane(store)
    assert (row.worker, row.held) == (None, 0)


async def test_a_lease_of_a_moment_is_counted_in_parts_of_a_second(store):
    await commit(store, *session(), event())
    await claim(store, lease=0.9)
    assert (await lane(store)).held == 1
    await commit(store, RenewLanes("worker", -0.001))
    assert (await lane(store)).held == 0


async def test_who_frees_all_lanes_fences_their_holders(store):
    await commit(store, *session(b"a"), *session(b"b"), event("1", session=b"a"), event("2", session=b"b"))
    await claim(store, session_=b"a")
    await commit(store, FreeLanes())
    row = await lane(store, b"a")
    assert (row.epoch, row.worker, row.held) == (2, None, 0)
    assert (await lane(store, b"b")).epoch == 0


async def test_who_gives_its_lanes_back_takes_their_attempts_off_and_no_other_worker_s(store):
    await commit(store, *session(b"a"), *session(b"b"), event("1", session=b"a"), event("2", session=b"b"))
    await claim(store, session_=b"a")
    await claim(store, worker="other", session_=b"b")
    await commit(store, GiveBackLanes("worker"))
    assert [(await lane(store, name)).worker for name in (b"a", b"b")] == [None, "other"]
    attempts = [(await one(store, NextEvent(name))).attempts for name in (b"a", b"b")]
    assert attempts == [0, 1]


async def test_waiting_lanes_have_events_and_nobody_to_work_them(store):
    for name in (b"free", b"held", b"over", b"idle"):
        await commit(store, *session(name), event(name.decode(), session=name))
    await claim(store, session_=b"held")
    await claim(store, lease=OVER, session_=b"over")
    await commit(store, FinishEvent("idle", "done"))
    rows = await store.read(WaitingLanes(9))
    assert sorted((row.session, row.pending, row.held) for row in rows) == [(b"free", 1, 0), (b"over", 1, 0)]
    assert len(await store.read(WaitingLanes(1))) == 1


# --- working and letting go -------------------------------------------------------------------------------------------


async def test_the_next_event_of_a_held_lane_is_counted_when_it_is_its_turn(store):
    await commit(store, *session(), event("e1"), event("e2"))
    await claim(store)
    await commit(store, FinishEvent("e1", "done"), CountAttempt(S, "worker"), ReleaseLane(S, 1, 0))
    row = await queued(store)
    assert (row.id, row.attempts) == ("e2", 1)


async def test_who_does_not_hold_the_lane_counts_nothing(store):
    await commit(store, *session(), event())
    await claim(store)
    await commit(store, CountAttempt(S, "another"))
    assert (await queued(store)).attempts == 1
    await commit(store, CountAttempt(S, "worker"))
    assert (await queued(store)).attempts == 2


async def test_an_attempt_that_was_not_the_events_fault_is_given_back(store):
    await commit(store, *session(), event())
    await claim(store)
    await commit(store, GiveBackAttempt("e1"))
    assert (await queued(store)).attempts == 0
    await commit(store, GiveBackAttempt("e1"))
    assert (await queued(store)).attempts == 0


async def test_a_lane_with_nothing_pending_is_let_go(store):
    await commit(store, *session(), event())
    await claim(store)
    assert await commit(store, FinishEvent("e1", "done"), ReleaseLane(S, 1, 0)) == ([(0, None)],)
    row = await lane(store)
    assert (row.worker, row.held, row.epoch) == (None, 0, 1)


async def test_a_lane_with_more_to_do_is_kept(store):
    await commit(store, *session(), event("e1"), event("e2"))
    await claim(store)
    assert await commit(store, FinishEvent("e1", "done"), ReleaseLane(S, 1, 0)) == ([(1, "worker")],)
    assert (await lane(store)).held == 1


async def test_a_lane_is_let_go_in_any_case_when_asked(store):
    await commit(store, *session(), event("e1"), event("e2"))
    await claim(store)
    assert await release(store, always=1) == [(2, None)]
    assert (await lane(store)).held == 0
    assert await claim(store, "another") == [(2, 2)]


async def test_a_lane_that_was_taken_over_is_not_let_go_by_its_old_holder(store):
    await commit(store, *session(), event())
    await claim(store, "old", OVER)
    await claim(store, "new")
    assert await release(store, epoch=1, always=1) == []
    assert (await lane(store)).worker == "new"


async def test_an_event_that_arrives_while_the_lane_is_let_go_is_not_forgotten(store):
    await commit(store, *session(), event("e1"))
    await claim(store)
    released, (added, claimed) = await store.write(
        [(FinishEvent("e1", "done"), ReleaseLane(S, 1, 0)), (event("e2"), ClaimLane(S, "worker", HOUR))]
    )
    row = await lane(store)
    assert row.pending == 1
    assert bool(claimed) or released[0][0][1] == "worker"
    assert row.worker == "worker"


# --- stopping ---------------------------------------------------------------------------------------------------------


async def test_a_stop_marks_the_oldest_message_that_came_before_it(store):
    await commit(store, *session(), event("e1"), event("e2"))
    _, marked = await commit(store, event("stop", kind="command"), MarkStop(S, "stop"))
    assert marked == [("e1",)]
    assert (await queued(store)).stopped == 3
    await commit(store, FinishEvent("e1", "done"))
    assert (await queued(store)).stopped == 0


async def test_a_stop_does_not_mark_what_came_after_it(store):
    await commit(store, *session(), event("stop", kind="command"))
    await commit(store, FinishEvent("stop", "done"), event("e1"))
    assert await commit(store, MarkStop(S, "stop")) == ([],)
    assert (await queued(store)).stopped == 0


async def test_an_event_is_stopped_by_one_stop_which_can_be_asked_for_it(store):
    await commit(store, *session(), event("running", kind="command"))
    for stop, marked in (("stop1", [("running",)]), ("stop2", [])):
        assert (await commit(store, event(stop, kind="command"), MarkStop(S, stop)))[1] == marked
    running = await queued(store)
    assert running.stopped == 2
    assert [row.id for row in await store.read(StoppedBy(S, 2))] == ["running"]
    assert await store.read(StoppedBy(S, 3)) == []


async def test_a_stop_of_ones_own_leaves_what_others_said_alone(store):
    await commit(store, *session(), event("of c"))
    assert (await commit(store, event("stop", kind="command"), MarkStop(S, "stop", "somebody else")))[1] == []
    assert (await commit(store, event("again", kind="command"), MarkStop(S, "again", "c")))[1] == [("of c",)]


async def test_a_stop_leaves_other_sessions_alone(store):
    await commit(store, *session(b"a"), *session(b"b"), event("1", session=b"a"))
    assert (await commit(store, event("stop", kind="command", session=b"b"), MarkStop(b"b", "stop")))[1] == []
    assert (await one(store, NextEvent(b"a"))).stopped == 0
