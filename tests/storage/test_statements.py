from dataclasses import dataclass, fields

import pytest

from adapters.storage.statements import compile_statements, load_statements
from core.queries import QUERIES
from core.records import RECORDS


@dataclass(frozen=True)
class Put:
    key: str
    body: bytes


@dataclass(frozen=True)
class Count:
    pass


GOOD = """
-- A word about the file: nothing.
-- name: Put
-- why: ':not a parameter'
UPDATE a SET body = :body, hint = ':key; stays' WHERE key = :key; -- :nothing
DELETE FROM b
WHERE key = :key AND :key <> '';

-- name: Count
SELECT count(*) FROM a;
"""


def test_parameters_are_read_off_the_fields_in_the_order_they_are_named():
    first, second = compile_statements(GOOD, [Put, Count])[Put]
    assert first.sql == "UPDATE a SET body = ?, hint = ':key; stays' WHERE key = ?"
    assert first.values(Put("k", b"b")) == (b"b", "k")
    assert second.sql == "DELETE FROM b WHERE key = ? AND ? <> ''"
    assert second.values(Put("k", b"b")) == ("k", "k")


def test_a_statement_may_have_no_parameter():
    (statement,) = compile_statements(GOOD, [Put, Count])[Count]
    assert (statement.sql, statement.values(Count())) == ("SELECT count(*) FROM a", ())


def test_a_statement_on_many_records_has_a_column_for_each_field_it_names():
    text = "-- name: Put\nINSERT INTO a (key, body) SELECT given.key, given.body FROM given WHERE given.key <> '';"
    (statement,) = compile_statements(text, [Put])[Put]
    assert statement.given == ("key", "body")
    assert statement.values(Put("k", b"b")) == ("k", b"b")


@pytest.mark.parametrize(
    ("classes", "text", "message"),
    [
        ([Put, Count], "-- name: Put\nSELECT :key;", r"without a block: \['Count'\]"),
        ([Count], GOOD, r"without a class: \['Put'\]"),
        ([Put], "-- name: Put\nSELECT :keys;", r"Put names what it does not have: \['keys'\]"),
        ([Put], "-- name: Put\nSELECT given.keys FROM given;", r"Put names what it does not have: \['keys'\]"),
        ([Put], "-- name: Put\nSELECT :key FROM given WHERE given.body;", r"Put has both parameters and `given`"),
        ([Count], "-- name: Count\n", r"Count has no statement"),
        ([Count], "-- name: Count\nSELECT 1;\n-- name: Count\nSELECT 2;", r"Count has two blocks"),
    ],
)
def test_a_file_that_does_not_fit_its_classes_is_not_loaded(classes, text, message):
    with pytest.raises(LookupError, match=message):
        compile_statements(text, classes)


@pytest.mark.parametrize("engine", ["sqlite"])
def test_every_field_of_every_record_and_question_is_used(engine):
    for cls, statements in load_statements(engine).items():
        values = cls(*(field.name for field in fields(cls)))
        used = {name for statement in statements for name in statement.values(values)}
        assert used == {field.name for field in fields(cls)}, cls.__name__


def test_every_record_and_question_has_its_statements():
    assert load_statements("sqlite").keys() == {*RECORDS, *QUERIES}
