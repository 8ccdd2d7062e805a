"""The SQL of an engine, one block per record and question, read from `statements/<engine>.sql`.

A block begins with `-- name: ClassName` and holds one or more statements that each end in `;`. Parameters are written
`:field`, with the field names of the class. A statement that reads `FROM given` does the work of many records at once:
`given` is the table of those records, and `given.field` its columns.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache
from importlib.resources import files
from operator import attrgetter
from typing import Any

from core.queries import QUERIES
from core.records import RECORDS
from core.records.record import Record

_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)
_PIECE = re.compile(r"'[^']*'|--[^\n]*|;|[^';-]+|-")
_SPACE = re.compile(r"\s+")
_PARAMETER = re.compile(r"('[^']*')|(?<!:):([a-z_]+)")
_RETURNING = re.compile(r"\bRETURNING (\w+), ")
_GIVEN = re.compile(r"\bgiven\.([a-z_]+)")


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement, and what reads its values off a record or question of its class.

    They are its positional parameters, or its row of the table `given`, whose columns have the names in `given`. Where
    such a statement gives back rows, their first column has the value of `whose` of the record they belong to.
    """

    sql: str
    values: Callable[[Any], tuple[object, ...]]
    given: tuple[str, ...] = ()
    whose: Callable[[Any], object] | None = None


Statements = Mapping[type, tuple[Statement, ...]]
"""The statements of each class, in the order they run."""


@cache
def load_statements(engine: str) -> Statements:
    """Read the statements of an engine; every record and question has some, or this raises LookupError."""
    return compile_statements(read_statements(engine), (*RECORDS, *QUERIES))


def read_statements(engine: str) -> str:
    """Read the file of an engine."""
    return files(__package__).joinpath("statements", f"{engine}.sql").read_text(encoding="utf-8")


def compile_statements(text: str, classes: Sequence[type]) -> dict[type, tuple[Statement, ...]]:
    """Compile the blocks of a file for these classes, exactly one block each, parameters named like their fields."""
    return {cls: tuple(_compile(cls, sql) for sql in block) for cls, block in blocks_of(text, classes).items()}


def blocks_of(text: str, classes: Sequence[type]) -> dict[type, list[str]]:
    """Cut a file into the statements of each of these classes, exactly one block each, or raise LookupError."""
    blocks = dict(_blocks(text))
    wanted = {cls.__name__: cls for cls in classes}
    if blocks.keys() != wanted.keys():
        missing, unknown = sorted(wanted.keys() - blocks.keys()), sorted(blocks.keys() - wanted.keys())
        raise LookupError(f"classes without a block: {missing}; blocks without a class: {unknown}")
    return {cls: blocks[name] for name, cls in wanted.items()}


def _blocks(text: str) -> Iterator[tuple[str, list[str]]]:
    seen: set[str] = set()
    _, *parts = _NAME.split(text)
    for name, body in zip(parts[::2], parts[1::2], strict=True):
        statements = _split(body)
        if name in seen or not statements:
            raise LookupError(f"{name} has {'two blocks' if name in seen else 'no statement'}")
        seen.add(name)
        yield name, statements


def _split(body: str) -> list[str]:
    """Cut a block into its statements, without comments and line ends; what is quoted stays as it is."""
    statements = [""]
    for piece in _PIECE.findall(body):
        if piece == ";":
            statements.append("")
        elif not piece.startswith("--"):
            statements[-1] += piece if piece.startswith("'") else _SPACE.sub(" ", piece)
    return [statement.strip() for statement in statements if statement.strip()]


def _compile(cls: type, sql: str) -> Statement:
    names, given = named_in(cls, sql)
    first = _RETURNING.search(sql) if given else None
    whose = attrgetter(first[1]) if first else None
    return Statement(replace_parameters(sql, lambda _: "?"), reader(given or names), given, whose)


def named_in(cls: type, sql: str) -> tuple[list[str], tuple[str, ...]]:
    """Find the parameters of a statement and its columns of `given`: one or the other, all of them fields of `cls`."""
    known = {field.name for field in fields(cls)}
    names = [token[2] for token in _PARAMETER.finditer(sql) if token[2]]
    given = tuple(dict.fromkeys(_GIVEN.findall(sql)))
    if unknown := {*names, *given} - known:
        raise LookupError(f"the statement of {cls.__name__} names what it does not have: {sorted(unknown)}")
    if names and given:
        raise LookupError(f"the statement of {cls.__name__} has both parameters and `given`")
    return names, given


def replace_parameters(sql: str, write: Callable[[str], str]) -> str:
    """Write each `:name` of a statement as an engine wants it."""
    return _PARAMETER.sub(lambda token: token[1] or write(token[2]), sql)


def reader(names: Sequence[str]) -> Callable[[Any], tuple[object, ...]]:
    """Make what reads these fields off a value, as a tuple."""
    if len(names) > 1:
        return attrgetter(*names)
    # attrgetter gives a bare value for one name and takes no none.
    if not names:
        return lambda _: ()
    read = attrgetter(names[0])
    return lambda value: (read(value),)


def in_order(classes: Iterable[type[Record]]) -> list[type[Record]]:
    """Sort record classes as a batch runs them."""
    return sorted(classes, key=_ORDER.__getitem__)


_ORDER = {record: number for number, record in enumerate(RECORDS)}
