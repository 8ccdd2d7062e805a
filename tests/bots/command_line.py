"""`deskmate` as people start it: a process of its own, in a folder of its own, with no other settings than a test's."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.warm_starts import Started

ROOT = Path(__file__).parents[2]
MAIN = "bots.cli:main"
PATIENCE = 50
"""Seconds a process may take."""

OPEN = {"type": "message", "id": "m1", "user": "alice", "name": "Alice", "tier": "premium"}
FIRST_DAY = [
    OPEN | {"text": "open a ticket: the printer burns"},
    {"type": "message", "id": "m2", "user": "alice", "text": "my invoice number is INV-2041"},
    {"type": "message", "id": "m3", "user": "bob", "text": "hello"},
    {"type": "command", "id": "c1", "user": "bob", "command": "undo"},
    {"type": "command", "id": "c2", "user": "bob", "command": "redo", "args": []},
]


def environment(folder, **settings):
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG", "LC_ALL", "VIRTUAL_ENV")}
    return kept | {"HOME": str(folder), "PYTHONPATH": str(ROOT), "DESK_STORE": f"sqlite:///{folder}/desk.db"} | settings


def started(folder, *args, **settings):
    return Started(MAIN, *args, folder=folder, env=environment(folder, **settings))


def run(folder, *args, said=b"", **settings):
    return finished(started(folder, *args, **settings), said)


def run_changed(folder, program, *args, **settings):
    """Run a program that calls the command line, or what is behind it, in its own way."""
    env = environment(folder, **settings)
    return finished(Started(f"{__name__}:changed", program, *args, folder=folder, env=env))


def changed(words):
    program, *sys.argv[1:] = words
    exec(program, {})


def finished(process, said=b""):
    with process:
        try:
            out, err = process.communicate(said, timeout=PATIENCE)
        finally:
            process.kill()
    return subprocess.CompletedProcess(process, process.returncode, out.decode(), err.decode())


def chat_jsonl(folder, *lines, **settings):
    """Pipe lines through `deskmate chat --jsonl`: what it wrote, and what it wrote on stderr."""
    done = run(folder, "chat", "--jsonl", said=b"".join(map(written, lines)), **settings)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()], done.stderr


def written(line):
    return line if isinstance(line, bytes) else json.dumps(line).encode() + b"\n"


def say(process, *lines):
    process.stdin.write(b"".join(map(written, lines)))
    process.stdin.flush()


def replies(lines, to=None):
    return [line for line in lines if line["type"] == "reply" and to in (None, line["to"])]


def refusal(done):
    """The one line that says why a command was refused."""
    assert done.returncode not in (0, None)
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("deskmate: ")
    return line
