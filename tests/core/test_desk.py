import asyncio

import pytest
from agents.testing import ModelStep, ScriptedModel, assistant_message, function_call

import core.clock
from core.errors import ModelFailedError, PlatformError, RejectedError, StoreError, UnknownOutcomeError
from core.models import Accepted, ConversationRef, Profile, UserMessage
from core.queries.counts import Counts
from core.queries.people import SessionById
from core.queries.turns import TurnsOf
from core.records.lanes import ClaimLane, FreeLanes
from core.tickets import all_tickets
from tests.core.talk import Street, open_talk, place


def message(id_: str, user: str, text: str, **where) -> UserMessage:
    return UserMessage(id_, place(user, **where), text, Profile(user.title()))


async def turns(talk, session="terminal/local/dm/alice"):
    return await talk.store.read(TurnsOf(talk.sealer.lookup("session", session)))


async def test_a_message_is_answered_and_kept(talk):
    (answer,) = await talk.say("alice", "open a ticket: no ink")
    assert "TKT-1001" in answer
    (turn,) = await turns(talk)
    assert (turn.status, turn.depth, turn.parent) == ("done", 1, None)


async def test_an_event_handed_in_twice_is_answered_once(talk):
    event = message("m1", "alice", "hello")
    assert await talk.desk.accept(event) is Accepted.NEW
    assert await talk.desk.accept(event) is Accepted.DUPLICATE
    await talk.desk.drain()
    assert len(talk.street.posted) == 1


async def test_an_event_handed_in_twenty_times_at_once_is_answered_once(talk):
    event = message("m1", "alice", "hello")
    accepted = await asyncio.gather(*(talk.desk.accept(event) for _ in range(20)))
    await talk.desk.drain()
    assert accepted.count(Accepted.NEW) == 1
    assert len(talk.street.posted) == 1


async def test_messages_of_one_session_are_answered_in_the_order_they_came(talk):
    for number in range(20):
        await talk.desk.accept(message(f"m{number}", "alice", f"number {number}"))
    await talk.desk.drain()
    assert [delivery.to for delivery in talk.street.posted] == [f"m{number}" for number in range(20)]
    assert [turn.depth for turn in await turns(talk)] == list(range(1, 21))


async def test_a_slow_session_does_not_keep_another_waiting():
    gate = asyncio.Event()

    async def answer(call):
        if "slow" in str(call.input):
            await gate.wait()
        return [assistant_message("Done.")]

    async with open_talk(ScriptedModel([ModelStep.respond(answer)] * 2)) as talk:
        await talk.desk.accept(message("m1", "alice", "slow"))
        await talk.desk.accept(message("m2", "bob", "quick"))
        while not talk.street.posted:
            await asyncio.sleep(0)
        assert talk.last.to == "m2"
        gate.set()
        await talk.desk.drain()


async def test_a_hundred_first_messages_of_one_person_make_one_customer(talk):
    await asyncio.gather(*(talk.desk.accept(message(f"m{n}", "alice", "hello")) for n in range(100)))
    await talk.desk.drain()
    counts = {row.table: row.rows for row in await talk.store.read(Counts())}
    assert (counts["customer"], counts["turn"]) == (1, 100)


async def test_bob_sees_nothing_of_alice(talk):
    await talk.say("alice", "my invoice number is 4711")
    await talk.say("alice", "open a ticket: no ink")
    assert await talk.command("bob", "tickets") == ["You have no tickets yet."]
    same = await talk.command("bob", "ticket", "TKT-9999")
    assert await talk.command("bob", "ticket", "TKT-1001") == same
    assert await talk.command("bob", "ticket-summary", "TKT-1001") == same
    assert "4711" not in (await talk.say("bob", "what was my invoice number?"))[0]
    assert await talk.command("bob", "history", "1") != await talk.command("alice", "history", "1")


async def test_a_fact_from_one_conversation_is_known_in_another(talk):
    await talk.say("alice", "my invoice number is 4711")
    await talk.command("alice", "new")
    assert "4711" in (await talk.say("alice", "what was my invoice number?"))[0]


async def test_a_model_that_fails_leaves_no_trace_in_the_history():
    steps = [_opening()[0], RuntimeError("gone")]
    async with open_talk(ScriptedModel(steps), work={"model_retries": 0}) as talk:
        (answer,) = await talk.say("alice", "help")
        assert answer == ModelFailedError.reply
        (turn,) = await turns(talk)
        assert turn.status == "failed"
        assert await all_tickets(talk.store, talk.sealer, 10) == []
        (session,) = await talk.store.read(SessionById(turn.session))
        assert session.head is None


async def test_a_failed_message_can_be_answered_again():
    steps = [RuntimeError("gone"), [assistant_message("Here I am.")]]
    async with open_talk(ScriptedModel(steps), work={"model_retries": 0}) as talk:
        await talk.say("alice", "hello", id_="q1")
        assert await talk.command("alice", "retry") == ["Here I am."]
        assert [turn.status for turn in await turns(talk)] == ["failed", "done"]
        assert len(await talk.react("alice", "q1", "leftwards_arrow_with_hook")) == 1


