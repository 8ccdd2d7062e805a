"""What one desk exported of a person another one takes in."""

import copy
import json

import pytest

from core.audit import audit_lines
from core.customers import open_customer
from core.errors import BadInputError
from core.export_file import read_export
from core.exporting import everything_of
from core.forgetting import Forgetting, Order
from core.people import find_person
from core.queries.bill import UsageLedger
from core.queries.people import Customers, Sessions
from core.queries.tickets import Tickets
from core.taking_in import arrival_of, arrival_records, check_is_new
from tests.core.talk import open_talk

ALICE = "terminal/local/alice"
THREAD = {"channel": "c", "thread": "t"}


async def exported(talk, named=ALICE):
    person = await find_person(talk.store, talk.sealer, named)
    found = await everything_of(talk.store, talk.sealer, open_customer(person, talk.sealer))
    return json.loads(json.dumps(found))


async def take_in(talk, value):
    given = read_export(value)
    await check_is_new(talk.store, talk.sealer, given)
    arrival = await arrival_of(talk.store, talk.sealer, talk.desk.writer, given, tiers=talk.settings.tiers)
    await talk.sealer.prepare((arrival.customer.id,))
    await talk.desk.writer.commit(tuple(arrival_records(arrival, talk.sealer)))
    return arrival


def content(value):
    """All of an export but the id, which is another one in each desk."""
    return value | {"person": value["person"] | {"id": ""}}


async def told(talk):
    """Alice, with a little of everything."""
    await talk.say("alice", "open a ticket: no ink", tier="premium")
    await talk.say("alice", "remember that I prefer mornings")
    await talk.say("alice", "my invoice number is INV-7")
    await talk.say("alice", "resolve TKT-1001")
    await talk.command("alice", "undo")
    await talk.command("alice", "branch", "what-if")
    await talk.say("alice", "my invoice number is INV-8")
    await talk.command("alice", "new")
    await talk.say("alice", "open a ticket: no paper")
    await talk.command("alice", "helpful")
    await talk.say("alice", "hello", **THREAD)
    await talk.command("alice", "not helpful", **THREAD)


@pytest.fixture
async def other():
    async with open_talk() as other:
        yield other


async def test_what_was_exported_and_taken_in_is_exported_the_same(talk, other):
    await told(talk)
    value = await exported(talk)
    assert {len(value["conversations"]), len(value["tickets"])} == {3, 2}
    assert sum(len(one["branches"]) for one in value["conversations"]) == 4
    await take_in(other, value)
    assert content(await exported(other)) == content(value)


async def test_what_was_thought_of_answers_is_exported_and_taken_in(talk, other):
    await told(talk)
    value = await exported(talk)
    opinions = [turn["feedback"] and turn["feedback"]["value"] for turn in value["turns"]]
    assert opinions == [None] * 5 + ["helpful", "not helpful"]
    await take_in(other, value)
    assert [turn["feedback"] for turn in (await exported(other))["turns"]] == [
        turn["feedback"] for turn in value["turns"]
    ]


async def test_a_file_from_before_feedback_was_exported_can_be_taken_in(talk, other):
    await told(talk)
    value = await exported(talk)
    for turn in value["turns"]:
        del turn["feedback"]
    await take_in(other, value)
    assert {turn["feedback"] for turn in (await exported(other))["turns"]} == {None}


async def test_what_others_thought_of_an_answer_is_not_exported(talk):
    await talk.say("alice", "hello", **THREAD)
    await talk.command("bob", "not helpful", **THREAD)
    assert [turn["feedback"] for turn in (await exported(talk))["turns"]] == [None]


async def test_who_was_taken_in_goes_on_where_they_were(talk, other):
    await told(talk)
    await take_in(other, await exported(talk))
    (said,) = await other.command("alice", "tickets")
    assert "no ink" in said
    assert "no paper" in said
    (answer,) = await other.say("alice", "what is my invoice number?")
    assert "INV" in answer
    assert "Taken back" in (await other.command("alice", "undo"))[0]
    assert "I opened TKT-1003" in (await other.say("alice", "open a ticket: one more"))[0]


async def test_what_was_used_comes_in_as_tokens_that_no_money_was_taken_for(talk, other):
    await told(talk)
    value = await exported(talk)
    await take_in(other, value)
    (row,) = await other.store.read(UsageLedger(0, 2**62))
    assert (row.outcome, row.cost_nano, row.calls, row.unpriced) == ("total", 0, row.calls, row.calls)
    assert row.input_tokens == value["usage"]["input_tokens"]


