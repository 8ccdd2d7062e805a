import asyncio
import itertools
from dataclasses import replace

import pytest
from agents.testing import ModelStep, ScriptedModel, assistant_message

import core.chores
from core.absent import AbsentPlatform
from core.errors import SchemaError
from core.models import Accepted, Command, Profile, UserMessage
from core.queries.counts import Counts, SchemaNumber, SchemaRow
from core.queries.lanes import LaneById
from core.queries.outbox import DeliveriesOf
from core.queries.turns import TurnsOf
from tests.core.many import Far, absent, open_town
from tests.core.talk import Street, place
from tests.postgres import url_for


@pytest.fixture(params=["memory", "postgresql"])
async def town(request, tmp_path):
    async with open_town("memory:" if request.param == "memory" else url_for(tmp_path)) as opened:
        yield opened


def message(id_: str, user: str = "alice", text: str = "hello", **where) -> UserMessage:
    return UserMessage(id_, place(user, **where), text, Profile(user.title()))


def scripted(text: str, count: int = 1) -> ScriptedModel:
    return ScriptedModel([[assistant_message(text)] for _ in range(count)])


def held(*answers: str) -> tuple[ScriptedModel, asyncio.Event, asyncio.Event]:
    """A model whose first answer waits for a gate; the events that tell it was asked, and that open the gate."""
    asked, gate = asyncio.Event(), asyncio.Event()

    async def answer(call):
        asked.set()
        await gate.wait()
        return [assistant_message(answers[0])]

    return ScriptedModel([ModelStep.respond(answer), *[[assistant_message(text)] for text in answers[1:]]]), asked, gate


async def counted(town):
    return {row.table: row.rows for row in await town.store.read(Counts())}


async def turns(town, session="terminal/local/dm/alice"):
    return await town.store.read(TurnsOf(town.sealer.lookup("session", session)))


async def test_an_event_accepted_here_is_worked_there_and_said_here(town):
    street = Far()
    await town.open("front", street, model=ScriptedModel([]), turns_at_once=0)
    await town.open("worker", knows=[absent()], model=scripted("From the worker."))
    await town.accept("front", message("m1"))
    await town.drained("front")
    assert [delivery.text for delivery in street.posted] == ["From the worker."]
    assert (await counted(town))["open"] == 0


async def test_a_worker_lets_a_branch_go_on_in_a_place_that_it_wants_and_does_not_open(town):
    async def want(notes, ref, *, key, title):
        await notes.put("wanted", key, title)
        return replace(ref, channel=key, thread=key)

    street = Far()
    await town.open("front", street, turns_at_once=0)
    await town.open("worker", knows=[AbsentPlatform("terminal", lambda text: [text], want)])
    mine = {"channel": "t1", "thread": "t1"}
    await town.accept("front", message("m1", text="my invoice number is INV-1", **mine))
    await town.accept("front", message("m2", text="!branch cheaper thread", **mine))
    await town.drained()
    assert await street.notes.all("wanted") == {"m2": "cheaper (branch)"}
    there = {"channel": "m2", "thread": "m2"}
    assert [one.text for one in street.posted if one.ref.channel == "m2"] == [
        "This is branch cheaper, from turn 1. What is said here stays here."
    ]
    await town.accept("front", message("m3", text="what is my invoice number?", **there))
    await town.drained()
    assert "INV-1" in street.posted[-1].text


async def test_an_event_for_which_there_is_no_room_is_worked_by_who_has_some(town):
    model, asked, gate = held("Slow.")
    street = Street()
    await town.open("one", street, model=model, turns_at_once=1)
    await town.open("two", street, model=scripted("Quick."), turns_at_once=1)
    await town.accept("one", message("m1", "alice"))
    await asked.wait()
    await town.accept("one", message("m2", "bob"))
    await town.drained("two")
    assert [delivery.text for delivery in street.posted] == ["Quick."]
    gate.set()
    await town.drained()
    assert [delivery.text for delivery in street.posted] == ["Quick.", "Slow."]


async def test_a_lane_left_for_lack_of_room_is_taken_up_as_soon_as_there_is_some(town):
    street = Street()
    model, asked, gate = held("First.", "Second.")
    await town.open("one", street, model=model, turns_at_once=1)
    await town.accept("one", message("m1", "alice"))
    await asked.wait()
    await town.accept("one", message("m2", "bob"))
    gate.set()
    await town.drained()
    assert [delivery.text for delivery in street.posted] == ["First.", "Second."]


