"""`deskmate backup` and `restore`."""

import contextlib
import resource
import sqlite3
import stat
import sys

import pytest

from adapters.storage.moving.tables import newest_schema
from tests.bots.command_line import refusal
from tests.bots.stores import files, held, killed, rows_of

# --- backup -----------------------------------------------------------------------------------------------------------


def test_a_backup_holds_every_row_and_not_the_keyring(copied, deskmate):
    told = deskmate.json("backup", "safe.db", folder=copied)
    assert rows_of(copied / "safe.db") == rows_of(copied / "desk.db")
    assert told["keyring"] == str(copied / "desk.db.keys")
    assert files(copied) == {"desk.db", "desk.db.key", "desk.db.keys", "safe.db"}
    assert stat.S_IMODE((copied / "safe.db").stat().st_mode) == 0o600
    assert "NOT in it" in " ".join(deskmate("backup", "again.db", folder=copied).stdout.split())


def test_who_watches_sees_how_far_it_is(copied, deskmate, monkeypatch):
    assert deskmate("backup", "unseen.db", folder=copied).stderr == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    shown = deskmate("backup", "seen.db", folder=copied).stderr
    assert "copied item: 10 rows" in shown
    assert "compared item: 10 rows" in shown
    assert shown.endswith("\r\x1b[K")


def test_a_backup_beside_a_writer_is_of_one_moment(copied, deskmate, monkeypatch):
    from adapters.storage.moving import sqlite_rows

    before, page = rows_of(copied / "desk.db"), sqlite_rows.SqliteRows._page
    with contextlib.closing(sqlite3.connect(copied / "desk.db", check_same_thread=False)) as writer:
        writer.execute("PRAGMA journal_mode = WAL")

        def written_meanwhile(self, table, after):
            writer.execute("INSERT INTO counter VALUES (hex(randomblob(8)), 1)")
            writer.execute("DELETE FROM usage")
            writer.commit()
            return page(self, table, after)

        monkeypatch.setattr(sqlite_rows.SqliteRows, "_page", written_meanwhile)
        done = deskmate("backup", "safe.db", folder=copied)
    assert (done.returncode, done.stderr) == (0, "")
    assert rows_of(copied / "safe.db") == before
    assert rows_of(copied / "desk.db") != before


def test_a_backup_is_made_while_a_desk_serves(copied, deskmate):
    with held(copied / "desk.db.desk"):
        assert deskmate("backup", "safe.db", folder=copied).returncode == 0


@pytest.mark.parametrize("page", [1, 30, 0])
def test_a_backup_that_was_killed_has_no_name_and_the_next_one_is_whole(copied, deskmate, page):
    killed(copied, page, "backup", "safe.db")
    assert not (copied / "safe.db").exists()
    done = deskmate("backup", "safe.db", folder=copied)
    assert (done.returncode, done.stderr) == (0, "")
    assert rows_of(copied / "safe.db") == rows_of(copied / "desk.db")
    assert not (copied / "safe.db.part").exists()


def test_a_full_disk_is_one_line_and_leaves_nothing(copied, deskmate):
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    try:
        told = refusal(deskmate("backup", "safe.db", folder=copied))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert "safe.db.part cannot be written" in told
    assert files(copied) == {"desk.db", "desk.db.key", "desk.db.keys"}


@pytest.mark.parametrize(
    ("to", "message"),
    [
        ("desk.db", "is the store itself"),
        ("desk.db.keys", "is there already"),
        ("nowhere/safe.db", "cannot be written"),
        (".", "is there already"),
    ],
)
def test_a_backup_is_not_written_there(copied, deskmate, to, message):
    assert message in refusal(deskmate("backup", to, folder=copied))
    assert files(copied) == {"desk.db", "desk.db.key", "desk.db.keys"}


def test_two_backups_to_one_name_do_not_mix(copied, deskmate):
    from adapters.file_locks import FileLock

    with contextlib.closing(FileLock(str(copied / "safe.db.part"))) as lock, lock:
        assert "is being written by another process" in refusal(deskmate("backup", "safe.db", folder=copied))


# --- restore ----------------------------------------------------------------------------------------------------------


