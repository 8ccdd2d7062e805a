"""`deskmate import`: the SDK's own session files, made by the SDK, become standalone sessions."""

import contextlib
import sqlite3
from types import SimpleNamespace

import pytest
from agents import SQLiteSession, Usage
from agents.extensions.memory import AdvancedSQLiteSession

from adapters.storage.sessions import open_session
from tests.bots.command_line import refusal
from tests.bots.stores import rows_of

CALL = {"type": "function_call", "call_id": "c1", "name": "weather", "arguments": "{}"}
OUTPUT = {"type": "function_call_output", "call_id": "c1", "output": "sun"}


def user(text):
    return {"role": "user", "content": text}


def assistant(text):
    return {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": text}]}


TALK = [user("hello"), assistant("hi"), user("and the weather?"), CALL, OUTPUT, assistant("sun")]


async def simple(folder, **sessions):
    """A file of SQLiteSession with these sessions."""
    for id_, items in sessions.items():
        session = SQLiteSession(id_, folder / "sdk.db")
        await session.add_items(items)
        session.close()
    return "sdk.db"


async def branched(folder):
    """A file of AdvancedSQLiteSession: a what-if after the first turn, and what two turns used."""
    session = AdvancedSQLiteSession(session_id="alice", db_path=folder / "sdk.db", create_tables=True)
    await session.add_items(TALK[:2])
    await session.store_run_usage(run(10, 3))
    await session.add_items(TALK[2:])
    await session.store_run_usage(run(20, 5))
    await session.create_branch_from_turn(2, "what-if")
    await session.add_items([user("and the price?"), assistant("ten")])
    await session.store_run_usage(run(40, 7))
    await session.switch_to_branch("main")
    session.close()
    return "sdk.db"


def run(read, written):
    used = Usage(requests=1, input_tokens=read, output_tokens=written, total_tokens=read + written)
    return SimpleNamespace(context_wrapper=SimpleNamespace(usage=used))


def opened(folder, id_):
    return open_session(f"sqlite:///{folder}/desk.db", id_)


async def test_a_session_is_taken_in_item_by_item(tmp_path, deskmate):
    file = await simple(tmp_path, alice=TALK, bob=[user("good evening")])
    told = await in_thread(deskmate.json, "import", file)
    assert {(one["session"], one["outcome"]) for one in told} == {("alice", "new"), ("bob", "new")}
    async with opened(tmp_path, "alice") as alice, opened(tmp_path, "bob") as bob:
        assert await alice.get_items() == TALK
        assert await bob.get_items() == [user("good evening")]
        assert [turn["content"] for turn in await alice.get_conversation_turns()] == ["hello", "and the weather?"]


async def in_thread(call, *args, **rest):
    """A command has a loop of its own."""
    import asyncio

    return await asyncio.to_thread(call, *args, **rest)


async def test_what_was_taken_in_goes_on_and_can_be_taken_back(tmp_path, deskmate):
    await in_thread(deskmate.json, "import", await simple(tmp_path, alice=TALK))
    async with opened(tmp_path, "alice") as alice:
        await alice.add_items([user("thanks")])
        assert await alice.get_items() == [*TALK, user("thanks")]
        assert await alice.undo(2) == 1
        assert await alice.get_items() == TALK[:2]
        assert await alice.redo() == 3


async def test_branches_and_usage_come_along(tmp_path, deskmate):
    (told,) = await in_thread(deskmate.json, "import", await branched(tmp_path))
    assert (told["branches"], told["usage"], told["problems"]) == (["main", "what-if"], 3, [])
    before = AdvancedSQLiteSession(session_id="alice", db_path=tmp_path / "sdk.db")
    async with opened(tmp_path, "alice") as after:
        for branch in ("main", "what-if"):
            assert await after.get_items(branch_id=branch) == await before.get_items(branch_id=branch)
            mine, theirs = await after.get_session_usage(branch), await before.get_session_usage(branch)
            assert {name: mine[name] for name in theirs} == theirs
        for branch in await before.list_branches():
            (same,) = (one for one in await after.list_branches() if one["branch_id"] == branch["branch_id"])
            assert (same["message_count"], same["user_turns"]) == (branch["message_count"], branch["user_turns"])
        mine, theirs = await after.get_turn_usage(2, "main"), await before.get_turn_usage(2, "main")
        counted = ("requests", "input_tokens", "output_tokens", "total_tokens")
        assert [mine[name] for name in counted] == [theirs[name] for name in counted] == [1, 20, 5, 25]
        assert await after.get_turn_usage(2, "what-if") != await after.get_turn_usage(2, "main")
        mine, theirs = await after.get_conversation_turns("main"), await before.get_conversation_turns("main")
        assert [turn["timestamp"] for turn in mine] == [turn["timestamp"] for turn in theirs]
    before.close()
    # What the two branches have in common is kept once.
    assert len(rows_of(tmp_path / "desk.db")["turn"]) == 3


async def test_a_second_import_changes_nothing(tmp_path, deskmate):
    file = await branched(tmp_path)
    await in_thread(deskmate.json, "import", file)
    before = rows_of(tmp_path / "desk.db")
    (told,) = await in_thread(deskmate.json, "import", file)
    assert told["outcome"] == "there"
    assert rows_of(tmp_path / "desk.db") == before


async def test_a_session_that_went_on_here_is_there_already(tmp_path, deskmate):
    file = await simple(tmp_path, alice=TALK)
    await in_thread(deskmate.json, "import", file)
    async with opened(tmp_path, "alice") as alice:
        await alice.add_items([user("thanks")])
    (told,) = await in_thread(deskmate.json, "import", file)
    assert told["outcome"] == "there"


async def test_another_session_of_that_id_stays_as_it_is(tmp_path, deskmate):
    async with opened(tmp_path, "alice") as alice:
        await alice.add_items([user("mine")])
    file = await simple(tmp_path, alice=TALK)
    done = await in_thread(deskmate, "import", file)
    assert done.returncode == 1
    assert "give another id with --as" in " ".join(done.stdout.split())
    (told,) = await in_thread(deskmate.json, "import", file, "--as", "old/{}")
    assert (told["as"], told["outcome"]) == ("old/alice", "new")
    async with opened(tmp_path, "alice") as mine, opened(tmp_path, "old/alice") as old:
        assert await mine.get_items() == [user("mine")]
        assert await old.get_items() == TALK


async def test_only_the_sessions_that_are_named_are_taken_in(tmp_path, deskmate):
    file = await simple(tmp_path, alice=TALK, bob=TALK[:2], carol=TALK[:1])
    told = await in_thread(deskmate.json, "import", file, "--session", "alice", "--session", "bob")
    assert [one["session"] for one in told] == ["alice", "bob"]


async def test_a_dry_run_tells_and_writes_nothing(tmp_path, deskmate):
    file = await simple(tmp_path, alice=TALK)
    (told,) = await in_thread(deskmate.json, "import", file, "--dry-run")
    assert (told["outcome"], told["items"]) == ("new", 6)
    assert {path.name for path in tmp_path.iterdir()} <= {"sdk.db", "sdk.db-wal", "sdk.db-shm"}
    await in_thread(deskmate.json, "import", file)
    before = rows_of(tmp_path / "desk.db")
    (told,) = await in_thread(deskmate.json, "import", file, "--dry-run", "--as", "copy")
    assert told["outcome"] == "new"
    assert rows_of(tmp_path / "desk.db") == before


async def test_rows_that_cannot_be_read_are_named_and_the_rest_is_taken_in(tmp_path, deskmate):
    file = await simple(tmp_path, alice=[*TALK, OUTPUT | {"call_id": "c9"}, user("thanks")])
    with contextlib.closing(sqlite3.connect(tmp_path / "sdk.db")) as sdk:
        sdk.execute("INSERT INTO agent_messages (session_id, message_data) VALUES ('alice', '{half')")
        sdk.execute("INSERT INTO agent_messages (session_id, message_data) VALUES ('alice', '[1]')")
        sdk.commit()
    (told,) = await in_thread(deskmate.json, "import", file)
    assert told["problems"] == [
        "message 9 is not JSON",
        "message 10 is no item: it is not an object",
        "message 7 is the output of a call that is not there",
    ]
    async with opened(tmp_path, "alice") as alice:
        assert await alice.get_items() == [*TALK, user("thanks")]


def no_file(folder):
    return None


def no_database(folder):
    (folder / "sdk.db").write_text("a letter\n" * 1000)


def another_database(folder):
    with contextlib.closing(sqlite3.connect(folder / "sdk.db")) as other:
        other.execute("CREATE TABLE theirs (a)")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (no_file, "there is no file sdk.db"),
        (no_database, "is not a database"),
        (another_database, "holds no sessions of the SDK"),
    ],
)
def test_a_file_that_is_none_is_refused_and_no_store_is_made(tmp_path, deskmate, spoil, message):
    spoil(tmp_path)
    assert message in refusal(deskmate("import", "sdk.db", folder=tmp_path))
    assert not (tmp_path / "desk.db").exists()


async def test_wrong_words_of_an_import_are_refused(tmp_path, deskmate):
    file = await simple(tmp_path, alice=TALK, bob=TALK)
    assert "one id" in refusal(await in_thread(deskmate, "import", file, "--as", "x"))
    assert "holds no session dave" in refusal(await in_thread(deskmate, "import", file, "--session", "dave"))
    assert not (tmp_path / "desk.db").exists()
