import sqlite3
from dataclasses import dataclass

import pytest

from adapters.storage.given import run_given
from adapters.storage.statements import compile_statements


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


def test_one_record_that_does_not_fit_refuses_the_statement(connection):
    with pytest.raises(sqlite3.IntegrityError):
        run_given(connection, PUT, [Put(number % 100, b"") for number in range(128)])
    assert connection.execute("SELECT count(*) FROM a").fetchone() == (0,)
