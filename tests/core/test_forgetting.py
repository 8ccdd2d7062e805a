import json

import pytest

from core.audit import Author, audit_lines
from core.errors import BadInputError, ChangedError, ErasedError
from core.forgetting import Forgetting, Order
from core.ledger import ALWAYS, read_ledger, sums_by, whole
from core.legal_holds import end_hold, put_hold
from core.people import find_person
from core.queries.counts import HeldOf
from core.queries.log import NotesOf
from core.queries.outbox import OpenDeliveries
from core.queries.people import CustomerById, Customers, SessionById
from core.queries.tickets import Tickets
from core.queries.turns import TurnsOf
from tests.core.talk import Street, open_talk

THREAD = {"channel": "c", "thread": "t"}
STAYS = {"usage", "audit", "ticket", "ticket_change"}


async def customer_of(talk, user="alice"):
    return await find_person(talk.store, talk.sealer, f"terminal/local/{user}")


async def held(talk, id_):
    return {row.table: row.rows for row in await talk.store.read(HeldOf(id_)) if row.rows}


async def forget(talk, user="alice"):
    return await talk.command(user, "forget", "confirm")


async def test_it_is_asked_first_and_nothing_is_forgotten_before_it_is_confirmed(talk):
    await talk.say("alice", "hello")
    (asked,) = await talk.command("alice", "forget", "me")
    assert "cannot be brought back" in asked
    assert [(button.command, button.args) for button in talk.last.buttons] == [("forget", ("confirm",))]
    assert (await held(talk, (await customer_of(talk)).id))["turn"] == 1


async def bill_of(talk, id_):
    """All that a customer used, whatever became of the turns."""
    return whole(sums_by(await read_ledger(talk.store, ALWAYS), "customer")[id_].values())


async def test_a_forgotten_person_leaves_only_the_bill_and_the_audit_log(talk):
    await talk.say("alice", "open a ticket: no ink")
    await talk.say("alice", "remember that I prefer mornings")
    id_ = (await customer_of(talk)).id
    billed = await bill_of(talk, id_)
    told = await forget(talk)
    assert told[-1].startswith("I forgot you: 2 turns and the text of 1 ticket are gone")
    assert set(await held(talk, id_)) <= {"usage", "audit"}
    assert await bill_of(talk, id_) == billed
    assert [row.number for row in await talk.store.read(Tickets(9))] == [1001]
    with pytest.raises(ErasedError):
        await talk.sealer.prepare((id_,))


async def test_the_receipt_in_the_audit_log_counts_every_place_and_names_nobody(talk):
    await talk.say("alice", "hello")
    id_ = (await customer_of(talk)).id
    await forget(talk)
    line = (await audit_lines(talk.store, talk.sealer, 9))[-1]
    assert (line.action, line.subject, line.actor) == ("forget", id_, id_)
    counted = line.detail["gone"]
    assert (counted["turn"], counted["identity"], counted["customer"]) == (1, 1, 1)
    assert line.detail["kept"]["usage"] > 0
    assert "alice" not in json.dumps(line.detail).lower()


async def test_who_comes_back_is_somebody_new(talk):
    await talk.say("alice", "remember that I prefer mornings")
    before = (await customer_of(talk)).id
    await forget(talk)
    assert await talk.say("alice", "hello")
    after = (await customer_of(talk)).id
    assert after != before
    _, found = await talk.command("alice", "export"), json.loads(talk.last.file.content)
    assert found["person"]["remembered"] == {}
    assert [turn["said"] for turn in found["turns"]] == ["hello"]


async def test_what_the_desk_posted_to_them_is_taken_away(talk):
    await talk.say("alice", "hello")
    answer = talk.last.key
    await forget(talk)
    gone = [piece.message for piece in talk.street.posted if piece.removes]
    assert answer in gone
    await talk.desk.writer.flush()
    assert await talk.store.read(OpenDeliveries("terminal", 0, 9)) == []


async def test_a_platform_with_ids_of_its_own_is_asked_to_take_away_its_message():
    async with open_talk(platform=Street(repeats_by_key=False)) as talk:
        await talk.say("alice", "hello")
        answer = talk.last.key
        await forget(talk)
        assert f"m-{answer}" in [piece.message for piece in talk.street.posted if piece.removes]


async def test_a_conversation_of_several_goes_on_without_the_words_of_the_one_who_began_it(talk):
    await talk.say("alice", "the phrase of alice", **THREAD)
    await talk.say("bob", "hello from bob", **THREAD)
    (session,) = await talk.store.read(SessionById(talk.sealer.lookup("session", "terminal/local/thread/c/t")))
    await forget(talk)
    first, second = await talk.store.read(TurnsOf(session.id))
    assert (first.status, first.body, second.status) == ("erased", b"", "done")
    assert await talk.say("bob", "and on it goes", **THREAD)
    (shown,) = await talk.command("bob", "history", **THREAD)
    assert "hello from bob" in shown
    assert "phrase" not in shown
    assert "(erased)" in shown


async def test_others_are_not_touched(talk):
    await talk.say("alice", "hello")
    await talk.say("bob", "my invoice number is INV-7")
    bob = await held(talk, (await customer_of(talk, "bob")).id)
    await forget(talk)
    assert await held(talk, (await customer_of(talk, "bob")).id) == bob


