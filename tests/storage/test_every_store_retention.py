from datetime import UTC, datetime

import pytest

from core.errors import ChangedError
from core.queries.bill import UsageLedger, UsageOfCustomer, UsageOfSession
from core.queries.counts import OldBodies, OldUsage
from core.queries.lanes import ParkedEvents
from core.queries.log import AuditAfter, AuditEnd, AuditStart, AuditStartRow
from core.queries.outbox import DeliveriesTo
from core.queries.people import SilentSessions
from core.queries.tickets import ChangesOf, SettledTickets, TicketById
from core.records.erasing import BlankBodies, DropTicket, DropUsage, FoldUsage
from core.records.guards import TicketAt
from core.records.lanes import FinishEvent
from core.records.log import CutAudit
from core.records.outbox import MarkDelivery
from core.records.people import Reserve
from tests.storage.samples import audit, change, commit, customer, delivery, event, move, session, ticket, turn, usage


def at(*day):
    return int(datetime(*day, tzinfo=UTC).timestamp()) * 1_000_000


MARCH, APRIL = at(2025, 3, 1), at(2025, 4, 1)
FOLDED = at(2025, 4, 10)
BOOKED = (
    usage("u1", at=MARCH),
    usage("u2", at=APRIL - 1, session=b"another", turn="t2"),
    usage("u3", at=APRIL - 2, model="other"),
    usage("u4", at=APRIL - 3, cost_nano=None, estimated=1),
    usage("u5", at=APRIL),
    usage("u6", at=FOLDED),
    usage("u7", at=MARCH, customer="d"),
)


async def ledger(store):
    """What was booked, by customer, model and month, added up to the last billionth."""
    sums = {}
    for row in await store.read(UsageLedger(0, 2**63 - 1)):
        month = datetime.fromtimestamp(row.day * 86_400, UTC).strftime("%Y-%m")
        counts = (
            *(row.calls, row.requests, row.input_tokens, row.cached_tokens, row.output_tokens, row.reasoning_tokens),
            *(row.cost_nano, row.unpriced, row.estimated),
        )
        key = row.customer, row.model, month
        sums[key] = tuple(map(sum, zip(sums.get(key, (0,) * len(counts)), counts, strict=True)))
    return sums


async def outcomes(store, customer="c"):
    rows = await store.read(UsageLedger(0, 2**63 - 1))
    return sorted((row.outcome, row.calls) for row in rows if row.customer == customer)


@pytest.fixture
async def booked(store):
    await commit(store, customer(), customer("d"), *session(), *BOOKED)
    return store


async def test_folded_lines_of_the_bill_add_up_as_before_by_customer_model_and_month(booked):
    before, whole = await ledger(booked), await booked.read(UsageOfCustomer("c"))
    await commit(booked, FoldUsage("c", FOLDED))
    assert await ledger(booked) == before
    assert await booked.read(UsageOfCustomer("c")) == whole
    assert await outcomes(booked) == [("deleted", 1), ("total", 1), ("total", 1), ("total", 3)]
    assert await outcomes(booked, "d") == [("deleted", 1)]


async def test_later_lines_of_a_month_are_added_to_its_total(booked):
    before = await ledger(booked)
    for until in (APRIL - 2, APRIL, APRIL + 1, FOLDED + 1):
        await commit(booked, FoldUsage("c", until))
        await commit(booked, FoldUsage("c", until))
    assert await ledger(booked) == before
    # March of two models, of which one was priced once and not once, and April.
    assert await outcomes(booked) == [("total", 1), ("total", 2), ("total", 3)]
    assert [row.calls for row in await booked.read(UsageOfSession(b""))] == [6]


async def test_lines_of_the_bill_may_go_instead_totals_too(booked):
    await commit(booked, FoldUsage("c", APRIL))
    await commit(booked, DropUsage("c", APRIL))
    assert await outcomes(booked) == [("deleted", 1), ("deleted", 1)]
    assert await outcomes(booked, "d") == [("deleted", 1)]


async def test_old_lines_of_the_bill_are_counted_by_customer_and_totals_where_asked(booked):
    await commit(booked, usage("u8", customer="session/1"))
    rows = [(row.table, row.owner, row.rows) for row in await booked.read(OldUsage(FOLDED, 0))]
    assert rows == [("usage", "c", 5), ("usage", "d", 1)]
    await commit(booked, FoldUsage("c", FOLDED))
    assert [row.owner for row in await booked.read(OldUsage(FOLDED, 0))] == ["d"]
    assert [(row.owner, row.rows) for row in await booked.read(OldUsage(FOLDED, 1))] == [("c", 4), ("d", 1)]


