import sqlite3
from contextlib import closing

import pytest

from core.audit import DESK, Author, audit_lines, audit_record
from core.audit_check import Verdict, all_lines, check_audit
from core.keeping_settings import RetentionSettings
from core.ledger import ALWAYS, read_ledger, sums_by, whole
from core.legal_holds import put_hold
from core.models import TicketStatus
from core.people import find_person
from core.queries.bill import BudgetOf, BudgetRow
from core.queries.outbox import DeliveriesTo
from core.queries.turns import TurnsOf
from core.records.bill import ReserveBudget
from core.records.lanes import AddEvent, FinishEvent
from core.records.outbox import MarkDelivery
from core.retention import due, sweep
from core.tickets import load_tickets
from tests.core.books import doing, open_books, opening
from tests.storage.samples import delivery, usage

DAY = 86_400_000_000
KEEP = RetentionSettings(conversation_days=30)


@pytest.fixture
async def books():
    async with open_books() as books:
        yield books


async def spoken(books, user="alice"):
    customer = await books.customer(user)
    session = await books.session(f"terminal/local/dm/{user}", customer)
    await books.say(session.id, customer, "hello", "Hello.")
    return session.id


async def expired(books, at, keep=KEEP):
    return len((await due(books.store, books.sealer, keep, at=at)).conversations)


async def swept(books, at, keep=KEEP):
    return await sweep(books.store, books.sealer, books.writer, keep, at=at)


async def turns(books, session):
    return len(await books.store.read(TurnsOf(session)))


async def test_a_conversation_nobody_spoke_in_is_deleted_and_one_in_use_is_kept(books):
    old = await spoken(books)
    last_words = books.at
    books.at += 20 * DAY
    young = await spoken(books, "bob")
    await swept(books, last_words + 30 * DAY + 1)
    assert (await turns(books, old), await turns(books, young)) == (0, 1)
    (line,) = await audit_lines(books.store, books.sealer, 10)
    assert (line.action, line.detail) == ("expire", {"tier": "standard"})


async def test_to_the_microsecond_nothing_is_deleted_early(books):
    await spoken(books)
    assert await expired(books, books.at + 30 * DAY, KEEP) == 0
    assert await expired(books, books.at + 30 * DAY + 1) == 1


async def test_without_a_limit_everything_is_kept(books):
    await spoken(books)
    assert await expired(books, books.at + 10_000 * DAY, RetentionSettings()) == 0


async def test_what_is_empty_already_is_not_deleted_again(books):
    await spoken(books)
    at = books.at + 31 * DAY
    await swept(books, at)
    assert await expired(books, at + DAY, KEEP) == 0


async def test_undone_turns_expire_too(books):
    session = await spoken(books)
    await books.undo(session, None, "c1")
    assert await expired(books, books.at + 31 * DAY) == 1


async def test_who_speaks_meanwhile_keeps_the_conversation(books, monkeypatch):
    customer = await books.customer("alice")
    session = (await books.session("terminal/local/dm/alice", customer)).id
    await books.say(session, customer, "hello")
    prepare = books.sealer.prepare

    async def meanwhile(owners):
        await prepare(owners)
        await books.say(session, customer, "I am back")

    monkeypatch.setattr(books.sealer, "prepare", meanwhile)
    assert (await swept(books, books.at + 31 * DAY)).conversations == []
    assert await turns(books, session) == 2


async def test_a_message_that_waits_for_its_answer_keeps_the_conversation(books):
    session = await spoken(books)
    await books.commit(AddEvent("e1", b"key", session, "c1", "message", books.at, b""))
    assert await expired(books, books.at + 31 * DAY, KEEP) == 0


async def test_tickets_outlive_the_conversation(books):
    alice = await books.customer("alice")
    session = await books.session("terminal/local/dm/alice", alice)
    turn = await books.act(alice, opening())
    await books.say(session.id, alice, "open a ticket", turn=turn)
    await swept(books, books.at + 31 * DAY)
    assert len(await load_tickets(books.store, books.sealer, alice.id)) == 1


async def test_a_conversation_of_somebody_on_hold_is_kept_however_old(books):
    held, other = await spoken(books), await spoken(books, "bob")
    person = await find_person(books.store, books.sealer, "terminal/local/alice")
    await books.commit(*await put_hold(books.store, books.sealer, person, reason="case 7", by=Author("counsel")))
    await swept(books, books.at + 31 * DAY)
    assert (await turns(books, held), await turns(books, other)) == (1, 0)


async def test_a_tier_may_be_kept_longer_or_for_ever(books):
    session = await spoken(books)
    at = books.at + 31 * DAY
    tier = (await books.customer("bob")).tier
    for days, gone in ((60, 0), (0, 0), (20, 1)):
        keep = RetentionSettings(conversation_days=30, tiers={tier: {"conversation_days": days}})
        assert await expired(books, at, keep) == gone
    assert await expired(books, at, RetentionSettings(tiers={tier: {"conversation_days": 20}})) == 1
    assert await turns(books, session) == 1


