"""`deskmate fsck`: every invariant is broken once, and named; what can be repaired is, and nothing is lost by it."""

import contextlib
import json
import shutil
import sqlite3
import stat

import pytest

from adapters.storage.checking.bodies import SENTENCES
from adapters.storage.checking.invariants import INVARIANTS
from tests.bots.command_line import FIRST_DAY, chat_jsonl, refusal
from tests.bots.stores import files, held, rows_of

BUSY_DAY = [
    {"type": "message", "id": "n1", "user": "alice", "text": "open a ticket: no ink"},
    {"type": "command", "id": "n2", "user": "alice", "command": "undo"},
    {"type": "command", "id": "n3", "user": "alice", "command": "redo"},
    {"type": "message", "id": "n4", "user": "alice", "text": "close TKT-1002"},
    {"type": "command", "id": "n5", "user": "alice", "command": "undo"},
    {"type": "command", "id": "n6", "user": "alice", "command": "retry"},
    {"type": "command", "id": "n7", "user": "alice", "command": "branch", "args": ["cheaper"]},
    {"type": "message", "id": "n8", "user": "alice", "text": "remember that I prefer e-mail"},
    {"type": "command", "id": "n9", "user": "alice", "command": "switch", "args": ["main"]},
    {"type": "command", "id": "n10", "user": "alice", "command": "rewind", "args": ["1"]},
    {"type": "command", "id": "n11", "user": "alice", "command": "new"},
    {"type": "message", "id": "n12", "user": "alice", "text": "hello again"},
    {"type": "message", "id": "n13", "user": "alice", "text": "list my tickets"},
    {"type": "command", "id": "n16", "user": "alice", "command": "summary"},
    {"type": "message", "id": "n14", "user": "bob", "text": "open a ticket: a noise"},
    {"type": "command", "id": "n15", "user": "bob", "command": "clear", "args": ["confirm"]},
]
NAMES = ("desk.db", "desk.db.key", "desk.db.keys")


@pytest.fixture(scope="module")
def busy_day(tmp_path_factory):
    folder = tmp_path_factory.mktemp("busy")
    chat_jsonl(folder, *FIRST_DAY, *BUSY_DAY)
    return folder


@pytest.fixture
def busy(busy_day, tmp_path):
    for name in NAMES:
        shutil.copy(busy_day / name, tmp_path / name)
    return tmp_path


def change(folder, *statements):
    with contextlib.closing(sqlite3.connect(folder / "desk.db")) as store:
        for statement in statements:
            assert store.execute(statement).rowcount != 0, statement
        store.commit()


def broken(found):
    return {check["name"]: check["rows"] for check in found["checks"] if not check["ok"]}


def test_what_a_desk_wrote_breaks_nothing(busy, deskmate):
    found = deskmate.json("fsck", "--deep", folder=busy)
    assert broken(found) == {}
    assert found["ok"]
    assert [check["name"] for check in found["checks"]] == [
        *(one.name for one in INVARIANTS),
        *(name for name, _ in SENTENCES),
    ]
    assert deskmate("fsck", folder=busy).returncode == 0


