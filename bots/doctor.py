"""`deskmate doctor`: whether the desk could work here, and what to do where it could not."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bots.assemble import Records, open_records
from bots.settings import default_store, keyring_place, shown, store_file
from core.config import Settings
from core.errors import ConfigError, DeskError, KeyringError, StoreError
from core.model_name import is_offline, model_key, model_name
from core.queries.counts import Counts, SchemaNumber
from core.queries.lanes import ParkedEvents
from core.wording import count

_PARKED_SHOWN = 20


@dataclass(slots=True)
class Findings:
    """What was looked at: each check with what was found, and what to do where something is wrong."""

    checks: list[dict[str, Any]] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)

    def note(self, check: str, found: str, *, do: str = "") -> None:
        self.checks.append({"check": check, "ok": not do, "found": found, "do": do})

    @property
    def ok(self) -> bool:
        return all(check["ok"] for check in self.checks)

    def value(self) -> dict[str, Any]:
        return {"ok": self.ok, "checks": self.checks, "counts": self.counts}


async def examine(settings: Settings) -> Findings:
    findings = Findings()
    _look_at_model(settings, findings)
    path = store_file(settings)
    try:
        if path is not None and not path.exists():  # noqa: ASYNC240 - nothing else runs
            _look_at_place(settings, path, findings)
        else:
            await _look_at_records(settings, findings)
    except KeyringError as error:
        findings.note("keys", "they do not open this store", do=str(error))
    except DeskError as error:
        findings.note("store", "it cannot be used", do=str(error))
    return findings


def _look_at_place(settings: Settings, path: Path, findings: Findings) -> None:
    """Whether the first start can make the store; the folder of the default one it makes too."""
    if not path.parent.is_dir() and settings.store != default_store(os.environ):
        raise StoreError(f"the folder of {path} is not there: make it first, or set DESK_STORE to another file")
    findings.note("store", f"none yet at {path}; the first start makes it")
    findings.note("keys", f"they are to be kept at {shown(keyring_place(settings))}")


async def _look_at_records(settings: Settings, findings: Findings) -> None:
    async with open_records(settings) as records:
        schema = await schema_number(records)
        findings.note("store", f"{shown(settings.store)} can be read, schema {schema}")
        findings.note("keys", f"the master key fits the keyring at {shown(keyring_place(settings))}")
        findings.counts = {row.table: row.rows for row in await records.store.read(Counts())}
        parked = await records.store.read(ParkedEvents(_PARKED_SHOWN))
        look_at_events(findings, [row.id for row in parked])


async def schema_number(records: Records) -> int:
    """The schema of a store; opening it has brought it to the newest."""
    (row,) = await records.store.read(SchemaNumber())
    return row.number


def _look_at_model(settings: Settings, findings: Findings) -> None:
    if is_offline(settings):
        return findings.note("model", f"{model_name(settings)} (a stand-in, not a language model)")
    try:
        model_key(settings)
        findings.note("model", model_name(settings))
    except ConfigError as error:
        findings.note("model", "none can be used", do=str(error))


def look_at_events(findings: Findings, parked: list[str]) -> None:
    counts = findings.counts
    waiting, unposted = count(counts["queued"], "message"), count(counts["open"], "piece")
    findings.note("waiting", f"{waiting} to be answered, {unposted} to be posted")
    if parked:
        findings.note(
            "parked",
            f"given up: {count(counts['parked'], 'message')}, {', '.join(parked)}",
            do="their people were told; find these ids in the log of the desk to see why",
        )
    if counts["unknown"]:
        findings.note(
            "unknown",
            f"{count(counts['unknown'], 'piece')} may or may not have been posted, held here",
            do="look at the platform; to post such pieces again by themselves set unknown_delivery to 'repost'",
        )