async def test_who_is_here_is_not_taken_in_again(talk):
    await told(talk)
    value = await exported(talk)
    with pytest.raises(BadInputError, match="terminal/local/alice is here already"):
        await take_in(talk, value)
    assert len(await talk.store.read(Customers())) == 1


async def test_who_was_forgotten_may_come_back_with_their_file(talk):
    await told(talk)
    value = await exported(talk)
    forgetting = Forgetting(talk.store, talk.sealer, talk.desk.writer, noticed=0)
    person = await find_person(talk.store, talk.sealer, ALICE)
    await talk.desk.writer.commit(tuple(await forgetting.order(person, Order(person.id, by="o"))))
    await forgetting.resume()
    arrival = await take_in(talk, value)
    back = await exported(talk)
    assert back["person"]["id"] not in (person.id, "")
    # The numbers that were given once are not given again.
    assert arrival.renamed == {"TKT-1001": "TKT-1003", "TKT-1002": "TKT-1004"}
    for key in ("said", "feedback"):
        assert [one[key] for one in back["turns"]] == [one[key] for one in value["turns"]]
    assert [line.action for line in await audit_lines(talk.store, talk.sealer, 9)] == ["undo", "forget"]


async def test_where_the_desk_gave_numbers_tickets_get_new_ones(talk, other):
    await told(talk)
    await other.say("bob", "open a ticket: mine")
    await take_in(other, await exported(talk))
    assert sorted(row.number for row in await other.store.read(Tickets(9))) == [1001, 1002, 1003]


async def test_turns_in_conversations_of_others_stay_out(talk, other):
    await talk.say("bob", "hello", **THREAD)
    await talk.say("alice", "me too", **THREAD)
    await talk.say("alice", "alone")
    value = await exported(talk)
    assert [turn["conversation"] is None for turn in value["turns"]] == [True, False]
    await take_in(other, value)
    assert [turn["said"] for turn in (await exported(other))["turns"]] == ["alone"]


async def test_of_a_shared_conversation_ones_own_turns_come_in_one_after_the_other(talk, other):
    for user, text in (("alice", "one"), ("bob", "two"), ("alice", "three")):
        await talk.say(user, text, **THREAD)
    await take_in(other, await exported(talk))
    turns = (await exported(other))["turns"]
    assert [(turn["said"], turn["number"]) for turn in turns] == [("one", 1), ("three", 2)]
    assert turns[1]["parent"] == turns[0]["id"]


def spoiled(value, place, new):
    value = copy.deepcopy(value)
    *path, last = place
    target = value
    for step in path:
        target = target[step]
    target[last] = new
    return value


@pytest.mark.parametrize(
    ("place", "new"),
    [
        (("format",), 1),
        (("format",), 3),
        (("turns", 0, "at"), "yesterday"),
        (("turns", 0, "at"), "2026-01-01T00:00:00"),
        (("turns", 0, "said"), None),
        (("turns", 0, "id"), "../1"),
        (("turns", 1, "parent"), "f" * 32),
        (("turns", 0, "parent"), "itself"),
        (("turns", 0, "conversation"), "terminal/local/dm/bob"),
        (("conversations", 0, "branch"), "gone"),
        (("conversations", 0, "branches", 0, "head"), "f" * 32),
        (("conversations", 0, "branches"), []),
        (("conversations", 0, "id"), "no/such"),
        (("tickets", 0, "id"), "TKT-0"),
        (("tickets", 0, "status"), "closed"),
        (("tickets", 0, "timeline"), []),
        (("usage", "months", 0, "calls"), -1),
        (("usage", "months", 0, "month"), "2026-13"),
        (("person", "identities"), []),
        (("person", "surprise"), 1),
    ],
)
async def test_a_file_that_is_no_export_is_refused_in_one_line_and_nothing_comes_in(talk, other, place, new):
    await told(talk)
    value = await exported(talk)
    new = value["turns"][0]["id"] if new == "itself" else new
    with pytest.raises(BadInputError, match=r"\A[^\n]*that is no export[^\n]*\Z"):
        await take_in(other, spoiled(value, place, new))
    assert await other.store.read(Customers()) == []
    assert await other.store.read(Sessions(9)) == []
