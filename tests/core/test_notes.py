from core.queries import NotesOf


async def test_a_note_is_there_for_the_next_desk(talk):
    await talk.desk.notes("slack").put("stream", "event-1", {"channel": "C1", "ts": "17.1"})
    async with talk.with_desk() as later:
        assert await later.notes("slack").get("stream", "event-1") == {"channel": "C1", "ts": "17.1"}
        assert await later.notes("slack").all("stream") == {"event-1": {"channel": "C1", "ts": "17.1"}}


async def test_a_note_that_rides_is_there_with_the_next_commit(talk):
    notes = talk.desk.notes("slack")
    await notes.ride("mark", "C1", "17.1")
    await notes.put("stream", "event-1", 1)
    assert await notes.get("mark", "C1") == "17.1"


async def test_a_dropped_note_is_gone_and_dropping_none_is_no_error(talk):
    notes = talk.desk.notes("slack")
    await notes.put("stream", "event-1", 1)
    await notes.drop("stream", "event-1")
    await notes.drop("stream", "event-1")
    assert await notes.get("stream", "event-1") is None


async def test_one_platform_does_not_see_the_notes_of_another(talk):
    await talk.desk.notes("slack").put("stream", "event-1", 1)
    assert await talk.desk.notes("discord").all("stream") == {}


async def test_neither_key_nor_value_of_a_note_stands_in_the_store(talk):
    await talk.desk.notes("slack").put("install", "T-ACME", {"token": "xoxb-secret"})
    (row,) = await talk.store.read(NotesOf("slack", "install"))
    assert b"ACME" not in row.key + row.body
    assert b"secret" not in row.body