@pytest.mark.parametrize("text", ["", "   \n "])
async def test_an_empty_message_gets_one_kind_sentence(talk, text):
    (answer,) = await talk.say("alice", text)
    assert answer.startswith("I got an empty message.")
    assert [turn.status for turn in await turns(talk)] == ["blocked"]


async def test_a_message_of_a_megabyte_is_refused_and_not_kept(talk):
    (answer,) = await talk.say("alice", "word " * 200_000)
    assert answer == "That message is longer than 16,000 characters. Please send it in parts."
    (turn,) = await turns(talk)
    assert len(turn.body) < 1000
    assert (await talk.say("alice", "hello"))[0]


async def test_nul_and_lone_surrogates_do_no_harm(talk):
    (answer,) = await talk.say("alice", "a\x00b \ud800 c")
    assert "ab \ufffd c" in answer


async def test_stop_ends_a_running_turn_and_keeps_what_was_seen():
    begun = asyncio.Event()

    async def stream(call):
        begun.set()
        await asyncio.Event().wait()
        yield None

    async with open_talk(ScriptedModel([ModelStep.stream(stream), [assistant_message("Fine.")]])) as talk:
        await talk.desk.accept(message("m1", "alice", "tell me all"))
        await begun.wait()
        assert await talk.command("alice", "stop") == ["(stopped)"]
        assert [turn.status for turn in await turns(talk)] == ["stopped"]
        assert await talk.say("alice", "thanks") == ["Fine."]


async def test_stop_where_nothing_runs_says_so(talk):
    assert await talk.command("alice", "stop") == ["There is nothing to stop."]
    await talk.say("alice", "hello")
    assert await talk.command("alice", "stop") == ["There is nothing to stop."]


async def test_two_sessions_of_one_customer_never_lose_a_change_of_a_ticket():
    async def answer(call):
        last = call.input[-1]
        if last.get("type") == "function_call_output":
            return [assistant_message("Noted.")]
        return [function_call("update_ticket", {"ticket_id": "TKT-1001", "note": str(last["content"])}, call_id="c1")]

    async with open_talk(ScriptedModel([*_opening(), *[ModelStep.respond(answer)] * 60])) as talk:
        await talk.say("alice", "open one")
        for number in range(5):
            await talk.desk.accept(message(f"n{number}", "alice", f"note {number}", channel="c1", thread=f"t{number}"))
        await talk.desk.drain()
        (ticket,) = await all_tickets(talk.store, talk.sealer, 10)
        assert ticket.version == 6


def _opening():
    return [
        [function_call("create_ticket", {"subject": "no ink", "description": "", "priority": "normal"}, call_id="c0")],
        [assistant_message("Opened.")],
    ]


async def test_the_desk_takes_nothing_in_once_it_stops():
    async with open_talk() as talk:
        desk = talk.desk
    with pytest.raises(StoreError, match="stopping"):
        await desk.accept(message("m1", "alice", "hello"))


class SlowClaims:
    """A store that tells of a lane that was claimed only after a while."""

    def __init__(self, store):
        self._store = store
        self.claimed = asyncio.Event()

    def __getattr__(self, name):
        return getattr(self._store, name)

    async def write(self, batch):
        outcomes = await self._store.write(batch)
        if any(type(record) is ClaimLane for commit in batch for record in commit):
            self.claimed.set()
            told = asyncio.get_running_loop().create_future()
            asyncio.get_running_loop().call_later(0.05, told.set_result, None)
            await told
        return outcomes


async def test_who_waits_for_the_desk_waits_for_lanes_that_are_just_taken_up():
    slack = Street(name="slack")
    async with open_talk() as talk:
        await talk.desk.accept(UserMessage("m1", ConversationRef("slack", "T1", "D1", "U1"), "hello", Profile("Alice")))
        await talk.desk.drain()
        talk.store = SlowClaims(talk.store)
        async with talk.with_desk(slack) as desk:
            await talk.store.claimed.wait()
            await desk.drain()
            assert len(slack.posted) == 1


async def test_a_message_from_another_platform_waits_for_a_desk_that_speaks_it():
    slack = Street(name="slack")
    elsewhere = UserMessage("m1", ConversationRef("slack", "T1", "D1", "U1"), "hello", Profile("Alice"))
    async with open_talk() as talk:
        await talk.desk.accept(elsewhere)
        await talk.desk.drain()
        assert talk.street.posted == []
        assert len(await talk.say("bob", "hello")) == 1
        async with talk.with_desk(slack) as desk:
            await desk.drain()
        assert [delivery.to for delivery in slack.posted] == ["m1"]


async def leave(talk, *events):
    """Queue events as a desk does that is killed before it works them."""
    intake = talk.desk._intake
    for event in events:
        taken = await intake.take(event)
        if taken.lane:
            await talk.store.write([(FreeLanes(),)])


async def test_a_redelivered_event_wakes_what_a_killed_desk_left(talk):
    await leave(talk, message("m1", "alice", "hello"))
    assert await talk.desk.accept(message("m1", "alice", "hello")) is Accepted.DUPLICATE
    await talk.desk._workers.idle()
    assert [delivery.to for delivery in talk.street.posted] == ["m1"]


