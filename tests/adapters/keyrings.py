"""What the tests of keyrings share: one owner, something sealed for it, and a look at the files."""

import sqlite3
import subprocess

from adapters.sealing import MasterKey, open_sealer
from core.models import Place

MASTER = MasterKey(bytes(range(32)))
OWNER = "customer-of-planted-name"
PLACE = Place("item", OWNER, "row-1")


async def seal_something(path):
    """Make a keyring with one owner and close it again; what it sealed is b"hello" at PLACE."""
    async with open_sealer(path, MASTER, fresh=True) as sealer:
        await sealer.prepare([OWNER])
        return sealer.seal(PLACE, b"hello")


def query(path, sql, *args):
    connection = sqlite3.connect(path)
    try:
        rows = connection.execute(sql, args).fetchall()
        connection.commit()
        return rows
    finally:
        connection.close()


def all_bytes(folder):
    # In a process of its own: to open and close a file that SQLite has open here would drop SQLite's locks.
    return subprocess.run(["cat", *folder.iterdir()], capture_output=True, check=True).stdout
