import pytest

from core.errors import AuditMovedError, ChangedError, ConflictError
from core.queries.bill import (
    PlacedUsage,
    UsageByTurn,
    UsageByTurnOfBranch,
    UsageLedger,
    UsageOfCustomer,
    UsageOfSession,
    UsageRow,
)
from core.queries.counts import Backlog, BacklogRow, Counts
from core.queries.log import AuditAfter, AuditEnd, AuditEndRow, AuditLines
from core.queries.outbox import DeliveriesOf, OpenDeliveries
from core.queries.tickets import ChangesBy, ChangesOf, TicketById, TicketByNumber, Tickets, TicketsOf
from core.records.bill import ReplaceUsage
from core.records.guards import AuditEnds, CustomerAt
from core.records.lanes import FinishEvent
from core.records.outbox import BlankDeliveries, MarkDelivery
from core.records.tickets import PutTicket
from core.records.turns import DropTurn
from tests.storage.samples import (
    MAIN_BRANCH,
    S,
    audit,
    branch,
    change,
    commit,
    customer,
    delivery,
    event,
    items,
    move,
    one,
    said,
    session,
    ticket,
    turn,
    usage,
)

# --- tickets ----------------------------------------------------------------------------------------------------------


async def test_a_new_ticket_is_at_version_1_and_unchanged_since(store):
    await commit(store, ticket(at=5, status="waiting_for_staff", priority="high"))
    row = await one(store, TicketById("k1"))
    assert (row.id, row.workspace, row.number, row.customer, row.session, row.turn) == ("k1", "w", 1001, "c", S, "t1")
    assert (row.status, row.priority, row.version, row.at, row.changed) == ("waiting_for_staff", "high", 1, 5, 5)
    assert row.body == b"body of a ticket"


async def test_a_changed_ticket_has_its_new_state(store):
    await commit(store, ticket())
    await commit(store, PutTicket("k1", "resolved", "low", 4, 9, b"new"))
    row = await one(store, TicketById("k1"))
    assert (row.status, row.priority, row.version, row.at, row.changed) == ("resolved", "low", 4, 1, 9)
    assert (row.number, row.customer, row.body) == (1001, "c", b"new")


async def test_a_ticket_number_is_given_once_in_a_workspace(store):
    await commit(store, ticket("k1"))
    with pytest.raises(ConflictError):
        await commit(store, ticket("k2"))
    await commit(store, ticket("k3", workspace="elsewhere"))
    assert (await one(store, TicketByNumber("w", 1001))).id == "k1"
    assert (await one(store, TicketByNumber("elsewhere", 1001))).id == "k3"
    assert await store.read(TicketByNumber("w", 1002)) == []


async def test_a_customers_tickets_come_by_number_and_nobody_elses(store):
    await commit(store, ticket("k1", number=1002), ticket("k2", number=1001), ticket("k3", number=1003, customer="d"))
    assert [row.id for row in await store.read(TicketsOf("c"))] == ["k2", "k1"]


async def test_tickets_are_listed_newest_first(store):
    for id_, at in (("old", 1), ("new", 3), ("middle", 2)):
        await commit(store, ticket(id_, number=at, at=at))
    assert [row.id for row in await store.read(Tickets(9))] == ["new", "middle", "old"]
    assert [row.id for row in await store.read(Tickets(1))] == ["new"]


async def test_a_line_of_the_timeline_is_kept_as_it_was_written(store):
    await commit(store, ticket(), change(turn=None, version=3, cause="undo", actor="d", at=9, before=b"b", after=None))
    row = await one(store, ChangesOf("k1", 9))
    assert (row.id, row.ticket, row.turn, row.version, row.field) == ("h1", "k1", None, 3, "status")
    assert (row.cause, row.actor, row.at, row.before, row.after) == ("undo", "d", 9, b"b", None)


async def test_a_timeline_comes_newest_first_whatever_the_clock_said(store):
    await commit(store, ticket(), ticket("k2", number=1002))
    for version, (id_, at) in enumerate((("z", 9), ("a", 5), ("m", 1)), start=1):
        await commit(store, change(id_, at=at, version=version), change(f"{id_}2", ticket="k2"))
    assert [row.id for row in await store.read(ChangesOf("k1", 9))] == ["m", "a", "z"]
    assert [row.id for row in await store.read(ChangesOf("k1", 2))] == ["m", "a"]


