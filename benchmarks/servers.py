"""PostgreSQL for benches: a database of its own for each run, with the server's default durable settings."""

import asyncio
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit

import asyncpg


@contextmanager
def database_on(server: str | None) -> Iterator[str | None]:
    """Make an empty database beside the one a URL names, drop it at the end with its keyring's; None stays None."""
    if server is None:
        yield None
        return
    name = f"deskmate_bench_{secrets.token_hex(4)}"
    asyncio.run(_run(server, f'CREATE DATABASE "{name}"'))
    try:
        yield urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
    finally:
        for gone in (name, f"{name}_keys"):
            asyncio.run(_run(server, f'DROP DATABASE IF EXISTS "{gone}" (FORCE)'))


def for_sqlalchemy(server: str) -> str:
    """The URL as SQLAlchemy wants it."""
    return f"postgresql+asyncpg:{server.partition(':')[2]}"


def version_of(server: str) -> str:
    """What the server is."""
    return f"PostgreSQL {asyncio.run(_run(server, 'SHOW server_version', fetch=True))}"


async def _run(server: str, sql: str, *, fetch: bool = False) -> str:
    connection = await asyncpg.connect(server)
    try:
        return str(await (connection.fetchval(sql) if fetch else connection.execute(sql)))
    finally:
        await connection.close()
