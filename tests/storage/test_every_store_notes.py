from core.queries.log import NoteByKey, NotesOf
from core.queries.said import QuestionBy
from core.queries.turns import TurnsSpokenIn
from core.records.log import DropNote, PutNote
from tests.storage.samples import S, commit, message, one, session, turn


async def test_a_note_is_replaced_by_the_next_one_of_its_key(store):
    await commit(store, PutNote("slack", "stream", b"k", 1, b"first"))
    await commit(store, PutNote("slack", "stream", b"k", 2, b"second"))
    assert (await one(store, NoteByKey("slack", "stream", b"k"))).body == b"second"


async def test_notes_of_another_kind_or_platform_are_not_found(store):
    await commit(store, PutNote("slack", "stream", b"k", 1, b"body"))
    assert await store.read(NotesOf("slack", "mark")) == []
    assert await store.read(NotesOf("discord", "stream")) == []
    assert await store.read(NoteByKey("discord", "stream", b"k")) == []


async def test_all_notes_of_a_kind_come_oldest_first_and_a_dropped_one_is_gone(store):
    for number, key in enumerate((b"b", b"a", b"c")):
        await commit(store, PutNote("slack", "stream", key, number, key))
    await commit(store, DropNote("slack", "stream", b"a"))
    assert [row.key for row in await store.read(NotesOf("slack", "stream"))] == [b"b", b"c"]


async def test_who_spoke_in_a_session_is_told_by_their_turn_whatever_became_of_it(store):
    await commit(store, *session(), turn("t1"), turn("t2", status="failed"), turn("t3", speaker="another"))
    assert (await one(store, TurnsSpokenIn(S, "c"))).id == "t2"
    assert await store.read(TurnsSpokenIn(S, "nobody")) == []
    assert await store.read(TurnsSpokenIn(b"elsewhere", "c")) == []


async def test_who_asked_in_a_session_is_told_by_their_message(store):
    await commit(store, *session(), message(b"q", turn=None, part="question"))
    assert (await one(store, QuestionBy(S, "c"))).key == b"q"
    assert await store.read(QuestionBy(S, "another")) == []


async def test_an_answer_is_no_question(store):
    await commit(store, *session(), turn("t1"), message(b"a", part="answer"))
    assert await store.read(QuestionBy(S, "c")) == []