async def test_what_only_the_platform_can_tell_is_known_to_who_works_elsewhere(town):
    def knows(said, first):
        return UserMessage(said.id, said.ref, f"{said.text}, after what was said before")

    street = Far(knows=knows)
    await town.open("front", street, turns_at_once=0)
    model = scripted("Good day.")
    await town.accept("front", UserMessage("m1", place("alice"), "hello"))
    await asyncio.sleep(0)
    await town.open("worker", knows=[absent()], model=model)
    await town.drained()
    assert "after what was said before" in str(model.calls[0].input)


async def test_pieces_wait_for_a_desk_that_speaks_their_platform(town):
    await town.open("front", Far(), turns_at_once=0)
    await town.accept("front", message("m1"))
    await town.close("front")
    await town.open("worker", knows=[absent()])
    await town.drained()
    assert (await counted(town))["open"] == 1
    street = Far()
    await town.open("later", street, turns_at_once=0)
    await town.drained()
    assert len(street.posted) == 1


async def test_who_cannot_reach_a_conversation_leaves_it_to_who_can(town):
    far, near = Far(reached=False), Far()
    await town.open("other workspace", far)
    await town.accept("other workspace", message("m1"))
    await town.drained()
    assert not far.posted
    await town.open("this workspace", near)
    await town.drained()
    assert len(near.posted) == 1
    assert not far.posted


async def test_one_conversation_is_said_in_order_by_two_who_post(town):
    stands = []
    for name in ("one", "two"):
        await town.open(name, Far(posted=stands), turns_at_once=2)
    for number in range(10):
        await town.accept(("one", "two")[number % 2], message(f"m{number}"))
    await town.drained()
    await town.drained()
    assert [delivery.to for delivery in stands] == [f"m{number}" for number in range(10)]
    assert (await counted(town))["open"] == 0


async def test_pieces_of_another_are_said_by_who_holds_the_outlet(town):
    gate = asyncio.Event()
    stands = []
    slow = Far(posted=stands, before_post=lambda delivery: gate.wait() if delivery.to == "m1" else None)
    await town.open("slow", slow)
    await town.open("quick", Far(posted=stands))
    await town.accept("slow", message("m1"))
    await town.drained("quick")
    await town.accept("quick", message("m2"))
    await town.drained("quick")
    assert not stands
    gate.set()
    await town.drained("slow", "quick")
    assert [delivery.to for delivery in stands] == ["m1", "m2"]


async def test_a_worker_that_dies_is_replaced_once_its_lease_is_over(town):
    street = Street()
    model, asked, _ = held("Never.")
    await town.open("dies", Street(), model=model)
    await town.open("lives", street, model=scripted("Here."))
    await town.accept("dies", message("m1"))
    await asked.wait()
    await town.kill("dies")
    await town.drained()
    assert not street.posted
    await town.pass_time(31)
    await town.drained()
    assert [delivery.text for delivery in street.posted] == ["Here."]
    assert [turn.status for turn in await turns(town)] == ["done"]


async def test_a_worker_that_stalls_past_its_lease_writes_nothing_late(town):
    street = Street()
    model, asked, gate = held("Late.")
    await town.open("stalls", street, model=model)
    await town.open("lives", street, model=scripted("In time."))
    await town.accept("stalls", message("m1"))
    await asked.wait()
    await town.pass_time(31)
    await town.drained("lives")
    gate.set()
    await town.drained()
    assert [delivery.text for delivery in street.posted] == ["In time."]
    assert len(await turns(town)) == 1


async def test_who_stalls_before_the_mark_of_a_piece_posts_nothing_of_it(town):
    stands = []
    await town.open("stalls", Far(posted=stands))
    way = town.ways["stalls"]
    await town.accept("stalls", message("m0"))
    await town.drained()

    written = asyncio.Event()
    write = way.store.write

    async def write_and_tell(batch):
        outcomes = await write(batch)
        if any(type(record).__name__ == "AddDelivery" for commit in batch for record in commit):
            way.flowing.clear()
            written.set()
        return outcomes

    way.store = type("Told", (), {"write": staticmethod(write_and_tell), "read": way.store.read})()
    await town.accept("stalls", message("m1"))
    await written.wait()
    await town.pass_time(31)
    await town.open("lives", Far(posted=stands))
    await town.drained("lives")
    assert [delivery.to for delivery in stands] == ["m0", "m1"]
    way.store = town.store
    way.flowing.set()
    await town.drained()
    assert [delivery.to for delivery in stands] == ["m0", "m1"]


@pytest.mark.parametrize("moment", ["before_post", "after_post"])
async def test_a_piece_that_a_dead_poster_was_sending_is_looked_for_before_it_is_posted(town, moment):
    stands, began = [], asyncio.Event()

    async def hang(delivery):
        began.set()
        await asyncio.Event().wait()

    await town.open("dies", Far(posted=stands, **{moment: hang}))
    await town.accept("dies", message("m1"))
    await began.wait()
    await town.kill("dies")
    await town.pass_time(31)
    await town.open("lives", Far(posted=stands))
    await town.drained()
    assert [delivery.to for delivery in stands] == ["m1"]
    (turn,) = await turns(town)
    (piece,) = await town.store.read(DeliveriesOf(turn.id))
    assert (piece.status, piece.sent is not None) == ("sent", True)


