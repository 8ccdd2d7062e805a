import asyncio
import json
import os
import signal
import subprocess
import sys
from contextlib import suppress

import pytest

from adapters.storage.sessions import open_session
from core.errors import (
    ConfigError,
    KeyringError,
    StoreError,
)
from core.queries.counts import Counts
from tests.sessions.samples import ROOT, answer, call, output, say, turn, turns, user


async def test_what_was_said_is_there_when_the_store_is_opened_again(lasting_url):
    for number in range(3):
        async with open_session(lasting_url, "alice") as session:
            assert await session.get_items() == turns(*range(number))
            await say(session, number)


@pytest.mark.parametrize("url", ["oracle://bob:hunter2@db/x", "sqlite:///", "sessions.db", "redis:here"])
def test_a_url_that_names_no_store_is_refused_at_once_with_what_would_name_one(url):
    with pytest.raises(
        ConfigError, match=r"names no store \(.*must be sqlite:///FILE .* postgresql://.* memory:, or redis://"
    ) as raised:
        open_session(url, "alice")
    assert "hunter2" not in str(raised.value)
    assert "DESK_STORE" not in str(raised.value)


async def test_nothing_that_was_said_stands_in_the_files_as_it_is(tmp_path):
    async with open_session(f"sqlite:///{tmp_path}/sessions.db", "alice@example.com") as session:
        await session.add_items([user("the planted phrase")])
        await session.create_branch_from_turn(1, "planted branch")
        written = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"sqlite" in written.lower()
    for planted in (b"planted", b"alice", b"example.com"):
        assert planted not in written


async def test_what_was_popped_or_cleared_is_gone_from_the_store(lasting_url, monkeypatch):
    async with open_session(lasting_url, "alice") as session:
        await say(session, 1, 2)
        await session.pop_item()
        assert (await counts(session))["item"] == 7
        await session.clear_session()
        counted = await counts(session)
        assert (counted["turn"], counted["item"]) == (0, 0)


async def counts(session):
    return {count.table: count.rows for count in await session._do(lambda line: line.read(Counts()))}


async def test_a_wrong_or_missing_key_is_an_error_and_never_an_empty_history(lasting_url, tmp_path):
    async with open_session(lasting_url, "alice") as session:
        await say(session, 1)
    stranger = open_session(lasting_url, "alice", master_key="00" * 32)
    for reading in (stranger.get_items, stranger.get_items, stranger.list_branches):
        with pytest.raises(KeyringError):
            await reading()
    with pytest.raises(KeyringError):
        await stranger.add_items([user("let me in")])
    stranger.close()
    key = next(tmp_path.rglob("*.key"))
    key.rename(tmp_path / "elsewhere")
    async with open_session(lasting_url, "alice") as session:
        with pytest.raises(KeyringError):
            await session.get_items()
        (tmp_path / "elsewhere").rename(key)
        assert await session.get_items() == turns(1)


async def test_a_master_key_of_ones_own_needs_no_key_file(lasting_url, tmp_path):
    for _ in range(2):
        async with open_session(lasting_url, "alice", master_key="ab" * 32) as session:
            await say(session, 1)
    assert list(tmp_path.rglob("*.key")) == []


async def test_a_store_that_cannot_be_opened_says_so_each_time(tmp_path):
    session = open_session(f"sqlite:///{tmp_path}/absent/sessions.db", "alice")
    for _ in range(2):
        with pytest.raises(StoreError, match="absent"):
            await session.get_items()
    (tmp_path / "absent").mkdir()
    await say(session, 1)
    assert await session.get_items() == turns(1)
    session.close()


