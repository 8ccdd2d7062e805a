"""What `deskmate fsck` does: check a store, also while a desk serves it, and repair one that none works."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from typing import Any

from adapters.storage.checking.check import Finding, check_bodies, check_rows
from adapters.storage.checking.mending import aside_of, require_there, take_to_mend
from adapters.storage.checking.repairs import Repair, Repairs
from adapters.storage.moving.engines import read_now
from bots.assemble import open_records
from bots.settings import shown
from core.audit import DESK, audit_record
from core.audit_chain import with_link
from core.clock import now
from core.config import Settings
from core.ports import Sealer
from core.records.log import AddAudit

Values = dict[str, Any]


async def check(settings: Settings, *, deep: bool) -> Values:
    """Look at every invariant; with `deep` at all that is sealed too."""
    if not deep:
        async with read_now(settings.store) as store:
            return told(settings, await check_rows(store))
    async with open_records(settings) as records, read_now(settings.store) as store:
        findings = await check_rows(store)
        return told(settings, [*findings, *await check_bodies(store, records.sealer)])


async def repair(settings: Settings, *, deep: bool) -> Values:
    """Repair what can be repaired of a store that no desk works, then look at all again."""
    await asyncio.to_thread(require_there, settings.store)
    async with open_records(settings) as records:
        await records.sealer.prepare((DESK,))
        sealer = records.sealer
        # The store itself is let go of: from here on nobody else may write to it.
        await records.store.close()
        repairs = await _repair(settings.store, sealer)
    found = await check(settings, deep=deep)
    return found | {"repaired": [asdict(one) for one in repairs]}


def told(settings: Settings, findings: list[Finding]) -> Values:
    checks = [asdict(one) | {"ok": not one.rows} for one in findings]
    return {"store": shown(settings.store), "ok": not any(one.rows for one in findings), "checks": checks}


async def _repair(store: str, sealer: Sealer) -> list[Repair]:
    aside = f"{aside_of(store)}.aside-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}.jsonl"
    async with take_to_mend(store) as mending:
        return await Repairs(mending, aside, partial(_line, sealer), partial(with_link, sealer)).run()


def _line(sealer: Sealer, what: str, row: str, values: Mapping[str, object]) -> AddAudit:
    detail = {"what": what, "row": row, **values}
    return audit_record(sealer, actor="fsck", action="repair", subject=row[:80], owner=DESK, detail=detail, at=now())
