"""Statements on many records at once: the table `given` of a statement, as SQLite takes it.

A statement on a hundred records is one step, not a hundred: half the cost for an insert, and other threads take the
interpreter once, not a hundred times.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import chain

from adapters.storage.statements import Statement
from core.records import Record

SIZES = (128, 32, 8, 1)
"""Rows of `given` in one go. Few sizes, so that each statement is compiled a few times only."""


def run_given(connection: sqlite3.Connection, statement: Statement, records: Sequence[Record]) -> None:
    """Run a statement on the table of these records."""
    rows = list(map(statement.values, records))
    for part in _parts(rows):
        connection.execute(_with_rows(statement.sql, statement.given, len(part)), tuple(chain.from_iterable(part)))


def _parts(rows: list[tuple[object, ...]]) -> Iterator[list[tuple[object, ...]]]:
    begin = 0
    for size in SIZES:
        while begin + size <= len(rows):
            yield rows[begin : begin + size]
            begin += size


@cache
def _with_rows(sql: str, columns: tuple[str, ...], count: int) -> str:
    row = f"({', '.join('?' for _ in columns)})"
    return f"WITH given ({', '.join(columns)}) AS (VALUES {', '.join([row] * count)}) {sql}"
