import pytest

from core.errors import FencedError
from core.queries.lanes import NextEvent, WaitingLanes
from core.queries.outbox import OpenAt, OutletAt, WaitingOutlets
from core.records.guards import OutletIs
from core.records.lanes import ClaimLane, PutEvent, ReleaseLane
from core.records.outbox import ClaimOutlet, GiveBackOutlets, MarkDelivery, ReleaseOutlet
from tests.storage.samples import HOUR, OVER, S, commit, delivery, event, one

P = b"place"


def claim(worker, lease=HOUR):
    return ClaimOutlet(P, "terminal", worker, lease)


async def test_an_outlet_is_had_by_one_worker_at_a_time(store):
    assert await commit(store, claim("a")) == ([(1, 0)],)
    assert await commit(store, claim("b")) == ([],)


async def test_who_holds_an_outlet_keeps_it_under_its_epoch(store):
    await commit(store, claim("a"))
    assert await commit(store, claim("a")) == ([(1, 0)],)


async def test_an_outlet_whose_lease_is_over_goes_to_the_next_under_a_new_epoch(store):
    await commit(store, claim("a", OVER))
    assert await commit(store, claim("b")) == ([(2, 0)],)
    with pytest.raises(FencedError):
        await commit(store, OutletIs(P, 1), MarkDelivery("d1", "sending", None))


async def test_a_claim_counts_what_was_open_before_its_own_commit(store):
    await commit(store, delivery("d1", place=P), delivery("elsewhere", place=b"other"))
    assert await commit(store, claim("a"), delivery("d2", place=P)) == ([(1, 1)],)
    assert await commit(store, MarkDelivery("d1", "sent", b"id"), claim("a")) == ([(1, 1)],)


async def test_a_claim_counts_what_an_earlier_commit_of_its_batch_left_open(store):
    outcomes = await store.write([(delivery("d1", place=P),), (claim("a"), delivery("d2", place=P))])
    assert outcomes == [(), ([(1, 1)],)]


async def test_an_outlet_with_an_open_piece_is_not_let_go(store):
    await commit(store, claim("a"), delivery("d1", place=P))
    await commit(store, ReleaseOutlet(P, 1, 0))
    assert (await one(store, OutletAt(P))).worker == "a"
    await commit(store, MarkDelivery("d1", "sent", b"id"), ReleaseOutlet(P, 1, 0))
    assert (await one(store, OutletAt(P))).worker is None


async def test_an_outlet_that_moved_on_is_not_let_go_by_who_held_it_before(store):
    await commit(store, claim("a", OVER))
    await commit(store, claim("b"))
    await commit(store, ReleaseOutlet(P, 1, 1))
    assert (await one(store, OutletAt(P))).worker == "b"


async def test_two_claims_and_a_release_of_one_batch_are_as_one_after_the_other(store):
    await commit(store, claim("a"), delivery("d1", place=P))
    outcomes = await store.write(
        [
            (MarkDelivery("d1", "sent", b"id"), ReleaseOutlet(P, 1, 0)),
            (claim("a"), delivery("d2", place=P)),
            (claim("b"),),
            (ReleaseOutlet(P, 2, 0),),
        ]
    )
    assert outcomes == [(), ([(2, 0)],), ([],), ()]
    assert (await one(store, OutletAt(P))).worker == "a"


async def test_outlets_with_open_pieces_wait_for_all_but_other_holders_oldest_piece_first(store):
    await commit(store, delivery("d1", place=b"second"), delivery("d2", place=P), delivery("d3", place=b"second"))
    await commit(store, delivery("d4", place=b"elsewhere", platform="slack"))
    await commit(store, claim("a"))
    assert [row.place for row in await store.read(WaitingOutlets("terminal", "b", 9))] == [b"second"]
    assert [row.place for row in await store.read(WaitingOutlets("terminal", "a", 9))] == [b"second", P]
    await commit(store, GiveBackOutlets("a"))
    assert [row.place for row in await store.read(WaitingOutlets("terminal", "b", 1))] == [b"second"]
    assert [row.key for row in await store.read(OpenAt(b"second", 9))] == ["d1", "d3"]


async def test_the_lane_that_waited_longest_is_the_first_to_be_had(store):
    await commit(store, event("e1", session=b"z"))
    await commit(store, event("e2", session=b"a"))
    await commit(store, event("e3", session=b"z"))
    assert [row.session for row in await store.read(WaitingLanes(9))] == [b"z", b"a"]
    await commit(store, ClaimLane(b"z", "w", HOUR), ReleaseLane(b"z", 1, 1))
    assert [row.session for row in await store.read(WaitingLanes(1))] == [b"z"]


async def test_an_event_is_replaced_only_while_it_waits(store):
    await commit(store, event("e1", session=S))
    await commit(store, PutEvent("e1", b"more"), PutEvent("nothing", b"more"))
    assert (await one(store, NextEvent(S))).body == b"more"