async def test_stop_ends_a_turn_that_another_process_runs(town):
    street, begun = Far(), asyncio.Event()

    async def stream(call):
        begun.set()
        await asyncio.Event().wait()
        yield None

    await town.open("front", street, turns_at_once=0)
    await town.open("worker", knows=[absent()], model=ScriptedModel([ModelStep.stream(stream)]))
    await town.accept("front", message("m1"))
    await begun.wait()
    await town.accept("front", Command("m2", place("alice"), "stop"))
    await town.drained("front")
    assert [delivery.text for delivery in street.posted] == ["(stopped)"]
    assert [turn.status for turn in await turns(town)] == ["stopped"]


async def test_a_stop_that_nobody_heard_is_seen_by_the_commit(town):
    street = Far()
    model, asked, gate = held("Too much.")
    await town.open("front", street, turns_at_once=0)
    await town.open("worker", knows=[absent()], model=model)
    await town.accept("front", message("m1"))
    await asked.wait()
    town.ways["worker"].deaf = True
    await town.accept("front", Command("m2", place("alice"), "stop"))
    gate.set()
    await town.drained()
    assert [delivery.text for delivery in street.posted] == ["(stopped)"]


async def test_an_event_whose_platform_knows_no_more_is_left_in_the_commit_that_took_it_in(town):
    await town.open("front", Far(), turns_at_once=0)
    await town.accept("front", message("m1"))
    await town.desks["front"]._leaving.stop()
    assert town.ways["front"].written == 1


async def test_words_that_are_lost_only_cost_time(town, monkeypatch):
    monkeypatch.setattr(core.chores, "POLL_SECONDS", 0.01)
    street = Far()
    await town.open("front", street, turns_at_once=0)
    await town.open("worker", knows=[absent()])
    for way in town.ways.values():
        way.deaf = True
    await town.accept("front", message("m1"))
    await town.drained("front")
    assert len(street.posted) == 1


async def test_who_stops_gives_back_what_it_held_at_once(town):
    street = Far()
    model, asked, _ = held("Never.")
    await town.open("leaves", Far(), model=model)
    await town.accept("leaves", message("m1"))
    await asked.wait()
    core_stop, core.desk.STOP_SECONDS = core.desk.STOP_SECONDS, 0.01
    try:
        await town.close("leaves")
    finally:
        core.desk.STOP_SECONDS = core_stop
    session = town.sealer.lookup("session", "terminal/local/dm/alice")
    (lane,) = await town.store.read(LaneById(session))
    assert (lane.worker, lane.pending) == (None, 1)
    await town.open("stays", street, model=scripted("Here."))
    await town.drained()
    assert [delivery.text for delivery in street.posted] == ["Here."]


async def test_an_older_process_that_meets_a_newer_schema_says_so_and_ends(town, monkeypatch):
    monkeypatch.setattr(core.chores, "SCHEMA_SECONDS", 0.01)
    desk = await town.open("old", Street())
    waiting = asyncio.create_task(desk.until_outdated())
    way, read, looks = town.ways["old"], town.store.read, itertools.count()
    (now,) = await read(SchemaNumber())

    async def newer_in_time(query):
        if isinstance(query, SchemaNumber):
            return [SchemaRow(now.number + (next(looks) > 1))]
        return await read(query)

    way.store = type("Newer", (), {"write": town.store.write, "read": staticmethod(newer_in_time)})()
    with pytest.raises(SchemaError, match="newer schema"):
        await waiting
    assert next(looks) == 3


async def paced(town):
    """Two desks that take in, of which a person may say three things a minute."""
    limits, street = {"customer": {"messages_a_minute": 3}}, Far()
    await town.open("here", street, pace=limits)
    await town.open("there", street, pace=limits)
    return street


async def test_a_person_has_one_pace_whichever_process_hears_them(town):
    street = await paced(town)
    found = [await town.accept(("here", "there")[number % 2], message(f"m{number}")) for number in range(8)]
    await town.drained()
    assert (found.count(Accepted.NEW), found.count(Accepted.REFUSED)) == (4, 4)
    assert sum("more than 3 messages a minute" in each.text for each in street.posted) == 1


async def test_what_two_processes_hear_counts_once(town):
    await paced(town)
    found = [await town.accept(name, message(f"m{number}")) for number in range(3) for name in ("here", "there")]
    await town.drained()
    assert found == [Accepted.NEW, Accepted.DUPLICATE] * 3
