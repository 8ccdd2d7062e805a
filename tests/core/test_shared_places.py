import asyncio
from dataclasses import replace

import pytest
from agents.testing import ModelStep, ScriptedModel, assistant_message

from core.models import Accepted, Command, MessageDeleted, MessageEdited, Profile, Quote, Reaction, UserMessage
from core.queries.counts import Counts
from core.queries.people import Customers
from core.queries.said import FeedbackOf
from core.queries.turns import TurnsSpokenIn
from core.turns import STAND_IN
from tests.core.talk import Street, open_talk, place

THREAD = {"channel": "c", "thread": "t"}
LINK = "https://acme.example/c/t"


class LinkedStreet(Street):
    async def link(self, ref):
        return f"https://acme.example/{ref.channel}/{ref.thread}"


@pytest.fixture
async def linked():
    async with open_talk(platform=LinkedStreet()) as talk:
        yield talk


def uncalled(id_, user, text, **where):
    return UserMessage(id_, place(user, **where), text, Profile(user.title()), called=False)


async def slash(talk, user, word, *args):
    return await talk.hand_in(Command(talk.next_id(), place(user, channel="c"), word, args, loose=True))


async def rows(talk):
    return {row.table: row.rows for row in await talk.store.read(Counts())}


# --- who is heard -----------------------------------------------------------------------------------------------------


async def test_who_called_the_desk_in_a_thread_is_heard_there_without_calling_again(talk):
    await talk.say("alice", "the printer is broken", **THREAD)
    assert await talk.hand_in(uncalled("m9", "alice", "it is the one upstairs", **THREAD))


async def test_who_never_called_the_desk_is_not_heard_and_nothing_of_them_is_kept(talk):
    await talk.say("alice", "the printer is broken", **THREAD)
    before = await rows(talk)
    for user, where in (("bob", THREAD), ("alice", {"channel": "c", "thread": "another"})):
        assert await talk.desk.accept(uncalled("m9", user, "lunch?", **where)) is Accepted.IGNORED
    assert await rows(talk) == before


async def test_a_follow_up_is_heard_while_the_first_answer_is_still_written():
    gate, begun = asyncio.Event(), asyncio.Event()

    async def wait(call):
        begun.set()
        await gate.wait()
        return [assistant_message("One.")]

    async with open_talk(ScriptedModel([ModelStep.respond(wait), [assistant_message("Two.")]])) as talk:
        await talk.desk.accept(UserMessage("m1", place("alice", **THREAD), "one"))
        await begun.wait()
        assert await talk.desk.accept(uncalled("m2", "alice", "two", **THREAD)) is Accepted.NEW
        gate.set()
        await talk.desk.drain()
        assert [delivery.text for delivery in talk.street.posted] == ["One.", "Two."]


@pytest.mark.parametrize(
    "event",
    [
        Reaction("e1", place("bob", channel="c"), "of others", "leftwards_arrow_with_hook"),
        MessageEdited("e1", place("bob", channel="c"), "of others", "changed"),
        MessageDeleted("e1", place("bob", channel="c"), "of others"),
    ],
)
async def test_what_people_do_to_messages_of_others_in_a_channel_leaves_no_trace(talk, event):
    assert await talk.desk.accept(event) is Accepted.IGNORED
    assert await talk.store.read(Customers()) == []


async def test_the_platform_tells_who_speaks_and_what_was_said_there_before():
    def knows(message, first):
        return replace(message, profile=Profile("Alice B."), quotes=(Quote("Bob", "no ink"),) if first else ())

    async with open_talk(platform=Street(knows=knows)) as talk:
        await talk.say("alice", "what did Bob say?", **THREAD)
        await talk.say("alice", "and now?", **THREAD)
        items = await talk.desk.items_at(place("alice", **THREAD))
        said = [item["content"] for item in items if item["role"] == "user"]
        assert said == [
            "(read along, Bob said:) no ink\nAlice B.: what did Bob say?",
            "Alice B.: and now?",
        ]


