import pytest

from core.audit import audit_lines
from core.config import RetentionSettings
from core.legal_holds import put_hold
from core.people import find_person
from core.queries import DeliveriesTo, TurnsOf
from core.records import AddEvent, FinishEvent, MarkDelivery
from core.retention import Due, due, sweep
from core.tickets import load_tickets
from tests.core.books import open_books, opening
from tests.storage.samples import delivery

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
    assert (line.action, line.detail) == ("expire", {"days": 30})


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
    await books.commit(*await put_hold(books.store, books.sealer, person, reason="case 7", by="counsel"))
    await swept(books, books.at + 31 * DAY)
    assert (await turns(books, held), await turns(books, other)) == (1, 0)


async def test_a_tier_may_be_kept_longer_or_for_ever(books):
    session = await spoken(books)
    at = books.at + 31 * DAY
    tier = (await books.customer("bob")).tier
    for days, gone in ((60, 0), (0, 0), (20, 1)):
        keep = RetentionSettings(conversation_days=30, tiers={tier: days})
        assert await expired(books, at, keep) == gone
    assert await expired(books, at, RetentionSettings(tiers={tier: 20})) == 1
    assert await turns(books, session) == 1


async def test_texts_of_what_was_given_up_and_of_what_was_posted_go_by_their_own_days(books):
    await spoken(books)
    await books.commit(
        AddEvent("e1", b"key", b"s", "c1", "message", books.at, b"body"),
        delivery("d1", at=books.at),
        delivery("d2", at=books.at),
    )
    await books.commit(FinishEvent("e1", "parked"), MarkDelivery("d1", "sent", b"id"))
    keep, at = RetentionSettings(parked_days=10, delivery_days=5), books.at + 6 * DAY
    assert await due(books.store, books.sealer, keep, at=at) == Due([], 0, 1)
    assert await swept(books, books.at + 11 * DAY, keep) == Due([], 1, 1)
    assert await due(books.store, books.sealer, keep, at=books.at + 99 * DAY) == Due([], 0, 0)
    bodies = {row.key: row.body for row in await books.store.read(DeliveriesTo("c"))}
    assert bodies["d1"] == b""
    assert bodies["d2"]
    assert (await audit_lines(books.store, books.sealer, 9))[-1].detail == {"parked": 1, "deliveries": 1}
