"""`deskmate migrate --from --to`: a whole store elsewhere, and what is left where that is cut off."""

import contextlib
import sqlite3
import stat

import pytest

from adapters.storage.moving.tables import newest_schema, tables_at, triggers_at
from tests.bots.command_line import OPEN, chat_jsonl, refusal, replies
from tests.bots.stores import files, held, killed, rows_of, url


def move(folder, to):
    return "migrate", "--from", url(folder / "desk.db"), "--to", url(to)


def test_a_moved_store_holds_every_row_and_both_sides_are_told_to_be_equal(copied, deskmate):
    to = copied / "new.db"
    told = deskmate.json(*move(copied, to), folder=copied)
    assert rows_of(to) == rows_of(copied / "desk.db")
    assert {one["table"]: one["rows"] for one in told["tables"]}["item"] == len(rows_of(to)["item"]) > 5
    assert all(len(one["hash"]) == 64 for one in told["tables"])
    assert stat.S_IMODE(to.stat().st_mode) == 0o600


def test_a_moved_desk_goes_on_where_it_was(copied, deskmate):
    to = copied / "new.db"
    deskmate(*move(copied, to), folder=copied)
    (copied / "desk.db.key").rename(copied / "new.db.key")
    said = [
        {"type": "message", "id": "m9", "user": "alice", "text": "list my tickets"},
        {"type": "message", "id": "m10", "user": "alice", "text": "open a ticket: no ink"},
    ]
    # What was accepted before the move is not accepted again.
    before = OPEN | {"text": "open a ticket: the printer burns"}
    written, _ = chat_jsonl(copied, before, *said, DESK_STORE=url(to))
    known, opened = (line["text"] for line in replies(written))
    assert "TKT-1001" in known
    assert "TKT-1002" in opened
    assert deskmate.json("fsck", "--deep", folder=copied, DESK_STORE=url(to))["ok"]


def test_counters_go_on_after_rows_that_are_gone(copied, deskmate):
    with contextlib.closing(sqlite3.connect(copied / "desk.db")) as store:
        store.execute("DELETE FROM inbox WHERE seq = (SELECT max(seq) FROM inbox)")
        store.execute("DELETE FROM outbox")
        store.commit()
    deskmate(*move(copied, copied / "new.db"), folder=copied)
    counters = dict(rows_of(copied / "new.db")["counters"])
    assert counters == dict(rows_of(copied / "desk.db")["counters"])
    assert counters["outbox"] > 0


@pytest.mark.parametrize("page", [1, 20, 40, 0])
def test_a_move_that_was_killed_goes_on_where_it_was(copied, deskmate, page):
    to = copied / "new.db"
    killed(copied, page, *move(copied, to))
    assert not to.exists()
    assert (copied / "new.db.part").exists()
    done = deskmate(*move(copied, to), folder=copied)
    assert (done.returncode, done.stderr) == (0, "")
    assert rows_of(to) == rows_of(copied / "desk.db")
    assert files(copied) == {"desk.db", "desk.db.key", "desk.db.keys", "new.db", "new.db.keys"}


def test_a_move_that_goes_on_writes_only_what_is_missing(copied, deskmate, monkeypatch):
    from adapters.storage.moving import sqlite_target

    to = copied / "new.db"
    killed(copied, 40, *move(copied, to))
    written, add = [], sqlite_target.SqliteTarget._add

    def counted(self, table, rows):
        written.extend(rows)
        add(self, table, rows)

    monkeypatch.setattr(sqlite_target.SqliteTarget, "_add", counted)
    deskmate(*move(copied, to), folder=copied)
    everything = sum(len(rows_of(to)[table.name]) for table in tables_at(newest_schema()))
    assert len(written) == everything - 40


def test_a_source_that_changed_after_a_kill_is_noticed(copied, deskmate):
    to = copied / "new.db"
    killed(copied, 40, *move(copied, to))
    with contextlib.closing(sqlite3.connect(copied / "desk.db")) as store:
        store.execute("UPDATE customer SET version = version + 1")
        store.commit()
    told = refusal(deskmate(*move(copied, to), folder=copied))
    assert "table customer differs" in told
    assert "remove" in told
    assert not to.exists()


def test_an_unfinished_copy_of_one_store_is_not_gone_on_with_from_another(copied, deskmate):
    killed(copied, 20, *move(copied, copied / "new.db"))
    (copied / "desk.db").rename(copied / "other.db")
    (copied / "desk.db.keys").rename(copied / "other.db.keys")
    args = ("migrate", "--from", url(copied / "other.db"), "--to", url(copied / "new.db"))
    (copied / "new.db.keys").unlink()
    assert "is the unfinished copy of" in refusal(deskmate(*args, folder=copied))


def test_without_from_and_to_migrate_brings_the_store_up_to_date_as_before(copied, deskmate):
    assert deskmate.json("migrate", folder=copied)["schema"] == newest_schema()