def test_a_restored_store_is_the_one_that_was_backed_up(copied, deskmate):
    before = rows_of(copied / "desk.db")
    deskmate("backup", "safe.db", folder=copied)
    (copied / "desk.db").unlink()
    told = deskmate.json("restore", "safe.db", folder=copied)
    assert rows_of(copied / "desk.db") == before
    assert told["ok"]
    assert told["aside"] is None
    assert deskmate.json("fsck", "--deep", folder=copied)["ok"]


def test_a_store_that_holds_content_is_replaced_only_when_asked_and_kept_aside(copied, deskmate):
    deskmate("backup", "safe.db", folder=copied)
    with contextlib.closing(sqlite3.connect(copied / "desk.db")) as store:
        store.execute("DELETE FROM usage")
        store.commit()
    spoiled = rows_of(copied / "desk.db")
    assert "--replace" in refusal(deskmate("restore", "safe.db", folder=copied))
    assert rows_of(copied / "desk.db") == spoiled
    told = deskmate.json("restore", "safe.db", "--replace", folder=copied)
    assert rows_of(copied / "desk.db") == rows_of(copied / "safe.db") != spoiled
    assert rows_of(told["aside"]) == spoiled


@pytest.mark.parametrize("page", [20, 0])
def test_a_restore_that_was_killed_leaves_the_store_as_it_was(copied, deskmate, page):
    deskmate("backup", "safe.db", folder=copied)
    with contextlib.closing(sqlite3.connect(copied / "desk.db")) as store:
        store.execute("UPDATE customer SET version = 7")
        store.commit()
    before = rows_of(copied / "desk.db")
    killed(copied, page, "restore", "safe.db", "--replace")
    assert rows_of(copied / "desk.db") == before
    assert deskmate.json("restore", "safe.db", "--replace", folder=copied)["ok"]
    assert rows_of(copied / "desk.db") == rows_of(copied / "safe.db")


def test_a_store_that_is_in_use_is_not_replaced(copied, deskmate):
    deskmate("backup", "safe.db", folder=copied)
    with held(copied / "desk.db.desk"):
        assert "is worked by another desk" in refusal(deskmate("restore", "safe.db", "--replace", folder=copied))
    with contextlib.closing(sqlite3.connect(copied / "desk.db")) as reader:
        reader.execute("PRAGMA journal_mode = WAL")
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM customer").fetchall()
        assert "is in use" in refusal(deskmate("restore", "safe.db", "--replace", folder=copied))


def test_a_backup_of_an_older_schema_is_restored_and_brought_up_to_date(copied, deskmate):
    from adapters.storage.migrations import load_migrations, migrate

    with contextlib.closing(sqlite3.connect(copied / "old.db", isolation_level=None)) as old:
        old.execute("PRAGMA application_id = 1147499371")
        migrate(old, "old", load_migrations("sqlite")[:1])
        old.execute("INSERT INTO counter VALUES ('ticket/local', 1007)")
    (copied / "desk.db").unlink()
    assert deskmate.json("restore", "old.db", folder=copied)["ok"]
    with contextlib.closing(sqlite3.connect(copied / "desk.db")) as store:
        assert store.execute("SELECT count(*) FROM migration").fetchone() == (newest_schema(),)
    assert rows_of(copied / "desk.db")["counter"] == [("ticket/local", 1007)]


def cut_off(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def scratched(path):
    content = path.read_bytes()
    path.write_bytes(content[:20_000] + bytes(20_000) + content[40_000:])


def gone(path):
    path.unlink()


def text(path):
    path.write_text("a letter\n" * 1000)


def a_folder(path):
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (cut_off, "is not a database: name another file"),
        (scratched, "damaged"),
        (gone, "there is no store at"),
        (text, "is not a database"),
        (a_folder, "is a folder"),
    ],
)
def test_a_backup_that_is_none_is_refused_and_the_store_stays(copied, deskmate, spoil, message):
    deskmate("backup", "safe.db", folder=copied)
    before = rows_of(copied / "desk.db")
    spoil(copied / "safe.db")
    assert message in refusal(deskmate("restore", "safe.db", "--replace", folder=copied))
    assert rows_of(copied / "desk.db") == before
    assert not list(copied.glob("*before*"))
