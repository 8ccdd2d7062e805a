"""The kinds of keyrings, each with a look behind its face: what is kept there, and ways to damage it."""

import atexit
from contextlib import contextmanager
from functools import cache
from urllib.parse import urlsplit

import redis

from tests.adapters.keyrings import query
from tests.backends import REDIS, in_postgres, postgres_url, redis_url


class FileRing:
    """In a file: tampered with by SQL."""

    said_to_restore = "restore the file, or set DESK_KEYRING"

    def __init__(self, place):
        self.place = self.name = str(place)

    def sql(self, text, *values):
        return query(self.place, text, *values)

    def rows(self):
        return self.sql("SELECT owner, version, state, wrapped, made FROM key ORDER BY owner, version")

    def put(self, owner, version, wrapped):
        self.sql("INSERT OR REPLACE INTO key VALUES (?, ?, 'live', ?, 0)", owner, version, wrapped)

    def erasures(self):
        return self.sql("SELECT count(*) FROM erasure")[0][0]

    def lose_keys(self):
        self.sql("DELETE FROM key")

    def make_newer(self):
        self.sql("PRAGMA user_version = 2")


class PostgresRing(FileRing):
    """In a database: the same, with other marks for values."""

    said_to_restore = "restore the database, or set DESK_KEYRING"

    def __init__(self, place):
        parts = urlsplit(place)
        self.place, self.name = place, f"postgresql://{parts.hostname}:{parts.port}{parts.path}"

    def sql(self, text, *values):
        return in_postgres(text, *values, url=self.place)

    def rows(self):
        return self.sql("SELECT owner, version, state, wrapped, made FROM deskmate_keyring.key ORDER BY owner, version")

    def put(self, owner, version, wrapped):
        self.sql("DELETE FROM deskmate_keyring.key WHERE owner = $1 AND version = $2", owner, version)
        self.sql("INSERT INTO deskmate_keyring.key VALUES ($1, $2, 'live', $3, 0)", owner, version, wrapped)

    def erasures(self):
        return self.sql("SELECT count(*) FROM deskmate_keyring.erasure")[0][0]

    def lose_keys(self):
        self.sql("DELETE FROM deskmate_keyring.key")

    def make_newer(self):
        self.sql("UPDATE deskmate_keyring.layout SET number = 2")


class RedisRing:
    """In Redis: hashes under a prefix."""

    said_to_restore = "restore the keys of Redis, or set DESK_KEYRING"

    def __init__(self, place):
        parts = urlsplit(place)
        self.place, self.name = place, f"redis://{parts.hostname}:{parts.port}/0"
        self.prefix = parts.query.removeprefix("prefix=")
        self.do = redis.Redis.from_url(REDIS).execute_command

    def rows(self):
        return sorted(row for key in self.do("KEYS", f"{self.prefix}:key:*") for row in self.rows_of(key))

    def rows_of(self, key):
        flat = self.do("HGETALL", key)
        pairs = flat.items() if isinstance(flat, dict) else zip(flat[::2], flat[1::2], strict=True)
        for version, value in pairs:
            state, made, wrapped = value.split(b" ", 2)
            owner = bytes.fromhex(key.decode().rpartition(":")[2])
            yield owner, int(version), state.decode(), wrapped, int(made)

    def put(self, owner, version, wrapped):
        self.do("HSET", f"{self.prefix}:key:{owner.hex()}", version, b"live 0 " + wrapped)

    def erasures(self):
        return int(self.do("HGET", f"{self.prefix}:keyring", "erasures") or 0)

    def lose_keys(self):
        for key in self.do("KEYS", f"{self.prefix}:key:*"):
            self.do("DEL", key)

    def make_newer(self):
        self.do("HSET", f"{self.prefix}:keyring", "layout", 2)


@cache
def one_database():
    """A database for all tests of this process: to make one takes longer than most of them."""
    opening = postgres_url()
    atexit.register(opening.__exit__, None, None, None)
    return opening.__enter__()


@contextmanager
def in_a_file(folder):
    yield FileRing(folder / "desk.db.keys")


@contextmanager
def in_a_database(folder):
    ring = PostgresRing(one_database())
    try:
        yield ring
    finally:
        ring.sql("DROP SCHEMA IF EXISTS deskmate_keyring CASCADE")


@contextmanager
def in_redis(folder):
    with redis_url() as url:
        yield RedisRing(url)


KINDS = {"file": in_a_file, "postgresql": in_a_database, "redis": in_redis}
