"""Numbered changes of the schema, `schema/<engine>/NNNN_name.sql`, each applied once and never edited afterwards."""

import hashlib
import re
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from core.errors import SchemaError

_FILE = re.compile(r"(\d{4})_(\w+)\.sql")


@dataclass(frozen=True, slots=True)
class Migration:
    """One step from a schema to the next."""

    number: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        """Tells whether the step that made a store is still the one we have."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


@cache
def load_migrations(engine: str) -> tuple[Migration, ...]:
    """Read the migrations of an engine, in order."""
    folder = files(__package__).joinpath("schema", engine)
    found = ((_FILE.fullmatch(entry.name), entry) for entry in folder.iterdir())
    steps = (Migration(int(name[1]), name[2], entry.read_text(encoding="utf-8")) for name, entry in found if name)
    return tuple(sorted(steps, key=lambda step: step.number))


def migrate(connection: sqlite3.Connection, store: str, migrations: Sequence[Migration]) -> None:
    """Bring a SQLite store to the newest schema in one transaction; the caller holds the write lock.

    Raises SchemaError, with nothing changed, for a store of a newer version or one made by another migration.
    """
    pending = migrations[applied(connection, store, migrations) :]
    if not pending:
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        for migration in pending:
            _apply(connection, migration)
        connection.execute("COMMIT")
    except sqlite3.Error:
        connection.execute("ROLLBACK")
        raise


def applied(connection: sqlite3.Connection, store: str, migrations: Sequence[Migration]) -> int:
    """Count the migrations a store has. Raises SchemaError where they are not the first of ours."""
    if not connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'migration'").fetchall():
        return 0
    rows = connection.execute("SELECT number, checksum FROM migration ORDER BY number").fetchall()
    return count_applied(rows, store, migrations)


def count_applied(rows: Sequence[tuple[int, str]], store: str, migrations: Sequence[Migration]) -> int:
    """Count what was applied (numbers, checksums), once it is found to be the first of ours; else a SchemaError."""
    if len(rows) > len(migrations):
        raise SchemaError(f"{store} was made by a newer version (schema {rows[-1][0]}): update deskmate to open it")
    for (number, checksum), migration in zip(rows, migrations, strict=False):
        if (number, checksum) != (migration.number, migration.checksum):
            raise SchemaError(
                f"{store} was made by another version of schema {number}: open it with the deskmate that made it"
            )
    return len(rows)


def _apply(connection: sqlite3.Connection, migration: Migration) -> None:
    connection.execute(
        "CREATE TABLE IF NOT EXISTS migration "
        "(number INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, at TEXT NOT NULL) STRICT"
    )
    for statement in _statements(migration.sql):
        connection.execute(statement)
    connection.execute(
        "INSERT INTO migration (number, name, checksum, at) VALUES (?, ?, ?, datetime('now'))",
        (migration.number, migration.name, migration.checksum),
    )


def _statements(sql: str) -> Iterator[str]:
    """Cut a script into statements: `executescript` would commit before its first one."""
    statement = ""
    for line in sql.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