def test_an_empty_store_may_be_moved_into(copied, deskmate):
    from adapters.storage.sqlite import _open_writer

    _open_writer(str(copied / "new.db"), desk=False).close()
    deskmate(*move(copied, copied / "new.db"), folder=copied)
    assert rows_of(copied / "new.db") == rows_of(copied / "desk.db")


def test_every_table_and_trigger_of_the_schema_is_moved(copied, deskmate):
    def made(path):
        with contextlib.closing(sqlite3.connect(path)) as store:
            return set(store.execute("SELECT type, name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%'"))

    deskmate(*move(copied, copied / "new.db"), folder=copied)
    assert made(copied / "new.db") == made(copied / "desk.db")
    assert triggers_at(newest_schema())
    tables = {name for kind, name, _ in made(copied / "desk.db") if kind == "table"}
    assert {table.name for table in tables_at(newest_schema())} == tables - {"migration", "refusal"}


def test_the_keyring_goes_where_it_is_told(copied, deskmate):
    (copied / "desk.db.keys").rename(copied / "ring")
    args = (*move(copied, copied / "new.db"), "--keyring-from", str(copied / "ring"))
    told = deskmate.json(*args, "--keyring-to", str(copied / "elsewhere"), folder=copied)
    assert told["keyring"]["at"] == str(copied / "elsewhere")
    assert told["keyring"]["keys"] > 2
    assert stat.S_IMODE((copied / "elsewhere").stat().st_mode) == 0o600
    settings = {"DESK_STORE": url(copied / "new.db"), "DESK_KEYRING": str(copied / "elsewhere")}
    (copied / "desk.db.key").rename(copied / "new.db.key")
    assert deskmate.json("fsck", "--deep", folder=copied, **settings)["ok"]


def test_a_keyring_that_a_setting_names_stays(copied, deskmate):
    (copied / "desk.db.keys").rename(copied / "ring")
    told = deskmate.json(*move(copied, copied / "new.db"), folder=copied, DESK_KEYRING=str(copied / "ring"))
    assert told["keyring"] == {"at": str(copied / "ring"), "keys": None}
    assert not (copied / "new.db.keys").exists()


def test_a_store_that_a_desk_works_is_not_moved(copied, deskmate):
    with held(copied / "desk.db.desk"):
        told = refusal(deskmate(*move(copied, copied / "new.db"), folder=copied))
    assert "is worked by another desk" in told
    assert files(copied) == {"desk.db", "desk.db.key", "desk.db.keys"}


def nothing_there(folder):
    (folder / "desk.db").unlink()


def no_database(folder):
    (folder / "desk.db").write_bytes(b"not a database, but long enough to be one" * 100)


def another_program(folder):
    (folder / "desk.db").unlink()
    with contextlib.closing(sqlite3.connect(folder / "desk.db")) as store:
        store.execute("CREATE TABLE theirs (a)")


def newer(folder):
    with contextlib.closing(sqlite3.connect(folder / "desk.db")) as store:
        store.execute("INSERT INTO migration VALUES (9999, 'later', '', '')")
        store.commit()


def full_target(folder):
    (folder / "new.db").write_bytes((folder / "desk.db").read_bytes())


def another_keyring(folder):
    (folder / "new.db.keys").write_bytes((folder / "desk.db.keys").read_bytes())
    with contextlib.closing(sqlite3.connect(folder / "new.db.keys")) as keys:
        keys.execute("DELETE FROM key")
        keys.commit()


def folder_in_place(folder):
    (folder / "new.db").mkdir()


def no_keyring(folder):
    (folder / "desk.db.keys").unlink()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (nothing_there, "there is no store at"),
        (no_database, "is not a database"),
        (another_program, "is the database of another program"),
        (newer, "newer version"),
        (full_target, "holds content already"),
        (another_keyring, "another keyring is at"),
        (folder_in_place, "is a folder"),
        (no_keyring, "there is no keyring at"),
    ],
)
def test_what_stops_a_move_is_one_line_and_makes_no_store(copied, deskmate, wrong, message):
    wrong(copied)
    before = files(copied)
    assert message in refusal(deskmate(*move(copied, copied / "new.db"), folder=copied))
    assert files(copied) <= before | {"new.db.keys"}


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("--from", "sqlite:///desk.db", "--to", "sqlite:///./desk.db"), "the same store"),
        (("--from", "sqlite:///desk.db"), "give both --from and --to"),
        (("--to", "sqlite:///desk.db"), "give both --from and --to"),
        (("--from", "sqlite:///desk.db", "--to", "mysql://a:secret@b/c"), "--to: that names no store (mysql:...)"),
        (("--from", "desk.db", "--to", "sqlite:///new.db"), "--from: that names no store"),
        (("--keyring-to", "x"), "give --from and --to too"),
    ],
)
def test_wrong_words_of_a_move_are_refused(copied, deskmate, args, message):
    told = refusal(deskmate("migrate", *args, folder=copied))
    assert message in told
    assert "secret" not in told