async def test_the_changes_of_a_turn_come_oldest_first_with_their_undos(store):
    await commit(store, ticket(), ticket("k2", number=1002))
    await commit(store, change("z"), change("y", ticket="k2"), change("other", turn="t2"))
    await commit(store, change("a", cause="undo"))
    assert [(row.id, row.cause) for row in await store.read(ChangesBy("t1"))] == [
        ("z", "turn"),
        ("y", "turn"),
        ("a", "undo"),
    ]


async def test_a_change_needs_its_ticket(store):
    with pytest.raises(ChangedError):
        await commit(store, change())


# --- usage ------------------------------------------------------------------------------------------------------------


async def test_usage_is_summed_in_every_field(store):
    await commit(store, usage("u1"), usage("u2", cost_nano=None, estimated=1), usage("u3", customer="d"))
    assert await one(store, UsageOfCustomer("c")) == UsageRow("c", 2, 2, 200, 80, 40, 10, 1_000, 1, 1)
    assert await store.read(UsageOfCustomer("nobody")) == []


async def test_the_ledger_tells_apart_by_customer_session_ticket_model_day_and_what_became_of_the_turn(store):
    day = 86_400_000_000
    await commit(store, *session(), *said(2), turn("t3", status="failed"), move("t1", "t2", kind="undo"))
    await commit(store, usage("u1"), usage("u2", requests=3), usage("u3", turn="t2", cost_nano=None, estimated=1))
    await commit(store, usage("u4", turn="t3", at=day), usage("u5", turn="gone", at=2 * day - 1, model="other"))
    await commit(store, usage("u6", turn=None, ticket="k1"), usage("u7", customer="d", session=b"x", at=2 * day))
    rows = await store.read(UsageLedger(0, 2 * day))
    told = [(row.customer, row.session, row.ticket, row.model, row.day, row.outcome, row.requests) for row in rows]
    assert sorted(told) == [
        ("c", S, "", "model", 0, "done", 4),
        ("c", S, "", "model", 0, "undone", 1),
        ("c", S, "", "model", 1, "failed", 1),
        ("c", S, "", "other", 1, "deleted", 1),
        ("c", S, "k1", "model", 0, "none", 1),
    ]
    (undone,) = [row for row in rows if row.outcome == "undone"]
    assert (undone.calls, undone.input_tokens, undone.cached_tokens, undone.output_tokens) == (1, 100, 40, 20)
    assert (undone.reasoning_tokens, undone.cost_nano, undone.unpriced, undone.estimated) == (5, 0, 1, 1)
    assert [row.customer for row in await store.read(UsageLedger(2 * day, 3 * day))] == ["d"]


async def test_a_turn_that_another_branch_still_holds_is_not_undone(store):
    await commit(store, *session(), *said(2), branch(b"other", head="t2"), usage("u1", turn="t2"))
    await commit(store, move("t1", "t2", kind="undo"))
    assert (await one(store, UsageLedger(0, 2))).outcome == "done"


async def test_usage_counts_in_the_workspace_of_its_session_or_else_of_its_customer(store):
    await commit(store, customer("c", workspace="home"), customer("d", workspace="away"), *session(workspace="away"))
    await commit(store, usage("u1"), usage("u2", ticket="k1"), usage("u3", session=b"gone"), usage("u4", at=9))
    await commit(store, usage("u5", customer="e", session=b"gone"), usage("u6", customer="d", cost_nano=None, at=9))
    rows = await store.read(PlacedUsage("", 9, 0, 9))
    assert sorted((row.customer, row.workspace, row.session, row.ticket, row.calls) for row in rows) == [
        ("c", "away", S, "", 1),
        ("c", "away", S, "k1", 1),
        ("c", "home", b"gone", "", 1),
        ("d", "away", b"", "", 0),
        ("e", "", b"gone", "", 1),
    ]
    (last,) = await store.read(PlacedUsage("c", 1, 0, 10))
    assert (last.customer, last.calls, last.input_tokens, last.cost_nano, last.unpriced) == ("d", 1, 100, 0, 1)
    assert [row.customer for row in await store.read(PlacedUsage("", 2, 0, 1))] == ["c", "d"]
    assert await store.read(PlacedUsage("e", 9, 0, 9)) == []


async def test_usage_is_summed_by_session_and_by_its_turns(store):
    await commit(store, usage("u1"), usage("u2"), usage("u3", turn="t2"), usage("u4", turn=None, purpose="summary"))
    await commit(store, usage("u5", session=b"other", turn="t9"))
    row = await one(store, UsageOfSession(S))
    assert (row.key, row.calls, row.input_tokens) == ("", 4, 400)
    assert await store.read(UsageOfSession(b"nobody")) == []
    rows = await store.read(UsageByTurn(S))
    assert [(row.key, row.calls, row.input_tokens) for row in rows] == [("", 1, 100), ("t1", 2, 200), ("t2", 1, 100)]


