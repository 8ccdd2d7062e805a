"""The servers some tests run on: where they are, and a place of one's own on each that is gone afterwards."""

import asyncio
import os
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit

import pytest

POSTGRES = os.environ.get("TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432").rstrip("/") + "/postgres"
REDIS = os.environ.get("TEST_REDIS", "redis://127.0.0.1:6379/0")


@contextmanager
def redis_url(**settings):
    """An address in Redis with a prefix that nobody else has. Without a server the test is skipped, or fails."""
    redis = pytest.importorskip("redis")
    prefix = f"deskmate-test-{uuid.uuid4().hex}"
    with redis.Redis.from_url(REDIS, socket_connect_timeout=2) as client:
        try:
            client.ping()
        except redis.ConnectionError as error:
            absent(f"no Redis at {REDIS}: {error}")
        try:
            yield "&".join([f"{REDIS}?prefix={prefix}", *(f"{name}={value}" for name, value in settings.items())])
        finally:
            for key in client.scan_iter(f"{prefix}:*", count=1000):
                client.delete(key)


def absent(what):
    """Skip at home, fail where the servers must be there."""
    if os.environ.get("REQUIRE_BACKENDS"):
        pytest.fail(what)
    pytest.skip(what)


@contextmanager
def postgres_url():
    """An address of a database that nobody else has. Without a server the test is skipped, or fails."""
    name = f"deskmate_one_test_{uuid.uuid4().hex[:8]}"
    _in_postgres(f'CREATE DATABASE "{name}"')
    try:
        yield urlunsplit(urlsplit(POSTGRES)._replace(path=f"/{name}"))
    finally:
        drop_database(name)


def drop_database(name):
    _in_postgres(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def in_postgres(statement, *values, url=POSTGRES):
    """Run one statement in a database and give back its rows."""
    asyncpg = pytest.importorskip("asyncpg")

    async def run():
        connection = await asyncpg.connect(url, timeout=5)
        try:
            return [tuple(row) for row in await connection.fetch(statement, *values)]
        finally:
            await connection.close()

    return _in_a_loop_of_its_own(run)


def _in_postgres(statement):
    try:
        in_postgres(statement)
    except OSError as error:
        absent(f"no PostgreSQL at {POSTGRES}: {error}")


def _in_a_loop_of_its_own(run):
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(run())
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(run())).result()
