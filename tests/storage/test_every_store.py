import asyncio

import pytest

from core.errors import (
    ChangedError,
    ConflictError,
    FencedError,
    RefusedError,
    StoppedError,
    StoreError,
)
from core.queries.people import CustomerById, Customers, IdentitiesOf, SessionById
from core.queries.tickets import TicketById
from core.queries.turns import TurnById
from core.records.guards import CustomerAt, LaneIs, NotStopped, SessionAt, TicketAt
from core.records.lanes import ClaimLane, FinishEvent, MarkStop
from core.records.people import PutCustomer, PutSession, Reserve
from core.records.tickets import PutTicket
from tests.storage.samples import (
    HOUR,
    S,
    commit,
    customer,
    event,
    identity,
    items,
    move,
    one,
    session,
    ticket,
    turn,
    version,
)

TOO_LARGE = 2**80
SURROGATE = "\ud800"

# --- batches ----------------------------------------------------------------------------------------------------------


async def test_what_is_written_is_read_at_once(store):
    await commit(store, customer())
    assert (await one(store, CustomerById("c"))).body == b"customer"


async def test_a_batch_of_nothing_is_written_at_once(store):
    assert await store.write([]) == []
    assert await store.write([()]) == [()]


async def test_a_refused_commit_is_left_out_whole(store):
    await commit(store, customer("taken"))
    with pytest.raises(ConflictError):
        await commit(store, customer("new"), customer("taken"), Reserve("n", 1))
    assert not await store.read(CustomerById("new"))
    assert await commit(store, Reserve("n", 1)) == ([(1,)],)


@pytest.mark.parametrize("place", [0, 1, 2])
async def test_a_refused_commit_does_not_fail_its_neighbours(store, place):
    await commit(store, customer("taken"))
    batch = [(customer("a"),), (customer("b"),)]
    batch.insert(place, (customer("taken"), identity(customer="taken")))
    outcomes = await store.write(batch)
    assert isinstance(outcomes.pop(place), ConflictError)
    assert outcomes == [(), ()]
    assert {row.id for row in await store.read(Customers())} == {"a", "b", "taken"}
    assert not await store.read(IdentitiesOf("taken"))


async def test_each_of_many_refused_commits_is_told_why(store):
    await commit(store, customer("taken"))
    outcomes = await store.write([(customer("taken"),), (TicketAt("gone", 1),), (LaneIs(S, 1),), (customer("free"),)])
    assert [type(outcome) for outcome in outcomes] == [ConflictError, ChangedError, FencedError, tuple]


async def test_of_two_commits_with_the_same_key_in_a_batch_the_first_is_written(store):
    outcomes = await store.write([(customer("c", body=b"first"),), (customer("c", body=b"second"),)])
    assert outcomes[0] == ()
    assert isinstance(outcomes[1], ConflictError)
    assert (await one(store, CustomerById("c"))).body == b"first"


async def test_each_commit_of_a_batch_gets_its_own_rows_in_its_own_order(store):
    await commit(store, *session())
    outcomes = await store.write(
        [
            (Reserve("n", 10), Reserve("m", 20)),
            (customer(),),
            (ClaimLane(S, "worker", HOUR), event(), Reserve("n", 10)),
        ]
    )
    assert outcomes[0] == ([(10,)], [(20,)])
    assert outcomes[1] == ()
    claimed, queued, reserved = outcomes[2]
    assert claimed == [(1, 1)]  # the event is queued first, whatever the order in the commit
    assert len(queued) == 1
    assert reserved == [(11,)]


@pytest.mark.parametrize("unfit", [{"at": TOO_LARGE}, {"id": SURROGATE}, {"body": object()}, {"workspace": None}])
async def test_what_cannot_be_stored_refuses_its_commit_alone(store, unfit):
    outcomes = await store.write([(customer("a"),), (customer("b"), customer("c", **{"id": "d"} | unfit))])
    assert outcomes[0] == ()
    assert isinstance(outcomes[1], RefusedError)
    assert [row.id for row in await store.read(Customers())] == ["a"]


async def test_of_two_commits_in_a_batch_that_read_the_same_ticket_one_changes_it(store):
    await commit(store, *session(), ticket())
    outcomes = await store.write(
        [(TicketAt("k1", 1), PutTicket("k1", "open", priority, 2, 2, b"body")) for priority in ("high", "low")]
    )
    assert outcomes[0] == ()
    assert isinstance(outcomes[1], ChangedError)
    assert (await one(store, TicketById("k1"))).priority == "high"


async def test_of_two_commits_in_a_batch_that_read_the_same_customer_one_changes_it(store):
    await commit(store, customer())
    outcomes = await store.write([(CustomerAt("c", 1), PutCustomer("c", body)) for body in (b"first", b"second")])
    assert outcomes[0] == ()
    assert isinstance(outcomes[1], ChangedError)
    assert (await one(store, CustomerById("c"))).body == b"first"