async def counted(books, keep, at, *, sweeps=False):
    """How many of each class are due, or went, by tier; classes of which nothing is are left out."""
    found = await (swept(books, at, keep) if sweeps else due(books.store, books.sealer, keep, at=at))
    return {kind: tiers for kind, tiers in found.counted().items() if tiers}


async def hold(books, user="alice"):
    person = await find_person(books.store, books.sealer, f"terminal/local/{user}")
    await books.commit(*await put_hold(books.store, books.sealer, person, reason="case 7", by=Author("counsel")))


async def test_texts_of_what_was_given_up_and_of_what_was_posted_go_by_their_own_days(books):
    alice, bob = await books.customer("alice"), await books.customer("bob")
    for who in (alice, bob):
        await books.commit(
            AddEvent(f"e-{who.id}", who.id.encode(), b"s", who.id, "message", books.at, b"body"),
            delivery(f"d-{who.id}", owner=who.id, at=books.at),
            delivery(f"u-{who.id}", owner=who.id, at=books.at),
        )
        await books.commit(FinishEvent(f"e-{who.id}", "parked"), MarkDelivery(f"d-{who.id}", "sent", b"id"))
    await hold(books, "bob")
    keep = RetentionSettings(parked_days=10, delivery_days=5)
    assert await counted(books, keep, books.at + 6 * DAY) == {"delivery": {"standard": 1}}
    at = books.at + 11 * DAY
    assert await counted(books, keep, at, sweeps=True) == {"parked": {"standard": 1}, "delivery": {"standard": 1}}
    assert await counted(books, keep, books.at + 99 * DAY) == {}
    for who, kept in ((alice, False), (bob, True)):
        bodies = {row.key: row.body for row in await books.store.read(DeliveriesTo(who.id))}
        assert bool(bodies[f"d-{who.id}"]) is kept
        assert bodies[f"u-{who.id}"]
    assert (await audit_lines(books.store, books.sealer, 9))[-1].detail == {"parked": 1, "delivery": 1}


# --- tickets and the bill ---------------------------------------------------------------------------------------------


async def tickets_of(books, customer):
    return [(ticket.name, str(ticket.status)) for ticket in await load_tickets(books.store, books.sealer, customer.id)]


async def solved(books, user):
    """A customer with a ticket that is resolved and one that is open."""
    customer = await books.customer(user)
    await books.act(customer, opening("no ink"))
    ticket = (await load_tickets(books.store, books.sealer, customer.id))[0]
    await books.act(customer, doing("set_status", ticket.name, TicketStatus.RESOLVED))
    await books.act(customer, opening("no paper"))
    return customer


async def test_tickets_that_are_over_go_with_their_timeline_and_open_ones_never(books):
    alice = await solved(books, "alice")
    keep, at = RetentionSettings(ticket_days=30), books.at + 31 * DAY
    assert await counted(books, keep, at) == {"ticket": {"standard": 1}}
    assert len(await tickets_of(books, alice)) == 2
    await swept(books, at, keep)
    assert await tickets_of(books, alice) == [("TKT-1002", "open")]
    (line,) = await audit_lines(books.store, books.sealer, 10)
    assert (line.action, line.subject) == ("expire", "TKT-1001")


async def test_tickets_of_somebody_on_hold_are_kept_and_those_of_a_tier_for_its_days(books):
    alice, bob = await solved(books, "alice"), await solved(books, "bob")
    await hold(books)
    tiers = {"standard": {"ticket_days": 60}}
    keep = RetentionSettings(ticket_days=30, tiers=tiers)
    assert await counted(books, keep, books.at + 31 * DAY) == {}
    await swept(books, books.at + 61 * DAY, keep)
    assert (len(await tickets_of(books, alice)), len(await tickets_of(books, bob))) == (2, 1)


async def test_a_ticket_that_is_opened_again_meanwhile_is_kept(books, monkeypatch):
    alice = await solved(books, "alice")
    (ticket, _) = await load_tickets(books.store, books.sealer, alice.id)
    prepare = books.sealer.prepare

    async def meanwhile(owners):
        await prepare(owners)
        monkeypatch.setattr(books.sealer, "prepare", prepare)
        await books.act(alice, doing("set_status", ticket.name, TicketStatus.OPEN))

    monkeypatch.setattr(books.sealer, "prepare", meanwhile)
    assert (await swept(books, books.at + 31 * DAY, RetentionSettings(ticket_days=30))).tickets == []
    assert len(await tickets_of(books, alice)) == 2


async def bill(books):
    return {
        key: whole(sums.values()) for key, sums in sums_by(await read_ledger(books.store, ALWAYS), "customer").items()
    }