TURN = "(SELECT head FROM branch WHERE head IS NOT NULL ORDER BY head LIMIT 1)"
CORRUPTIONS = {
    "identity-has-customer": "UPDATE identity SET customer = 'gone'",
    "place-has-session": "UPDATE place SET session = x'00'",
    "turn-has-session": "INSERT INTO turn VALUES ('t', x'00', NULL, 1, 'done', 'a', '', NULL, 0, 0, x'')",
    "branch-has-session": "INSERT INTO branch VALUES (x'00', x'01', NULL, NULL, 0, x'')",
    "item-has-turn": "INSERT INTO item VALUES ('gone', 0, x'00')",
    "summary-has-turn": "INSERT INTO summary VALUES ('gone', 'a', 0, x'00')",
    "feedback-has-turn": "INSERT INTO feedback VALUES ('gone', 'a', 'helpful', 0)",
    "head_move-has-branch": "INSERT INTO head_move VALUES (NULL, x'00', x'01', NULL, NULL, 'turn', 'a', 0)",
    "ticket_change-has-ticket": "UPDATE ticket_change SET ticket = 'gone' WHERE seq = 1",
    "heads": f"DELETE FROM turn WHERE id = {TURN}",
    "current-branch": "UPDATE session SET branch = x'99'",
    "parents": "DELETE FROM turn WHERE depth = 1 AND id IN (SELECT parent FROM turn AS t JOIN branch ON head = t.id)",
    "depths": f"UPDATE turn SET depth = 7 WHERE id = {TURN}",
    "item-numbers": "DELETE FROM item WHERE seq = 0",
    "moves": "UPDATE head_move SET to_turn = 'elsewhere'",
    "words": "UPDATE ticket SET status = 'lost'",
    "lanes": "UPDATE lane SET pending = pending + 1",
    "waiting-events": "UPDATE inbox SET status = 'queued', body = x'' WHERE status = 'done'",
    "open-pieces": "UPDATE outbox SET status = 'pending', session = x'00'",
    "ticket-versions": "UPDATE ticket SET version = version + 1",
    "ticket-customers": "UPDATE ticket SET customer = 'gone'",
    "ticket-numbers": "UPDATE counter SET value = 1001",
    "usage-customers": "UPDATE usage SET customer = 'gone'",
    "usage-amounts": "UPDATE usage SET output_tokens = -1",
    "audit": "DELETE FROM audit WHERE seq = (SELECT max(seq) - 1 FROM audit)",
    "audit-start": "UPDATE audit_start SET seq = seq + 1",
    "audit-end": "UPDATE audit_end SET seq = seq + 1",
    "bodies": "UPDATE ticket SET body = zeroblob(length(body))",
    "calls": "DELETE FROM item WHERE seq = 2",
    "timelines": "UPDATE ticket SET status = 'resolved' "
    "WHERE id = (SELECT ticket FROM ticket_change WHERE field = 'status' ORDER BY seq LIMIT 1)",
}


def test_every_invariant_is_broken_here_once():
    assert sorted(CORRUPTIONS) == sorted([*(one.name for one in INVARIANTS), *(name for name, _ in SENTENCES)])


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_a_broken_row_is_named(busy, deskmate, name):
    change(busy, CORRUPTIONS[name])
    deep = ("--deep",) if name in dict(SENTENCES) else ()
    done = deskmate("fsck", *deep, "--json", folder=busy)
    assert done.returncode == 1
    assert broken(json.loads(done.stdout))[name]


def test_what_people_wrote_is_not_told(busy, deskmate):
    change(busy, "UPDATE ticket SET status = 'lost'")
    shown = deskmate("fsck", "--deep", folder=busy).stdout
    assert "no ink" not in shown
    assert "Alice" not in shown


def test_who_was_erased_is_counted_apart(busy, deskmate):
    with contextlib.closing(sqlite3.connect(busy / "desk.db.keys")) as keys:
        newest = keys.execute("SELECT owner FROM key WHERE owner <> x'' ORDER BY made LIMIT 1").fetchone()
        keys.execute("UPDATE key SET state = 'erased', wrapped = zeroblob(length(wrapped)) WHERE owner = ?", newest)
        keys.commit()
    found = deskmate.json("fsck", "--deep", folder=busy)
    (bodies,) = (check for check in found["checks"] if check["name"] == "bodies")
    assert bodies["ok"]
    opened, erased = (int(word) for word in bodies["note"].split() if word.isdigit())
    assert opened > 0
    assert erased > 0


def test_a_check_runs_beside_a_desk_and_a_repair_does_not(busy, deskmate):
    with held(busy / "desk.db.desk"):
        assert deskmate("fsck", folder=busy).returncode == 0
        assert "is worked by another desk" in refusal(deskmate("fsck", "--repair", folder=busy))


def test_a_check_changes_nothing(busy, deskmate):
    change(busy, CORRUPTIONS["lanes"], CORRUPTIONS["heads"])
    before = rows_of(busy / "desk.db")
    deskmate("fsck", folder=busy)
    assert rows_of(busy / "desk.db") == before


# --- repair -----------------------------------------------------------------------------------------------------------


def repaired(folder, deskmate):
    """Repair; the audit lines that came of it."""
    before = len(deskmate.json("audit", "list", folder=folder))
    found = deskmate.json("fsck", "--repair", "--deep", folder=folder)
    lines = deskmate.json("audit", "list", folder=folder)[before:-1]  # the last one says that the log was read
    assert deskmate.json("audit", "verify", folder=folder)["holds"]
    assert [line["action"] for line in lines] == ["repair"] * len(found["repaired"])
    assert [line["detail"]["row"] for line in lines] == [one["row"] for one in found["repaired"]]
    return found, [line["detail"] for line in lines]


