import os
import signal
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.storage import open_store
from adapters.storage.sqlite_file import open_database
from core.errors import StoreBusyError, StoreError
from core.queries.people import Customers
from core.queries.turns import TurnsOf
from core.records.turns import DropTurn
from tests.storage.samples import assert_clear, commit, customer, items, move, said, session, turn

ROOT = Path(__file__).parents[2]

# Each line of what a child prints is a sign to the test; it goes on when it is sent a line.
CHILD = """
import asyncio, os, sqlite3, sys
from adapters.storage import open_store
from core.writer import GroupWriter
from tests.storage.samples import assert_clear, commit, customer
path = sys.argv[1]
def sign(word):
    print(word, flush=True)
    return sys.stdin.readline()
async def main():
{body}
asyncio.run(main())
"""


@contextmanager
def child(path, body):
    """Another process that uses the store at `path`; it ends with the test."""
    code = CHILD.format(body="\n".join(f"    {line}" for line in body.splitlines()))
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(path)], cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def hear(process, word):
    assert process.stdout.readline().strip() == word


def go_on(process):
    process.stdin.write("\n")
    process.stdin.flush()


async def ids(store):
    return {row.id for row in await store.read(Customers())}


# --- what is on the disk ----------------------------------------------------------------------------------------------


async def test_what_is_written_is_there_after_a_restart(url):
    async with open_store(url) as store:
        await commit(store, customer())
    async with open_store(url) as store:
        assert await ids(store) == {"c"}


