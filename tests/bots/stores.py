"""Whole stores: their rows, the files beside them, and commands that are killed while they write one."""

import contextlib
import sqlite3

from adapters.storage.locks import FileLock
from adapters.storage.moving.tables import newest_schema, tables_at
from tests.bots.command_line import run_changed

KILLED_AT_PAGE = """
import os, signal, sys
from adapters.storage.moving import sqlite_rows, sqlite_target
from bots.cli import main
sqlite_rows.PAGE = 1
pages = 0
write, name = sqlite_target.SqliteTarget._add, sqlite_target._give_name
def add(self, table, rows):
    global pages
    write(self, table, rows)
    pages += 1
    if pages == int(sys.argv[1]):
        os.kill(os.getpid(), signal.SIGKILL)
def give_name(part, path):
    if sys.argv[1] == "0":
        os.kill(os.getpid(), signal.SIGKILL)
    name(part, path)
sqlite_target.SqliteTarget._add, sqlite_target._give_name = add, give_name
sys.exit(main(sys.argv[2:]))
"""


def killed(folder, page, *args):
    """Run a command that is killed after it wrote that page (0: when all is written, before it has its name)."""
    done = run_changed(folder, KILLED_AT_PAGE, str(page), *args)
    assert done.returncode == -9, done.stderr


def rows_of(path):
    with contextlib.closing(sqlite3.connect(path)) as store:
        found = {
            table.name: store.execute(f"SELECT * FROM {table.name} ORDER BY {', '.join(table.key)}").fetchall()
            for table in tables_at(newest_schema())
        }
        return found | {"counters": store.execute("SELECT name, seq FROM sqlite_sequence ORDER BY name").fetchall()}


def files(folder):
    """The files in a folder but for locks, which may stay."""
    return {path.name for path in folder.iterdir() if path.suffix not in (".write", ".desk")}


def url(path):
    return f"sqlite:///{path}"


@contextlib.contextmanager
def held(path):
    """As if a desk worked it."""
    with contextlib.closing(FileLock(str(path))) as lock:
        lock.hold("it")
        yield
