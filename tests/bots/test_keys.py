"""`deskmate keys`, and the master key that a command gives."""

import json

from tests.bots.command_line import OPEN, chat_jsonl, refusal, say, started
from tests.bots.test_people import ALICE, until


def test_keys_are_listed_and_checked_without_a_name(copied, deskmate):
    listed = deskmate.json("keys", "list", folder=copied)
    assert len(listed) >= 2
    assert {(line["versions"], line["state"]) for line in listed} == {(1, "live")}
    assert deskmate.json("keys", "check", folder=copied)["ok"]
    deskmate("forget", ALICE, "--yes", folder=copied)
    assert "erased" in {line["state"] for line in deskmate.json("keys", "list", folder=copied)}
    assert deskmate("keys", "check", folder=copied).returncode == 0


def test_data_keys_are_rotated_and_everything_stays_readable(copied, deskmate):
    before = deskmate.json("tickets", "list", folder=copied)
    said = deskmate("keys", "rotate", "--json", folder=copied)
    assert json.loads(said.stdout)["keys"] >= 2
    assert "--made-before" in said.stderr
    assert {line["versions"] for line in deskmate.json("keys", "list", folder=copied)} == {2}
    assert deskmate.json("tickets", "list", folder=copied) == before
    assert "rotate data keys" in [line["action"] for line in deskmate.json("audit", "list", folder=copied)]
    assert "is no time" in refusal(deskmate("keys", "rotate", "--made-before", "soon", folder=copied))


def test_the_master_key_is_rotated_beside_a_serving_desk_and_its_file_is_replaced(tmp_path, deskmate):
    with started(tmp_path, "chat", "--jsonl") as desk:
        say(desk, OPEN | {"text": "open a ticket: no ink"})
        until(desk, "reply")
        before = (tmp_path / "desk.db.key").read_bytes()
        assert deskmate.json("keys", "rotate", "--master")["keys"] >= 2
        assert (tmp_path / "desk.db.key").read_bytes() != before
        # Somebody new, whose key the serving desk makes: under the key that it was told.
        for number, user in enumerate(("alice", "bob"), start=2):
            say(desk, OPEN | {"id": f"m{number}", "user": user, "text": "hello"})
            assert until(desk, "reply")["to"] == f"m{number}"
        desk.communicate()
    assert deskmate.json("keys", "check")["ok"]
    assert deskmate("fsck", "--deep").returncode == 0
    (tmp_path / "desk.db.key").write_bytes(before)
    assert "does not fit" in refusal(deskmate("tickets", "list"))


def test_a_command_gives_the_master_key_and_is_never_quoted(tmp_path, deskmate):
    key = "ab" * 32
    (tmp_path / "key").write_text(key)
    told = {"DESK_MASTER_KEY_COMMAND": f"cat {tmp_path}/key"}
    chat_jsonl(tmp_path, OPEN | {"text": "open a ticket: no ink"}, **told)
    assert not (tmp_path / "desk.db.key").exists()
    assert len(deskmate.json("tickets", "list", **told)) == 1
    for command, why in (
        ("false", "failed with exit code 1"),
        ("/nowhere/at-all", "cannot be run"),
        ("echo not-a-key", "characters"),
        (f"cat {tmp_path}/key; echo", "failed with exit code"),
    ):
        said = refusal(deskmate("tickets", "list", DESK_MASTER_KEY_COMMAND=command))
        assert "DESK_MASTER_KEY_COMMAND" in said
        assert why in said
        assert key not in said
        assert "not-a-key" not in said


def test_a_command_that_hangs_is_given_up(tmp_path, deskmate, monkeypatch):
    chat_jsonl(tmp_path, OPEN | {"text": "hello"})
    monkeypatch.setattr("adapters.sealing.master.COMMAND_SECONDS", 0.05)
    said = refusal(deskmate("tickets", "list", DESK_MASTER_KEY_COMMAND="sleep 30"))
    assert "did not answer" in said
