import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from adapters.storage import open_store
from adapters.storage.migrations import Migration, load_migrations, migrate
from adapters.storage.sqlite_file import APPLICATION_ID
from core.errors import ConfigError, DeskError, SchemaError, StoreError
from core.queries.people import CustomerById, Customers
from core.records.lanes import MoveEvent
from core.records.log import PutNote
from core.records.people import Reserve
from tests.storage.samples import S, assert_clear, commit, customer, event, session

ROOT = Path(__file__).parents[2]


def contents(folder):
    return {file.name: (file.stat().st_mode, file.is_file() and file.read_bytes()) for file in folder.iterdir()}


# --- what cannot be opened --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"Dear diary,\n", "is not a database"),
        (b"x" * 100_000, "is not a database"),
        (b"SQLite format 3\0" + bytes(2000), "is not a database"),
    ],
)
async def test_a_file_that_is_no_database_is_left_as_it_is(url, path, content, message):
    path.write_bytes(content)
    await assert_refused(url, path, SchemaError, message)


@pytest.mark.parametrize("journal", ["delete", "wal"])
async def test_a_database_of_another_program_is_left_as_it_is(url, path, journal):
    elsewhere = path.parent / "elsewhere"
    elsewhere.mkdir()
    with closing(sqlite3.connect(elsewhere / path.name)) as other:
        other.execute(f"PRAGMA journal_mode = {journal}")
        other.execute("CREATE TABLE theirs (a)")
        # Copied while it is open, as a kill would leave it: its log is not in the file yet.
        for file in elsewhere.iterdir():
            shutil.copy(file, path.parent)
    await assert_refused(url, path, SchemaError, "of another program")


async def test_a_store_of_a_newer_version_is_left_as_it_is(url, path):
    await assert_refused_after(
        url, path, "INSERT INTO migration VALUES (9999, 'later', 'abc', 'then')", "newer version"
    )


async def test_a_store_made_by_a_migration_that_was_edited_is_left_as_it_is(url, path):
    await assert_refused_after(url, path, "UPDATE migration SET checksum = 'edited'", "another version of schema 1")


async def assert_refused_after(url, path, statement, message):
    async with open_store(url) as store:
        await commit(store, customer())
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(statement)
        connection.commit()
    await assert_refused(url, path, SchemaError, message)


async def assert_refused(url, path, kind, message):
    before = contents(path.parent)
    with pytest.raises(kind, match=message) as told:
        async with open_store(url, desk=True):
            pass
    assert_clear(told.value, path)
    after = {name: what for name, what in contents(path.parent).items() if not name.endswith((".write", ".desk"))}
    assert after == {name: what for name, what in before.items() if not name.endswith(".write")}


async def test_a_folder_is_not_a_store(tmp_path):
    with pytest.raises(StoreError, match="is a folder") as told:
        async with open_store(f"sqlite:///{tmp_path}"):
            pass
    assert_clear(told.value, tmp_path)
    assert not list(tmp_path.iterdir())


async def test_a_store_is_not_made_in_a_folder_that_is_not_there(tmp_path):
    path = tmp_path / "missing" / "desk.db"
    with pytest.raises(StoreError, match="the folder of .* is not there") as told:
        async with open_store(f"sqlite:///{path}"):
            pass
    assert_clear(told.value, path)
    assert not path.parent.exists()


async def test_a_place_nobody_can_write_to_is_one_clear_line():
    # Not even root may make files here.
    path = "/proc/self/desk.db"
    with pytest.raises(StoreError, match="cannot be opened") as told:
        async with open_store(f"sqlite:///{path}"):
            pass
    assert_clear(told.value, path)


@pytest.mark.parametrize("url", ["mysql://user:secret@host/db", "sqlite:desk.db", "sqlite:///", "desk.db", ""])
async def test_an_unknown_url_names_what_is_allowed_and_no_password(url):
    with pytest.raises(ConfigError, match=r"sqlite:///FILE .* or memory:") as told:
        async with open_store(url):
            pass
    assert "secret" not in str(told.value)


async def test_an_empty_file_becomes_a_store(url, path):
    path.touch()
    async with open_store(url) as store:
        await commit(store, customer())


async def test_a_store_whose_making_was_cut_short_is_finished(url, path):
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA application_id = 1147499371")
        connection.execute("PRAGMA journal_mode = WAL")
    async with open_store(url) as store:
        await commit(store, customer())


