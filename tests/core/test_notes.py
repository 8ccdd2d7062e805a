from core.queries.log import NotesOf
from tests.core.talk import Street


async def test_a_note_is_there_for_the_next_desk(talk):
    await talk.street.notes.put("stream", "event-1", {"channel": "C1", "ts": "17.1"})
    street = Street()
    async with talk.with_desk(street):
        assert await street.notes.get("stream", "event-1") == {"channel": "C1", "ts": "17.1"}
        assert await street.notes.all("stream") == {"event-1": {"channel": "C1", "ts": "17.1"}}


async def test_a_note_that_rides_is_there_with_the_next_commit(talk):
    notes = talk.street.notes
    await notes.ride("mark", "C1", "17.1")
    await notes.put("stream", "event-1", 1)
    assert await notes.get("mark", "C1") == "17.1"


async def test_a_dropped_note_is_gone_and_dropping_none_is_no_error(talk):
    notes = talk.street.notes
    await notes.put("stream", "event-1", 1)
    await notes.drop("stream", "event-1")
    await notes.drop("stream", "event-1")
    assert await notes.get("stream", "event-1") is None


async def test_one_platform_does_not_see_the_notes_of_another(talk):
    await talk.street.notes.put("stream", "event-1", 1)
    street = Street("discord")
    async with talk.with_desk(street):
        assert await street.notes.all("stream") == {}


async def test_neither_key_nor_value_of_a_note_stands_in_the_store(talk):
    await talk.street.notes.put("install", "T-ACME", {"token": "xoxb-secret"})
    (row,) = await talk.store.read(NotesOf("terminal", "install"))
    assert b"ACME" not in row.key + row.body
    assert b"secret" not in row.body