async def test_only_tickets_that_are_over_are_settled(store):
    states = {"k1": "open", "k2": "resolved", "k3": "waiting_for_staff", "k4": "withdrawn", "k5": "resolved"}
    tickets = [
        ticket(id_, number=number, status=state, at=9 - number) for number, (id_, state) in enumerate(states.items())
    ]
    await commit(store, customer(), *session(), *tickets)
    assert [row.id for row in await store.read(SettledTickets(99, 9))] == ["k5", "k4", "k2"]
    assert [row.id for row in await store.read(SettledTickets(6, 9))] == ["k5"]
    assert [row.id for row in await store.read(SettledTickets(99, 1, 1))] == ["k4"]


async def test_a_dropped_ticket_goes_with_its_timeline_and_its_number_is_not_given_again(store):
    await commit(store, customer(), *session(), Reserve("ticket/w", 1001), ticket(), change())
    with pytest.raises(ChangedError):
        await commit(store, TicketAt("k1", 7), DropTicket("k1"))
    await commit(store, TicketAt("k1", 1), DropTicket("k1"))
    assert await store.read(TicketById("k1")) == await store.read(ChangesOf("k1", 9)) == []
    assert await commit(store, Reserve("ticket/w", 1001)) == ([(1002,)],)


async def test_texts_go_of_the_one_owner_who_is_named(store):
    await commit(store, *session())
    for owner in ("c", "d"):
        await commit(store, event(f"e-{owner}", customer=owner), delivery(f"p-{owner}", owner=owner, at=1))
        await commit(store, FinishEvent(f"e-{owner}", "parked"), MarkDelivery(f"p-{owner}", "sent", b"id"))
    rows = [(row.table, row.owner, row.rows) for row in await store.read(OldBodies(9, 9))]
    assert rows == [("inbox", "c", 1), ("inbox", "d", 1), ("outbox", "c", 1), ("outbox", "d", 1)]
    await commit(store, BlankBodies("c", 9, 9), BlankBodies("d", 1, 0))
    assert {row.customer: bool(row.body) for row in await store.read(ParkedEvents(9))} == {"c": False, "d": True}
    assert [bool(row.body) for who in ("c", "d") for row in await store.read(DeliveriesTo(who))] == [False, True]


async def test_silent_sessions_are_read_page_by_page(store):
    for number in range(1, 4):
        name, id_ = b"%d" % number, f"t{number}"
        await commit(store, *session(name), turn(id_, session=name), move(id_, session=name, at=number))
    assert [row.id for row in await store.read(SilentSessions(9, 2, 1))] == [b"2", b"3"]


# --- the audit log ----------------------------------------------------------------------------------------------------


async def lines(store):
    return [row.seq for row in await store.read(AuditAfter(0, 9))]


async def test_the_log_is_cut_off_at_a_line_and_goes_on_after_its_end(store):
    await commit(store, audit("a1"), audit("a2", 2), audit("a3", 3))
    await commit(store, CutAudit(2, b"link a2"), audit("a4", 4))
    assert await lines(store) == [3, 4]
    assert await store.read(AuditStart()) == [AuditStartRow(2, b"link a2")]
    (end,) = await store.read(AuditEnd())
    assert end.seq == 4


@pytest.mark.parametrize("cut", [CutAudit(2, b"another link"), CutAudit(7, b"link a2")])
async def test_a_cut_at_a_line_that_is_not_there_is_refused(store, cut):
    await commit(store, audit("a1"), audit("a2", 2))
    with pytest.raises(ChangedError):
        await commit(store, cut)
    assert await lines(store) == [1, 2]
    assert await store.read(AuditStart()) == [AuditStartRow(0, b"")]


async def test_a_line_of_the_log_reads_the_same_after_a_cut(store):
    await commit(store, audit("a1"), audit("a2", 2))
    _, second = await store.read(AuditAfter(0, 9))
    await commit(store, CutAudit(1, b"link a1"))
    assert await store.read(AuditAfter(0, 9)) == [second]
