"""Whether sealed content opens with its owner's key, and says what its row says: the slow part of a check."""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from adapters.storage.moving.tables import Row, Table, TableReader, tables_at
from core.audit import DESK
from core.errors import ErasedError, UnreadableError
from core.models import TurnStatus
from core.ports import Sealer
from core.sealed import branch_row, change_row, item_row, open_json, row_of

Values = dict[str, Any]
Sealed = tuple[str, str, str, bytes | None]
"""The table, owner and row content was sealed for, and the content."""


SENTENCES = (
    ("bodies", "every sealed content opens with the key of its owner"),
    ("calls", "every call of a tool in an answered turn has its output"),
    ("timelines", "a ticket stands where its timeline leads"),
)


@dataclass(slots=True)
class Opened:
    """What was found: rows by the name of what they break, and how many bodies opened or are of who was erased."""

    broken: dict[str, list[str]] = field(default_factory=lambda: {name: [] for name, _ in SENTENCES})
    opened: int = 0
    erased: int = 0


_PLACES: dict[str, Callable[[Values], Iterator[Sealed]]] = {
    "customer": lambda row: _one("customer", row["id"], row["id"], row["body"]),
    "identity": lambda row: _one("identity", row["customer"], row_of(row["key"]), row["body"]),
    "session": lambda row: _one("session", row["owner"], row_of(row["id"]), row["body"]),
    "place": lambda row: _one("place", row["owner"], row_of(row["key"]), row["body"]),
    "turn": lambda row: _one("turn", row["speaker"], row["id"], row["body"]),
    "summary": lambda row: _one("summary", row["owner"], row["turn"], row["body"]),
    "message": lambda row: _one("message", row["owner"], row_of(row["key"]), row["body"]),
    "ticket": lambda row: _one("ticket", row["customer"], row["id"], row["body"]),
    "inbox": lambda row: _one("inbox", row["customer"], row["id"], row["body"]),
    "outbox": lambda row: _pieces(row),
    "audit": lambda row: _one("audit", row["owner"], row["id"], row["body"]),
    "note": lambda row: _one("note", DESK, row_of(row["key"]), row["body"]),
    "item": lambda row: _one("item", row["owner"], item_row(row["turn"], row["seq"]), row["body"]),
    "branch": lambda row: _one("branch", row["owner"], branch_row(row["session"], row["name"]), row["body"]),
    "ticket_change": lambda row: _changes(row),
}
"""For each table the sealed content of a row; where it does not name its owner, `owner` was added from its parent."""

_PARENTS = {
    "item": ("turn", "turn", "speaker"),
    "branch": ("session", "session", "owner"),
    "ticket_change": ("ticket", "ticket", "customer"),
}
"""Rows that are sealed for the owner of another: the column that names it, its table, and the owner there."""


CALL, OUTPUT = "function_call", "function_call_output"


class Opening:
    """Opens all there is, table by table."""

    def __init__(self, reader: TableReader, sealer: Sealer) -> None:
        self._reader = reader
        self._sealer = sealer
        self._tables = {table.name: table for table in tables_at(reader.schema)}
        self.found = Opened()
        self._calls: Counter[tuple[str, str]] = Counter()
        self._stands: dict[tuple[str, str], str | None] = {}

    async def all(self) -> Opened:
        """Open all; gives what was found."""
        for name, places in _PLACES.items():
            if name in self._tables:
                async for row in self._with_owner(name):
                    values = [self._open(name, row, sealed) for sealed in places(row) if sealed[3]]
                    self._look_at(name, row, values)
        await self._look_at_rows()
        return self.found

    def _open(self, name: str, row: Values, sealed: Sealed) -> Any:  # noqa: ANN401 - what JSON holds
        table, owner, place, content = sealed
        try:
            value = open_json(self._sealer, table, owner, place, content or b"")
        except ErasedError:
            self.found.erased += 1
            return None
        except (UnreadableError, ValueError):
            self.found.broken["bodies"].append(f"{name} {place}")
            return None
        self.found.opened += 1
        return value

    def _look_at(self, name: str, row: Values, values: list[Any]) -> None:
        if name == "item" and row["answered"] and values:
            self._count_call(row["turn"], values[0])
        elif name == "ticket_change" and row["field"] in ("status", "priority"):
            # In the order they were made: the last one says where the ticket stands.
            self._stands[row["ticket"], row["field"]] = values[-1] if values else None

    def _count_call(self, turn: str, item: Any) -> None:  # noqa: ANN401 - what JSON holds
        if isinstance(item, dict) and item.get("type") in (CALL, OUTPUT):
            self._calls[turn, str(item.get("call_id"))] += 1 if item["type"] == CALL else -1

    async def _look_at_rows(self) -> None:
        calls = {turn for (turn, _), open_ in self._calls.items() if open_}
        self.found.broken["calls"] += sorted(calls)
        async for row in rows_of(self._reader, self._tables["ticket"]):
            for field_ in ("status", "priority"):
                led = self._stands.get((row["id"], field_), row[field_])
                if led is not None and led != row[field_]:
                    self.found.broken["timelines"].append(f"{row['id']} {field_}")

    async def _with_owner(self, name: str) -> AsyncIterator[Values]:
        """Rows with what they need of their parents; one without a parent is for another question to find."""
        if name not in _PARENTS:
            async for row in rows_of(self._reader, self._tables[name]):
                yield row
            return
        column, parent, owner = _PARENTS[name]
        parents = _Parents(rows_of(self._reader, self._tables[parent]), ordered=name != "ticket_change")
        async for row in rows_of(self._reader, self._tables[name]):
            found = await parents.of(row[column])
            if found is not None:
                yield row | {"owner": found[owner], "answered": name == "item" and _is_answered(found)}


class _Parents:
    """The parents of rows: those of `ordered` rows come in the same order, of others all are kept."""

    def __init__(self, rows: AsyncIterator[Values], *, ordered: bool) -> None:
        self._rows = rows
        self._ordered = ordered
        self._known: dict[str | bytes, Values] = {}

    async def of(self, id_: str | bytes) -> Values | None:
        """The parent of that id."""
        while id_ not in self._known:
            row = await anext(self._rows, None)
            if row is None:
                return None
            if self._ordered:
                self._known.clear()
            self._known[row["id"]] = row
            if self._ordered and row["id"] > id_:
                return None
        return self._known[id_]


async def rows_of(reader: TableReader, table: Table) -> AsyncIterator[Values]:
    """All rows of a table, by the names of their columns, in the order of their keys."""
    after: Row | None = None
    while rows := await reader.page(table, after):
        for row in rows:
            yield dict(zip(table.columns, row, strict=True))
        after = table.key_of(rows[-1])


def _is_answered(turn: Values) -> bool:
    """Whether a desk answered it: what a standalone session was given may have been cut off."""
    return bool(turn["status"] == TurnStatus.DONE) and not turn["speaker"].startswith("session/")


def _one(table: str, owner: str, row: str, content: bytes) -> Iterator[Sealed]:
    yield table, owner, row, content


def _pieces(row: Values) -> Iterator[Sealed]:
    yield "outbox", row["owner"], row["key"], row["body"]
    yield "sent", row["owner"], row["key"], row["sent"]


def _changes(row: Values) -> Iterator[Sealed]:
    for column in ("before", "after"):
        yield "ticket_change", row["owner"], change_row(row["id"], column), row[column]
