import pytest

from core.audit import audit_lines
from core.config import RetentionSettings
from core.errors import ChangedError
from core.legal_holds import put_hold
from core.people import find_person
from core.queries import TurnsOf
from core.records import AddEvent
from core.retention import expiry
from core.tickets import load_tickets
from tests.core.books import open_books, opening

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


async def turns(books, session):
    return len(await books.store.read(TurnsOf(session)))


async def test_a_conversation_nobody_spoke_in_is_deleted_and_one_in_use_is_kept(books):
    old = await spoken(books)
    last_words = books.at
    books.at += 20 * DAY
    young = await spoken(books, "bob")
    for commit in await expiry(books.store, books.sealer, KEEP, at=last_words + 30 * DAY + 1):
        await books.commit(*commit)
    assert (await turns(books, old), await turns(books, young)) == (0, 1)
    (line,) = await audit_lines(books.store, books.sealer, 10)
    assert (line.action, line.detail) == ("expire", {"days": 30})


async def test_to_the_microsecond_nothing_is_deleted_early(books):
    await spoken(books)
    assert await expiry(books.store, books.sealer, KEEP, at=books.at + 30 * DAY) == []
    assert len(await expiry(books.store, books.sealer, KEEP, at=books.at + 30 * DAY + 1)) == 1


async def test_without_a_limit_everything_is_kept(books):
    await spoken(books)
    assert await expiry(books.store, books.sealer, RetentionSettings(), at=books.at + 10_000 * DAY) == []


async def test_what_is_empty_already_is_not_deleted_again(books):
    await spoken(books)
    at = books.at + 31 * DAY
    for commit in await expiry(books.store, books.sealer, KEEP, at=at):
        await books.commit(*commit)
    assert await expiry(books.store, books.sealer, KEEP, at=at + DAY) == []


async def test_undone_turns_expire_too(books):
    session = await spoken(books)
    await books.undo(session, None, "c1")
    assert len(await expiry(books.store, books.sealer, KEEP, at=books.at + 31 * DAY)) == 1


async def test_who_speaks_meanwhile_keeps_the_conversation(books):
    customer = await books.customer("alice")
    session = (await books.session("terminal/local/dm/alice", customer)).id
    await books.say(session, customer, "hello")
    (commit,) = await expiry(books.store, books.sealer, KEEP, at=books.at + 31 * DAY)
    await books.say(session, customer, "I am back")
    with pytest.raises(ChangedError):
        await books.commit(*commit)
    assert await turns(books, session) == 2


async def test_a_message_that_waits_for_its_answer_keeps_the_conversation(books):
    session = await spoken(books)
    await books.commit(AddEvent("e1", b"key", session, "c1", "message", books.at, b""))
    assert await expiry(books.store, books.sealer, KEEP, at=books.at + 31 * DAY) == []


async def test_tickets_outlive_the_conversation(books):
    alice = await books.customer("alice")
    session = await books.session("terminal/local/dm/alice", alice)
    turn = await books.act(alice, opening())
    await books.say(session.id, alice, "open a ticket", turn=turn)
    for commit in await expiry(books.store, books.sealer, KEEP, at=books.at + 31 * DAY):
        await books.commit(*commit)
    assert len(await load_tickets(books.store, books.sealer, alice.id)) == 1


async def test_a_conversation_of_somebody_on_hold_is_kept_however_old(books):
    held, other = await spoken(books), await spoken(books, "bob")
    person = await find_person(books.store, books.sealer, "terminal/local/alice")
    await books.commit(*await put_hold(books.store, books.sealer, person, reason="case 7", by="counsel"))
    for commit in await expiry(books.store, books.sealer, KEEP, at=books.at + 31 * DAY):
        await books.commit(*commit)
    assert (await turns(books, held), await turns(books, other)) == (1, 0)
