"""The statements of PostgreSQL: one function in the database per record class, and one call of many of them.

Round trips are what one customer waits for, and a call is one. Statement by statement, a commit of six records on
loopback took eight. The functions stand in the database under a name that ends in the hash of what they do, so that
desks of two versions can work one database.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache
from hashlib import sha256
from operator import attrgetter
from types import NoneType
from typing import Any, get_args

from adapters.storage.postgres_locks import LOCKS
from adapters.storage.statements import blocks_of, named_in, read_statements, reader, replace_parameters
from core.queries import QUERIES
from core.records import RECORDS

_WORD = re.compile(r"(?<!^)([A-Z])")
_FROM = re.compile(r"\bFROM given\b(?!\.)")
_BACK = re.compile(r"\bback AS \(")
_KINDS = {bytes: "bytea", str: "text", int: "bigint", float: "double precision"}


@dataclass(frozen=True, slots=True)
class Function:
    """What the database runs for a record class: `values` reads a record's arguments; `whose` what marks its rows."""

    name: str
    create: str
    count: int
    values: Callable[[Any], tuple[object, ...]]
    whose: Callable[[Any], object] | None


@dataclass(frozen=True, slots=True)
class Question:
    """A query's statement. A `many` one takes arrays, and its first column says whose a row is."""

    sql: str
    values: Callable[[Any], tuple[object, ...]]
    many: Callable[[Any], object] | None


@dataclass(frozen=True, slots=True)
class Engine:
    """All statements, by class; `order` is the one a pass runs its classes in."""

    functions: Mapping[type, Function]
    questions: Mapping[type, Question]
    order: Mapping[type, int]


@cache
def load_engine() -> Engine:
    """Read and compile the statements; a class without some is a LookupError."""
    written = (*LOCKS, *RECORDS)
    blocks = blocks_of(read_statements("postgres"), (*written, *QUERIES))
    return Engine(
        {cls: _function(cls, blocks[cls]) for cls in written},
        {cls: _question(cls, *blocks[cls]) for cls in QUERIES},
        {cls: number for number, cls in enumerate(written)},
    )


@cache
def call(functions: tuple[Function, ...]) -> str:
    """The statement that runs these functions one after the other, each with the next arguments."""
    parts, first = [], 1
    for number, function in enumerate(functions):
        arguments = ", ".join(f"${first + offset}" for offset in range(function.count))
        parts.append(f"SELECT {number}, back FROM {function.name}({arguments}) AS back")
        first += function.count
    # What is appended runs in its order, and each function sees what those before it have changed.
    return " UNION ALL ".join(parts)


def _function(cls: type, statements: Sequence[str]) -> Function:
    used = [named_in(cls, sql) for sql in statements]
    columns = tuple(dict.fromkeys(name for names, given in used for name in (*names, *given)))
    body = "\n".join(_step(sql, columns, each=bool(names)) for sql, (names, _) in zip(statements, used, strict=True))
    kinds = {field.name: _kind(field.type) for field in fields(cls)}
    signature = ", ".join(f"{kinds[name]}[]" for name in columns)
    code = f"#variable_conflict use_column\nDECLARE given record;\nBEGIN\n{body}\nEND"
    word = _WORD.sub(r"_\1", cls.__name__).lower()
    name = f"{word}_{sha256(f'{signature}{code}'.encode()).hexdigest()[:8]}"
    create = f"CREATE FUNCTION {name}({signature}) RETURNS SETOF text LANGUAGE plpgsql AS $body$\n{code}\n$body$;"
    returns = getattr(cls, "returns", False)
    return Function(name, create, len(columns), reader(columns), _whose(statements[-1]) if returns else None)


def _step(sql: str, columns: tuple[str, ...], *, each: bool) -> str:
    rows = f"unnest({', '.join(f'${number + 1}' for number in range(len(columns)))}) AS given ({', '.join(columns)})"
    step = _FROM.sub(f"FROM {rows}", replace_parameters(sql, "given.{}".format))
    if _BACK.search(step):
        step = f"RETURN QUERY {step} SELECT CAST(row_to_json(back) AS text) FROM back"
    elif step.startswith("SELECT"):
        step = f"PERFORM{step.removeprefix('SELECT')}"
    return f"FOR given IN SELECT * FROM {rows} LOOP\n{step};\nEND LOOP;" if each else f"{step};"


def _whose(sql: str) -> Callable[[Any], object]:
    """The field that the rows of `back` begin with."""
    _, _, back = sql.partition("back AS (")
    found = re.search(r"(?:RETURNING|^\s*SELECT) (?:\w+\.)?(\w+)", back)
    if found is None:
        raise LookupError(f"no rows are given back by {sql}")
    return attrgetter(found[1])


def _question(cls: type, sql: str) -> Question:
    names, given = named_in(cls, sql)
    columns = given or tuple(dict.fromkeys(names))
    number = {name: f"${place + 1}" for place, name in enumerate(columns)}
    if not given:
        return Question(replace_parameters(sql, number.__getitem__), reader(columns), None)
    kinds = {field.name: _kind(field.type) for field in fields(cls)}
    arrays = ", ".join(f"CAST({number[name]} AS {kinds[name]}[])" for name in columns)
    rows = f"FROM unnest({arrays}) AS given ({', '.join(columns)})"
    return Question(_FROM.sub(rows, sql), reader(columns), attrgetter(columns[0]))


def _kind(annotation: Any) -> str:  # noqa: ANN401 - what an annotation is
    (plain,) = [kind for kind in get_args(annotation) or (annotation,) if kind is not NoneType]
    return _KINDS[plain]
