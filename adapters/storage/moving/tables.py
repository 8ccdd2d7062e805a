"""What a store is made of, as every engine has it: its tables, parents before children, and a digest of their rows."""

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Protocol

from adapters.storage.migrations import load_migrations, migrate

Value = None | int | str | bytes
Row = tuple[Value, ...]

NOT_MOVED = frozenset(("migration", "refusal", "sqlite_sequence"))
"""What each store makes for itself."""
NUMBERED = "audit"
"""The table whose numbers the desk gives itself: they follow from the last line of the log."""
PAGE = 1000
"""Rows read and written at once."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table: its columns, those of its key, whether the store counts that key up, and whether a new store has rows
    in it.
    """

    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]
    counted: bool
    seeded: bool

    def key_of(self, row: Row) -> Row:
        """The primary key of a row."""
        return tuple(row[self.columns.index(column)] for column in self.key)


class TableReader(Protocol):
    """One moment of a store, whoever writes to it meanwhile."""

    name: str
    """What it is called in messages and in the notes of a copy; never a password."""
    schema: int
    """How many migrations made it."""

    async def page(self, table: Table, after: Row | None) -> list[Row]:
        """Read the rows of a table in the order of their keys, those after a key, as many as a page holds."""
        ...

    async def ask(self, question: str) -> list[Row]:
        """Answer a question in the SQL that every engine here speaks."""
        ...

    async def counters(self) -> dict[str, int]:
        """The last number each table that counts its keys has given."""
        ...


class TableWriter(TableReader, Protocol):
    """A store that is being made; it is nobody's store before `finish`, and remembers how far it is."""

    async def place(self, table: Table) -> Row | None:
        """The key of the last row it has of a table."""
        ...

    async def add(self, table: Table, rows: list[Row]) -> None:
        """Write rows; durable when this returns, all or none of them."""
        ...

    async def count_on(self, counters: dict[str, int]) -> None:
        """Let each table that counts its keys go on after these."""
        ...

    async def finish(self) -> None:
        """Let it be a store under its own name, whole and durable."""
        ...


@dataclass(slots=True)
class Digest:
    """Counts and hashes rows of a table; in whatever order they come, equal rows give an equal digest."""

    rows: int = 0
    total: int = 0

    def add(self, rows: Iterable[Row]) -> None:
        """Take rows in."""
        for row in rows:
            self.rows += 1
            self.total += int.from_bytes(hashlib.sha256(_written(row)).digest(), "big")

    def hex(self) -> str:
        """The hash, as people compare it."""
        return f"{self.total % (1 << 256):064x}"


@cache
def tables_at(schema: int) -> tuple[Table, ...]:
    """The tables a store has after that many migrations, in the order they were made: parents before children."""
    with _example(schema) as connection:
        made = connection.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'table' ORDER BY rowid").fetchall()
        return tuple(_table(connection, name, sql) for name, sql in made if name not in NOT_MOVED)


def triggers_at(schema: int) -> dict[str, str]:
    """The triggers a SQLite store has after that many migrations, and how they are made."""
    with _example(schema) as connection:
        return dict(connection.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'"))


def newest_schema() -> int:
    """How many migrations there are."""
    return len(load_migrations("sqlite"))


@contextmanager
def _example(schema: int) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        migrate(connection, "a store in memory", load_migrations("sqlite")[:schema])
        yield connection


def _table(connection: sqlite3.Connection, name: str, sql: str) -> Table:
    columns = connection.execute("SELECT name, pk FROM pragma_table_info(?) ORDER BY cid", (name,)).fetchall()
    key = tuple(column for _, column in sorted((place, column) for column, place in columns if place))
    names = tuple(column for column, _ in columns)
    seeded = connection.execute(f"SELECT count(*) FROM {name}").fetchone() != (0,)  # noqa: S608 - a name of our own
    # A table of a single row needs no key.
    return Table(name, names, key or names, counted="AUTOINCREMENT" in sql and name != NUMBERED, seeded=seeded)


def _written(row: Row) -> bytes:
    """A row as bytes, so that no two rows are written alike and every engine writes the same."""
    return b"".join(map(_value, row))


def _value(value: Value) -> bytes:
    if value is None:
        return b"n"
    if isinstance(value, int):
        # Another engine may hold 0 and 1 as false and true.
        return b"i%d;" % value
    if isinstance(value, str):
        text = value.encode()
        return b"t%d:%b" % (len(text), text)
    return b"b%d:%b" % (len(value), value)