# --- who may do what --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["branch", "switch main", "new", "mute", "unmute"])
async def test_who_did_not_speak_in_a_conversation_does_not_change_it(talk, word):
    await talk.say("alice", "the printer is broken", **THREAD)
    assert await talk.command("bob", *word.split(), **THREAD) == [
        "Only people who talk in this conversation, or staff, can do that."
    ]
    await talk.say("bob", "mine too", **THREAD)
    assert (await talk.command("bob", *word.split(), **THREAD))[0] != [
        "Only people who talk in this conversation, or staff, can do that."
    ]


async def test_staff_may_change_a_conversation_they_did_not_speak_in():
    async with open_talk(roles={"terminal/local/bob": "agent"}) as talk:
        await talk.say("alice", "the printer is broken", **THREAD)
        assert await talk.command("bob", "mute", **THREAD) == [
            "I keep quiet here now. Say `unmute` when you want me back."
        ]


@pytest.mark.parametrize("way", ["command", "message"])
async def test_nobody_stops_what_somebody_else_asked(way):
    gate, begun = asyncio.Event(), asyncio.Event()

    async def wait(call):
        begun.set()
        await gate.wait()
        return [assistant_message("Whole.")]

    async with open_talk(ScriptedModel([ModelStep.respond(wait)])) as talk:
        await talk.desk.accept(UserMessage("q1", place("alice", **THREAD), "tell me all"))
        await begun.wait()
        asyncio.get_running_loop().call_later(0.02, gate.set)
        said = await (talk.command("bob", "stop", **THREAD) if way == "command" else talk.say("bob", "!stop", **THREAD))
        assert said == ["Whole.", "There is nothing of yours to stop."]


@pytest.mark.parametrize("name", ["memo", "ticket", "+1", "leftwards_arrow_with_hook"])
async def test_reactions_of_others_are_passed_over(talk, name):
    await talk.say("alice", "open a ticket: no ink", id_="q1", **THREAD)
    assert await talk.react("bob", "q1", name, **THREAD) == []
    session = talk.sealer.lookup("session", "terminal/local/thread/c/t")
    assert await talk.store.read(FeedbackOf(session)) == []


async def test_what_a_reaction_says_is_answered_in_the_thread_of_its_message(talk):
    await talk.say("alice", "one", id_="q1", **THREAD)
    await talk.say("alice", "two", **THREAD)
    (asked,) = await talk.react("alice", "q1", "leftwards_arrow_with_hook", channel="c")
    assert asked.startswith("That takes back this turn and the 1 after it.")
    assert talk.last.ref.thread == "t"


# --- words said beside conversations ----------------------------------------------------------------------------------


async def test_a_word_said_beside_the_only_conversation_of_a_channel_is_about_it(linked):
    await linked.say("alice", "open a ticket: no ink", **THREAD)
    (said,) = await slash(linked, "alice", "ticket-summary")
    assert said.startswith(f"About: open a ticket: no ink ({LINK})\nTKT-1001: no ink")
    assert linked.last.ref == place("alice", channel="c")
    assert linked.last.private


async def test_undo_said_beside_takes_back_in_the_conversation_and_answers_the_asker_alone(linked):
    await linked.say("alice", "open a ticket: no ink", **THREAD)
    before = len(linked.street.posted)
    await slash(linked, "alice", "undo")
    (retracted,) = linked.street.posted[before:]
    assert retracted.kind == "retract"
    assert retracted.ref.thread == "t"
    assert await slash(linked, "alice", "undo") == [
        f"About: open a ticket: no ink ({LINK})\nThere is nothing to undo.",
    ]


async def test_what_was_taken_back_whole_can_be_brought_back_from_beside_it(linked):
    await linked.say("alice", "open a ticket: no ink", **THREAD)
    await slash(linked, "alice", "undo")
    await slash(linked, "alice", "redo")
    assert linked.last.kind == "restore"


