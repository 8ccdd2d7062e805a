"""Statements on many records at once: the table `given` of a statement, as SQLite takes it.

A statement on a hundred records is one step, not a hundred: half the cost for an insert, and other threads take the
interpreter once, not a hundred times.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import chain

from adapters.storage.statements import Statement
from core.records.record import Record

Row = tuple[object, ...]

SIZES = (128, 32, 8, 1)
"""Rows of `given` in one go. Few sizes, so that each statement is compiled a few times only."""


def run_given(connection: sqlite3.Connection, statement: Statement, records: Sequence[Record]) -> list[Row]:
    """Run a statement on the table of these records; the rows it gives back, in no order."""
    back: list[Row] = []
    for part in _parts(list(map(statement.values, records))):
        sql = with_rows(statement.sql, statement.given, len(part))
        back += connection.execute(sql, tuple(chain.from_iterable(part))).fetchall()
    return back


def _parts(rows: list[Row]) -> Iterator[list[Row]]:
    begin = 0
    for size in SIZES:
        while begin + size <= len(rows):
            yield rows[begin : begin + size]
            begin += size


@cache
def with_rows(sql: str, columns: tuple[str, ...], count: int) -> str:
    """The statement with a `given` of so many rows of parameters."""
    row = f"({', '.join('?' for _ in columns)})"
    return f"WITH given ({', '.join(columns)}) AS (VALUES {', '.join([row] * count)}) {sql}"
