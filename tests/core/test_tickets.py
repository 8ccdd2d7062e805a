import pytest

from core.errors import BadInputError, ChangedError, NoSuchTicketError
from core.models import TicketStatus
from core.queries.tickets import ChangesBy
from core.records.tickets import PutTicket
from core.tickets import all_tickets, load_tickets, staff_change, staged_records, ticket_by_name, timeline
from tests.core.books import doing, open_books, opening

AT = 1_800_000_000_000_000


@pytest.fixture
async def books():
    async with open_books() as books:
        yield books


async def test_a_ticket_reads_back_as_it_was_staged(books):
    alice = await books.customer("alice")
    await books.act(alice, opening("the printer is on fire", "urgent"))
    (ticket,) = await load_tickets(books.store, books.sealer, alice.id)
    assert (ticket.name, ticket.subject, ticket.status, ticket.priority, ticket.version) == (
        "TKT-1001",
        "the printer is on fire",
        TicketStatus.OPEN,
        "urgent",
        1,
    )
    assert ticket.session == "terminal/local/dm/alice"
    assert ticket == await ticket_by_name(books.store, books.sealer, "local", " tkt-1001 ")


async def test_a_ticket_opened_and_changed_in_one_turn_is_written_once(books):
    alice = await books.customer("alice")
    resolve = doing("set_status", "TKT-1001", TicketStatus.RESOLVED)
    turn = await books.act(alice, opening(), doing("add_note", "TKT-1001", "turned it off and on"), resolve)
    (ticket,) = await load_tickets(books.store, books.sealer, alice.id)
    assert (ticket.status, ticket.version) == (TicketStatus.RESOLVED, 3)
    assert [change.field for change in await books.store.read(ChangesBy(turn))] == ["opened", "note", "status"]


async def test_a_turn_that_only_read_tickets_writes_nothing(books):
    alice = await books.customer("alice")
    await books.act(alice, opening())
    stage = await books.stage(alice)
    assert staged_records(stage, books.sealer, actor=alice.id, at=AT) == []


async def test_a_turn_on_a_ticket_changed_meanwhile_is_refused_whole(books):
    alice = await books.customer("alice")
    await books.act(alice, opening(), opening("second"))
    stage = await books.stage(alice)
    stage.set_priority("TKT-1001", "high")
    stage.set_priority("TKT-1002", "high")
    await books.act(alice, doing("set_priority", "TKT-1002", "urgent"))
    with pytest.raises(ChangedError):
        await books.commit(*staged_records(stage, books.sealer, actor=alice.id, at=AT))
    assert [ticket.priority for ticket in await load_tickets(books.store, books.sealer, alice.id)] == [
        "normal",
        "urgent",
    ]


async def test_a_ticket_guarded_by_other_records_is_not_guarded_again(books):
    alice = await books.customer("alice")
    await books.act(alice, opening())
    stage = await books.stage(alice)
    ticket = stage.set_priority("TKT-1001", "high")
    records = staged_records(stage, books.sealer, actor=alice.id, at=AT, unguarded={ticket.id})
    assert isinstance(records[0], PutTicket)


async def test_the_timeline_shows_the_newest_changes_oldest_first(books):
    alice = await books.customer("alice")
    await books.act(alice, opening("no ink"))
    await books.act(alice, doing("set_priority", "TKT-1001", "high"))
    await books.act(alice, doing("add_note", "TKT-1001", "still no ink"))
    (ticket,) = await load_tickets(books.store, books.sealer, alice.id)
    lines = await timeline(books.store, books.sealer, ticket, 2)
    assert [(line.field, line.before, line.after, line.cause) for line in lines] == [
        ("priority", "normal", "high", "turn"),
        ("note", None, "still no ink", "turn"),
    ]


async def test_staff_change_several_fields_and_the_timeline_names_them(books):
    alice = await books.customer("alice")
    await books.act(alice, opening())
    (ticket,) = await load_tickets(books.store, books.sealer, alice.id)
    changes = {"status": "resolved", "priority": "normal", "note": "sent ink"}
    after, records = staff_change(ticket, changes, books.sealer, actor="s1", at=AT)
    await books.commit(*records)
    (stored,) = await load_tickets(books.store, books.sealer, alice.id)
    assert stored == after
    lines = await timeline(books.store, books.sealer, stored, 10)
    assert [(line.field, line.after, line.actor, line.cause) for line in lines[1:]] == [
        ("status", "resolved", "s1", "staff"),
        ("note", "sent ink", "s1", "staff"),
    ]


@pytest.mark.parametrize("change", [{"status": "withdrawn"}, {"priority": "huge"}, {"note": " "}, {"number": "7"}])
async def test_staff_cannot_set_what_is_not_allowed(books, change):
    alice = await books.customer("alice")
    await books.act(alice, opening())
    (ticket,) = await load_tickets(books.store, books.sealer, alice.id)
    with pytest.raises(BadInputError):
        staff_change(ticket, change, books.sealer, actor="s1", at=AT)


@pytest.mark.parametrize("name", ["TKT-1002", "TKT-", "1001", "", "TKT-1001x", "TKT-99999999999999999999", "TKT-1٠٠١"])
async def test_a_name_of_no_ticket_is_no_such_ticket(books, name):
    alice = await books.customer("alice")
    await books.act(alice, opening())
    with pytest.raises(NoSuchTicketError):
        await ticket_by_name(books.store, books.sealer, "local", name)


async def test_the_same_number_in_another_workspace_is_another_ticket(books):
    alice, anna = await books.customer("alice"), await books.customer("anna", workspace="T2")
    await books.act(alice, opening("hers"))
    await books.act(anna, opening("the other's"))
    assert (await ticket_by_name(books.store, books.sealer, "T2", "TKT-1001")).customer == anna.id


async def test_the_tickets_of_an_erased_customer_are_listed_as_stubs(books):
    alice, bob = await books.customer("alice"), await books.customer("bob")
    await books.act(alice, opening("hers"))
    await books.act(bob, opening("his"))
    await books.sealer.erase(alice.id)
    assert [ticket.subject for ticket in await all_tickets(books.store, books.sealer, 9)] == ["his", "(erased)"]
