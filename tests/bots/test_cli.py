"""`deskmate`: the commands that read, and what goes wrong."""

import contextlib
import json
import sqlite3
import subprocess
import sys

import pytest

from bots.cli import main
from bots.doctor import Findings, look_at_events
from tests.bots.command_line import ROOT, environment, refusal

NEWEST = len(list((ROOT / "adapters/storage/schema/sqlite").glob("*.sql")))
OTHER_KEY = "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE="


# --- commands that read -----------------------------------------------------------------------------------------------


def test_tickets(first_day, deskmate):
    (ticket,) = deskmate.json("tickets", "list", folder=first_day[0])
    assert (ticket["id"], ticket["subject"], ticket["status"]) == ("TKT-1001", "the printer burns", "open")
    assert (ticket["session"], ticket["name"]) == ("terminal/local/dm/alice", "Alice")
    shown = deskmate.json("tickets", "show", "TKT-1001", folder=first_day[0])
    assert shown.items() >= ticket.items()
    assert [entry["field"] for entry in shown["timeline"]] == ["opened"]


def test_a_session_is_shown_for_a_reason_which_is_kept(first_day, deskmate):
    folder, _ = first_day
    sessions = deskmate.json("sessions", "list", folder=folder)
    assert {session["session"] for session in sessions} == {"terminal/local/dm/alice", "terminal/local/dm/bob"}
    args = ("sessions", "show", "terminal/local/dm/alice")
    assert "--reason" in refusal(deskmate(*args, folder=folder))
    shown = deskmate.json(*args, "--reason", "a complaint", folder=folder)
    assert (shown["session"], shown["branch"]) == ("terminal/local/dm/alice", "main")
    assert [turn["number"] for turn in shown["turns"]][:2] == [1, 2]
    assert shown["turns"][0].keys() >= {"id", "number", "status", "items"}
    assert shown["turns"][0]["items"][0] == {"role": "user", "content": "open a ticket: the printer burns"}
    kept = [line["detail"] for line in deskmate.json("audit", "list", folder=folder)]
    assert [detail["reason"] for detail in kept if "reason" in detail] == ["a complaint"]


def test_the_audit_log_is_verified_and_exported(first_day, deskmate):
    folder, _ = first_day
    deskmate("sessions", "show", "terminal/local/dm/alice", "--reason", "a check", folder=folder)
    found = deskmate.json("audit", "verify", folder=folder)
    assert (found["holds"], found["problems"], found["lines"] >= 3) == (True, [], True)
    assert found["anchors"] == found["lines"]
    deskmate("audit", "export", "log.jsonl", folder=folder)
    lines = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    assert [line["seq"] for line in lines] == list(range(1, found["lines"] + 2)), "with the line of the export itself"
    assert {"actor", "action", "detail", "digest", "link"} <= lines[0].keys()
    assert "is there already" in refusal(deskmate("audit", "export", "log.jsonl", folder=folder))
    anchors = folder / "desk.db.anchors"
    kept = anchors.read_text()
    anchors.write_text(f"{kept}999 {'ab' * 16}\n")
    cut = deskmate("audit", "verify", folder=folder)
    assert cut.returncode == 1
    assert "once reached up to 999" in cut.stdout
    anchors.write_text(kept)


def test_usage_is_told_by_customer(first_day, deskmate):
    alice, bob = sorted(deskmate.json("usage", folder=first_day[0]), key=lambda used: used["name"])
    assert (alice["name"], alice["tier"], bob["name"]) == ("Alice", "premium", "bob")
    assert alice["total_tokens"] > bob["total_tokens"] > 0


def test_the_doctor_finds_a_desk_well(first_day, deskmate):
    found = deskmate.json("doctor", folder=first_day[0])
    assert found["ok"]
    assert [check["check"] for check in found["checks"]] == ["model", "store", "keys", "waiting"]
    assert found["counts"]["ticket"] == 1


def test_the_doctor_finds_what_is_missing(first_day, deskmate):
    wrong = wrong_with(deskmate, first_day[0], DESK_MASTER_KEY=OTHER_KEY, DESK_MODEL="gpt-x")
    assert wrong.keys() == {"model", "keys"}
    assert "DESK_MASTER_KEY" in wrong["keys"]


def wrong_with(deskmate, folder, **settings):
    """What the doctor says is wrong: each check with what to do."""
    found = deskmate.json("doctor", folder=folder, **settings)
    assert not found["ok"]
    return {check["check"]: check["do"] for check in found["checks"] if not check["ok"]}