@pytest.mark.parametrize("becomes", ["totals", "nothing"])
async def test_old_lines_of_the_bill_become_totals_or_go_and_budgets_count_on(books, becomes):
    alice, bob = await books.customer("alice"), await books.customer("bob")
    for number, who in enumerate((alice, alice, bob)):
        await books.commit(usage(f"u{number}", customer=who.id, at=books.at))
    await books.commit(ReserveBudget("customer/a/month", 7, 5, 5, 99, 99, 50, 50))
    await hold(books, "bob")
    before, keep = await bill(books), RetentionSettings(usage_days=400, usage_becomes=becomes)
    at = books.at + 401 * DAY
    assert await counted(books, keep, at) == {"usage": {"standard": 2}}
    assert await counted(books, keep, at, sweeps=True) == {"usage": {"standard": 2}}
    after = before if becomes == "totals" else {bob.id: before[bob.id]}
    assert await bill(books) == after
    assert await counted(books, keep, at) == {}
    assert await books.store.read(BudgetOf("customer/a/month")) == [BudgetRow(7, 5, 5)]


async def test_who_is_kept_for_ever_never_stands_before_who_is_not(books, monkeypatch):
    monkeypatch.setattr("core.retention.AT_ONCE", 2)
    kept = [await spoken(books, user) for user in ("ann", "bea", "cleo")]
    for user in ("ann", "bea", "cleo"):
        await hold(books, user)
    gone = await spoken(books, "dora")
    await swept(books, books.at + 31 * DAY)
    assert [await turns(books, session) for session in (*kept, gone)] == [1, 1, 1, 0]


# --- the audit log ----------------------------------------------------------------------------------------------------

YEAR = RetentionSettings(audit_days=365)


async def logged(books, *, owner=DESK, times=1):
    await books.sealer.prepare((owner,))
    for _ in range(times):
        line = audit_record(
            books.sealer, actor="sam", action="show", subject="s", owner=owner, detail={}, at=books.tick()
        )
        await books.commit(line)


async def seqs(books):
    return [row.seq async for row in all_lines(books.store)]


async def holds_up(books):
    return await check_audit(books.store, books.sealer, ())


async def test_the_old_end_of_the_log_is_cut_off_and_what_stays_holds(books):
    await logged(books, times=5)
    books.at += 400 * DAY
    await logged(books, times=2)
    assert await counted(books, YEAR, books.at) == {"audit": {"": 5}}
    await swept(books, books.at, YEAR)
    assert await seqs(books) == [6, 7, 8]
    assert await holds_up(books) == Verdict(3, (), 5)
    *_, line = await audit_lines(books.store, books.sealer, 9)
    told = {name: line.detail[name] for name in ("up_to", "lines")}
    assert (line.action, told) == ("cut", {"up_to": 5, "lines": 5})


async def test_a_cut_makes_no_cut_of_its_own(books):
    await logged(books, times=5)
    for _ in range(3):
        books.at += 400 * DAY
        await swept(books, books.at, YEAR)
    assert await seqs(books) == [6]
    await logged(books)
    books.at += 400 * DAY
    await swept(books, books.at, YEAR)
    assert (await seqs(books), (await holds_up(books)).holds) == ([8], True)


@pytest.mark.parametrize("column", ["owner", "subject", "actor"])
async def test_the_log_is_not_cut_past_a_line_about_somebody_on_hold(books, column):
    alice = await books.customer("alice")
    await logged(books, times=2)
    columns = {"actor": "sam", "subject": "s", "owner": DESK, column: alice.id}
    await books.commit(audit_record(books.sealer, action="show", detail={}, at=books.tick(), **columns))
    await logged(books, times=2)
    await hold(books)
    await swept(books, books.at + 400 * DAY, YEAR)
    assert (await seqs(books))[0] == 3
    assert (await holds_up(books)).holds


async def test_lines_about_a_tier_are_kept_for_its_days(books):
    alice = await books.customer("alice")
    await logged(books, times=2)
    await logged(books, owner=alice.id)
    await logged(books, times=2)
    keep = RetentionSettings(audit_days=365, tiers={"standard": {"audit_days": 800}})
    await swept(books, books.at + 400 * DAY, keep)
    assert (await seqs(books))[0] == 3
    assert await counted(books, keep, books.at + 900 * DAY) == {"audit": {"": 3, "standard": 1}}


async def test_a_log_that_does_not_hold_is_not_cut(tmp_path, caplog):
    path = tmp_path / "desk.db"
    async with open_books(f"sqlite:///{path}") as books:
        await logged(books, times=5)
        with closing(sqlite3.connect(path, isolation_level=None)) as by_hand:
            by_hand.execute("UPDATE audit SET actor = 'bob' WHERE seq = 2")
        found = await swept(books, books.at + 400 * DAY, YEAR)
        assert found.cut.problems == ("line 2 was changed, or stands in another's place",)
        assert await seqs(books) == [1, 2, 3, 4, 5]
    assert "is not cut" in caplog.text