async def test_a_new_event_waits_for_those_a_killed_desk_left(talk):
    await leave(talk, message("m1", "alice", "one"), message("m2", "alice", "two"))
    await talk.desk.accept(message("m3", "alice", "three"))
    await talk.desk._workers.idle()
    assert [delivery.to for delivery in talk.street.posted] == ["m1", "m2", "m3"]


class Flaky(Street):
    """A platform that answers as it is told, once each."""

    def __init__(self, *outcomes, seen=None):
        super().__init__(name="terminal", repeats_by_key=False)
        self.outcomes = list(outcomes)
        self.seen = seen

    async def post(self, delivery):
        outcome = self.outcomes.pop(0) if self.outcomes else None
        if outcome is not None:
            raise outcome
        return await super().post(delivery)

    async def find(self, delivery):
        if isinstance(self.seen, Exception):
            raise self.seen
        return self.seen


async def test_a_platform_that_is_down_gets_the_answer_when_it_is_back():
    street = Flaky(PlatformError("down"), PlatformError("down"))
    async with open_talk(platform=street) as talk:
        assert len(await talk.say("alice", "hello")) == 1


async def test_a_piece_that_was_refused_for_good_is_not_tried_again():
    street = Flaky(RejectedError("channel is archived"))
    async with open_talk(platform=street) as talk:
        assert await talk.say("alice", "hello") == []
        assert len(await talk.say("alice", "hello again")) == 1


async def test_a_cut_post_that_arrived_is_not_posted_again():
    street = Flaky(UnknownOutcomeError("cut"), seen="m-77")
    async with open_talk(platform=street) as talk:
        assert await talk.say("alice", "hello", id_="q1") == []
        assert len(await talk.react("alice", "m-77", "leftwards_arrow_with_hook")) == 1
        assert talk.last.message == "m-77"


async def test_a_cut_post_that_did_not_arrive_is_posted_again():
    street = Flaky(UnknownOutcomeError("cut"))
    async with open_talk(platform=street) as talk:
        assert len(await talk.say("alice", "hello")) == 1


async def test_a_post_of_unknown_fate_is_held_for_the_operator():
    street = Flaky(UnknownOutcomeError("cut"), seen=UnknownOutcomeError("history is closed"))
    async with open_talk(platform=street) as talk:
        assert await talk.say("alice", "hello") == []
        assert {row.table: row.rows for row in await talk.store.read(Counts())}["unknown"] == 1


async def test_a_post_of_unknown_fate_is_repeated_with_a_mark_where_that_is_configured():
    street = Flaky(UnknownOutcomeError("cut"), seen=UnknownOutcomeError("history is closed"))
    async with open_talk(platform=street, work={"unknown_delivery": "repost"}) as talk:
        (answer,) = await talk.say("alice", "hello")
        assert answer.startswith("(This may be a repeat.)")


async def test_a_long_answer_is_posted_in_pieces_and_taken_back_whole():
    async with open_talk(platform=Street(limit=20)) as talk:
        pieces = await talk.say("alice", "a long message that is quoted back")
        assert len(pieces) > 1
        assert [delivery.key.rpartition(".")[2] for delivery in talk.street.posted] == [
            str(number + 1) for number in range(len(pieces))
        ]
        first, *others = await talk.command("alice", "undo")
        assert first.startswith("Taken back.")
        assert set(others) == {""}


async def test_a_turn_takes_at_most_three_commits_and_the_reply_comes_after_two(talk):
    await talk.say("alice", "hello")
    await talk.desk.writer.flush()
    before = talk.desk.writer.transactions
    await talk.say("alice", "hello again")
    assert talk.desk.writer.transactions - before == 2
    await talk.desk.writer.flush()
    assert talk.desk.writer.transactions - before <= 3


async def test_opening_a_ticket_takes_one_commit_more_for_its_number(talk):
    await talk.say("alice", "hello")
    await talk.desk.writer.flush()
    before = talk.desk.writer.transactions
    await talk.say("alice", "open a ticket: no ink")
    assert talk.desk.writer.transactions - before == 3


async def test_a_pause_longer_than_the_idle_time_starts_the_conversation_afresh(monkeypatch):
    async with open_talk(session={"idle_hours": 1}) as talk:
        await talk.say("alice", "hello")
        assert "/~2" not in (await talk.command("alice", "whoami"))[0]
        later = core.clock.now() + 3_700_000_000
        monkeypatch.setattr("core.intake.now", lambda: later)
        await talk.say("alice", "hello again")
        assert "/~2" in (await talk.command("alice", "whoami"))[0]
        assert "1. Alice: hello again" in (await talk.command("alice", "history"))[0]


async def test_a_customer_whose_name_changed_is_greeted_by_the_new_one(talk):
    await talk.say("alice", "hello")
    event = UserMessage("n1", place("alice"), "hello", Profile("Alice Smith", "premium"))
    await talk.hand_in(event)
    assert (await talk.command("alice", "whoami"))[0].startswith("You are Alice Smith, tier premium.")
