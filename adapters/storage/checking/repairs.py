"""Repairing a store without deleting anything unread: each is a line of the audit log in the same transaction."""

import json
import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import astuple, dataclass, fields, replace

from adapters.storage.checking.check import written
from adapters.storage.checking.invariants import DANGLING_HEADS, MISCOUNTED_LANES, ORPHANS, Orphan
from adapters.storage.moving.sqlite_rows import schema_of
from adapters.storage.moving.tables import Row, Value, tables_at
from adapters.storage.sqlite_file import clear_errors
from core.clock import now
from core.records import AddAudit

Note = Callable[[str, str, Mapping[str, object]], AddAudit]
"""Makes the audit line of a repair: what was repaired, of which row, and the values before and after."""
Link = Callable[[bytes, AddAudit], AddAudit]
"""Links a line to the one before it."""

_NEWEST_WHOLE = """
WITH RECURSIVE whole (id, depth) AS (
    SELECT id, depth FROM turn WHERE session = ?1 AND parent IS NULL AND status = 'done'
    UNION
    SELECT t.id, t.depth FROM whole JOIN turn AS t ON t.parent = whole.id
    WHERE t.session = ?1 AND t.status = 'done' AND t.depth = whole.depth + 1
)
SELECT max(id) FROM whole
"""
"""The newest turn of a session that is there with all before it."""


@dataclass(frozen=True, slots=True)
class Repair:
    """What was repaired, and of which row."""

    what: str
    row: str


class Repairs:
    """Repairs of a SQLite store that was taken; `aside` is the file for rows that are set aside, made when needed."""

    def __init__(self, path: str, aside: str, note: Note, link: Link) -> None:
        self._path = path
        self._aside = aside
        self._note = note
        self._link = link
        self._connection: sqlite3.Connection
        self.done: list[Repair] = []

    def run(self) -> list[Repair]:
        """Repair all that can be repaired, in one transaction. Blocks."""
        with clear_errors(self._path, "repaired"), self._opened() as self._connection:
            for orphan in ORPHANS:
                self._set_aside(orphan)
            for session, branch in self._rows(DANGLING_HEADS):
                self._move_head(session, branch)
            for (session,) in self._rows(MISCOUNTED_LANES):
                self._recount(session)
        return self.done

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
        try:
            for setting in ("synchronous = FULL", "secure_delete = ON"):
                connection.execute(f"PRAGMA {setting}")
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            connection.close()

    def _set_aside(self, orphan: Orphan) -> None:
        table = next(one for one in tables_at(schema_of(self._connection, self._path)) if one.name == orphan.table)
        rows = self._rows(f"SELECT {', '.join(table.columns)} FROM {table.name} AS child WHERE {orphan.missing}")  # noqa: S608
        if not rows:
            return
        # Durable before anything is removed.
        self._keep([{"table": table.name, "row": dict(zip(table.columns, row, strict=True))} for row in rows])
        self._connection.execute(f"DELETE FROM {table.name} AS child WHERE {orphan.missing}")  # noqa: S608
        for row in rows:
            key = written(table.key_of(row))
            self._noted("set aside", f"{table.name} {key}", {"file": os.path.basename(self._aside)})

    def _keep(self, lines: list[dict[str, object]]) -> None:
        opened = os.open(self._aside, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with open(opened, "w", encoding="utf-8") as file:
            file.writelines(json.dumps(line, default=_hex) + "\n" for line in lines)
            file.flush()
            os.fsync(file.fileno())

    def _move_head(self, session: Value, branch: Value) -> None:
        ((before,),) = self._rows("SELECT head FROM branch WHERE session = ? AND name = ?", session, branch)
        ((after,),) = self._rows(_NEWEST_WHOLE, session)
        self._connection.execute("UPDATE branch SET head = ? WHERE session = ? AND name = ?", (after, session, branch))
        self._connection.execute(
            "INSERT INTO head_move (session, branch, from_turn, to_turn, kind, actor, at)"
            " VALUES (?, ?, ?, ?, 'erase', 'fsck', ?)",
            (session, branch, before, after, now()),
        )
        # Whoever has the session in memory knows by this that it stands elsewhere.
        self._connection.execute("UPDATE session SET version = version + 1 WHERE id = ?", (session,))
        self._noted("head moved", f"branch {written((session, branch))}", {"before": before, "after": after})

    def _recount(self, session: Value) -> None:
        before = self._rows("SELECT pending FROM lane WHERE session = ?", session)
        ((after,),) = self._rows("SELECT count(*) FROM inbox WHERE session = ? AND status = 'queued'", session)
        self._connection.execute(
            "INSERT INTO lane (session, pending) VALUES (?, ?)"
            " ON CONFLICT (session) DO UPDATE SET pending = excluded.pending",
            (session, after),
        )
        counted = {"before": before[0][0] if before else None, "after": after}
        self._noted("lane recounted", f"lane {written((session,))}", counted)

    def _noted(self, what: str, row: str, values: Mapping[str, object]) -> None:
        ((seq, before),) = self._connection.execute("SELECT seq, link FROM audit_end").fetchall()
        line = self._link(before, replace(self._note(what, row, values), seq=seq + 1))
        names = [field.name for field in fields(line)]
        marks = ", ".join("?" * len(names))
        self._connection.execute(f"INSERT INTO audit ({', '.join(names)}) VALUES ({marks})", astuple(line))  # noqa: S608
        self._connection.execute("UPDATE audit_end SET seq = ?, link = ?", (line.seq, line.link))
        self.done.append(Repair(what, row))

    def _rows(self, query: str, *values: Value) -> list[Row]:
        return self._connection.execute(query, values).fetchall()


def _hex(value: object) -> object:
    return {"hex": value.hex()} if isinstance(value, bytes) else str(value)
