"""The audit log: who did what to whom, and why. Columns name ids only; what people may read is sealed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from core.clock import as_time
from core.errors import ErasedError
from core.ids import new_id
from core.ports import Sealer, Store
from core.queries.log import AuditLines, AuditRow
from core.records.log import AddAudit
from core.sealed import open_json, seal_json

DESK = "desk"
"""The owner of lines that are about no customer."""


@dataclass(frozen=True, slots=True)
class AuditLine:
    """A line as people read it; `detail` is None where its owner was erased."""

    id: str
    at: datetime
    actor: str
    action: str
    subject: str
    owner: str
    detail: Any


@dataclass(frozen=True, slots=True)
class Author:
    """Who does something, as a line names them: by an id or short hash, and `sealed` in it by what else is known."""

    id: str
    sealed: Mapping[str, object] = field(default_factory=dict)


def audit_record(  # noqa: PLR0913  the columns of a line
    sealer: Sealer, *, actor: str, action: str, subject: str, owner: str, detail: object, at: int
) -> AddAudit:
    """Make a line. `actor` and `subject` are ids or short hashes, never names; the owner's key must be prepared."""
    id_ = new_id()
    return AddAudit(id_, actor, action, subject, owner, at, seal_json(sealer, "audit", owner, id_, detail))


def short(key: bytes) -> str:
    """Write a keyed hash as audit lines and logs do."""
    return key.hex()[:12]


async def audit_lines(store: Store, sealer: Sealer, limit: int) -> list[AuditLine]:
    """The newest `limit` lines, oldest first."""
    return [open_line(row, sealer) for row in await store.read(AuditLines(limit))]


def open_line(row: AuditRow, sealer: Sealer) -> AuditLine:
    """Open a line."""
    try:
        detail = open_json(sealer, "audit", row.owner, row.id, row.body)
    except ErasedError:
        detail = None
    return AuditLine(row.id, as_time(row.at), row.actor, row.action, row.subject, row.owner, detail)
