from core.queries.bill import UsageOfCustomer
from core.queries.branches import BranchByName
from core.queries.counts import HeldOf
from core.queries.lanes import LaneById, NextEvent
from core.queries.outbox import DeliveriesTo
from core.queries.people import CustomerById, CustomerOfIdentity, PlaceByKey, PlacesOf, SessionById
from core.queries.tickets import ChangesOf, TicketById
from core.queries.turns import ItemsOf, TurnsOf
from core.records.erasing import ForgetCustomer
from core.records.outbox import DropDelivery
from core.records.people import BindPlace, HandOver
from core.records.turns import PutFeedback, PutSummary, RewriteBranch
from tests.storage.samples import (
    MAIN_BRANCH,
    S,
    change,
    commit,
    customer,
    delivery,
    event,
    identity,
    message,
    move,
    one,
    said,
    session,
    ticket,
    turn,
    usage,
)

SHARED = b"shared"


async def filled(store):
    """A session of c alone, and one of c in which d spoke too."""
    await commit(
        store, customer(), customer("d"), identity(), *session(), *said(2), BindPlace(b"place", S, "c", 1, b"body"),
        *session(SHARED, owner="d"), turn("s1", session=SHARED), turn("s2", session=SHARED, speaker="d", depth=2),
        move("s1", None, session=SHARED), PutSummary("s2", "d", 1, b"summary"), PutFeedback("s2", "c", "helpful", 1),
        BindPlace(b"theirs", SHARED, "d", 1, b"body"), message(), ticket(), change(), usage(), delivery(),
        delivery("d2", owner="d"), event("e1"), event("e2", customer="d", session=SHARED),
    )  # fmt: skip


async def held(store, customer):
    return {row.table: row.rows for row in await store.read(HeldOf(customer)) if row.rows}


async def test_what_is_held_of_a_customer_is_counted(store):
    await filled(store)
    assert await held(store, "c") == {
        **{"customer": 1, "identity": 1, "session": 1, "turn": 3, "item": 4, "feedback": 1, "message": 1, "inbox": 1},
        **{"ticket": 1, "ticket_change": 1, "outbox": 1, "usage": 1},
    }


async def test_a_forgotten_customer_leaves_a_stub_numbers_and_the_bill(store):
    await filled(store)
    billed = await one(store, UsageOfCustomer("c"))
    await commit(store, ForgetCustomer("c"))
    assert await held(store, "c") == {"usage": 1}
    assert await one(store, UsageOfCustomer("c")) == billed
    row = await one(store, CustomerById("c"))
    assert (row.body, row.version) == (b"", 2)
    assert (await one(store, TicketById("k1"))).body == b""
    (line,) = await store.read(ChangesOf("k1", 9))
    assert (line.before, line.after) == (None, None)
    assert await store.read(CustomerOfIdentity(b"identity")) == []


async def test_a_session_of_a_forgotten_customer_alone_goes_whole(store):
    await filled(store)
    await commit(store, ForgetCustomer("c"))
    assert await store.read(SessionById(S)) == await store.read(TurnsOf(S)) == []
    assert await store.read(PlaceByKey(b"place")) == []


async def test_where_others_spoke_their_turns_and_the_place_of_the_forgotten_ones_stay(store):
    await filled(store)
    before = await one(store, SessionById(SHARED))
    await commit(store, ForgetCustomer("c"))
    assert [(row.status, row.body) for row in await store.read(TurnsOf(SHARED))] == [
        ("erased", b""),
        ("done", b"body of s2"),
    ]
    after = await one(store, SessionById(SHARED))
    assert (after.revision, after.version) == (before.revision + 1, before.version + 1)
    assert await store.read(ItemsOf("s1")) == []
    assert (await held(store, "d"))["outbox"] == 1


async def test_events_that_waited_are_dealt_with_and_their_lane_counts_right(store):
    await filled(store)
    await commit(store, ForgetCustomer("c"))
    assert await store.read(NextEvent(S)) == []
    assert (await one(store, LaneById(S))).pending == 0
    assert (await one(store, NextEvent(SHARED))).id == "e2"
    assert (await one(store, LaneById(SHARED))).pending == 1


async def test_forgetting_twice_is_forgetting_once(store):
    await filled(store)
    await commit(store, ForgetCustomer("c"))
    await commit(store, ForgetCustomer("c"))
    assert await held(store, "c") == {"usage": 1}
    assert (await one(store, LaneById(S))).pending == 0


async def test_what_was_handed_over_in_the_same_commit_stays(store):
    await filled(store)
    await commit(
        store,
        HandOver(S, "desk", b"sealed anew"),
        RewriteBranch(S, MAIN_BRANCH, b"name anew"),
        BindPlace(b"place", S, "desk", 2, b"place anew"),
        ForgetCustomer("c"),
    )
    row = await one(store, SessionById(S))
    assert (row.owner, row.body) == ("desk", b"sealed anew")
    assert (await one(store, BranchByName(S, MAIN_BRANCH))).body == b"name anew"
    assert [(place.key, place.body) for place in await store.read(PlacesOf("desk"))] == [(b"place", b"place anew")]
    assert [turn.status for turn in await store.read(TurnsOf(S))] == ["erased", "erased"]


async def test_a_piece_is_dropped_by_its_key(store):
    await filled(store)
    await commit(store, DropDelivery("d1"))
    assert await store.read(DeliveriesTo("c")) == []
    assert [row.key for row in await store.read(DeliveriesTo("d"))] == ["d2"]