def test_a_whole_store_is_left_as_it_is(busy, deskmate):
    before = rows_of(busy / "desk.db")
    found = deskmate.json("fsck", "--repair", "--deep", folder=busy)
    assert (found["ok"], found["repaired"]) == (True, [])
    assert rows_of(busy / "desk.db") == before


def test_lanes_are_counted_again(busy, deskmate):
    change(busy, "UPDATE lane SET pending = 5")
    found, lines = repaired(busy, deskmate)
    assert found["ok"]
    assert {(line["what"], line["before"], line["after"]) for line in lines} == {("lane recounted", 5, 0)}


def test_a_branch_that_lost_its_head_ends_in_the_newest_turn_there_is_and_the_old_one_is_noted(busy, deskmate):
    before = rows_of(busy / "desk.db")
    change(
        busy,
        "DELETE FROM item WHERE turn IN (SELECT head FROM branch)",
        "DELETE FROM turn WHERE id IN (SELECT head FROM branch)",
    )
    lost = {branch[2] for branch in before["branch"]} - {None}
    found, lines = repaired(busy, deskmate)
    assert found["ok"]
    assert {line["before"] for line in lines if line["what"] == "head moved"} == lost
    there = {turn[0]: turn for turn in rows_of(busy / "desk.db")["turn"]}
    heads = {branch[2] for branch in rows_of(busy / "desk.db")["branch"]} - {None}
    assert heads
    assert all(there[head][4] == "done" for head in heads)
    said = {"type": "message", "id": "z1", "user": "alice", "text": "list my tickets"}
    assert "TKT-1001" in chat_jsonl(busy, said)[0][-1]["text"]


def test_rows_nothing_leads_to_are_set_aside_sealed_before_they_go(busy, deskmate):
    before = rows_of(busy / "desk.db")
    session = before["turn"][0][1]
    change(busy, f"DELETE FROM session WHERE id = x'{session.hex()}'")
    found, lines = repaired(busy, deskmate)
    assert broken(found).keys() <= {"open-pieces", "usage-customers"}
    (aside,) = busy.glob("desk.db.aside-*.jsonl")
    assert stat.S_IMODE(aside.stat().st_mode) == 0o600
    kept = [json.loads(line) for line in aside.read_text().splitlines()]
    turns = {turn[0] for turn in before["turn"] if turn[1] == session}
    items = [item for item in before["item"] if item[0] in turns]
    assert {one["row"]["id"] for one in kept if one["table"] == "turn"} == turns
    assert sorted(one["row"]["body"]["hex"] for one in kept if one["table"] == "item") == sorted(
        item[2].hex() for item in items
    )
    assert len(items) > 1
    # What else there was is there still.
    after = rows_of(busy / "desk.db")
    assert set(before["item"]) - set(after["item"]) == set(items)
    assert after["ticket"] == before["ticket"]
    assert {line["file"] for line in lines if line["what"] == "set aside"} == {aside.name}
    assert "Alice" not in aside.read_text()


def test_a_repair_that_cannot_keep_rows_removes_none(busy, deskmate, monkeypatch):
    from adapters.storage.checking import repairs

    def full(*_):
        raise OSError(28, "No space left on device")

    change(busy, "INSERT INTO item VALUES ('gone', 0, x'00')")
    before = rows_of(busy / "desk.db")
    monkeypatch.setattr(repairs.os, "fsync", full)
    assert "No space left" in refusal(deskmate("fsck", "--repair", folder=busy))
    assert rows_of(busy / "desk.db") == before


@pytest.mark.parametrize("args", [("fsck",), ("fsck", "--deep"), ("fsck", "--repair")])
def test_without_a_store_there_is_nothing_to_check_and_none_is_made(tmp_path, deskmate, args):
    assert "there is no store at" in refusal(deskmate(*args, folder=tmp_path))
    assert files(tmp_path) == set()


def test_a_store_of_an_older_version_is_to_be_brought_up_to_date_first(tmp_path, deskmate):
    from adapters.storage.migrations import load_migrations, migrate

    with contextlib.closing(sqlite3.connect(tmp_path / "desk.db", isolation_level=None)) as old:
        old.execute("PRAGMA application_id = 1147499371")
        migrate(old, "old", load_migrations("sqlite")[:1])
    assert "run `deskmate migrate`" in refusal(deskmate("fsck", folder=tmp_path))
