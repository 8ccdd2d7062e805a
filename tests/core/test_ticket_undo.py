import asyncio
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import ChangedError
from core.models import PRIORITIES, TicketStatus
from core.queries.tickets import ChangesBy
from core.ticket_undo import bring_back, take_back
from core.tickets import load_tickets, staff_change, timeline
from tests.core.books import doing, open_books, opening

RESOLVE = doing("set_status", "TKT-1001", TicketStatus.RESOLVED)
AT = 1_800_000_000_000_000


@pytest.fixture
async def books():
    async with open_books() as books:
        yield books


def prioritise(priority, name="TKT-1001"):
    return doing("set_priority", name, priority)


async def undo(books, *turns):
    taken = await take_back(books.store, books.sealer, turns, actor="c1", at=books.tick())
    await books.commit(*taken.records)
    return taken


async def redo(books, *turns):
    back = await bring_back(books.store, books.sealer, turns, actor="c1", at=books.tick())
    await books.commit(*back.records)
    return back


async def staff(books, customer, **changes):
    ticket = (await load_tickets(books.store, books.sealer, customer.id))[0]
    _, records = staff_change(ticket, changes, books.sealer, actor="s1", at=books.tick())
    await books.commit(*records)


async def state(books, customer):
    """Each ticket as people see it: status, priority and the notes that stand."""
    found = {}
    for ticket in await load_tickets(books.store, books.sealer, customer.id):
        lines = await timeline(books.store, books.sealer, ticket, 1000)
        notes = Counter(line.after for line in lines if line.field == "note" and line.after)
        notes -= Counter(line.before for line in lines if line.field == "note" and line.before)
        found[ticket.name] = (ticket.status.value, ticket.priority, tuple(sorted(notes.elements())))
    return found


async def test_undo_withdraws_what_the_turn_opened_and_redo_brings_it_back(books):
    alice = await books.customer("alice")
    turn = await books.act(alice, opening(), prioritise("high"), RESOLVE)
    taken = await undo(books, turn)
    assert (taken.withdrawn, taken.restored, taken.stands) == (["TKT-1001"], [], [])
    assert await state(books, alice) == {"TKT-1001": ("withdrawn", "high", ())}
    back = await redo(books, turn)
    assert (back.returned, back.restored, back.stands) == (["TKT-1001"], [], [])
    assert await state(books, alice) == {"TKT-1001": ("resolved", "high", ())}


async def test_undo_restores_fields_and_takes_notes_back(books):
    alice = await books.customer("alice")
    await books.act(alice, opening())
    turn = await books.act(alice, prioritise("high"), prioritise("urgent"), RESOLVE, doing("add_note", "TKT-1001", "n"))
    taken = await undo(books, turn)
    assert (taken.withdrawn, taken.restored, taken.stands) == ([], ["TKT-1001"], [])
    assert await state(books, alice) == {"TKT-1001": ("open", "normal", ())}
    await redo(books, turn)
    assert await state(books, alice) == {"TKT-1001": ("resolved", "urgent", ("n",))}


async def test_what_somebody_changed_later_stands_and_is_said(books):
    alice = await books.customer("alice")
    await books.act(alice, opening())
    turn = await books.act(alice, prioritise("high"), RESOLVE)
    await staff(books, alice, priority="urgent")
    taken = await undo(books, turn)
    assert taken.stands == ["The priority of TKT-1001 stays urgent: it was changed again later."]
    assert await state(books, alice) == {"TKT-1001": ("open", "urgent", ())}
    back = await redo(books, turn)
    assert back.stands == []
    assert await state(books, alice) == {"TKT-1001": ("resolved", "urgent", ())}


@pytest.mark.parametrize("work", [{"status": "waiting_for_staff"}, {"priority": "low"}, {"note": "called her"}])
async def test_a_ticket_somebody_worked_on_is_not_withdrawn_under_their_hands(books, work):
    alice = await books.customer("alice")
    turn = await books.act(alice, opening())
    await staff(books, alice, **work)
    before = await state(books, alice)
    taken = await undo(books, turn)
    status = before["TKT-1001"][0].replace("_", " ")
    assert (taken.withdrawn, taken.records) == ([], [])
    assert taken.stands == [f"TKT-1001 stays {status}: it was worked on later."]
    assert await state(books, alice) == before
    assert (await redo(books, turn)).records == []


async def test_later_work_that_was_itself_taken_back_does_not_stand_in_the_way(books):
    alice = await books.customer("alice")
    first = await books.act(alice, opening())
    elsewhere = await books.act(alice, prioritise("high"), doing("add_note", "TKT-1001", "n"))
    await undo(books, elsewhere)
    assert (await undo(books, first)).withdrawn == ["TKT-1001"]


