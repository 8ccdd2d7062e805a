"""Whole stores between a SQLite file and PostgreSQL, there and back."""

import signal
from urllib.parse import urlsplit

import pytest

from adapters.sealing.copying import copy_keyring
from tests.adapters.keyrings import query
from tests.backends import drop_database, in_postgres, postgres_url
from tests.bots.command_line import refusal, run_changed
from tests.bots.stores import files, rows_of, url

KILLED_AT_PAGE = """
import os, signal, sys
from adapters.storage.moving import postgres_rows, sqlite_rows
from bots.cli import main
sqlite_rows.PAGE = 1
pages, write = 0, postgres_rows.PostgresRows.add
async def add(self, table, rows):
    global pages
    await write(self, table, rows)
    pages += 1
    if pages == int(sys.argv[1]):
        os.kill(os.getpid(), signal.SIGKILL)
postgres_rows.PostgresRows.add = add
sys.exit(main(sys.argv[2:]))
"""


@pytest.fixture
def server():
    """The URL of a new database."""
    with postgres_url() as url:
        yield url


def move(source, target, *more):
    return "migrate", "--from", source, "--to", target, *more


def keyring(folder):
    return "--keyring-from", str(folder / "desk.db.keys")


def test_a_store_goes_to_postgresql_and_back_unchanged(copied, deskmate, server):
    there = deskmate.json(*move(url(copied / "desk.db"), server), folder=copied)
    back = deskmate.json(*move(server, url(copied / "back.db"), *keyring(copied)), folder=copied)
    assert there["tables"] == back["tables"]
    assert rows_of(copied / "back.db") == rows_of(copied / "desk.db")
    assert there["keyring"]["at"] == str(copied / "desk.db.keys")


@pytest.fixture
def ring(server):
    """The URL of the keyring's database beside that one; the move makes it."""
    yield f"{server}_keys"
    drop_database(urlsplit(server).path.strip("/") + "_keys")


def people(deskmate, folder, **settings):
    return deskmate.json("sessions", "list", folder=folder, **settings)


def test_the_keyring_goes_to_the_server_and_back_and_opens_all(copied, deskmate, server, ring):
    query(copied / "desk.db.keys", "INSERT INTO erasure (owner, at) VALUES (x'00', 1)")
    before = people(deskmate, copied)
    told = deskmate.json(*move(url(copied / "desk.db"), server), "--keyring-to", ring, folder=copied)
    assert (told["keyring"]["at"], told["keyring"]["keys"]) == (ring, len(query_keys(copied)))
    settings = {"DESK_MASTER_KEY": (copied / "desk.db.key").read_text().strip()}
    assert people(deskmate, copied, DESK_STORE=server, **settings) == before
    deskmate.json(*move(server, url(copied / "back.db")), folder=copied)
    assert people(deskmate, copied, DESK_STORE=url(copied / "back.db"), **settings) == before
    assert keys_of(copied / "back.db.keys") == keys_of(copied / "desk.db.keys")


def keys_of(path):
    return query(path, "SELECT * FROM key ORDER BY owner, version") + query(path, "SELECT owner, at FROM erasure")


def test_a_keyring_on_a_server_goes_along_to_another_one(copied, deskmate, server, ring):
    deskmate.json(*move(url(copied / "desk.db"), server), "--keyring-to", ring, folder=copied)
    with postgres_url() as other:
        try:
            # As a move that was cut off after this leaves it.
            copy_keyring(ring, f"{other}_keys")
            told = deskmate.json(*move(server, other), folder=copied)
        finally:
            drop_database(urlsplit(other).path.strip("/") + "_keys")
    assert told["keyring"] == {"at": f"{other}_keys", "keys": len(query_keys(copied))}


def query_keys(folder):
    return query(folder / "desk.db.keys", "SELECT * FROM key")


def test_another_keyring_on_the_server_is_left_alone(copied, deskmate, server, ring):
    deskmate.json(*move(url(copied / "desk.db"), server), "--keyring-to", ring, folder=copied)
    before = in_postgres("SELECT * FROM deskmate_keyring.key", url=ring)
    query(copied / "desk.db.keys", "DELETE FROM key WHERE owner <> x''")
    args = (*move(url(copied / "desk.db"), server), "--keyring-to", ring)
    assert "another keyring is at postgresql://" in refusal(deskmate(*args, folder=copied))
    assert in_postgres("SELECT * FROM deskmate_keyring.key", url=ring) == before


def test_where_no_keyring_is_beside_a_store_on_a_server_the_option_is_named(copied, deskmate, server):
    deskmate.json(*move(url(copied / "desk.db"), server), folder=copied)
    said = refusal(deskmate(*move(server, url(copied / "back.db")), folder=copied))
    assert said.endswith("_keys: say where it is with --keyring-from")


