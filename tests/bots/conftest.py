import json
import logging
import os
import signal
import subprocess

import pytest

from bots.cli import main
from tests.bots.command_line import FIRST_DAY, chat_jsonl, environment


@pytest.fixture(scope="session")
def first_day(tmp_path_factory):
    """A folder with the store of a first day, and what was written on it."""
    folder = tmp_path_factory.mktemp("desk")
    return folder, chat_jsonl(folder, *FIRST_DAY)


@pytest.fixture
def copied(first_day, tmp_path):
    """A folder with a copy of that store, to be spoiled."""
    for name in ("desk.db", "desk.db.key", "desk.db.keys"):
        (tmp_path / name).write_bytes((first_day[0] / name).read_bytes())
        (tmp_path / name).chmod(0o600)
    return tmp_path


@pytest.fixture
def deskmate(monkeypatch, capfd, tmp_path):
    """Run a command in this process, in a folder; `deskmate.json` reads what it writes with --json."""
    before = Before()

    def run(*args, folder=tmp_path, **settings):
        for name in [name for name in os.environ if name.startswith(("DESK_", "OPENAI_", "XDG_"))]:
            monkeypatch.delenv(name)
        for name, value in environment(folder, **settings).items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(folder)
        code = main(args)
        shown = capfd.readouterr()
        return subprocess.CompletedProcess(args, code, shown.out, shown.err)

    def run_json(*args, **rest):
        done = run(*args, "--json", **rest)
        assert done.stderr == ""
        return json.loads(done.stdout)

    run.json = run_json
    yield run
    before.restore()


class Before:
    """What a command sets for the whole of its process, as it was before."""

    def __init__(self):
        self.handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)}
        self.logged = logging.root.handlers[:], logging.root.level

    def restore(self):
        logging.root.handlers[:], logging.root.level = self.logged
        for number, handler in self.handlers.items():
            signal.signal(number, handler)