# --- migrations -------------------------------------------------------------------------------------------------------

LATER = (
    Migration(1002, "more", "CREATE TABLE more (a);\nINSERT INTO more VALUES (1);\n"),
    Migration(1003, "most", "CREATE TABLE most (a);\n-- the end\n"),
)
BROKEN = Migration(1003, "broken", "CREATE TABLE most (a);\nINSERT INTO nothing VALUES (1);\n")


@pytest.fixture
async def old(url, path):
    """A connection to a store of the version before."""
    async with open_store(url) as store:
        await commit(store, customer())
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield connection


def tables(connection):
    return {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}


@pytest.mark.parametrize("number", range(1, len(load_migrations("sqlite"))))
async def test_a_store_of_every_version_before_opens_with_what_it_holds(url, path, number):
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    migrate(connection, str(path), load_migrations("sqlite")[:number])
    connection.execute("INSERT INTO counter VALUES ('n', 7)")
    connection.close()
    async with open_store(url) as store:
        await commit(store, *session(), *session(b"new"), event("e1"), event("e2"))
        await commit(store, MoveEvent("e2", b"new"))
        assert await commit(store, Reserve("n", 1)) == ([(8,)],)


def test_pending_migrations_are_applied_once(old, path):
    migrations = (*load_migrations("sqlite"), *LATER)
    migrate(old, str(path), migrations)
    migrate(old, str(path), migrations)
    assert tables(old) >= {"more", "most", "customer"}
    assert old.execute("SELECT a FROM more").fetchall() == [(1,)]
    rows = old.execute("SELECT number, name, checksum FROM migration ORDER BY number").fetchall()
    assert rows == [(step.number, step.name, step.checksum) for step in migrations]


def test_of_migrations_that_fail_nothing_is_applied(old, path):
    with pytest.raises(sqlite3.Error):
        migrate(old, str(path), (*load_migrations("sqlite"), LATER[0], BROKEN))
    assert not tables(old) & {"more", "most"}
    assert not old.in_transaction
    migrate(old, str(path), (*load_migrations("sqlite"), *LATER))


def test_migrations_are_numbered_without_gaps():
    assert [step.number for step in load_migrations("sqlite")] == list(range(1, len(load_migrations("sqlite")) + 1))


async def test_what_an_older_version_wrote_is_still_there(url, old, path):
    with pytest.raises(DeskError):
        migrate(old, str(path), LATER)
    async with open_store(url) as store:
        assert len(await store.read(CustomerById("c"))) == 1
        await commit(store, *session(S))


@pytest.mark.parametrize("version", range(1, len(load_migrations("sqlite"))))
async def test_a_store_of_every_earlier_version_opens_with_all_that_is_in_it(url, path, version):
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        migrate(connection, str(path), load_migrations("sqlite")[:version])
        connection.execute("INSERT INTO customer (id, workspace, at, body) VALUES ('c', 'w', 1, x'00')")
    async with open_store(url) as store:
        assert [row.id for row in await store.read(Customers())] == ["c"]
        await commit(store, PutNote("slack", "stream", b"k", 1, b"body"))


async def test_a_store_whose_log_was_being_moved_into_it_when_it_was_killed_opens_whole(tmp_path):
    whole, torn = tmp_path / "whole.db", tmp_path / "torn.db"
    async with open_store(f"sqlite:///{whole}") as store:
        for number in range(40):
            await commit(store, customer(f"c{number}", body=bytes(3000)))
        for end in ("", "-wal"):
            shutil.copy(f"{whole}{end}", f"{torn}{end}")
    # Closed, all is in the file. Of that the killed one got to write the first page: it says there are more of them.
    first_page = whole.read_bytes()[:4096]
    torn.write_bytes(first_page + torn.read_bytes()[4096:])
    async with open_store(f"sqlite:///{torn}") as store:
        assert len(await store.read(Customers())) == 40


async def test_the_database_of_another_program_is_left_alone_also_with_a_log_beside_it(tmp_path):
    path = tmp_path / "theirs.db"
    with closing(sqlite3.connect(path)) as theirs:
        theirs.execute("PRAGMA journal_mode = WAL")
        theirs.execute("CREATE TABLE theirs (a)")
        theirs.commit()
        with pytest.raises(SchemaError, match="another program"):
            async with open_store(f"sqlite:///{path}"):
                pass
        assert theirs.execute("PRAGMA application_id").fetchone() == (0,)