def test_a_keyring_in_redis_is_not_moved_and_the_line_says_what_copies_it(copied, deskmate, server):
    args = (*move(url(copied / "desk.db"), server), "--keyring-to", "redis://127.0.0.1/0")
    assert "copy its keys PREFIX:key:* and PREFIX:keyring with redis-cli" in refusal(deskmate(*args, folder=copied))


def test_counters_go_on_there(copied, deskmate, server):
    deskmate(*move(url(copied / "desk.db"), server), folder=copied)
    ((given,),) = in_postgres(
        "INSERT INTO inbox (id, key, session, customer, kind, at, body) VALUES ('x', 'x', 'x', 'x', 'x', 1, 'x')"
        " RETURNING seq",
        url=server,
    )
    assert given == dict(rows_of(copied / "desk.db")["counters"])["inbox"] + 1


@pytest.mark.parametrize("page", [1, 40])
def test_a_move_that_was_killed_goes_on_and_no_desk_starts_meanwhile(copied, deskmate, server, page):
    args = move(url(copied / "desk.db"), server)
    done = run_changed(copied, KILLED_AT_PAGE, str(page), *args)
    assert done.returncode == -signal.SIGKILL, done.stderr
    settings = {"DESK_STORE": server, "DESK_KEYRING": str(copied / "desk.db.keys")}
    assert deskmate("fsck", folder=copied, **settings).returncode == 1
    assert deskmate(*args, folder=copied).returncode == 0
    assert deskmate.json("fsck", folder=copied, **settings)["ok"]


def test_a_backup_of_a_server_is_a_file_like_any_other(copied, deskmate, server):
    deskmate(*move(url(copied / "desk.db"), server), folder=copied)
    settings = {"DESK_STORE": server, "DESK_KEYRING": str(copied / "desk.db.keys")}
    deskmate("backup", "safe.db", folder=copied, **settings)
    assert rows_of(copied / "safe.db") == rows_of(copied / "desk.db")
    assert "holds content already" in refusal(deskmate("restore", "safe.db", folder=copied, **settings))
    assert "--replace" in refusal(deskmate("restore", "safe.db", "--replace", folder=copied, **settings))


def test_a_server_that_is_worked_is_not_moved(copied, deskmate, server):
    deskmate(*move(url(copied / "desk.db"), server), folder=copied)
    in_postgres("UPDATE lane SET worker = 'w', lease = (SELECT now FROM clock) + 60000000", url=server)
    back = move(server, url(copied / "back.db"), *keyring(copied))
    assert "is worked" in refusal(deskmate(*back, folder=copied))
    assert "back.db" not in files(copied)
    in_postgres("UPDATE lane SET lease = 0", url=server)
    assert deskmate(*back, folder=copied).returncode == 0


def test_what_a_server_refuses_is_one_line(copied, deskmate, server):
    nowhere = server.rpartition("/")[0] + "/deskmate_is_not_there"
    assert "no such database" in refusal(deskmate(*move(url(copied / "desk.db"), nowhere), folder=copied))
    empty = move(server, url(copied / "back.db"), *keyring(copied))
    assert "there is no store in" in refusal(deskmate(*empty, folder=copied))
    deskmate(*move(url(copied / "desk.db"), server), folder=copied)
    told = refusal(deskmate(*move(url(copied / "desk.db"), server), folder=copied))
    assert "holds content already" in told
    assert "--keyring-from" in refusal(deskmate(*move(server, url(copied / "b.db")), folder=copied))


def opening(folder, store):
    keys, key = str(folder / "desk.db.keys"), (folder / "desk.db.key").read_text().strip()
    return {"DESK_STORE": store, "DESK_KEYRING": keys, "DESK_MASTER_KEY": key}


@pytest.mark.parametrize("args", [("doctor",), ("migrate",), ("fsck",), ("backup", "safe.db")])
def test_no_command_shows_the_password_of_a_store(copied, deskmate, server, args):
    deskmate(*move(url(copied / "desk.db"), server), folder=copied)
    done = deskmate(*args, "--json", folder=copied, **opening(copied, server.replace("postgres@", "postgres:planted@")))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "postgres:...@" in done.stdout
    assert "planted" not in done.stdout + done.stderr


def test_the_doctor_names_the_schema_of_that_store(copied, deskmate, server):
    deskmate(*move(url(copied / "desk.db"), server), folder=copied)
    found = deskmate.json("doctor", folder=copied, **opening(copied, server))
    ((newest,),) = in_postgres("SELECT max(number) FROM migration", url=server)
    assert found["checks"][1]["found"].endswith(f"schema {newest}")
