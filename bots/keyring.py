"""What operators do with keys: list, check, rotate. Works beside a serving desk; rotations are in the audit log."""

import asyncio
import sys
import time
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from adapters.sealing import MasterKey, master_key, replace_key_file
from bots.assemble import Records
from bots.people import audit_line
from bots.settings import key_file
from core.audit import DESK
from core.clock import now
from core.errors import BadInputError

Values = dict[str, Any]


async def owners(records: Records) -> list[Values]:
    """Whose keys there are, by keyed hashes."""
    return [asdict(line) for line in await asyncio.to_thread(records.sealer.rotation.owners)]


async def check(records: Records) -> Values:
    """Whether every key opens under the master key."""
    closed = await asyncio.to_thread(records.sealer.rotation.closed)
    return {"ok": not closed, "owners": len(await owners(records)), "closed": closed}


async def rotate(records: Records, *, made_before: str | None) -> Values:
    """New data keys for everybody whose newest was made before a time; without one: for all there are."""
    at = _micros(made_before) if made_before else now()
    said = datetime.fromtimestamp(at / 1_000_000, UTC).isoformat()
    print(f"If this is cut off, go on with  deskmate keys rotate --made-before {said}", file=sys.stderr)
    began = time.monotonic()
    keys = await asyncio.to_thread(records.sealer.rotation.rotate_data, at)
    await _note(records, "rotate data keys", {"keys": keys})
    do = "What was sealed before stays readable."
    return {"what": "New data keys", "keys": keys, "seconds": time.monotonic() - began, "do": do}


async def rotate_master(records: Records, *, to: str | None) -> Values:
    """Another master key over all data keys: the one in the file `to`, made where there is none."""
    settings, own = records.settings, key_file(records.settings)
    given = settings.master_key or settings.master_key_command
    path = Path(to or f"{own}.new")
    new = await asyncio.to_thread(_new_key, path)

    def keep() -> None:
        if not given:
            replace_key_file(own, path)

    began = time.monotonic()
    keys = await asyncio.to_thread(records.sealer.rotation.rotate_master, new, keep)
    await _note(records, "rotate master key", {"keys": keys})
    where = f"Let your DESK_MASTER_KEY or its command give what is in {path} before the next start" if given else ""
    do = f"{where or f'The new key is in {own}: back it up'}; the old one opens nothing any more."
    return {"what": "Wrapped under a new master key", "keys": keys, "seconds": time.monotonic() - began, "do": do}


def _new_key(path: Path) -> MasterKey:
    return master_key(None, path)


def _micros(text: str) -> int:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise BadInputError(f"--made-before: {text} is no time, such as 2026-11-28T20:00:00+00:00") from None
    return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1_000_000)


async def _note(records: Records, action: str, detail: Values) -> None:
    async with records.writer() as writer:
        await records.sealer.prepare((DESK,))
        await writer.commit((audit_line(records, action, "keyring", detail),))