async def test_a_path_may_be_relative(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    async with open_store("sqlite:///desk.db"):
        assert (tmp_path / "desk.db").exists()


async def test_nobody_else_can_read_the_files(url, path):
    async with open_store(url, desk=True) as store:
        await commit(store, customer())
        files = list(path.parent.iterdir())
        assert {file.name for file in files} == {f"desk.db{end}" for end in ("", "-wal", "-shm", ".write", ".desk")}
        assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


async def test_the_last_to_close_leaves_no_log(url, path):
    async with open_store(url) as first:
        async with open_store(url) as second:
            await commit(second, customer())
            assert Path(f"{path}-wal").stat().st_size > 0
        assert Path(f"{path}-wal").stat().st_size == 0
        await commit(first, customer("d"))
    assert {file.name for file in path.parent.iterdir()} == {"desk.db", "desk.db.write"}


async def test_a_long_log_is_moved_into_the_file_while_the_store_is_open(url, path, monkeypatch):
    monkeypatch.setattr("adapters.storage.sqlite.LONG_LOG", 3)
    async with open_store(url) as store:
        await commit(store, customer("c1"), customer("c2"))
        await commit(store, replace(customer("c3"), body=b"body of c3"))
        assert b"body of c3" not in path.read_bytes()
        await commit(store, replace(customer("c4"), body=b"body of c4"))
        # The writing thread takes one after the other: the second of these is written after the log was moved.
        await commit(store, customer("c5"))
        await commit(store, customer("c6"))
        assert b"body of c4" in path.read_bytes()


async def test_what_was_deleted_is_in_no_file(url, path):
    planted = b"planted phrase " * 20
    async with open_store(url) as store:
        await commit(store, *session(), *said(3), turn("t9", body=planted), *items("t9"), move("t9"))
        await commit(store, move("t3", "t9"), DropTurn("t9"))
    for file in path.parent.iterdir():
        assert b"planted" not in file.read_bytes(), file.name


async def test_the_number_of_descriptors_does_not_grow_with_the_sessions(url):
    async with open_store(url) as store:
        counts = []
        for n in range(200):
            name = b"session %d" % n
            await commit(store, *session(name), turn(f"t{n}", session=name), move(f"t{n}", session=name))
            assert len(await store.read(TurnsOf(name))) == 1
            counts.append(len(os.listdir("/proc/self/fd")))
        assert counts[-1] == counts[0]


async def test_a_closed_store_holds_nothing_open(url):
    async with open_store(url):
        pass
    before = len(os.listdir("/proc/self/fd"))
    async with open_store(url, desk=True) as store:
        await commit(store, customer())
    assert len(os.listdir("/proc/self/fd")) == before


def test_every_commit_is_on_the_disk_before_it_is_told(path):
    with closing(open_database(str(path), sqlite3.Connection)) as connection:
        settings = {
            name: connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("synchronous", "journal_mode")
        }
    assert settings == {"synchronous": 2, "journal_mode": "wal"}


@pytest.mark.parametrize("times", [1, 3])
async def test_a_full_disk_is_one_clear_line_and_the_store_goes_on(url, path, times):
    import resource

    async with open_store(url) as store:
        await commit(store, customer("before"))
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        for _ in range(times):
            resource.setrlimit(resource.RLIMIT_FSIZE, (Path(f"{path}-wal").stat().st_size, limits[1]))
            try:
                with pytest.raises(StoreError) as told:
                    await commit(store, customer("full"), customer("big", body=bytes(100_000)))
            finally:
                resource.setrlimit(resource.RLIMIT_FSIZE, limits)
            assert_clear(told.value, path)
            assert await ids(store) == {"before"}
        await commit(store, customer("after"))
        assert await ids(store) == {"before", "after"}


# --- several processes ------------------------------------------------------------------------------------------------


async def test_a_second_desk_on_a_store_is_refused_and_the_first_goes_on(url, path):
    async with open_store(url, desk=True) as store:
        with pytest.raises(StoreBusyError, match=f"process {os.getpid()}") as told:
            async with open_store(url, desk=True):
                pass
        assert_clear(told.value, path)
        await commit(store, customer())
    async with open_store(url, desk=True) as store:
        assert await ids(store) == {"c"}


async def test_a_desk_of_another_process_keeps_the_store_until_it_dies(url, path):
    with child(path, "async with open_store('sqlite:///' + path, desk=True):\n    sign('open')") as process:
        hear(process, "open")
        with pytest.raises(StoreBusyError, match=f"process {process.pid}"):
            async with open_store(url, desk=True):
                pass
        async with open_store(url) as beside:
            await commit(beside, customer())
        process.kill()
        process.wait()
        async with open_store(url, desk=True) as store:
            assert await ids(store) == {"c"}


async def test_two_processes_write_at_once(url, path):
    body = """
async with open_store('sqlite:///' + path) as store, GroupWriter(store) as writer:
    sign('open')
    for n in range(100):
        await writer.commit((customer(f"child {n}"),))
sign('done')
"""
    async with open_store(url) as store:
        with child(path, body) as process:
            hear(process, "open")
            go_on(process)
            for n in range(100):
                await commit(store, customer(f"parent {n}"))
            hear(process, "done")
        assert await ids(store) == {f"{who} {n}" for who in ("child", "parent") for n in range(100)}


async def test_the_stamp_of_a_store_changes_when_another_process_wrote(url, path):
    body = "async with open_store('sqlite:///' + path) as store:\n    await commit(store, customer())"
    async with open_store(url) as store:
        before = store.stamp()
        with child(path, body) as process:
            process.wait()
        assert store.stamp() != before
        assert store.stamp() % 2 == 0


async def test_a_write_waits_for_the_one_of_another_process(url, path):
    body = """
from adapters.storage.locks import FileLock
lock = FileLock(path + '.write')
with lock:
    sign('held')
sign('free')
"""
    import asyncio

    async with open_store(url) as store:
        with child(path, body) as process:
            hear(process, "held")
            writing = asyncio.create_task(commit(store, customer()))
            done, _ = await asyncio.wait({writing}, timeout=0.05)
            assert not done
            assert await ids(store) == set()
            go_on(process)
            hear(process, "free")
            await writing
        assert await ids(store) == {"c"}


async def test_a_process_that_never_lets_go_is_named_in_the_end(path):
    from adapters.storage.locks import FileLock

    first, second = FileLock(f"{path}.write"), FileLock(f"{path}.write", patience=0.01)
    with closing(first), closing(second), first, pytest.raises(StoreError) as told, second:
        pass
    assert_clear(told.value, path)


async def test_a_kill_keeps_what_was_committed_and_drops_what_was_not(url, path):
    body = """
async with open_store('sqlite:///' + path) as store:
    await commit(store, customer('committed'))
    raw = sqlite3.connect(path, isolation_level=None)
    raw.execute("BEGIN IMMEDIATE")
    raw.execute("INSERT INTO customer VALUES ('half', 'w', 1, 1, x'00')")
    sign('written')
"""
    with child(path, body) as process:
        hear(process, "written")
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert Path(f"{path}-wal").stat().st_size > 0
    async with open_store(url, desk=True) as store:
        assert await ids(store) == {"committed"}


async def test_a_kill_while_writing_loses_nothing_that_was_told(url, path):
    body = """
async with open_store('sqlite:///' + path) as store:
    sign('open')
    for n in range(100_000):
        await commit(store, customer(f"a{n}"), customer(f"b{n}"))
        print(n, flush=True)
"""
    with child(path, body) as process:
        hear(process, "open")
        go_on(process)
        told = [process.stdout.readline() for _ in range(30)]
        process.kill()
        told += process.stdout.readlines()
    last = max(int(line) for line in told if line.endswith("\n"))
    async with open_store(url) as store:
        there = await ids(store)
    assert {f"{letter}{n}" for letter in "ab" for n in range(last + 1)} <= there
    assert len([id_ for id_ in there if id_[0] == "a"]) == len([id_ for id_ in there if id_[0] == "b"])


async def test_many_processes_may_make_the_store_at_once(url, path):
    body = "async with open_store('sqlite:///' + path) as store:\n    await commit(store, customer(str(os.getpid())))"
    with child(path, body) as one, child(path, body) as two, child(path, body) as three:
        assert [process.wait() for process in (one, two, three)] == [0, 0, 0]
    async with open_store(url) as store:
        assert len(await ids(store)) == 3
