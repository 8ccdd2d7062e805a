import json

import pytest

from core.clock import as_time
from core.config import Price, PriceSettings
from core.models import MAIN, Usage
from core.queries.people import SessionById
from core.records.turns import AddBranch, PutFeedback, SwitchBranch
from core.sealed import branch_row, seal_json
from core.transcript import read_transcript, transcript_json
from core.transcript_turns import Opinion
from core.usage import ModelCall, usage_records
from tests.core.books import open_books, opening

NAME = "terminal/local/dm/alice"


@pytest.fixture
async def books():
    async with open_books() as books:
        yield books


async def read(books, session):
    (row,) = await books.store.read(SessionById(session.id))
    return await read_transcript(books.store, books.sealer, row)


async def test_a_session_reads_back_with_all_that_was_said_and_done(books):
    alice = await books.customer("alice")
    session = await books.session(NAME, alice)
    items = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "Hello Alice."}]
    turn = await books.say(session.id, alice, "hi", "Hello Alice.", items=items)
    at = books.at
    prices = PriceSettings(models={"m": Price(input=1, output=1)})
    calls = [ModelCall("m", Usage(1, 10, 0, 5))]
    await books.commit(
        *usage_records(prices, calls, customer=alice.id, session=session.id, turn=turn, branch=None),
        PutFeedback(turn, alice.id, "helpful", books.tick()),
    )
    shown = await read(books, session)
    assert (shown.session, shown.workspace, shown.customer, shown.branch) == (NAME, "local", alice.id, MAIN)
    (line,) = shown.turns
    assert (line.id, line.number, line.status, line.name, line.agent) == (turn, 1, "done", "Alice", "triage")
    assert (line.said, line.answered, line.items, line.at) == ("hi", "Hello Alice.", items, as_time(at))
    assert (line.usage.usage.total_tokens, line.feedback) == (15, [Opinion(alice.id, "helpful")])
    assert shown.usage.usage.cost_nano == 15_000


async def test_turns_name_the_tickets_they_touched(books):
    alice = await books.customer("alice")
    session = await books.session(NAME, alice)
    await books.say(session.id, alice, "hello")
    turn = await books.act(alice, opening(), opening())
    await books.say(session.id, alice, "open two tickets", turn=turn)
    shown = await read(books, session)
    assert [line.tickets for line in shown.turns] == [[], ["TKT-1001", "TKT-1002"]]


async def test_an_undone_turn_is_shown_apart(books):
    alice = await books.customer("alice")
    session = await books.session(NAME, alice)
    first = await books.say(session.id, alice, "one")
    second = await books.say(session.id, alice, "two", items=[{"role": "user", "content": "two"}])
    await books.undo(session.id, first, alice.id)
    shown = await read(books, session)
    assert [line.id for line in shown.turns] == [first]
    assert [(line.id, line.items) for line in shown.elsewhere] == [(second, [{"role": "user", "content": "two"}])]


async def test_a_failed_turn_stands_beside_the_line_it_was_said_on(books):
    alice = await books.customer("alice")
    session = await books.session(NAME, alice)
    await books.say(session.id, alice, "one")
    await books.say(session.id, alice, "two", status="failed")
    await books.say(session.id, alice, "three")
    shown = await read(books, session)
    assert [(line.said, line.status, line.number) for line in shown.turns] == [
        ("one", "done", 1),
        ("two", "failed", 2),
        ("three", "done", 2),
    ]
    assert shown.elsewhere == []


async def test_turns_of_another_branch_are_elsewhere(books):
    alice = await books.customer("alice")
    session = await books.session(NAME, alice)
    await books.say(session.id, alice, "one")
    row = await books.read_session(session.id)
    key = books.sealer.lookup("branch", "what-if")
    body = seal_json(books.sealer, "branch", alice.id, branch_row(session.id, key), "what-if")
    await books.commit(
        AddBranch(session.id, key, row.head, row.head, books.tick(), body), SwitchBranch(session.id, key)
    )
    await books.say(session.id, alice, "what if")
    await books.commit(SwitchBranch(session.id, row.branch))
    shown = await read(books, session)
    assert [(branch.name, branch.turns, branch.current) for branch in shown.branches] == [
        (MAIN, 1, True),
        ("what-if", 2, False),
    ]
    assert ([line.said for line in shown.turns], [line.said for line in shown.elsewhere]) == (["one"], ["what if"])


async def test_what_one_of_two_speakers_had_erased_leaves_the_others_words(books):
    alice, bob = await books.customer("alice"), await books.customer("bob")
    session = await books.session("terminal/local/channel/C2", alice)
    await books.say(session.id, alice, "hello Bob")
    await books.say(session.id, bob, "hello Alice", items=[{"role": "user", "content": "hello Alice"}])
    await books.sealer.erase(bob.id)
    shown = await read(books, session)
    assert [line.said for line in shown.turns] == ["hello Bob", "(erased)"]
    assert shown.turns[1].items == [{"type": "erased"}]


async def test_an_empty_session_has_no_turns(books):
    session = await books.session(NAME, await books.customer("alice"))
    shown = await read(books, session)
    assert (shown.turns, shown.elsewhere, shown.branch) == ([], [], MAIN)


async def test_a_transcript_is_plain_json(books):
    alice = await books.customer("alice")
    session = await books.session(NAME, alice)
    await books.say(session.id, alice, "hi", "Hello.", items=[{"role": "user", "content": "hi"}])
    value = json.loads(json.dumps(transcript_json(await read(books, session))))
    assert (value["session"], value["branch"]) == (NAME, MAIN)
    assert value["turns"][0]["items"] == [{"role": "user", "content": "hi"}]
    assert {"id", "number", "status", "items", "said", "answered", "usage"} <= value["turns"][0].keys()
