"""What `deskmate fsck` does: check a store, also while a desk serves it, and repair one that none works."""

import asyncio
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import asdict
from functools import partial
from typing import Any

from adapters.storage.checking.check import Finding, check_bodies, check_rows
from adapters.storage.checking.repairs import Repair, Repairs
from adapters.storage.moving.engines import SERVERS, file_of, read_now
from adapters.storage.moving.sqlite_rows import require_store, taken
from adapters.storage.stamp import WriteStamp
from bots.assemble import open_records
from bots.settings import shown
from core.audit import DESK, audit_record
from core.audit_chain import with_link
from core.clock import now
from core.config import Settings
from core.errors import BadInputError
from core.ports import Sealer
from core.records import AddAudit

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
    if settings.store.startswith(SERVERS):
        raise BadInputError(
            "repairs are made in a file: move the store to sqlite:///FILE, repair it there, move it back"
        )
    path = file_of(settings.store)
    await asyncio.to_thread(require_store, path)
    async with open_records(settings) as records:
        await records.sealer.prepare((DESK,))
        sealer = records.sealer
        # The store itself is let go of: from here on nobody else may write to it.
        await records.store.close()
        repairs = await asyncio.to_thread(_repair, path, sealer)
    found = await check(settings, deep=deep)
    return found | {"repaired": [asdict(one) for one in repairs]}


def told(settings: Settings, findings: list[Finding]) -> Values:
    checks = [asdict(one) | {"ok": not one.rows} for one in findings]
    return {"store": shown(settings.store), "ok": not any(one.rows for one in findings), "checks": checks}


def _repair(path: str, sealer: Sealer) -> list[Repair]:
    aside = f"{path}.aside-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}.jsonl"
    with taken(path), closing(WriteStamp(f"{path}.write")) as stamp, stamp:
        return Repairs(path, aside, partial(_line, sealer), partial(with_link, sealer)).run()


def _line(sealer: Sealer, what: str, row: str, values: Mapping[str, object]) -> AddAudit:
    detail = {"what": what, "row": row, **values}
    return audit_record(sealer, actor="fsck", action="repair", subject=row[:80], owner=DESK, detail=detail, at=now())