def test_the_doctor_names_the_model_without_waiting_for_the_agents_sdk(first_day):
    folder, _ = first_day
    program = "import sys; from bots.cli import main; main(['doctor']); sys.exit('agents' in sys.modules)"
    settings = environment(folder, OPENAI_API_KEY="sk-test", DESK_MODEL="gpt-x")
    done = subprocess.run([sys.executable, "-c", program], cwd=folder, env=settings, capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"gpt-x" in done.stdout


@pytest.mark.parametrize(
    ("store", "do"),
    [
        ("oracle:thing", "DESK_STORE names no store (oracle:...): it must be sqlite:///FILE"),
        ("sqlite:///", "DESK_STORE names no store"),
        ("sqlite:///nowhere/desk.db", "the folder of nowhere/desk.db is not there: make it first, or set DESK_STORE"),
        ("sqlite:///.", "is a folder: set DESK_STORE to a file in it"),
    ],
)
def test_the_doctor_finds_a_wrong_store_to_be_one(tmp_path, deskmate, store, do):
    wrong = wrong_with(deskmate, tmp_path, DESK_STORE=store)
    assert wrong.keys() == {"store"}
    assert do in wrong["store"]


def test_the_doctor_finds_nothing_wrong_with_a_store_that_is_still_to_be_made(tmp_path, deskmate):
    for settings in ({}, {"DESK_STORE": ""}):
        found = deskmate.json("doctor", folder=tmp_path, **settings)
        assert [(check["check"], check["do"]) for check in found["checks"]] == [
            ("model", ""),
            ("store", ""),
            ("keys", ""),
        ]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("counts", "told"), [(1, "1 message to be answered, 1 piece to be posted"), (0, "0 messages")])
def test_the_doctor_counts_in_words_that_agree(counts, told):
    findings = Findings(counts=dict.fromkeys(("queued", "open", "parked", "unknown"), counts))
    look_at_events(findings, ["e1"] * counts)
    assert told in findings.checks[0]["found"]
    assert [check["found"] for check in findings.checks[1:]] == [
        "given up: 1 message, e1",
        "1 piece may or may not have been posted, held here",
    ][: 2 * counts]


def test_the_store_is_migrated(first_day, deskmate):
    found = deskmate.json("migrate", folder=first_day[0])
    assert found == {"store": f"sqlite:///{first_day[0]}/desk.db", "schema": NEWEST}


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("tickets", "list"), ["TKT-1001", "the printer burns", "Alice"]),
        (("tickets", "show", "tkt-1001"), ["TKT-1001: the printer burns", "terminal/local/dm/alice", " UTC  opened"]),
        (("sessions", "list"), ["terminal/local/dm/bob"]),
        (
            ("sessions", "show", "terminal/local/dm/bob", "--reason", "a test"),
            ["branch main, 1 turn\n", "1. bob", " UTC\n", "hello"],
        ),
        (("usage",), ["Alice", "premium"]),
        (("audit", "list"), ["review"]),
        (("doctor",), ["ok  store", "0 messages to be answered, 0 pieces to be posted"]),
        (("migrate",), [f"is at schema {NEWEST}, the newest"]),
    ],
)
def test_without_json_people_can_read_it(first_day, deskmate, args, words):
    done = deskmate(*args, folder=first_day[0], COLUMNS="200")
    assert (done.returncode, done.stderr) == (0, "")
    assert [word for word in words if word not in done.stdout] == []


def test_commands_that_only_read_do_not_wait_for_the_agents_sdk(first_day):
    program = (
        "import sys; from bots.cli import main; code = main(['tickets', 'list']); assert 'agents' not in sys.modules"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=first_day[0], env=environment(first_day[0]), capture_output=True
    )
    assert done.stderr == b""


def test_the_version(capsys):
    with pytest.raises(SystemExit) as left:
        main(["--version"])
    assert left.value.code == 0
    assert capsys.readouterr().out.startswith("deskmate ")


# --- what goes wrong --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("option", "message"),
    [
        (("--tier", "gold"), "--tier 'gold' is no tier: there are free, standard, premium, enterprise"),
        (("--user", " "), "--user is empty"),
        (("--channel", "dm:bob"), "channel must not begin with 'dm:'"),
    ],
)
def test_a_wrong_option_of_the_chat_is_refused(deskmate, option, message):
    assert message in refusal(deskmate("chat", *option))


@pytest.mark.parametrize("args", [("tickets", "show", "TKT-9999"), ("sessions", "show", "nowhere", "--reason", "x")])
def test_what_is_not_there_is_said(first_day, deskmate, args):
    assert "there is no" in refusal(deskmate(*args, folder=first_day[0])).lower()


