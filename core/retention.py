"""Retention: what is kept for so long, by class and tier, is deleted for good. A legal hold wins over it."""

import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from core.audit import DESK, audit_record, short
from core.audit_cut import Cut, cut_off, find_cut
from core.errors import ChangedError
from core.keeping_settings import KEPT, Kept, RetentionSettings
from core.models import MAIN
from core.ports import Sealer, Store
from core.queries.counts import OldBodies, OldUsage
from core.queries.people import SessionRow, SilentSessions
from core.queries.query import Query, RowT
from core.queries.tickets import SettledTickets, TicketRow
from core.queries.turns import TurnsOf
from core.records.erasing import BlankBodies, DropTicket, DropUsage, FoldUsage
from core.records.guards import SessionAt, TicketAt
from core.records.record import Commit, Record
from core.records.turns import ClearSession
from core.terms import Terms, terms_at
from core.writer import GroupWriter

log = logging.getLogger(__name__)

DueT = TypeVar("DueT")

AT_ONCE = 1000
"""How many conversations and tickets one sweep deletes at most; the next one goes on."""

_TABLES: dict[str, Kept] = {"inbox": "parked", "outbox": "delivery", "usage": "usage"}


@dataclass(frozen=True, slots=True)
class Expired:
    """A conversation that was kept for as long as its owner's tier says."""

    session: SessionRow
    tier: str


@dataclass(frozen=True, slots=True)
class Settled:
    """A ticket that is over and was kept for as long."""

    ticket: TicketRow
    tier: str


@dataclass(frozen=True, slots=True)
class Old:
    """So many rows of one owner from before a time: texts of events or pieces, or lines of the bill."""

    kind: Kept
    owner: str
    rows: int
    before: int
    tier: str


@dataclass(frozen=True, slots=True)
class Due:
    """What is to go."""

    conversations: list[Expired]
    tickets: list[Settled]
    rows: list[Old]
    cut: Cut | None

    def counted(self) -> dict[Kept, dict[str, int]]:
        """How many of each class, by the tier of whose they are; '' where they are nobody's."""
        counts: dict[Kept, dict[str, int]] = {kind: {} for kind in KEPT}
        told: list[tuple[Kept, str, int]] = [
            *(("conversation", each.tier, 1) for each in self.conversations),
            *(("ticket", each.tier, 1) for each in self.tickets),
            *((each.kind, each.tier, each.rows) for each in self.rows),
            *(("audit", tier, lines) for tier, lines in (self.cut.lines.items() if self.cut else ())),
        ]
        for kind, tier, rows in told:
            counts[kind][tier] = counts[kind].get(tier, 0) + rows
        return counts


async def due(store: Store, sealer: Sealer, retention: RetentionSettings, *, at: int) -> Due:
    """What has been kept for long enough; nothing is deleted."""
    terms = await terms_at(store, sealer, retention, at=at)
    return Due(
        await _some(_expired(store, terms)),
        await _some(_settled(store, terms)),
        [each async for each in _old(store, terms)],
        await find_cut(store, sealer, terms),
    )


async def sweep(store: Store, sealer: Sealer, writer: GroupWriter, retention: RetentionSettings, *, at: int) -> Due:
    """Delete what is due; what was. What somebody takes up meanwhile is left."""
    found = await due(store, sealer, retention, at=at)
    await sealer.prepare((DESK,))
    expired = [each for each in found.conversations if await _done(writer, _clear(each, sealer, at=at))]
    settled = [each for each in found.tickets if await _done(writer, _drop(each, sealer, at=at))]
    if found.rows:
        await writer.commit(_empty(found.rows, retention, sealer, at=at))
    return Due(expired, settled, found.rows, await _cut(found.cut, sealer, writer, at=at))


async def _done(writer: GroupWriter, commit: Commit) -> bool:
    try:
        await writer.commit(commit)
    except ChangedError:
        return False
    return True


