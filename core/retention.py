"""Retention: what is kept for so long, by class and tier, is deleted for good. A legal hold wins over it."""

from dataclasses import dataclass
from datetime import timedelta

from core.audit import DESK, audit_record, short
from core.config import RetentionSettings
from core.customers import open_customer
from core.errors import ChangedError, ErasedError
from core.legal_holds import all_holds
from core.models import MAIN
from core.ports import Sealer, Store
from core.queries import CustomerById, OldBodies, SessionRow, SilentSessions, TurnsOf
from core.records import BlankBodies, ClearSession, Commit, SessionAt
from core.writer import GroupWriter

AT_ONCE = 1000
"""How many conversations one sweep deletes at most; the next one goes on."""

_DAY = timedelta(days=1) // timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Expired:
    """A conversation that was kept for as long as its owner's tier says."""

    session: SessionRow
    days: int


@dataclass(frozen=True, slots=True)
class Due:
    """What is to go: conversations, and how many texts of events that were given up and of messages long posted."""

    conversations: list[Expired]
    parked: int
    deliveries: int


async def due(store: Store, sealer: Sealer, retention: RetentionSettings, *, at: int) -> Due:
    """What has been kept for long enough; nothing is deleted."""
    bodies = {row.table: row.rows for row in await store.read(OldBodies(**_limits(retention, at)))}
    return Due(await _expired(store, sealer, retention, at=at), bodies["inbox"], bodies["outbox"])


async def sweep(store: Store, sealer: Sealer, writer: GroupWriter, retention: RetentionSettings, *, at: int) -> Due:
    """Delete what is due; what was. A conversation that somebody takes up meanwhile is left."""
    found, gone = await due(store, sealer, retention, at=at), list[Expired]()
    await sealer.prepare((DESK,))
    for each in found.conversations:
        try:
            await writer.commit(_clear(each, sealer, at=at))
            gone.append(each)
        except ChangedError:
            continue
    if found.parked or found.deliveries:
        detail = {"parked": found.parked, "deliveries": found.deliveries}
        line = audit_record(sealer, actor=DESK, action="blank", subject="", owner=DESK, detail=detail, at=at)
        await writer.commit((BlankBodies(**_limits(retention, at)), line))
    return Due(gone, found.parked, found.deliveries)


def _limits(retention: RetentionSettings, at: int) -> dict[str, int]:
    days = {"inbox": retention.parked_days, "outbox": retention.delivery_days}
    return {name: at - kept * _DAY if kept else 0 for name, kept in days.items()}


async def _expired(store: Store, sealer: Sealer, retention: RetentionSettings, *, at: int) -> list[Expired]:
    least = min((days for days in (retention.conversation_days, *retention.tiers.values()) if days), default=0)
    if not least:
        return []
    held = {hold.customer for hold in await all_holds(store, sealer)}
    found = []
    for row in await store.read(SilentSessions(at - least * _DAY, AT_ONCE)):
        days = await _days_of(store, sealer, retention, row)
        if days and row.spoken < at - days * _DAY and not (held and await _speaks_in(store, row, held)):
            found.append(Expired(row, days))
    return found


async def _days_of(store: Store, sealer: Sealer, retention: RetentionSettings, session: SessionRow) -> int:
    """How long a conversation is kept: as the tier of whose it is says, else as all are."""
    if not retention.tiers:
        return retention.conversation_days
    for row in await store.read(CustomerById(session.owner)):
        try:
            return retention.tiers.get(open_customer(row, sealer).tier, retention.conversation_days)
        except ErasedError:
            break
    return retention.conversation_days


async def _speaks_in(store: Store, session: SessionRow, people: set[str]) -> bool:
    return any(turn.speaker in people for turn in await store.read(TurnsOf(session.id)))


def _clear(expired: Expired, sealer: Sealer, *, at: int) -> Commit:
    row, detail = expired.session, {"days": expired.days}
    line = audit_record(sealer, actor=DESK, action="expire", subject=short(row.id), owner=DESK, detail=detail, at=at)
    return (SessionAt(row.id, row.version), ClearSession(row.id, sealer.lookup("branch", MAIN)), line)
