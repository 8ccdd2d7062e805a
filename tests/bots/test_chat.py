"""`deskmate chat`, from outside: processes, pipes, signals, a terminal."""

import json
import os
import pty
import signal
import stat
import subprocess
import sys
import time

import pytest

from tests.bots.command_line import (
    FIRST_DAY,
    OPEN,
    PATIENCE,
    chat_jsonl,
    environment,
    refusal,
    replies,
    run,
    say,
    started,
)


def test_every_line_is_acknowledged_and_answered(first_day):
    _, (lines, _) = first_day
    assert sorted(line["id"] for line in lines if line["type"] == "accepted") == ["c1", "c2", "m1", "m2", "m3"]
    (reply,) = replies(lines, "m1")
    assert set(reply) == {"type", "to", "key", "session", "turn", "user", "text", "private"}
    assert (reply["user"], reply["session"], reply["private"]) == ("alice", "terminal/local/dm/alice", False)
    assert "TKT-1001" in reply["text"]


def test_an_undo_takes_the_reply_back_under_its_key(first_day):
    _, (lines, _) = first_day
    (reply,) = replies(lines, "m3")
    changes = [line for line in lines if line["type"] in ("retract", "restore")]
    assert [(line["type"], line["key"]) for line in changes] == [("retract", reply["key"]), ("restore", reply["key"])]
    assert changes[0]["text"].startswith("Taken back.")
    assert changes[1]["text"] == reply["text"]


def test_the_key_is_made_with_the_first_start(first_day):
    folder, (_, complaints) = first_day
    key = folder / "desk.db.key"
    assert complaints == f"Key made at {key}. Back it up: without it nothing here can be read.\n"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600


def test_the_next_day_all_is_remembered_and_nothing_done_twice(copied):
    asked = {"type": "message", "id": "n1", "user": "alice", "text": "what was my invoice number?"}
    lines, complaints = chat_jsonl(copied, FIRST_DAY[0], asked)
    assert {"type": "duplicate", "id": "m1"} in lines
    assert replies(lines, "m1") == []
    assert "INV-2041" in replies(lines, "n1")[0]["text"]
    assert complaints == ""


def test_bad_input_is_answered_line_by_line_and_what_is_in_memory_leaves_nothing_behind(tmp_path):
    odd = {"blank": " ", "nul": "my code word is B\0-7", "half": "my code word is \ud800-8", "long": "x" * 1_000_000}
    lines = [OPEN | {"id": id_, "text": text} for id_, text in odd.items()]
    said = (b"{oops\n", *lines, b"\xff\xfe\n", OPEN | {"id": "last", "text": "hello"})
    written, complaints = chat_jsonl(tmp_path, *said, DESK_STORE="memory:")
    errors = [line["message"] for line in written if line["type"] == "error"]
    assert [error.split(":")[0] for error in errors] == ["line 1", "line 6"]
    assert [len(replies(written, id_)) for id_ in (*odd, "last")] == [1, 1, 1, 1, 1]
    assert "16,000" in replies(written, "long")[0]["text"]
    assert complaints == ""
    assert list(tmp_path.iterdir()) == []


def test_after_a_kill_it_goes_on_where_it_was(tmp_path):
    with started(tmp_path, "chat", "--jsonl") as process:
        say(process, *FIRST_DAY)
        lines = [process.stdout.readline() for _ in range(5)]
        process.kill()
        lines += [line for line in process.stdout if line.endswith(b"\n")]
    after, _ = chat_jsonl(tmp_path, *FIRST_DAY)
    lines = [json.loads(line) for line in lines] + after
    accepted = [line["id"] for line in lines if line["type"] == "accepted"]
    assert len(accepted) == len(set(accepted))
    answers = {(reply["to"], reply["key"], reply["text"]) for reply in replies(lines)}
    assert sorted(to for to, _, _ in answers) == ["m1", "m2", "m3"]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_signal_ends_it_in_order(tmp_path, number, code):
    with started(tmp_path, "chat", "--jsonl") as process:
        say(process, FIRST_DAY[0])
        process.stdout.readline()
        process.send_signal(number)
        begun = time.monotonic()
        assert process.wait(PATIENCE) == code
        assert time.monotonic() - begun < 10
        assert b"Traceback" not in process.stderr.read()


def test_when_nobody_reads_the_output_it_ends_with_one_line(tmp_path):
    with started(tmp_path, "chat", "--jsonl") as process:
        process.stdout.close()
        say(process, FIRST_DAY[0])
        assert process.wait(PATIENCE) == 1
        assert process.stderr.read().decode().splitlines()[-1] == "deskmate: nobody reads the output any more"


def test_beside_a_serving_desk_commands_work_and_a_second_desk_is_refused(tmp_path, deskmate):
    with started(tmp_path, "chat", "--jsonl") as process:
        say(process, FIRST_DAY[0])
        while json.loads(process.stdout.readline())["type"] != "reply":
            pass
        (ticket,) = deskmate.json("tickets", "list")
        assert ticket["id"] == "TKT-1001"
        assert f"process {process.pid}" in refusal(deskmate("chat", "--jsonl"))
        process.stdin.close()
        assert process.wait(PATIENCE) == 0


def test_a_chat_whose_output_is_no_terminal_is_plain_text_and_its_store_the_users_alone(tmp_path):
    said = b"hello\n/whoami\n/quit\nnot said\n"
    done = run(tmp_path, "chat", "--user", "alice", "--name", "Alice", said=said, DESK_STORE="")
    assert done.returncode == 0
    assert "Alice" in done.stdout
    assert "tier standard" in done.stdout
    assert "only you see this" in done.stdout
    assert "not said" not in done.stdout
    assert "\x1b" not in done.stdout
    folder = tmp_path / ".local/share/deskmate"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {path.name for path in folder.iterdir()} >= {"desk.db", "desk.db.key", "desk.db.keys"}


def test_a_chat_in_a_terminal_prompts_and_leaves_at_the_end_of_input(tmp_path):
    above, below = pty.openpty()
    settings = environment(tmp_path, TERM="xterm")
    command = [sys.executable, "-m", "bots.cli", "chat", "--user", "alice"]
    with subprocess.Popen(command, cwd=tmp_path, env=settings, stdin=below, stdout=below, stderr=below) as process:
        os.close(below)
        shown = b""
        while "you ›".encode() not in shown:
            shown += os.read(above, 4096)
        os.write(above, b"hello\n")
        while b"Hello, alice" not in shown or not shown.rstrip().endswith("you › \x1b[0m".encode()):
            shown += os.read(above, 4096)
        os.write(above, b"\x04")
        assert process.wait(PATIENCE) == 0
    os.close(above)
    assert b"working" in shown
