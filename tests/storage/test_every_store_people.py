import pytest

from core.errors import (
    ChangedError,
    ConflictError,
)
from core.queries.lanes import NextEvent
from core.queries.people import (
    CustomerById,
    CustomerOfIdentity,
    Customers,
    IdentitiesOf,
    OtherWorkspace,
    PlaceByKey,
    SessionById,
    Sessions,
    SessionsSpokenBy,
    SilentSessions,
)
from core.records.guards import PlaceIs
from core.records.people import BindPlace, PutCustomer, PutSession, Reserve
from tests.storage.samples import (
    MAIN_BRANCH,
    S,
    commit,
    customer,
    event,
    identity,
    move,
    one,
    said,
    session,
    turn,
)


async def test_a_counter_begins_at_its_start_and_gives_no_number_twice(store):
    assert [await commit(store, Reserve("n", 1001)) for _ in range(3)] == [([(1001,)],), ([(1002,)],), ([(1003,)],)]
    outcomes = await store.write([(Reserve("n", 1001),)] * 5)
    assert sorted(rows[0][0] for (rows,) in outcomes) == [1004, 1005, 1006, 1007, 1008]


async def test_counters_of_two_names_count_apart(store):
    assert await commit(store, Reserve("n", 5), Reserve("m", 7)) == ([(5,)], [(7,)])


async def test_a_customer_begins_at_version_1_and_each_change_raises_it(store):
    await commit(store, customer(at=7))
    row = await one(store, CustomerById("c"))
    assert (row.id, row.workspace, row.version, row.at, row.body) == ("c", "w", 1, 7, b"customer")
    await commit(store, PutCustomer("c", b"new"))
    row = await one(store, CustomerById("c"))
    assert (row.version, row.body) == (2, b"new")


async def test_an_identity_is_one_customers_only(store):
    await commit(store, customer("a"), customer("b"), identity(customer="a"))
    with pytest.raises(ConflictError):
        await commit(store, identity(customer="b"))
    assert (await one(store, CustomerOfIdentity(b"identity"))).id == "a"
    assert not await store.read(CustomerOfIdentity(b"unknown"))


async def test_an_identity_needs_its_customer(store):
    with pytest.raises(ChangedError):
        await commit(store, identity(customer="nobody"))


async def test_a_customers_identities_are_listed_and_nobody_elses(store):
    await commit(store, customer("a"), customer("b"))
    await commit(store, *(identity(key, customer=who) for key, who in ((b"1", "a"), (b"2", "a"), (b"3", "b"))))
    rows = await store.read(IdentitiesOf("a"))
    assert [(row.key, row.customer, row.body) for row in rows] == [
        (b"1", "a", b"body of an identity"),
        (b"2", "a", b"body of an identity"),
    ]


async def test_customers_are_listed_oldest_first(store):
    await commit(store, customer("a", at=9), customer("b", at=3))
    assert [row.id for row in await store.read(Customers())] == ["b", "a"]


async def test_a_new_session_is_on_its_branch_at_version_1_with_no_turn(store):
    await commit(store, *session(at=5))
    row = await one(store, SessionById(S))
    assert (row.id, row.workspace, row.owner, row.strategy, row.body) == (S, "w", "c", "user", b"body of a session")
    assert (row.branch, row.branch_body, row.head, row.depth, row.agent) == (MAIN_BRANCH, b"body of main", None, 0, "")
    assert (row.version, row.revision, row.answered_by, row.muted) == (1, 0, "bot", 0)
    assert (row.started, row.spoken) == (5, 5)


async def test_to_add_a_session_that_is_there_changes_nothing(store):
    await commit(store, *session(), *said(2))
    before = await one(store, SessionById(S))
    await commit(store, *session(owner="thief", at=99))
    assert await one(store, SessionById(S)) == before


async def test_a_session_shows_where_its_current_branch_stands(store):
    await commit(store, *session(), *said(3, agent="billing"))
    row = await one(store, SessionById(S))
    assert (row.head, row.depth, row.agent) == ("t3", 3, "billing")


async def test_a_session_without_a_branch_is_still_found(store):
    await commit(store, session()[0])
    row = await one(store, SessionById(S))
    assert (row.branch, row.branch_body, row.head) == (MAIN_BRANCH, b"", None)


