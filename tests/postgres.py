"""A database of this test process on the PostgreSQL that runs here, and one for its keyring, empty for each test.

Made at the first test that wants it and dropped at the end. Without a server such tests are skipped, or fail where
REQUIRE_BACKENDS is set (see `tests.backends`, which knows where the server is).
"""

import asyncio
import atexit
import os
import socket
import threading
from contextlib import suppress
from functools import cache
from pathlib import Path

import asyncpg

from adapters.storage.postgres_schema import prepare_schema
from tests.backends import POSTGRES, absent

PREFIX = "deskmate_test_"
CHILDREN_FIRST = """DO $$ BEGIN
DELETE FROM counter; DELETE FROM identity; DELETE FROM place; DELETE FROM item; DELETE FROM summary;
DELETE FROM feedback; DELETE FROM turn; DELETE FROM head_move; DELETE FROM branch; DELETE FROM session;
DELETE FROM customer; DELETE FROM ticket_change; DELETE FROM ticket; DELETE FROM message; DELETE FROM usage;
DELETE FROM inbox;
DELETE FROM lane; DELETE FROM outlet; DELETE FROM outbox; DELETE FROM audit; DELETE FROM note;
DELETE FROM budget;
UPDATE audit_end SET seq = 0, link = '';
UPDATE audit_start SET seq = 0, link = '';
PERFORM setval(pg_get_serial_sequence(name, 'seq'), 1, false)
FROM unnest(ARRAY['inbox', 'outbox', 'head_move', 'ticket_change']) AS name;
END $$"""


class Database:
    """Empties itself over one connection, in a thread of its own: the test has a loop that ends with it."""

    def __init__(self):
        self.name = f"{PREFIX}{os.getpid()}"
        self.url = POSTGRES.removesuffix("postgres") + self.name
        self.folder = None
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()
        self.keys = f"{self.name}_keys"
        self.connection, self.keyring = self.do(self.make())
        atexit.register(self.drop)

    def do(self, work):
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(30)

    async def make(self):
        server = await asyncpg.connect(POSTGRES, timeout=5)
        for row in await server.fetch("SELECT datname FROM pg_database WHERE datname LIKE $1", f"{PREFIX}%"):
            name = row[0]
            pid = name.removeprefix(PREFIX).removesuffix("_keys")
            if pid == str(os.getpid()) or not Path(f"/proc/{pid}").exists():
                with suppress(asyncpg.PostgresError):  # another process does the same
                    await server.execute(f'DROP DATABASE "{name}"')
        for name in (self.name, self.keys):
            await server.execute(f'CREATE DATABASE "{name}"')
        # Nothing here has to survive a power cut.
        await server.execute(f'ALTER DATABASE "{self.name}" SET synchronous_commit = off')
        await server.close()
        connection = await asyncpg.connect(self.url)
        await prepare_schema(connection, self.name)
        return connection, await asyncpg.connect(f"{self.url}_keys")

    def empty(self):
        self.do(self.connection.execute(CHILDREN_FIRST))
        self.do(self.keyring.execute("DROP SCHEMA IF EXISTS deskmate_keyring CASCADE"))

    def drop(self):
        self.do(self._drop())

    async def _drop(self):
        await self.connection.close()
        await self.keyring.close()
        server = await asyncpg.connect(POSTGRES, timeout=5)
        for name in (self.name, self.keys):
            await server.execute(f'DROP DATABASE IF EXISTS "{name}" (FORCE)')
        await server.close()


@cache
def _database():
    try:
        return Database()
    except (OSError, asyncpg.PostgresError) as error:
        return error


def database():
    """The database of this process, or why there is none: then the test is skipped."""
    found = _database()
    if isinstance(found, Database):
        return found
    absent(f"no PostgreSQL at {POSTGRES}: {found}")


def url_for(folder):
    """The URL of an empty database for the test that has this folder; as the test left it when asked again."""
    found = database()
    if found.folder != str(folder):
        found.empty()
        found.folder = str(folder)
    return found.url


async def cut(database, what="all"):
    """Cut the connections to a database, but our own: all of them or those that listen. Returns how many."""
    query = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND application_name = 'deskmate'"
    )
    if what == "listening":
        query += " AND query LIKE 'LISTEN%'"
    work = database.connection.fetch(query, database.name)
    return len(await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, database.loop)))


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]
