"""Histories kept in memory by one process while another one goes on with the conversation."""

from collections import Counter

import pytest

from core.history import LOOK_BACK, Histories
from core.queries.people import Sessions
from core.queries.turns import WindowOf
from tests.core.talk import open_talk


class Watched:
    """A store that notes how many turns it was asked for, and a sealer that counts what it opened."""

    def __init__(self, talk):
        self._store, self._sealer = talk.store, talk.sealer
        self.asked, self.opened = [], Counter()

    async def read(self, query):
        if isinstance(query, WindowOf):
            self.asked.append(query.turns)
        return await self._store.read(query)

    def open(self, place, sealed):
        self.opened[place.table] += 1
        return self._sealer.open(place, sealed)


@pytest.fixture
async def talk():
    async with open_talk() as talk:
        yield talk


async def session_of(talk):
    (session,) = await talk.store.read(Sessions(1))
    return session


async def read(talk, histories):
    session = await session_of(talk)
    return await histories.read(session, session.head)


async def in_full(talk):
    return await read(talk, Histories(talk.store, talk.sealer))


async def test_only_what_another_process_added_is_read_and_opened(talk):
    watched = Watched(talk)
    histories = Histories(watched, watched)
    for number in range(6):
        await talk.say("alice", f"question {number}")
    await read(talk, histories)
    watched.opened.clear()
    await talk.say("alice", "question 6")
    await talk.say("alice", "question 7")

    found = await read(talk, histories)

    assert found == await in_full(talk)
    assert [line.said for line in found.lines(3)] == ["question 5", "question 6", "question 7"]
    assert watched.asked == [LOOK_BACK, 3]
    assert watched.opened["item"] == sum(len(turn.items) for turn in found.turns[-2:])


@pytest.mark.parametrize(
    "goes_on",
    [
        ("undo", "other words"),
        ("undo", "other words", "and more", "and more"),
        ("undo", "redo", "more"),
        ("rewind 1", "other words", "more", "more"),
        ("retry",),
        ("branch idea", "what if", "more", "switch main"),
        ("branch idea", "what if", "switch main", "said here", "switch idea"),
        ("clear", "clear confirm", "anew", "more", "more", "more", "more"),
    ],
    ids=" then ".join,
)
async def test_whatever_another_process_did_the_history_is_the_one_of_the_store(talk, goes_on):
    histories = Histories(talk.store, talk.sealer)
    for number in range(3):
        await talk.say("alice", f"question {number}")
        assert await read(talk, histories) == await in_full(talk)
    for text in goes_on:
        word, *args = text.split()
        if word in ("undo", "redo", "rewind", "retry", "branch", "switch", "clear"):
            await talk.command("alice", word, *args)
        else:
            await talk.say("alice", text)
        assert await read(talk, histories) == await in_full(talk)
    await talk.say("alice", "the last one")
    assert await read(talk, histories) == await in_full(talk)


async def test_what_another_process_took_out_of_the_history_is_in_none_that_grows(talk):
    histories = Histories(talk.store, talk.sealer)
    await talk.say("alice", "my number is secret", id_="q1")
    await talk.say("alice", "hello", id_="q2")
    assert "secret" in str(await read(talk, histories))
    await talk.delete("alice", "q1")
    await talk.say("alice", "more")

    assert await read(talk, histories) == await in_full(talk)
    assert "secret" not in str(await read(talk, histories))


async def test_a_summary_that_another_process_made_takes_the_place_of_what_it_stands_for():
    async with open_talk(session={"window_tokens": 400}) as talk:
        histories, summarised = Histories(talk.store, talk.sealer), set()
        for number in range(12):
            await talk.say("alice", f"question {number} " + "about the printer " * 10)
            found = await read(talk, histories)
            assert found == await in_full(talk)
            summarised.add(found.summarised)
    assert len(summarised) > 2
