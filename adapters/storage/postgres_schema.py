"""The schema in PostgreSQL: tables by numbered migrations, functions by the hash in their names."""

from typing import TYPE_CHECKING

from adapters.storage.migrations import Migration, count_applied, load_migrations
from adapters.storage.postgres_sql import load_engine

if TYPE_CHECKING:
    from asyncpg import Connection

_LOCK = 0x4465736B
"""The advisory lock of whoever changes the schema ("Desk")."""
_MADE = """CREATE TABLE IF NOT EXISTS migration (
    number bigint PRIMARY KEY, name text NOT NULL, checksum text NOT NULL, at timestamptz NOT NULL DEFAULT now()
)"""


async def prepare_schema(connection: "Connection", store: str) -> None:
    """Bring a database to the newest schema in one transaction, one process at a time; most often it is there.

    Raises SchemaError, with nothing changed, for a store of a newer version or one made by another migration.
    """
    migrations = load_migrations("postgres")
    if await _applied(connection, store, migrations) == len(migrations) and not await _missing(connection):
        return
    async with connection.transaction():
        # To change large tables, or to wait for whoever does, may take long.
        await connection.execute("SET LOCAL statement_timeout = 0")
        await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK, timeout=3600)
        for migration in migrations[await _applied(connection, store, migrations) :]:
            await _apply(connection, migration)
        for create in await _missing(connection):
            await connection.execute(create)


async def _applied(connection: "Connection", store: str, migrations: tuple[Migration, ...]) -> int:
    if await connection.fetchval("SELECT to_regclass('migration')") is None:
        return 0
    rows = await connection.fetch("SELECT number, checksum FROM migration ORDER BY number")
    return count_applied([(row[0], row[1]) for row in rows], store, migrations)


async def _apply(connection: "Connection", migration: Migration) -> None:
    await connection.execute(_MADE)
    await connection.execute(migration.sql, timeout=3600)
    await connection.execute(
        "INSERT INTO migration (number, name, checksum) VALUES ($1, $2, $3)",
        migration.number,
        migration.name,
        migration.checksum,
    )


async def _missing(connection: "Connection") -> list[str]:
    functions = {function.name: function.create for function in load_engine().functions.values()}
    rows = await connection.fetch(
        "SELECT proname FROM pg_proc WHERE proname = ANY($1::text[]) AND pg_function_is_visible(oid)", list(functions)
    )
    there = {row[0] for row in rows}
    return [create for name, create in functions.items() if name not in there]