async def test_usage_is_summed_by_the_turns_of_a_branch(store):
    await commit(store, usage("u1"), usage("u2", branch=b"other"), usage("u3", branch=None), usage("u4", turn="t2"))
    rows = await store.read(UsageByTurnOfBranch(S, MAIN_BRANCH))
    assert [(row.key, row.calls) for row in rows] == [("t1", 1), ("t2", 1)]
    assert await store.read(UsageByTurnOfBranch(S, b"unknown")) == []


async def test_undone_and_deleted_turns_stay_on_the_bill(store):
    await commit(store, *session(), *said(2), usage("u1", turn="t2"))
    await commit(store, move("t1", "t2", kind="undo"))
    await commit(store, DropTurn("t2"))
    assert (await one(store, UsageOfSession(S))).calls == 1


async def test_the_same_call_is_not_booked_twice(store):
    await commit(store, usage())
    with pytest.raises(ConflictError):
        await commit(store, usage(requests=5))
    assert (await one(store, UsageOfCustomer("c"))).requests == 1


async def test_usage_of_a_turn_is_stored_anew_in_one_commit(store):
    await commit(
        store, usage("u1"), usage("u2", branch=b"other"), usage("u3", turn="t2"), usage("u4", session=b"other")
    )
    await commit(store, ReplaceUsage(S, "t1", MAIN_BRANCH), usage("u5", requests=7))
    rows = await store.read(UsageByTurnOfBranch(S, MAIN_BRANCH))
    assert [(row.key, row.requests) for row in rows] == [("t1", 7), ("t2", 1)]
    assert len(await store.read(UsageByTurnOfBranch(S, b"other"))) == 1
    assert (await one(store, UsageOfSession(b"other"))).calls == 1


# --- outbox -----------------------------------------------------------------------------------------------------------


async def test_a_piece_is_kept_as_it_was_written(store):
    await commit(store, delivery(kind="retract", at=6))
    row = await one(store, DeliveriesOf("t1"))
    assert (row.key, row.platform, row.place, row.session, row.turn) == ("d1", "terminal", b"place", S, "t1")
    assert (row.owner, row.kind, row.status, row.attempts, row.at) == ("c", "retract", "pending", 0, 6)
    assert (row.body, row.sent) == (b"body of a piece", None)


async def test_a_piece_under_a_key_that_is_there_conflicts(store):
    await commit(store, delivery())
    with pytest.raises(ConflictError):
        await commit(store, delivery(turn="t2"))
    assert await store.read(DeliveriesOf("t2")) == []


async def test_to_send_is_an_attempt(store):
    await commit(store, delivery("d1"), delivery("d2", status="sending"))
    await commit(store, MarkDelivery("d1", "sending", None))
    await commit(store, MarkDelivery("d1", "sending", None), MarkDelivery("d2", "sent", b"id"))
    assert [(row.status, row.attempts) for row in await store.read(DeliveriesOf("t1"))] == [("sending", 2), ("sent", 1)]


async def test_the_id_of_a_sent_piece_is_kept(store):
    await commit(store, delivery())
    await commit(store, MarkDelivery("d1", "sending", b"stream"))
    await commit(store, MarkDelivery("d1", "sent", None))
    row = await one(store, DeliveriesOf("t1"))
    assert (row.status, row.sent) == ("sent", b"stream")
    await commit(store, MarkDelivery("d1", "sent", b"message"))
    assert (await one(store, DeliveriesOf("t1"))).sent == b"message"


async def test_open_pieces_of_a_platform_come_in_order(store):
    for key, changes in (
        ("z", {}),
        ("y", {"status": "sending"}),
        ("elsewhere", {"platform": "slack"}),
        ("sent", {}),
        ("unknown", {}),
        ("failed", {}),
        ("a", {"turn": None}),
    ):
        await commit(store, delivery(key, **changes))
    await commit(store, *(MarkDelivery(key, key, None) for key in ("sent", "unknown", "failed")))
    rows = await store.read(OpenDeliveries("terminal", 0, 9))
    assert [row.key for row in rows] == ["z", "y", "a"]
    assert [row.key for row in await store.read(OpenDeliveries("terminal", rows[0].seq, 1))] == ["y"]


async def test_pieces_of_a_turn_come_in_order(store):
    for key in ("z", "a", "m"):
        await commit(store, delivery(key))
    await commit(store, delivery("other", turn="t2"), MarkDelivery("a", "sent", b"id"))
    assert [row.key for row in await store.read(DeliveriesOf("t1"))] == ["z", "a", "m"]


