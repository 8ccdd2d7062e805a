"""Nothing of what people say stands readable in the files of a desk, or in its logs."""

import json
from pathlib import Path

import pytest

from tests.bots.command_line import PATIENCE, started
from tests.core.planted import forms

PHRASE = "the zebra dances at dawn 4711"
NAME = "Quintessa Planted"
EMAIL = "quintessa.planted@example.org"
KNOWN_EMAIL = "known.planted@example.org"
ZONE = "America/Argentina/Ushuaia"
USER = "u-planted-77"


def lines():
    told = {"name": NAME, "email": KNOWN_EMAIL, "timezone": ZONE}
    yield {"type": "message", "id": "m1", "user": USER, **told, "text": f"{PHRASE}, write to {EMAIL}"}
    yield {"type": "message", "id": "m2", "user": USER, "text": f"open a ticket: {PHRASE}"}
    yield {"type": "message", "id": "m3", "user": USER, "text": f"remember that {PHRASE}"}
    yield {"type": "command", "id": "c1", "user": USER, "command": "branch", "args": ["zebra-branch-4711"]}
    yield {"type": "edit", "id": "e1", "message": "m1", "user": USER, "text": f"{PHRASE} edited {EMAIL}"}
    yield {
        "type": "message",
        "id": "m4",
        "user": USER,
        "channel": "c-planted-9",
        "thread": "t-planted-9",
        "text": PHRASE,
    }
    yield {"type": "command", "id": "c2", "user": USER, "command": "undo"}
    yield {"type": "message", "id": "m5", "user": USER, "text": ""}


@pytest.mark.parametrize("ending", ["drained", "killed"])
def test_no_planted_phrase_name_or_address_is_found_in_files_or_logs(tmp_path: Path, ending: str):
    said = "".join(json.dumps(line) + "\n" for line in lines()).encode()
    with started(tmp_path, "-v", "chat", "--jsonl", DESK_MODEL="offline") as process:
        if ending == "drained":
            out, logs = process.communicate(said, timeout=PATIENCE)
        else:
            process.stdin.write(said)
            process.stdin.flush()
            out = b""
            while not (b'"m5"' in out and PHRASE.encode() in out):
                out += process.stdout.readline()
            process.kill()
            _, logs = process.communicate(timeout=PATIENCE)
    assert PHRASE.encode() in out
    kept = {path.name: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} | {"logs": logs}
    assert sum(map(len, kept.values())) > 10_000
    for text in (PHRASE, NAME, EMAIL, KNOWN_EMAIL, ZONE, USER, "zebra-branch-4711", "c-planted-9", "t-planted-9"):
        for form in forms(text):
            assert [name for name, content in kept.items() if form in content] == [], text