@pytest.mark.parametrize("step", ["_without_rows", "_finish", "erase", "scrub"])
async def test_what_was_cut_off_anywhere_is_finished_by_the_next_desk(step, monkeypatch):
    async with open_talk() as talk:
        await talk.say("alice", "hello")
        person = await customer_of(talk)
        forgetting = Forgetting(talk.store, talk.sealer, talk.desk.writer, noticed=0)
        order = await forgetting.order(person, Order(person.id, by="someone"))
        await talk.desk.writer.commit(tuple(order))

        async def killed(*_):
            raise SystemError

        owner = {"erase": talk.sealer, "scrub": talk.store}.get(step, forgetting)
        with monkeypatch.context() as patched:
            patched.setattr(owner, step, killed)
            with pytest.raises(SystemError):
                await forgetting.resume()
        async with talk.with_desk():
            pass
        assert set(await held(talk, person.id)) <= {"usage", "audit"}
        assert await talk.store.read(NotesOf("desk", "forgetting")) == []
        lines = [line.action for line in await audit_lines(talk.store, talk.sealer, 9)]
        assert lines.count("forget") == 1


async def test_a_store_older_than_the_keyring_meets_the_forgotten_as_somebody_new(talk):
    await talk.say("alice", "hello")
    before = (await customer_of(talk)).id
    # As after a restore of yesterday's backup: the rows are there, the key is not.
    await talk.sealer.erase(before)
    assert await talk.say("alice", "I am back")
    assert (await customer_of(talk)).id != before
    assert (await talk.store.read(CustomerById(before)))[0].body == b""


async def test_a_hold_wins_until_it_is_ended(talk):
    await talk.say("alice", "hello")
    person = await customer_of(talk)
    await talk.desk.writer.commit(
        tuple(await put_hold(talk.store, talk.sealer, person, reason="case 7", by=Author("counsel")))
    )
    for word in ("forget", "clear"):
        (said,) = await talk.command("alice", word, "confirm")
        assert "legal hold" in said
    assert (await held(talk, person.id))["turn"] == 1
    person = await customer_of(talk)
    await talk.desk.writer.commit(
        tuple(await end_hold(talk.store, talk.sealer, person, reason="over", by=Author("counsel")))
    )
    await forget(talk)
    assert "turn" not in await held(talk, person.id)
    actions = [line.action for line in await audit_lines(talk.store, talk.sealer, 9)]
    assert actions == ["hold", "end hold", "forget"]


async def test_nobody_who_was_forgotten_is_forgotten_or_held_again(talk):
    await talk.say("alice", "hello")
    await forget(talk)
    (row,) = [row for row in await talk.store.read(Customers()) if not row.body]
    with pytest.raises(BadInputError, match="was forgotten already"):
        await Forgetting(talk.store, talk.sealer, talk.desk.writer, noticed=0).order(row, Order(row.id, by="x"))
    with pytest.raises(BadInputError, match="nothing left to hold"):
        await put_hold(talk.store, talk.sealer, row, reason="case 7", by=Author("counsel"))


async def test_nobody_is_put_on_hold_while_they_are_being_forgotten_and_a_hold_before_it_wins(talk):
    await talk.say("alice", "hello")
    forgetting = Forgetting(talk.store, talk.sealer, talk.desk.writer, noticed=0)
    person = await customer_of(talk)
    hold = await put_hold(talk.store, talk.sealer, person, reason="case 7", by=Author("counsel"))
    await talk.desk.writer.commit(tuple(await forgetting.order(person, Order(person.id, by="o"))))
    # Both read the same person: whoever commits later is refused.
    with pytest.raises(ChangedError):
        await talk.desk.writer.commit(tuple(hold))
    with pytest.raises(BadInputError, match="nothing left to hold"):
        await put_hold(talk.store, talk.sealer, await customer_of(talk), reason="case 7", by=Author("counsel"))
    await forgetting.resume()
    assert "turn" not in await held(talk, person.id)


async def test_a_message_deleted_on_the_platform_is_kept_here_while_its_author_is_on_hold(talk):
    await talk.say("alice", "hello", id_="m9")
    person = await customer_of(talk)
    await talk.desk.writer.commit(
        tuple(await put_hold(talk.store, talk.sealer, person, reason="case 7", by=Author("counsel")))
    )
    await talk.delete("alice", "m9")
    assert (await held(talk, person.id))["turn"] == 1


# --- what adapters noted ----------------------------------------------------------------------------------------------


async def noted(talk):
    notes = talk.street.notes
    await notes.put("heard", "dm-alice", {"newest": "9"})
    await notes.put("heard", "T1/dm-alice", {"newest": "9"})
    await notes.put("heard", "help", {"newest": "9"})
    await notes.put("thread", "5001", {"id": "7", "by": "alice", "also": ["bob", "alice"], "said": "alice says"})
    await notes.put("thread", "5002", {"id": "8", "by": "bob"})


async def all_notes(talk):
    return {kind: await talk.street.notes.all(kind) for kind in ("heard", "thread")}


async def test_what_adapters_noted_of_a_forgotten_person_goes_and_the_receipt_counts_it(talk):
    await talk.say("alice", "hello")
    await talk.say("bob", "hello")
    await noted(talk)
    await forget(talk)
    assert await all_notes(talk) == {
        "heard": {"help": {"newest": "9"}},
        "thread": {
            "5001": {"id": "7", "by": "", "also": ["bob", ""], "said": "alice says"},
            "5002": {"id": "8", "by": "bob"},
        },
    }
    (line,) = await audit_lines(talk.store, talk.sealer, 9)
    assert line.detail["gone"]["note"] == 3


async def test_notes_of_a_person_of_another_team_go_by_their_bare_id_too():
    async with open_talk() as talk:
        await talk.say("T2:U7", "hello")
        await talk.street.notes.put("thread", "1", {"by": "U7", "key": "T2:U7"})
        await talk.street.notes.put("heard", "T1/U7", 1)
        await talk.command("T2:U7", "forget", "confirm")
        assert await all_notes(talk) == {"heard": {}, "thread": {"1": {"by": "", "key": ""}}}