async def test_who_answers_and_whether_it_is_muted_is_a_change_of_the_session(store):
    await commit(store, *session())
    await commit(store, PutSession(S, "human", 1))
    row = await one(store, SessionById(S))
    assert (row.answered_by, row.muted, row.version, row.revision) == ("human", 1, 2, 0)


async def test_a_place_means_the_session_it_was_last_bound_to(store):
    await commit(store, *session(b"one"), *session(b"two"))
    assert not await store.read(PlaceByKey(b"place"))
    await commit(store, BindPlace(b"place", b"one", "c", 1, b"first"))
    await commit(store, BindPlace(b"place", b"two", "d", 2, b"second"))
    row = await one(store, PlaceByKey(b"place"))
    assert (row.session, row.owner, row.body) == (b"two", "d", b"second")


async def test_sessions_are_listed_by_who_spoke_last(store):
    for number, (name, at) in enumerate(((b"old", 1), (b"new", 3), (b"middle", 2))):
        id_ = f"t{number}"
        await commit(store, *session(name), turn(id_, session=name), move(id_, session=name, at=at))
    assert [row.id for row in await store.read(Sessions(9))] == [b"new", b"middle", b"old"]
    assert [row.id for row in await store.read(Sessions(2))] == [b"new", b"middle"]


async def test_the_sessions_of_a_customer_are_those_owned_and_those_spoken_in(store):
    for name, owner, speaker, at in (
        (b"1", "c", "c", 1),
        (b"2", "d", "c", 2),
        (b"3", "d", "d", 3),
        (b"4", "c", "d", 4),
    ):
        id_ = f"t{at}"
        await commit(store, *session(name, owner=owner))
        await commit(store, turn(id_, session=name, speaker=speaker), move(id_, session=name, at=at))
    assert [row.id for row in await store.read(SessionsSpokenBy("c", 9))] == [b"4", b"2", b"1"]
    assert [row.id for row in await store.read(SessionsSpokenBy("c", 1))] == [b"4"]
    assert await store.read(SessionsSpokenBy("nobody", 9)) == []


async def test_another_workspace_is_told_unless_it_is_nobodys(store):
    await commit(store, customer("c", workspace="w"), customer("d", workspace="@dm"))
    assert await store.read(OtherWorkspace("w")) == []
    assert [row.workspace for row in await store.read(OtherWorkspace("@dm"))] == ["w"]
    await commit(store, customer("e", workspace="x"), customer("f", workspace="y"))
    assert [row.workspace for row in await store.read(OtherWorkspace("w"))] == ["x"]


async def test_silent_sessions_hold_turns_and_wait_for_nothing(store):
    for name, at in ((b"silent", 1), (b"less so", 2), (b"busy", 3), (b"spoken", 9)):
        id_ = f"t{at}"
        await commit(store, *session(name), turn(id_, session=name), move(id_, session=name, at=at))
    await commit(store, *session(b"empty"), event(session=b"busy"))
    assert [row.id for row in await store.read(SilentSessions(9, 9))] == [b"silent", b"less so"]
    assert [row.id for row in await store.read(SilentSessions(9, 1))] == [b"silent"]


async def test_an_event_waits_for_a_session_that_is_not_there_yet(store):
    await commit(store, event(session=b"later"))
    assert (await one(store, NextEvent(b"later"))).id == "e1"


async def test_a_place_that_means_another_session_meanwhile_is_noticed(store):
    await commit(store, *session(b"1"), *session(b"2"), PlaceIs(b"place", None))
    await commit(store, BindPlace(b"place", b"1", "c", 1, b"body"))
    await commit(store, PlaceIs(b"place", b"1"))
    for expected in (None, b"2"):
        with pytest.raises(ChangedError):
            await commit(store, PlaceIs(b"place", expected))


async def test_a_place_is_looked_at_after_what_was_handed_in_before_is_written(store):
    await commit(store, *session(b"1"))
    bound, relies = (BindPlace(b"place", b"1", "c", 1, b"body"),), (PlaceIs(b"place", None),)
    assert [type(outcome) for outcome in await store.write([bound, relies])] == [tuple, ChangedError]
