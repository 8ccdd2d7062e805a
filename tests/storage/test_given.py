import sqlite3
from dataclasses import dataclass

import pytest

from adapters.storage.given import run_given, with_rows
from adapters.storage.sqlite_file import MEMORY, open_database
from adapters.storage.statements import compile_statements, load_statements


@dataclass(frozen=True)
class Put:
    key: int
    body: bytes


(PUT,) = compile_statements("-- name: Put\nINSERT INTO a SELECT given.key, given.body FROM given;", [Put])[Put]


@pytest.fixture
def connection():
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.execute("CREATE TABLE a (key INTEGER PRIMARY KEY, body BLOB) STRICT")
    yield connection
    connection.close()


@pytest.mark.parametrize("count", [1, 7, 8, 9, 31, 40, 127, 128, 129, 500])
def test_however_many_records_each_is_written_once(connection, count):
    run_given(connection, PUT, [Put(number, b"%d" % number) for number in range(count)])
    rows = connection.execute("SELECT key, body FROM a ORDER BY key").fetchall()
    assert rows == [(number, b"%d" % number) for number in range(count)]


def test_a_thousand_records_are_a_few_steps(connection):
    steps = []
    connection.set_trace_callback(steps.append)
    run_given(connection, PUT, [Put(number, b"") for number in range(1000)])
    assert len(steps) < 20


def test_what_is_given_back_is_told_apart_by_its_first_column(connection):
    text = "-- name: Put\nINSERT INTO a SELECT given.key, given.body FROM given WHERE true RETURNING key, body;"
    (put,) = compile_statements(text, [Put])[Put]
    records = [Put(2, b"two"), Put(1, b"one")]
    assert sorted(run_given(connection, put, records)) == [(1, b"one"), (2, b"two")]
    assert [put.whose(record) for record in records] == [2, 1]


def test_one_record_that_does_not_fit_refuses_the_statement(connection):
    with pytest.raises(sqlite3.IntegrityError):
        run_given(connection, PUT, [Put(number % 100, b"") for number in range(128)])
    assert connection.execute("SELECT count(*) FROM a").fetchone() == (0,)


def test_no_statement_on_many_records_looks_through_a_whole_table():
    connection = open_database(MEMORY, sqlite3.Connection)
    statements = [each for several in load_statements("sqlite").values() for each in several if each.given]
    scanned = set()
    for statement in statements:
        sql = f"EXPLAIN QUERY PLAN {with_rows(statement.sql, statement.given, 8)}"
        plan = connection.execute(sql, [None] * 8 * len(statement.given)).fetchall()
        scanned |= {words[1] for *_, step in plan if (words := step.split())[0] == "SCAN"}
    connection.close()
    assert scanned == {"given", "8", "clock", "CONSTANT"}