async def _cut(cut: Cut | None, sealer: Sealer, writer: GroupWriter, *, at: int) -> Cut | None:
    if cut is None or cut.problems:
        if cut:
            log.error("the audit log is not cut, because it does not hold: `deskmate audit verify` says where")
        return cut
    return cut if await _done(writer, cut_off(cut, sealer, at=at)) else None


async def _expired(store: Store, terms: Terms) -> AsyncIterator[Expired]:
    latest = max(terms.limits("conversation"), default=0)
    async for row in _pages(store, partial(SilentSessions, latest, AT_ONCE)):
        goes = row.spoken < await terms.before("conversation", row.owner)
        if goes and not (terms.held and await _speaks_in(store, row, terms.held)):
            yield Expired(row, await terms.tier_of(row.owner))


async def _settled(store: Store, terms: Terms) -> AsyncIterator[Settled]:
    latest = max(terms.limits("ticket"), default=0)
    async for row in _pages(store, partial(SettledTickets, latest, AT_ONCE)):
        if row.changed < await terms.before("ticket", row.customer):
            yield Settled(row, await terms.tier_of(row.customer))


async def _old(store: Store, terms: Terms) -> AsyncIterator[Old]:
    totals = int(terms.retention.usage_becomes == "nothing")
    questions = [
        *((before, OldBodies(inbox=before, outbox=0)) for before in terms.limits("parked")),
        *((before, OldBodies(inbox=0, outbox=before)) for before in terms.limits("delivery")),
        *((before, OldUsage(before, totals)) for before in terms.limits("usage")),
    ]
    for before, question in questions:
        for row in await store.read(question):
            kind = _TABLES[row.table]
            if await terms.before(kind, row.owner) == before:
                yield Old(kind, row.owner, row.rows, before, await terms.tier_of(row.owner))


async def _some(found: AsyncIterator[DueT]) -> list[DueT]:
    some = list[DueT]()
    async for each in found:
        some.append(each)
        if len(some) == AT_ONCE:
            break
    return some


async def _pages(store: Store, ask: Callable[[int], Query[RowT]]) -> AsyncIterator[RowT]:
    offset = 0
    while rows := await store.read(ask(offset)):
        for row in rows:
            yield row
        offset += len(rows)


async def _speaks_in(store: Store, session: SessionRow, people: frozenset[str]) -> bool:
    return any(turn.speaker in people for turn in await store.read(TurnsOf(session.id)))


def _clear(expired: Expired, sealer: Sealer, *, at: int) -> Commit:
    row = expired.session
    line = _line(sealer, "expire", short(row.id), {"tier": expired.tier}, at=at)
    return (SessionAt(row.id, row.version), ClearSession(row.id, sealer.lookup("branch", MAIN)), line)


def _drop(settled: Settled, sealer: Sealer, *, at: int) -> Commit:
    row = settled.ticket
    detail = {"workspace": row.workspace, "tier": settled.tier}
    line = _line(sealer, "expire", f"TKT-{row.number}", detail, at=at)
    return (TicketAt(row.id, row.version), DropTicket(row.id), line)


def _empty(rows: list[Old], retention: RetentionSettings, sealer: Sealer, *, at: int) -> Commit:
    counts: dict[Kept, int] = {}
    for each in rows:
        counts[each.kind] = counts.get(each.kind, 0) + each.rows
    return (*(_emptied(each, retention) for each in rows), _line(sealer, "blank", "", counts, at=at))


def _emptied(old: Old, retention: RetentionSettings) -> Record:
    if old.kind != "usage":
        times = {"parked": (old.before, 0), "delivery": (0, old.before)}
        return BlankBodies(old.owner, *times[old.kind])
    becomes = FoldUsage if retention.usage_becomes == "totals" else DropUsage
    return becomes(old.owner, old.before)


def _line(sealer: Sealer, action: str, subject: str, detail: object, *, at: int) -> Record:
    return audit_record(sealer, actor=DESK, action=action, subject=subject, owner=DESK, detail=detail, at=at)