async def test_blanked_pieces_have_lost_their_text(store):
    await commit(store, *(delivery(key) for key in ("sent", "sending", "pending")), delivery("other", turn="t2"))
    await commit(store, MarkDelivery("sent", "sent", b"id"), MarkDelivery("sending", "sending", None))
    await commit(store, BlankDeliveries("t1"))
    row = await one(store, DeliveriesOf("t1"))
    assert (row.key, row.body, row.sent) == ("sent", b"", b"id")
    assert (await one(store, DeliveriesOf("t2"))).body == b"body of a piece"


async def test_what_takes_blanked_pieces_back_is_sent(store):
    await commit(store, delivery("old"))
    await commit(
        store, delivery("retraction", kind="retract"), MarkDelivery("old", "sent", b"id"), BlankDeliveries("t1")
    )
    rows = await store.read(DeliveriesOf("t1"))
    assert [(row.key, row.body) for row in rows] == [("old", b""), ("retraction", b"body of a piece")]


# --- audit and counts -------------------------------------------------------------------------------------------------


async def test_the_newest_lines_of_the_log_come_oldest_first(store):
    for seq, id_ in enumerate(("z", "a", "m"), 1):
        await commit(store, audit(id_, seq, at=5))
    rows = await store.read(AuditLines(2))
    assert [row.id for row in rows] == ["a", "m"]
    row = rows[0]
    assert (row.actor, row.action, row.subject, row.owner, row.at) == ("actor", "show", "subject", "c", 5)
    assert (row.seq, row.digest, row.link, row.body) == (2, b"digest", b"link a", b"body of a line")
    assert [row.id for row in await store.read(AuditAfter(1, 9))] == ["a", "m"]
    assert [row.id for row in await store.read(AuditAfter(0, 2))] == ["z", "a"]


async def test_a_line_follows_the_one_the_log_ends_in_or_is_refused(store):
    assert await one(store, AuditEnd()) == AuditEndRow(0, b"")
    await commit(store, AuditEnds(b""), audit("a", 1))
    with pytest.raises(AuditMovedError):
        await commit(store, AuditEnds(b""), audit("b", 2))
    outcomes = await store.write([(AuditEnds(b"link a"), audit("b", 2)), (AuditEnds(b"link b"), audit("c", 3))])
    assert outcomes == [(), ()]
    assert await one(store, AuditEnd()) == AuditEndRow(3, b"link c")


async def test_a_line_without_a_link_is_refused(store):
    with pytest.raises(AuditMovedError):
        await commit(store, audit(link=b""))


async def test_a_line_behind_a_refused_one_is_refused_too(store):
    refused, behind = await store.write(
        [(CustomerAt("nobody", 1), AuditEnds(b""), audit("a", 1)), (AuditEnds(b"link a"), audit("b", 2))]
    )
    assert (type(refused), type(behind)) == (ChangedError, AuditMovedError)
    assert await store.read(AuditLines(9)) == []


async def test_everything_is_counted(store):
    await commit(store, customer(), *session(), *session(b"2"), turn(), *items("t1", 4), ticket())
    await commit(store, *(event(f"e{n}") for n in range(5)), FinishEvent("e0", "done"), FinishEvent("e1", "parked"))
    await commit(store, *(delivery(f"d{n}") for n in range(4)))
    await commit(store, MarkDelivery("d0", "sending", None), MarkDelivery("d1", "sent", None))
    await commit(store, MarkDelivery("d2", "unknown", None))
    assert {row.table: row.rows for row in await store.read(Counts())} == {
        "customer": 1,
        "session": 2,
        "turn": 1,
        "item": 4,
        "ticket": 1,
        "queued": 3,
        "parked": 1,
        "open": 2,
        "unknown": 1,
    }


async def test_a_store_tells_what_waits_and_since_when(store):
    assert await store.read(Backlog()) == [BacklogRow(0, 0, 0, 0, 0)]
    await commit(store, *(event(f"e{n}", at=10 + n) for n in range(4)), FinishEvent("e0", "done"))
    await commit(store, FinishEvent("e3", "parked"), *(delivery(f"d{n}") for n in range(4)))
    await commit(store, MarkDelivery("d0", "sending", None), MarkDelivery("d1", "sent", None))
    await commit(store, MarkDelivery("d2", "unknown", None))

    assert await store.read(Backlog()) == [BacklogRow(queued=2, oldest=11, parked=1, open=2, unknown=1)]