@pytest.mark.parametrize("args", [("tickets", "list"), ("sessions", "list"), ("usage",), ("migrate",)])
def test_without_a_store_there_is_nothing_to_read_and_none_is_made(tmp_path, deskmate, args):
    assert "there is no store at" in refusal(deskmate(*args, folder=tmp_path))
    assert list(tmp_path.iterdir()) == []


def spoil_database(folder):
    (folder / "desk.db").write_bytes(b"not a database, but long enough to be one" * 100)


def spoil_settings(folder):
    (folder / "desk.toml").write_text("modle = 'x'")


def make_it_newer(folder):
    with contextlib.closing(sqlite3.connect(folder / "desk.db")) as store:
        store.execute("INSERT INTO migration VALUES (9999, 'later', '', '')")
        store.commit()


def lose_the_key(folder):
    (folder / "desk.db.key").unlink()


def lose_the_keyring(folder):
    (folder / "desk.db.keys").unlink()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (spoil_database, "is not a database: set DESK_STORE to another file"),
        (make_it_newer, "newer version"),
        (lose_the_key, "DESK_MASTER_KEY"),
        (lose_the_keyring, "the keyring at"),
        (spoil_settings, "modle in desk.toml: no such setting"),
        ({"DESK_MASTER_KEY": "c2hvcnQ="}, "DESK_MASTER_KEY"),
        ({"DESK_MASTER_KEY": OTHER_KEY}, "does not fit"),
        ({"DESK_STORE": "oracle:thing"}, "DESK_STORE names no store"),
        ({"DESK_STORE": "sqlite:////proc/nothing/desk.db"}, "/proc/nothing"),
        ({"DESK_MODLE": "x"}, "DESK_MODLE: no such setting; is DESK_MODEL meant?"),
        ({"DESK_MODEL": "gpt-x"}, "OPENAI_API_KEY"),
        ({"DESK_STRATEGIES__DIRECT": "device"}, "device"),
    ],
)
def test_what_stops_a_start_is_one_line_that_says_what_to_do(copied, deskmate, wrong, message):
    settings = wrong if isinstance(wrong, dict) else wrong(copied) or {}
    before = {path.name for path in copied.iterdir()}
    assert message in refusal(deskmate("chat", "--jsonl", folder=copied, **settings))
    # A lock and its like may stay; a key or a keyring in place of the one that is gone would hide what is lost.
    assert {path.name for path in copied.iterdir()} - before <= {"desk.db.desk", "desk.db.write", "desk.db.keys.write"}


FOLDERS = [
    ("keys", {"DESK_KEYRING": "keys"}, "keys is a folder: set DESK_KEYRING to a file"),
    ("desk.db.keys", {}, "desk.db.keys is a folder: set DESK_KEYRING to a file"),
    ("desk.db.key", {}, "desk.db.key is a folder, where a file should be: move it away, or set DESK_MASTER_KEY"),
]


@pytest.mark.parametrize(("name", "settings", "message"), FOLDERS)
def test_a_folder_in_place_of_keys_is_said_to_be_one(copied, deskmate, name, settings, message):
    (copied / name).unlink(missing_ok=True)
    (copied / name).mkdir()
    assert refusal(deskmate("chat", "--jsonl", folder=copied, **settings)).endswith(message)
    wrong = wrong_with(deskmate, copied, **settings)
    assert wrong.keys() == {"keys"}
    assert wrong["keys"].endswith(message)


@pytest.mark.parametrize(("name", "settings", "message"), FOLDERS)
def test_a_folder_in_place_of_keys_stops_the_first_start_before_a_key_is_made(
    tmp_path, deskmate, name, settings, message
):
    (tmp_path / name).mkdir()
    assert refusal(deskmate("chat", "--jsonl", folder=tmp_path, **settings)).endswith(message)
    assert [path.name for path in tmp_path.glob("*key*")] == [name]


@pytest.mark.parametrize("args", [("doctor", "--json"), ("chat", "--jsonl")])
def test_a_closed_standard_output_is_said_in_one_line_and_nothing_is_taken_in(tmp_path, args):
    words = ["sh", "-c", 'exec "$@" >&-', "sh", sys.executable, "-m", "bots.cli", *args]
    done = subprocess.run(words, env=environment(tmp_path), stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert done.returncode == 1
    assert done.stderr == b"deskmate: the standard output is closed: nobody could read an answer\n"
    assert not (tmp_path / "desk.db").exists()