async def test_of_two_commits_in_a_batch_that_read_the_same_session_one_changes_it(store):
    await commit(store, *session())
    outcomes = await store.write([(SessionAt(S, 1), turn(id_), move(id_)) for id_ in ("t1", "t2")])
    assert outcomes[0] == ()
    assert isinstance(outcomes[1], ChangedError)
    assert not await store.read(TurnById("t2"))


async def test_a_stop_in_the_batch_of_the_turns_commit_comes_before_or_after_it(store):
    await commit(store, *session(), event())
    epoch, _ = (await commit(store, ClaimLane(S, "worker", HOUR)))[0][0]
    finish = (LaneIs(S, epoch), NotStopped("e1"), turn(), FinishEvent("e1", "done"))
    finished, stopped = await store.write([finish, (event("e2", kind="command"), MarkStop(S, "e2"))])
    assert finished == ()
    assert stopped[1] == []


async def test_commits_of_one_session_in_a_batch_are_written_in_their_order(store):
    await commit(store, *session())
    turns = [(turn(f"t{n}", depth=n), move(f"t{n}", at=n)) for n in range(1, 6)]
    assert await store.write(turns) == [()] * 5
    assert (await one(store, SessionById(S))).head == "t5"


async def test_writes_of_many_tasks_all_land(store):
    await asyncio.gather(*(store.write([(customer(f"c{n}"),)]) for n in range(20)))
    assert len(await store.read(Customers())) == 20


async def test_a_read_sees_no_half_of_a_commit(store):
    await commit(store, *session())

    async def write():
        for n in range(1, 20):
            await commit(store, turn(f"t{n}", depth=n), *items(f"t{n}"), move(f"t{n}"))

    writing = asyncio.create_task(write())
    while not writing.done():
        row = await one(store, SessionById(S))
        assert row.version == row.depth + 1
    await writing


async def test_a_cancelled_write_is_there_whole_or_not_at_all(store):
    await commit(store, *session())
    for n in range(10):
        writing = asyncio.create_task(store.write([(turn(f"t{n}"), *items(f"t{n}"), move(f"t{n}"))]))
        for _ in range(n % 3):
            await asyncio.sleep(0)
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
    await commit(store, customer())
    moved = await version(store) - 1
    there = [n for n in range(10) if await store.read(TurnById(f"t{n}"))]
    assert len(there) == moved


async def test_the_stamp_of_a_store_is_even_and_does_not_change_by_its_own_writes(store):
    before = store.stamp()
    await commit(store, customer())
    assert store.stamp() == before
    assert before is None or before % 2 == 0


async def test_a_closed_store_says_so(store):
    await store.close()
    await store.close()
    with pytest.raises(StoreError):
        await commit(store, customer())
    with pytest.raises(StoreError):
        await store.read(Customers())


# --- guards -----------------------------------------------------------------------------------------------------------


async def test_a_commit_under_the_lanes_epoch_passes_and_one_under_an_older_is_fenced(store):
    await commit(store, *session(), event())
    assert await commit(store, ClaimLane(S, "one", -1)) == ([(1, 1)],)
    await commit(store, LaneIs(S, 1), customer())
    assert await commit(store, ClaimLane(S, "two", HOUR)) == ([(2, 1)],)
    with pytest.raises(FencedError):
        await commit(store, LaneIs(S, 1), customer("late"))
    assert not await store.read(CustomerById("late"))


async def test_a_commit_under_the_lane_of_no_session_is_fenced(store):
    with pytest.raises(FencedError):
        await commit(store, LaneIs(b"nobody", 0))


async def test_a_turn_whose_event_was_marked_to_stop_is_refused(store):
    await commit(store, *session(), event())
    await commit(store, NotStopped("e1"), turn("before"))
    await commit(store, event("e2", kind="command"), MarkStop(S, "e2"))
    with pytest.raises(StoppedError):
        await commit(store, NotStopped("e1"), turn("after"))
    await commit(store, NotStopped("e2"))
    assert not await store.read(TurnById("after"))


@pytest.mark.parametrize(
    ("guard", "change"),
    [
        (SessionAt(S, 1), PutSession(S, "human", 0)),
        (CustomerAt("c", 1), PutCustomer("c", b"new")),
        (TicketAt("k1", 1), PutTicket("k1", "open", "low", 2, 2, b"new")),
    ],
)
async def test_a_commit_on_an_old_version_is_refused(store, guard, change):
    await commit(store, customer(), *session(), ticket())
    await commit(store, guard)
    await commit(store, change)
    with pytest.raises(ChangedError):
        await commit(store, guard, customer("late"))
    assert not await store.read(CustomerById("late"))


@pytest.mark.parametrize("guard", [SessionAt(b"nobody", 1), CustomerAt("nobody", 1), TicketAt("nobody", 1)])
async def test_a_commit_on_what_is_not_there_is_refused(store, guard):
    with pytest.raises(ChangedError):
        await commit(store, guard)


async def test_a_guard_of_a_refused_commit_says_why_before_a_key_does(store):
    await commit(store, customer())
    with pytest.raises(FencedError):
        await commit(store, customer(), LaneIs(S, 1))
