"""Reading the sessions in a file of the Agents SDK's SQLiteSession or AdvancedSQLiteSession; nothing is changed."""

import asyncio
import json
import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from core.errors import NoSuchSessionError, SchemaError, StoreError
from core.models import MAIN, Usage
from core.standalone.importing import Given, GivenBranch, GivenItem, GivenUsage

_NEEDED = {"agent_sessions": ("session_id", "created_at"), "agent_messages": ("id", "session_id", "message_data")}


async def read_sdk_sessions(path: str, wanted: Iterable[str]) -> list[Given]:
    """Read the sessions of these ids, all without any. Raises StoreError, SchemaError or NoSuchSessionError."""
    return await asyncio.to_thread(_read, path, list(wanted))


def _read(path: str, wanted: list[str]) -> list[Given]:
    with _opened(path) as file:
        rows = file.execute("SELECT session_id, created_at FROM agent_sessions ORDER BY created_at, session_id")
        there = {str(id_): _micros(made) for id_, made in rows.fetchall()}
        missing = [id_ for id_ in wanted if id_ not in there]
        if missing:
            raise NoSuchSessionError(f"{path} holds no session {missing[0]}: leave --session away to take all")
        tables = {name for (name,) in file.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
        structured = "message_structure" in tables
        used = "turn_usage" in tables
        return [_session(file, id_, there[id_], structured, used) for id_ in wanted or there]


@contextmanager
def _opened(path: str) -> Iterator[sqlite3.Connection]:
    if not os.path.isfile(path):
        raise StoreError(f"there is no file {path}: name one the SDK's SQLiteSession made")
    try:
        with closing(sqlite3.connect(f"file:{quote(os.path.abspath(path))}?mode=ro", uri=True)) as file:
            for table, columns in _NEEDED.items():
                found = {name for (name,) in file.execute("SELECT name FROM pragma_table_info(?)", (table,))}
                if not found.issuperset(columns):
                    raise SchemaError(
                        f"{path} holds no sessions of the SDK: it has no table {table} as SQLiteSession makes"
                    )
            yield file
    except sqlite3.OperationalError as error:
        raise StoreError(f"{path} cannot be read: {error}") from error
    except sqlite3.DatabaseError as error:
        raise SchemaError(f"{path} is not a database: name a file the SDK's SQLiteSession made") from error


def _session(file: sqlite3.Connection, id_: str, made: int, structured: bool, used: bool) -> Given:  # noqa: FBT001
    messages = file.execute(
        "SELECT id, message_data, created_at FROM agent_messages WHERE session_id = ? ORDER BY id", (id_,)
    ).fetchall()
    problems: list[str] = []
    items = {number: item for number, text, at in messages if (item := _item(number, text, at, problems))}
    places = _places(file, id_) if structured else []
    if not places:
        branches = [GivenBranch(MAIN, tuple(items.values()))]
    else:
        lost = sorted(set(items) - {number for _, number, _ in places})
        problems += [f"message {number} is on no branch" for number in lost]
        branches = _branches(places, items)
    branches = [GivenBranch(one.name, _without_orphans(one, problems)) for one in branches]
    usage = tuple(_usage(file, id_)) if used else ()
    return Given(id_, made, tuple(branches), usage, tuple(dict.fromkeys(problems)))


def _places(file: sqlite3.Connection, id_: str) -> list[tuple[str, int, int]]:
    """Branch, message and turn of all that stands somewhere."""
    return file.execute(
        "SELECT branch_id, message_id, coalesce(user_turn_number, 0) FROM message_structure"
        " WHERE session_id = ? ORDER BY sequence_number, id",
        (id_,),
    ).fetchall()


def _branches(places: list[tuple[str, int, int]], items: dict[int, GivenItem]) -> list[GivenBranch]:
    found: dict[str, list[GivenItem]] = {MAIN: []}
    for branch, number, turn in places:
        found.setdefault(branch, [])
        if number in items:
            found[branch].append(items[number].in_turn(turn))
    return [GivenBranch(name, tuple(stand)) for name, stand in found.items()]


def _item(number: int, text: str, at: str, problems: list[str]) -> GivenItem | None:
    try:
        value = json.loads(text)
    except (TypeError, ValueError):
        problems.append(f"message {number} is not JSON")
        return None
    if not isinstance(value, dict):
        problems.append(f"message {number} is no item: it is not an object")
        return None
    return GivenItem(number, value, _micros(at))


def _without_orphans(branch: GivenBranch, problems: list[str]) -> tuple[GivenItem, ...]:
    """Leave out outputs whose call is not before them: no model takes such a history."""
    called: set[str] = set()
    kept: list[GivenItem] = []
    for item in branch.items:
        call, is_output = item.value.get("call_id"), str(item.value.get("type", "")).endswith("_output")
        if is_output and call is not None and call not in called:
            problems.append(f"message {item.number} is the output of a call that is not there")
            continue
        if call is not None:
            called.add(str(call))
        kept.append(item)
    return tuple(kept)


def _usage(file: sqlite3.Connection, id_: str) -> Iterator[GivenUsage]:
    rows = file.execute(
        "SELECT branch_id, user_turn_number, requests, input_tokens, output_tokens, input_tokens_details,"
        " output_tokens_details, created_at FROM turn_usage WHERE session_id = ? ORDER BY id",
        (id_,),
    )
    for branch, turn, requests, read, written, read_details, written_details, at in rows.fetchall():
        used = Usage(
            requests=requests or 0,
            input_tokens=read or 0,
            cached_tokens=_detail(read_details, "cached_tokens"),
            output_tokens=written or 0,
            reasoning_tokens=_detail(written_details, "reasoning_tokens"),
        )
        yield GivenUsage(branch, turn, used, _micros(at))


def _detail(text: str | None, name: str) -> int:
    try:
        details: Any = json.loads(text or "{}")
        return int(details.get(name) or 0)
    except (AttributeError, TypeError, ValueError):
        return 0


def _micros(text: object) -> int:
    """A time as SQLite's CURRENT_TIMESTAMP writes it; 1970 where it is not one."""
    try:
        at = datetime.fromisoformat(str(text))
    except ValueError:
        return 0
    return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1_000_000)
