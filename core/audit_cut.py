"""Cutting off the old end of the audit log, so that what stays is still proved: a line of the log says what was cut."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from core.audit import DESK, audit_record
from core.audit_check import CUT, all_lines, check_audit
from core.clock import as_time
from core.ports import Sealer, Store
from core.queries.log import AuditRow, AuditStart
from core.records.log import CutAudit
from core.records.record import Commit
from core.terms import DAY, Terms


@dataclass(frozen=True, slots=True)
class Cut:
    """What may be cut off: up to and with line `last`, so many lines of each tier's people ('': of nobody).

    With `problems` nothing may: the log does not hold as it is, and a cut would hide that.
    """

    last: AuditRow
    lines: Mapping[str, int]
    problems: tuple[str, ...]


async def find_cut(store: Store, sealer: Sealer, terms: Terms) -> Cut | None:
    """What of the log is old enough; None where nothing is. It ends before the first line that is to be kept."""
    lines, last, only_cuts = Counter[str](), None, True
    if terms.limits("audit"):
        (start,) = await store.read(AuditStart())
        async for row in all_lines(store, after=start.seq):
            if not await _may_go(row, terms):
                break
            lines[await terms.tier_of(row.owner)] += 1
            last, only_cuts = row, only_cuts and row.action == CUT
    # What says that something was cut makes no cut of its own: each would leave one more.
    if last is None or only_cuts:
        return None
    return Cut(last, lines, (await check_audit(store, sealer, ())).problems)


def cut_off(cut: Cut, sealer: Sealer, *, at: int) -> Commit:
    """Make the commit that cuts; the desk's key must be prepared."""
    last, lines = cut.last, sum(cut.lines.values())
    detail = {"up_to": last.seq, "link": last.link.hex(), "lines": lines, "until": as_time(last.at).isoformat()}
    line = audit_record(sealer, actor=DESK, action=CUT, subject="audit", owner=DESK, detail=detail, at=at)
    return line, CutAudit(last.seq, last.link)


async def _may_go(row: AuditRow, terms: Terms) -> bool:
    if terms.held & {row.actor, row.subject, row.owner}:
        return False
    # By whole days: the log is cut once a day, and read whole before it.
    return row.at < await terms.before("audit", row.owner) // DAY * DAY
