"""Retention: conversations nobody spoke in for long are deleted for good."""

from datetime import timedelta

from core.audit import DESK, audit_record, short
from core.config import RetentionSettings
from core.legal_holds import all_holds
from core.models import MAIN
from core.ports import Sealer, Store
from core.queries import SessionRow, SilentSessions, TurnsOf
from core.records import ClearSession, Commit, SessionAt

AT_ONCE = 1000
"""How many conversations one sweep deletes at most; the next one goes on."""

_DAY = timedelta(days=1) // timedelta(microseconds=1)


async def expired_sessions(store: Store, sealer: Sealer, retention: RetentionSettings, *, at: int) -> list[SessionRow]:
    """The sessions that still hold turns though nobody spoke in them for as long as conversations are kept.

    Left out are those in which somebody on hold spoke.
    """
    if not retention.conversation_days:
        return []
    silent = await store.read(SilentSessions(at - retention.conversation_days * _DAY, AT_ONCE))
    held = {hold.customer for hold in await all_holds(store, sealer)}
    return [row for row in silent if not held or not await _speaks_in(store, row, held)]


async def expiry(store: Store, sealer: Sealer, retention: RetentionSettings, *, at: int) -> list[Commit]:
    """One commit for each expired session, that clears it and says so in the audit log.

    Each is refused with ChangedError where somebody speaks there meanwhile: then it is not expired any more.
    """
    expired = await expired_sessions(store, sealer, retention, at=at)
    if expired:
        await sealer.prepare((DESK,))
    return [_clear(row, sealer, days=retention.conversation_days, at=at) for row in expired]


async def _speaks_in(store: Store, session: SessionRow, people: set[str]) -> bool:
    return any(turn.speaker in people for turn in await store.read(TurnsOf(session.id)))


def _clear(row: SessionRow, sealer: Sealer, *, days: int, at: int) -> Commit:
    line = audit_record(
        sealer, actor=DESK, action="expire", subject=short(row.id), owner=DESK, detail={"days": days}, at=at
    )
    return (SessionAt(row.id, row.version), ClearSession(row.id, sealer.lookup("branch", MAIN)), line)
