"""Repairing a store without deleting anything unread: each is a line of the audit log in the same transaction."""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple, dataclass, fields, replace
from typing import Protocol

from adapters.storage.checking.check import written
from adapters.storage.checking.invariants import DANGLING_HEADS, MISCOUNTED_LANES, ORPHANS, Orphan
from adapters.storage.moving.tables import Row, Table, Value
from core.clock import now
from core.records.log import AddAudit

Note = Callable[[str, str, Mapping[str, object]], AddAudit]
"""Makes the audit line of a repair: what was repaired, of which row, and the values before and after."""
Link = Callable[[bytes, AddAudit], AddAudit]
"""Links a line to the one before it."""


class Mending(Protocol):
    """A store that was taken, in a transaction; its statements number their values: `?1`."""

    tables: Sequence[Table]

    async def run(self, sql: str, *values: Value) -> list[Row]:
        """Run a statement; what it gives back."""
        ...


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
    """Repairs of a store that was taken; `aside` is the file for rows that are set aside, made when needed."""

    def __init__(self, store: Mending, aside: str, note: Note, link: Link) -> None:
        self._store = store
        self._aside = aside
        self._note = note
        self._link = link
        self.done: list[Repair] = []

    async def run(self) -> list[Repair]:
        """Repair all that can be repaired, in the transaction of the store."""
        # Children first: where the database keeps rows together, they would go unseen with their parents.
        for orphan in reversed(ORPHANS):
            await self._set_aside(orphan)
        for session, branch in await self._store.run(DANGLING_HEADS):
            await self._move_head(session, branch)
        for (session,) in await self._store.run(MISCOUNTED_LANES):
            await self._recount(session)
        return self.done

    async def _set_aside(self, orphan: Orphan) -> None:
        table = next(one for one in self._store.tables if one.name == orphan.table)
        goes = f"FROM {table.name} AS child WHERE {orphan.doomed}"
        rows = await self._store.run(f"SELECT {', '.join(table.columns)} {goes}")
        if not rows:
            return
        # Durable before anything is removed.
        self._keep([{"table": table.name, "row": dict(zip(table.columns, row, strict=True))} for row in rows])
        await self._store.run(f"DELETE {goes}")
        for row in rows:
            key = written(table.key_of(row))
            await self._noted("set aside", f"{table.name} {key}", {"file": os.path.basename(self._aside)})

    def _keep(self, lines: list[dict[str, object]]) -> None:
        opened = os.open(self._aside, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with open(opened, "w", encoding="utf-8") as file:
            file.writelines(json.dumps(line, default=_hex) + "\n" for line in lines)
            file.flush()
            os.fsync(file.fileno())

    async def _move_head(self, session: Value, branch: Value) -> None:
        run = self._store.run
        ((before,),) = await run("SELECT head FROM branch WHERE session = ?1 AND name = ?2", session, branch)
        ((after,),) = await run(_NEWEST_WHOLE, session)
        await run("UPDATE branch SET head = ?1 WHERE session = ?2 AND name = ?3", after, session, branch)
        moved = "INSERT INTO head_move (session, branch, from_turn, to_turn, kind, actor, at)"
        moved += " VALUES (?1, ?2, ?3, ?4, 'erase', 'fsck', ?5)"
        await run(moved, session, branch, before, after, now())
        # Whoever has the session in memory knows by this that it stands elsewhere.
        await run("UPDATE session SET version = version + 1 WHERE id = ?1", session)
        await self._noted("head moved", f"branch {written((session, branch))}", {"before": before, "after": after})

    async def _recount(self, session: Value) -> None:
        run = self._store.run
        before = await run("SELECT pending FROM lane WHERE session = ?1", session)
        ((after,),) = await run("SELECT count(*) FROM inbox WHERE session = ?1 AND status = 'queued'", session)
        counted = "INSERT INTO lane (session, pending) VALUES (?1, ?2)"
        await run(f"{counted} ON CONFLICT (session) DO UPDATE SET pending = excluded.pending", session, after)
        values = {"before": before[0][0] if before else None, "after": after}
        await self._noted("lane recounted", f"lane {written((session,))}", values)

    async def _noted(self, what: str, row: str, values: Mapping[str, object]) -> None:
        ((seq, before),) = await self._store.run("SELECT seq, link FROM audit_end")
        line = self._link(_bytes(before), replace(self._note(what, row, values), seq=_number(seq) + 1))
        names = [field.name for field in fields(line)]
        marks = ", ".join(f"?{number}" for number in range(1, len(names) + 1))
        await self._store.run(f"INSERT INTO audit ({', '.join(names)}) VALUES ({marks})", *astuple(line))  # noqa: S608
        await self._store.run("UPDATE audit_end SET seq = ?1, link = ?2", line.seq, line.link)
        self.done.append(Repair(what, row))


def _number(value: Value) -> int:
    return int(value or 0)


def _bytes(value: Value) -> bytes:
    return value if isinstance(value, bytes) else b""


def _hex(value: object) -> object:
    return {"hex": value.hex()} if isinstance(value, bytes) else str(value)