async def test_several_turns_are_taken_back_together(books):
    alice = await books.customer("alice")
    turns = [await books.act(alice, opening()), await books.act(alice, prioritise("high"), RESOLVE)]
    taken = await undo(books, *turns)
    assert (taken.withdrawn, taken.restored) == (["TKT-1001"], [])
    assert await state(books, alice) == {"TKT-1001": ("withdrawn", "normal", ())}
    back = await redo(books, *turns)
    assert (back.returned, back.restored) == (["TKT-1001"], [])
    assert await state(books, alice) == {"TKT-1001": ("resolved", "high", ())}


async def test_turns_undone_one_by_one_come_back_one_by_one(books):
    alice = await books.customer("alice")
    await books.act(alice, opening())
    one, two = await books.act(alice, prioritise("high")), await books.act(alice, prioritise("urgent"))
    await undo(books, two)
    await undo(books, one)
    await redo(books, one)
    assert await state(books, alice) == {"TKT-1001": ("open", "high", ())}
    await redo(books, two)
    assert await state(books, alice) == {"TKT-1001": ("open", "urgent", ())}


async def test_redo_leaves_alone_what_was_changed_meanwhile(books):
    alice = await books.customer("alice")
    await books.act(alice, opening())
    turn = await books.act(alice, prioritise("high"), RESOLVE)
    await undo(books, turn)
    await staff(books, alice, priority="urgent")
    back = await redo(books, turn)
    assert back.stands == ["The priority of TKT-1001 stays urgent: it was changed meanwhile."]
    assert await state(books, alice) == {"TKT-1001": ("resolved", "urgent", ())}


async def test_what_staff_put_back_themselves_was_changed_meanwhile_too(books):
    alice = await books.customer("alice")
    await books.act(alice, opening())
    turn = await books.act(alice, prioritise("high"))
    await undo(books, turn)
    await staff(books, alice, priority="low")
    await staff(books, alice, priority="normal")
    assert (await redo(books, turn)).stands == ["The priority of TKT-1001 stays normal: it was changed meanwhile."]


async def test_a_change_does_not_come_back_to_a_ticket_that_is_still_withdrawn(books):
    alice = await books.customer("alice")
    first, second = await books.act(alice, opening()), await books.act(alice, prioritise("high"))
    await undo(books, second)
    await undo(books, first)
    assert (await redo(books, second)).records == []
    assert (await redo(books, first)).returned == ["TKT-1001"]
    assert (await redo(books, second)).restored == ["TKT-1001"]


async def test_a_withdrawn_ticket_that_staff_reopened_is_left_to_them(books):
    alice = await books.customer("alice")
    turn = await books.act(alice, opening())
    await undo(books, turn)
    await staff(books, alice, status="open")
    back = await redo(books, turn)
    assert (back.records, back.stands) == ([], ["TKT-1001 stays open: it was worked on meanwhile."])


async def test_undo_after_a_redo_is_right_again(books):
    alice = await books.customer("alice")
    await books.act(alice, opening())
    turn = await books.act(alice, prioritise("high"), doing("add_note", "TKT-1001", "n"))
    for _ in range(3):
        await undo(books, turn)
        assert await state(books, alice) == {"TKT-1001": ("open", "normal", ())}
        await redo(books, turn)
        assert await state(books, alice) == {"TKT-1001": ("open", "high", ("n",))}


async def test_what_is_taken_back_already_is_left_alone(books):
    alice = await books.customer("alice")
    turn = await books.act(alice, opening())
    later = await books.act(alice, prioritise("high"))
    await undo(books, turn, later)
    assert (await undo(books, turn, later)).records == []
    await redo(books, turn, later)
    assert (await redo(books, turn, later)).records == []


async def test_a_ticket_changed_while_it_is_taken_back_refuses_the_commit(books):
    alice = await books.customer("alice")
    turn = await books.act(alice, opening())
    taken = await take_back(books.store, books.sealer, [turn], actor="c1", at=AT)
    await staff(books, alice, note="on my way")
    with pytest.raises(ChangedError):
        await books.commit(*taken.records)


async def test_the_tickets_after_an_undo_are_known_before_it_is_written(books):
    alice = await books.customer("alice")
    turn = await books.act(alice, opening())
    await books.act(alice, opening("another"))
    tickets = await load_tickets(books.store, books.sealer, alice.id)
    taken = await take_back(books.store, books.sealer, [turn], actor="c1", at=books.tick())
    await books.commit(*taken.records)
    assert taken.after(tickets) == await load_tickets(books.store, books.sealer, alice.id)


async def test_the_whole_story_of_a_turn_stands_under_its_id(books):
    alice = await books.customer("alice")
    turn = await books.act(alice, opening())
    await undo(books, turn)
    await redo(books, turn)
    assert [change.cause for change in await books.store.read(ChangesBy(turn))] == ["turn", "undo", "redo"]


# --- any story --------------------------------------------------------------------------------------------------------

