"""The chain of the audit log: each line carries a keyed hash of itself and of the line before it.

The key is in the keyring, not in the store: who can write to the database can change a line, but not make its link.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from core.errors import AuditMovedError, StoreError
from core.ports import Outcome, Sealer, Store
from core.queries.log import AuditEnd, AuditEndRow, AuditRow
from core.records.guards import AuditEnds
from core.records.log import AddAudit, CutAudit
from core.records.record import Commit, Record

TRIES = 100
"""How often lines are linked anew because somebody else wrote one meanwhile."""


@dataclass(frozen=True, slots=True)
class Anchored:
    """Where the log was known to end once, kept outside the store."""

    seq: int
    link: bytes


class Anchor(Protocol):
    """Keeps where the log ends, outside the store: a log cut short does not reach up to it any more."""

    async def keep(self, seq: int, link: bytes, *, always: bool) -> None:
        """Keep the end of the log, `always` also where it is not its turn. Best effort: never raises."""
        ...

    async def kept(self) -> Sequence[Anchored]:
        """What was kept. Raises BadInputError where it cannot be read."""
        ...


class AuditChain:
    """Writes to a store, and links the audit lines of what is written; the end of the log is anchored."""

    def __init__(self, store: Store, sealer: Sealer, anchor: Anchor | None = None) -> None:
        """Nothing is opened here."""
        self._store = store
        self._sealer = sealer
        self._anchor = anchor

    async def write(self, batch: Sequence[Commit]) -> list[Outcome]:
        """Write a batch; see `core.ports.Store`."""
        if not any(_lines(commit) for commit in batch):
            return await self._store.write(batch)
        outcomes: dict[int, Outcome] = {}
        left = list(range(len(batch)))
        for _ in range(TRIES):
            left = await self._write(batch, left, outcomes)
            if not left:
                await self._keep_end(always=any(_cuts(commit) for commit in batch))
                return [outcomes[number] for number in range(len(batch))]
        raise StoreError("the audit log grows too fast elsewhere to be written to")

    async def _write(self, batch: Sequence[Commit], numbers: list[int], outcomes: dict[int, Outcome]) -> list[int]:
        """Write some commits of a batch; those are left whose lines were to follow one that is not the last."""
        (end,) = await self._store.read(AuditEnd())
        linked = self._linked([batch[number] for number in numbers], end)
        outcomes.update(zip(numbers, await self._store.write(linked), strict=True))
        return [number for number in numbers if isinstance(outcomes[number], AuditMovedError)]

    def _linked(self, commits: Sequence[Commit], end: AuditEndRow) -> list[Commit]:
        seq, link, linked = end.seq, end.link, list[Commit]()
        for commit in commits:
            records: list[Record] = [AuditEnds(link)] if _lines(commit) else []
            for record in commit:
                if isinstance(record, AddAudit):
                    seq += 1
                    record = with_link(self._sealer, link, replace(record, seq=seq))  # noqa: PLW2901
                    link = record.link
                records.append(record)
            linked.append(tuple(records))
        return linked

    async def _keep_end(self, *, always: bool) -> None:
        if self._anchor is not None:
            (end,) = await self._store.read(AuditEnd())
            await self._anchor.keep(end.seq, end.link, always=always)


def with_link(sealer: Sealer, before: bytes, line: AddAudit) -> AddAudit:
    """Put digest and link into a line that follows the one with the link `before`."""
    line = replace(line, digest=digest_of(line.body))
    return replace(line, link=link_of(sealer, before, line))


def digest_of(body: bytes) -> bytes:
    """What of a line's body goes into its link: so the body can be forgotten and the chain still holds."""
    return hashlib.sha256(body).digest()


def link_of(sealer: Sealer, before: bytes, line: AddAudit | AuditRow) -> bytes:
    """The link of a line that follows the one with the link `before`."""
    columns = [line.seq, line.id, line.actor, line.action, line.subject, line.owner, line.at, line.digest.hex()]
    # JSON, so that no two lines are written alike.
    return sealer.lookup("audit link", json.dumps([before.hex(), *columns]))


def _lines(commit: Commit) -> bool:
    return any(isinstance(record, AddAudit) for record in commit)


def _cuts(commit: Commit) -> bool:
    return any(isinstance(record, CutAudit) for record in commit)
