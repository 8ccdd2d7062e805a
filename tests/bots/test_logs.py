import json

from tests.bots.command_line import run, written
from tests.core.planted import found_in

PHRASE = "the zebra dances at dawn 4711"
SAID = (
    {"type": "message", "id": "m1", "user": "u-planted-77", "name": "Quintessa Planted", "text": f"hello, {PHRASE}"},
    {"type": "command", "id": "c1", "user": "u-planted-77", "command": "redo"},
    {"type": "command", "id": "c2", "user": "u-planted-77", "command": PHRASE},
)


def logged(folder, *options, **settings):
    done = run(folder, *options, "chat", "--jsonl", said=b"".join(map(written, SAID)), **settings)
    assert done.returncode == 0, done.stderr
    assert PHRASE in done.stdout
    return done.stderr


def test_json_lines_name_the_event_and_session_they_are_about_and_say_nothing_that_was_said(tmp_path):
    text = logged(tmp_path, "-v", DESK_LOG="json")
    lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]

    refused = [line for line in lines if line["logger"] == "core.worker"]
    assert refused
    for line in refused:
        assert line["event"] in line["message"]
        assert len(line["session"]) == 12
        assert line.keys() >= {"time", "level", "logger", "message"}
    assert found_in(text, PHRASE, "Quintessa Planted", "u-planted-77") == []


def test_text_lines_do_too(tmp_path):
    text = logged(tmp_path, "-v")

    refused = [line for line in text.splitlines() if "core.worker" in line]
    assert refused
    assert all("[event " in line and ", session " in line for line in refused)
    assert found_in(text, PHRASE, "Quintessa Planted", "u-planted-77") == []
