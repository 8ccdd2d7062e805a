import pytest

from core.recall import FOUND, PastTurn, rank, recall
from tests.core.books import open_books

DM = "terminal/local/dm/alice"


@pytest.fixture
async def books():
    async with open_books() as books:
        yield books


async def found(books, customer, question):
    return [(one.said, one.answered) for one in await recall(books.store, books.sealer, question, customer.id)]


def past(*pairs):
    return [PastTurn(None, said, answered) for said, answered in pairs]


def ranked(question, *pairs):
    return [one.said for one in rank(question, past(*pairs))]


def test_a_rare_word_counts_more_than_a_common_one():
    common = [(f"my printer is slow {number}", "") for number in range(9)]
    assert ranked("printer toner", *common, ("the toner leaks", ""))[0] == "the toner leaks"


def test_where_a_number_is_asked_for_what_holds_one_comes_first():
    pairs = [("my invoice number got lost", ""), ("my invoice number is INV-4711", "")]
    assert ranked("What was my invoice number?", *pairs)[0] == "my invoice number is INV-4711"
    assert ranked("Who lost an invoice?", *pairs)[0] == "my invoice number got lost"


def test_what_was_told_answers_better_than_the_same_question():
    pairs = [("is my cat called Mia?", ""), ("my cat is called Mia", "")]
    assert ranked("cat called", *pairs)[0] == "my cat is called Mia"


def test_on_a_tie_the_newer_one_wins():
    assert ranked("cat", ("the cat is new", ""), ("the cat is old", "")) == ["the cat is new", "the cat is old"]


def test_words_that_say_nothing_find_nothing():
    assert ranked("What did you say to me about that?", ("what did you say about it", "that I would")) == []
    assert ranked("", ("anything", "")) == []


def test_plurals_case_and_scripts_without_blanks_are_found():
    assert ranked("INVOICES", ("one invoice", "")) == ["one invoice"]
    assert ranked("STRASSE", ("meine Straße", "")) == ["meine Straße"]
    assert ranked("发票号码", ("我的发票是七号", "")) == ["我的发票是七号"]


async def test_a_fact_of_an_earlier_conversation_is_found_from_anywhere(books):
    alice = await books.customer("alice")
    session = await books.session(DM, alice)
    await books.say(session.id, alice, "my invoice number is INV-4711", "Thank you.")
    await books.say(session.id, alice, "the weather is fine", "It is.")
    assert await found(books, alice, "what was my invoice number?") == [("my invoice number is INV-4711", "Thank you.")]


async def test_nothing_of_another_customer_is_ever_found(books):
    alice, bob = await books.customer("alice"), await books.customer("bob")
    session = await books.session("terminal/local/channel/C2", alice)
    await books.say(session.id, alice, "my invoice number is INV-4711", "Thank you.")
    await books.say(session.id, bob, "hello", "Alice's invoice number is INV-4711")
    assert await found(books, bob, "invoice number") == []


async def test_of_a_place_others_read_only_the_customers_own_words_are_given(books):
    alice = await books.customer("alice")
    session = await books.session("terminal/local/thread/C2/17.1", alice)
    await books.say(session.id, alice, "my invoice is late", "Bob said that his invoice is INV-1.")
    assert await found(books, alice, "invoice") == [("my invoice is late", "")]


async def test_an_own_looking_session_of_somebody_else_gives_own_words_only(books):
    alice, bob = await books.customer("alice"), await books.customer("bob")
    session = await books.session("terminal/local/dm/bob", bob)
    await books.say(session.id, alice, "what about the invoice", "Bob's invoice is INV-1.")
    assert await found(books, alice, "invoice") == [("what about the invoice", "")]


async def test_what_was_taken_back_is_not_found(books):
    alice = await books.customer("alice")
    session = await books.session(DM, alice)
    kept = await books.say(session.id, alice, "my code is 1111", "")
    await books.say(session.id, alice, "my code is 2222", "")
    await books.undo(session.id, kept, alice.id)
    assert await found(books, alice, "code") == [("my code is 1111", "")]


async def test_a_failed_turn_is_not_found(books):
    alice = await books.customer("alice")
    session = await books.session(DM, alice)
    await books.say(session.id, alice, "my code is 1111", "", status="failed")
    assert await found(books, alice, "code") == []


async def test_at_most_five_are_given(books):
    alice = await books.customer("alice")
    session = await books.session(DM, alice)
    for number in range(FOUND + 2):
        await books.say(session.id, alice, f"my code is {number}", "")
    assert len(await found(books, alice, "code")) == FOUND