async def test_with_two_conversations_a_word_that_changes_history_lets_the_person_pick(linked):
    await linked.say("alice", "the printer is broken", channel="c", thread="t1")
    await linked.say("alice", "my phone too", channel="c", thread="t2")
    assert await slash(linked, "alice", "undo", "1") == ["Which conversation do you mean with `undo`?"]
    newest, older = linked.last.buttons
    assert (newest.label, older.label) == ("my phone too", "the printer is broken")
    assert linked.last.private
    await slash(linked, "alice", older.command, *older.args)
    assert linked.last.kind == "retract"
    assert linked.last.ref.thread == "t1"


async def test_with_two_conversations_a_word_that_only_shows_takes_the_newest(linked):
    await linked.say("alice", "the printer is broken", channel="c", thread="t1")
    await linked.say("alice", "my phone too", channel="c", thread="t2")
    (said,) = await slash(linked, "alice", "history")
    assert said.startswith("About: my phone too (https://acme.example/c/t2)")


async def titles_read(linked, monkeypatch, word, *args):
    """How many conversations are looked into before a word said beside them is accepted."""
    asked, read = [], type(linked.store).read

    async def noted(store, query):
        asked.append(query)
        return await read(store, query)

    monkeypatch.setattr(type(linked.store), "read", noted)
    command = Command(linked.next_id(), place("alice", channel="c"), word, args, loose=True)
    await linked.desk.accept(command)
    # What runs after it was accepted reads too, but not before it is asked for.
    before = sum(isinstance(query, TurnsSpokenIn) for query in asked)
    await linked.desk.drain()
    return before


async def test_however_many_conversations_there_are_a_word_that_only_shows_reads_one(linked, monkeypatch):
    for number in range(9):
        await linked.say("alice", "the printer is broken", channel="c", thread=f"t{number}")
    assert await titles_read(linked, monkeypatch, "summary") == 1


async def test_of_very_many_conversations_only_the_newest_are_looked_through_for_the_picked_one(linked, monkeypatch):
    monkeypatch.setattr("core.candidates.ASKED_ABOUT", 3)
    for number in range(9):
        await linked.say("alice", "the printer is broken", channel="c", thread=f"t{number}")
    assert await titles_read(linked, monkeypatch, "undo", "in:000000000000") == 3


async def test_a_forged_pick_reaches_nobody_elses_conversation(linked):
    await linked.say("bob", "my secret", channel="c", thread="t1")
    await linked.say("alice", "one", channel="c", thread="t2")
    await linked.say("alice", "two", channel="c", thread="t3")
    session = linked.sealer.lookup("session", "terminal/local/thread/c/t1")
    assert await slash(linked, "alice", "undo", f"in:{session.hex()[:12]}") == [
        "That conversation is not among yours here any more. Say `undo` again."
    ]


async def test_a_conversation_of_another_channel_or_of_others_is_never_meant(linked):
    await linked.say("alice", "elsewhere", channel="d", thread="t1")
    await linked.say("bob", "not yours", channel="c", thread="t2")
    assert await slash(linked, "alice", "undo") == ["There is nothing to undo."]
    assert await slash(linked, "alice", "history") == ["Nothing was said here yet."]


async def test_what_is_said_beside_is_answered_to_the_asker_alone_also_where_nothing_is_meant(linked):
    for word in ("undo", "new", "mute", "history"):
        await slash(linked, "alice", word)
        assert linked.last.private, word


async def test_words_about_the_person_are_not_about_a_conversation(linked):
    await linked.say("alice", "open a ticket: no ink", **THREAD)
    assert (await slash(linked, "alice", "tickets"))[0].startswith("- TKT-1001")


# --- a stand-in -------------------------------------------------------------------------------------------------------


async def test_the_first_answer_of_each_conversation_says_that_a_stand_in_wrote_it():
    async with open_talk(stand_in=True) as talk:
        assert [answer.startswith(STAND_IN) for answer in await talk.say("alice", "hello")] == [True]
        assert [answer.startswith(STAND_IN) for answer in await talk.say("alice", "again")] == [False]
        assert [answer.startswith(STAND_IN) for answer in await talk.say("bob", "hello")] == [True]
        assert STAND_IN not in str(await talk.desk.items_at(place("alice")))
