"""`deskmate fsck --repair` on PostgreSQL: as on a file, and nothing the database would take along is lost."""

import asyncio
import json
from types import SimpleNamespace

import asyncpg
import pytest

from tests.backends import in_postgres, postgres_url
from tests.bots.command_line import refusal
from tests.bots.stores import url


@pytest.fixture
def there(copied, deskmate):
    """The store of a first day on a server, and commands on it."""
    with postgres_url() as server:
        deskmate("migrate", "--from", url(copied / "desk.db"), "--to", server, folder=copied)
        key = (copied / "desk.db.key").read_text().strip()
        settings = {"DESK_STORE": server, "DESK_KEYRING": str(copied / "desk.db.keys"), "DESK_MASTER_KEY": key}
        yield SimpleNamespace(
            url=server,
            folder=copied,
            json=lambda *args: deskmate.json(*args, folder=copied, **settings),
            run=lambda *args: deskmate(*args, folder=copied, **settings),
        )


def change(there, *statements):
    """Break something, past the foreign keys of the database."""

    async def run():
        connection = await asyncpg.connect(there.url)
        for statement in ("SET session_replication_role = replica", *statements):
            assert await connection.execute(statement) not in ("UPDATE 0", "DELETE 0"), statement
        await connection.close()

    asyncio.run(run())


def rows(there, table):
    return in_postgres(f"SELECT * FROM {table}", url=there.url)  # noqa: S608


def repaired(there):
    """Repair; the audit lines that came of it."""
    before = len(there.json("audit", "list"))
    found = there.json("fsck", "--repair", "--deep")
    lines = there.json("audit", "list")[before:-1]  # the last one says that the log was read
    assert there.json("audit", "verify")["holds"]
    assert [line["detail"]["row"] for line in lines] == [one["row"] for one in found["repaired"]]
    return found, [line["detail"] for line in lines]


def test_lanes_are_counted_again_and_heads_end_in_the_newest_turn_there_is(there):
    lost = {row[2] for row in rows(there, "branch")} - {None}
    change(
        there,
        "UPDATE lane SET pending = 5",
        "DELETE FROM item WHERE turn IN (SELECT head FROM branch)",
        "DELETE FROM turn WHERE id IN (SELECT head FROM branch)",
    )
    found, lines = repaired(there)
    assert found["ok"]
    assert {(line["before"], line["after"]) for line in lines if line["what"] == "lane recounted"} == {(5, 0)}
    assert {line["before"] for line in lines if line["what"] == "head moved"} == lost
    assert there.json("fsck", "--repair", "--deep")["repaired"] == []


def test_rows_nothing_leads_to_are_set_aside_with_all_that_hangs_on_them(there):
    turns, items = rows(there, "turn"), rows(there, "item")
    session = turns[0][1]
    gone = {turn[0] for turn in turns if turn[1] == session}
    change(there, f"DELETE FROM session WHERE id = '\\x{session.hex()}'")
    _, lines = repaired(there)
    (aside,) = there.folder.glob("deskmate_one_test_*.aside-*.jsonl")
    kept = [json.loads(line) for line in aside.read_text().splitlines()]
    assert {one["row"]["id"] for one in kept if one["table"] == "turn"} == gone
    set_aside = {one["row"]["body"]["hex"] for one in kept if one["table"] == "item"}
    assert set_aside == {item[2].hex() for item in items if item[0] in gone}
    assert set_aside
    assert set(rows(there, "item")) == {item for item in items if item[0] not in gone}
    assert {line["file"] for line in lines if line["what"] == "set aside"} == {aside.name}


def test_a_repair_that_cannot_keep_rows_removes_none(there, monkeypatch):
    from adapters.storage.checking import repairs

    def full(*_):
        raise OSError(28, "No space left on device")

    change(there, "INSERT INTO item VALUES ('gone', 0, 'x')", "UPDATE lane SET pending = 5")
    before = rows(there, "item"), rows(there, "lane")
    monkeypatch.setattr(repairs.os, "fsync", full)
    assert "No space left" in refusal(there.run("fsck", "--repair"))
    assert (rows(there, "item"), rows(there, "lane")) == before


async def test_a_store_that_somebody_works_is_not_repaired(there):
    connection = await asyncpg.connect(there.url, server_settings={"application_name": "deskmate"})
    try:
        refused = await asyncio.to_thread(there.run, "fsck", "--repair")
    finally:
        await connection.close()
    assert "is worked (1 connections, 0 lanes held)" in refusal(refused)