which = st.integers(0, 3)
tool = st.one_of(
    st.tuples(st.just("open")),
    st.tuples(st.just("priority"), which, st.sampled_from(PRIORITIES)),
    st.tuples(st.just("status"), which, st.sampled_from([TicketStatus.OPEN, TicketStatus.RESOLVED])),
    st.tuples(st.just("note"), which, st.sampled_from("xyz")),
)
turn = st.tuples(st.just("turn"), st.lists(tool, max_size=4))
back = st.tuples(st.just("undo"), st.integers(1, 3))
again = st.tuples(st.just("redo"))
other = st.tuples(st.just("other"), st.lists(tool, min_size=1, max_size=2))
other_undone = st.tuples(st.just("other undone"))
by_staff = st.tuples(st.just("staff"), which, st.sampled_from(PRIORITIES), st.sampled_from(["", "n"]))


def act_of(tool):
    async def act(stage):
        names = sorted(stage.tickets)
        if tool[0] == "open":
            await opening()(stage)
        elif names:
            name = names[tool[1] % len(names)]
            call = {"priority": stage.set_priority, "status": stage.set_status, "note": stage.add_note}[tool[0]]
            call(name, tool[2])

    return act


class Story:
    """One conversation's turns and undos, with others at work on the same tickets."""

    def __init__(self, books, customer):
        self.books, self.customer = books, customer
        self.line, self.undone, self.others = [], [], []

    async def play(self, step):
        await getattr(self, step[0].replace(" ", "_"))(*step[1:])
        await self.check_timelines()

    async def turn(self, tools):
        before = await self.state()
        self.line.append((await self.books.act(self.customer, *map(act_of, tools)), before))
        self.undone.clear()

    async def undo(self, count):
        taken = self.line[-count:]
        if not taken:
            return
        before = await self.state()
        del self.line[-count:]
        result = await undo(self.books, *(turn for turn, _ in taken))
        self.undone.append((taken, before, result))
        await self.check_undone(taken, result)

    async def redo(self):
        if not self.undone:
            return
        taken, before, _ = self.undone.pop()
        self.line += taken
        result = await redo(self.books, *(turn for turn, _ in taken))
        await self.check_redone(before, result)

    async def check_undone(self, taken, result):
        pass

    async def check_redone(self, before, result):
        pass

    async def state(self):
        return await state(self.books, self.customer)

    async def check_timelines(self):
        """Each line goes on from the value the one before it left, and the last is what the ticket says."""
        for ticket in await load_tickets(self.books.store, self.books.sealer, self.customer.id):
            lines = await timeline(self.books.store, self.books.sealer, ticket, 1000)
            assert len(lines) == ticket.version
            for field, now in (("status", ticket.status.value), ("priority", ticket.priority)):
                own = [line for line in lines if line.field == field]
                assert all(line.after == following.before for line, following in zip(own, own[1:], strict=False))
                assert not own or own[-1].after == now


class AloneStory(Story):
    async def check_undone(self, taken, result):
        was, now = taken[0][1], await self.state()
        assert {name: now[name] for name in was} == was
        assert all(now[name][0] == "withdrawn" for name in now.keys() - was.keys())
        assert result.stands == []

    async def check_redone(self, before, result):
        assert await self.state() == before
        assert result.stands == []


class SharedStory(Story):
    async def other(self, tools):
        self.others.append(await self.books.act(self.customer, *map(act_of, tools)))

    async def other_undone(self):
        if self.others:
            await undo(self.books, self.others.pop())

    async def staff(self, index, priority, note):
        tickets = await load_tickets(self.books.store, self.books.sealer, self.customer.id)
        if tickets:
            changes = {"priority": priority} | ({"note": note} if note else {})
            ticket = tickets[index % len(tickets)]
            _, records = staff_change(ticket, changes, self.books.sealer, actor="s1", at=self.books.tick())
            await self.books.commit(*records)

    async def check_undone(self, taken, result):
        """Undo is at once reversible, and a second one finds nothing to do."""
        turns = [turn for turn, _ in taken]
        before = self.undone[-1][1]
        after = await self.state()
        assert (await undo(self.books, *turns)).records == []
        await redo(self.books, *turns)
        assert await self.state() == before
        again = await undo(self.books, *turns)
        assert (await self.state(), again.stands) == (after, result.stands)


def play(kind, steps):
    async def run():
        async with open_books() as books:
            story = kind(books, await books.customer("alice"))
            for step in steps:
                await story.play(step)

    asyncio.run(run())


@settings(max_examples=60)
@given(st.lists(st.one_of(turn, turn, back, again), max_size=12))
def test_undo_gives_the_state_before_the_turns_and_redo_the_one_after(steps):
    play(AloneStory, steps)


@settings(max_examples=60)
@given(st.lists(st.one_of(turn, turn, back, again, other, other_undone, by_staff), max_size=14))
def test_undo_is_reversible_whoever_else_works_on_the_tickets(steps):
    play(SharedStory, steps)