class Other:
    """Another process that uses the same session, line by line."""

    PROGRAM = """
import asyncio, json, sys
from adapters.storage.sessions import open_session

async def main():
    session = open_session(sys.argv[1], "alice")
    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        name, *args = json.loads(line)
        print(json.dumps(await getattr(session, name)(*args)), flush=True)
    if len(sys.argv) < 3:
        session.close()

asyncio.run(main())
"""

    def __init__(self, url, *options):
        self.process = subprocess.Popen(
            [sys.executable, "-c", self.PROGRAM, url, *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
        )
        assert self.answer() == "ready"

    def ask(self, *words):
        self.process.stdin.write(json.dumps(words) + "\n")
        self.process.stdin.flush()

    def answer(self):
        return json.loads(self.process.stdout.readline())

    def do(self, *words):
        self.ask(*words)
        return self.answer()

    def end(self):
        with suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.stdout.close()
        return self.process.wait(20)


@pytest.fixture
def other(lasting_url):
    opened = Other(lasting_url)
    yield opened
    opened.end()


async def test_two_processes_see_each_others_changes_at_once(lasting_url, other):
    async with open_session(lasting_url, "alice") as session:
        await say(session, 1)
        assert await session.get_items(limit=50) == other.do("get_items", 50) == turns(1)
        other.do("add_items", [user("question 2"), call(2)])
        assert await session.get_items(limit=50) == turns(1, 2)[:-2]
        await session.add_items([output(2)])
        other.do("add_items", [answer("answer 2")])
        assert await session.get_items(limit=50) == other.do("get_items", 50) == turns(1, 2)
        other.do("undo")
        assert await session.get_items(limit=50) == turns(1)
        await session.redo()
        other.do("pop_item")
        await session.add_items([answer("said anew")])
        assert other.do("get_items") == await session.get_items() == [*turns(1, 2)[:-1], answer("said anew")]
        other.do("clear_session")
        assert await session.get_items(limit=50) == []


async def test_an_addition_after_one_of_another_process_loses_neither(lasting_url, other):
    async with open_session(lasting_url, "alice") as session:
        await say(session, 1)
        await session.get_items(limit=50)
        other.do("add_items", [answer("theirs, to turn 1")])
        await session.add_items([user("ours, a turn of its own")])
        assert await session.get_items(limit=50) == [
            *turns(1),
            answer("theirs, to turn 1"),
            user("ours, a turn of its own"),
        ]


async def test_two_processes_that_add_at_once_lose_nothing(lasting_url, other):
    async with open_session(lasting_url, "alice") as session:
        for number in range(40):
            other.ask("add_items", [user(f"theirs {number}")])
        for number in range(40):
            await session.add_items([{"role": "assistant", "content": f"ours {number}"}])
        for _ in range(40):
            other.answer()
        found = [item["content"] for item in await session.get_items()]
    assert [text for text in found if text.startswith("theirs")] == [f"theirs {number}" for number in range(40)]
    assert [text for text in found if text.startswith("ours")] == [f"ours {number}" for number in range(40)]


@pytest.mark.parametrize("kill_after", [1, 7, 20])
async def test_what_returned_before_a_kill_is_there_after_it(lasting_url, kill_after):
    dying = Other(lasting_url)
    for number in range(30):
        dying.ask("add_items", [user(f"question {number}")])
    for _ in range(kill_after):
        dying.answer()
    dying.process.send_signal(signal.SIGKILL)
    dying.end()
    async with open_session(lasting_url, "alice") as session:
        found = [item["content"] for item in await session.get_items()]
    assert found == [f"question {number}" for number in range(len(found))]
    assert len(found) >= kill_after


def test_a_process_that_forgets_to_close_still_ends_and_keeps_all(lasting_url):
    careless = Other(lasting_url, "without closing")
    careless.do("add_items", turn(1))
    assert careless.end() == 0
    session = open_session(lasting_url, "alice")
    assert asyncio.run(session.get_items()) == turns(1)
    session.close()


def test_a_forked_child_uses_a_connection_of_its_own(lasting_url):
    session = open_session(lasting_url, "alice")
    asyncio.run(say(session, 1))
    child = os.fork()
    if not child:
        with suppress(BaseException):
            asyncio.run(say(session, 2))
            os._exit(asyncio.run(session.get_items(50)) != turns(1, 2))
        os._exit(1)
    assert os.waitpid(child, 0)[1] == 0
    assert asyncio.run(session.get_items(50)) == turns(1, 2)
    session.close()
