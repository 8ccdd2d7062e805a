"""`deskmate doctor`: whether the desk could work here, and what to do where it could not."""

from dataclasses import dataclass, field
from typing import Any

from adapters.storage.migrations import load_migrations
from bots.assemble import open_records
from bots.settings import keyring_place, store_file
from core.config import Settings
from core.errors import ConfigError, DeskError
from core.queries import Counts, ParkedEvents

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
    if path is not None and not path.exists():  # noqa: ASYNC240 - nothing else runs
        findings.note("store", f"none yet at {path}; the first start makes it")
        return findings
    try:
        async with open_records(settings) as records:
            findings.note("store", f"{settings.store} can be read, schema {schema_number()}")
            findings.note("keys", f"the master key fits the keyring at {keyring_place(settings)}")
            findings.counts = {row.table: row.rows for row in await records.store.read(Counts())}
            parked = await records.store.read(ParkedEvents(_PARKED_SHOWN))
            _look_at_events(findings, [row.id for row in parked])
    except ConfigError as error:
        findings.note("keys", "they do not open this store", do=str(error))
    except DeskError as error:
        findings.note("store", "it cannot be used", do=str(error))
    return findings


def schema_number() -> int:
    """The schema of every store that was opened: opening one brings it there."""
    return load_migrations("sqlite")[-1].number


def _look_at_model(settings: Settings, findings: Findings) -> None:
    from core.llm import is_offline, model_name, model_of

    try:
        model_of(settings)
    except ConfigError as error:
        return findings.note("model", "none can be used", do=str(error))
    stand_in = " (a stand-in, not a language model)" if is_offline(settings) else ""
    findings.note("model", f"{model_name(settings)}{stand_in}")


def _look_at_events(findings: Findings, parked: list[str]) -> None:
    counts = findings.counts
    findings.note("waiting", f"{counts['queued']} messages to be answered, {counts['open']} pieces to be posted")
    if parked:
        findings.note(
            "parked",
            f"{counts['parked']} messages were given up: {', '.join(parked)}",
            do="their people were told; find these ids in the log of the desk to see why",
        )
    if counts["unknown"]:
        findings.note(
            "unknown",
            f"{counts['unknown']} pieces may or may not have been posted, and are held",
            do="look at the platform; to post such pieces again by themselves set unknown_delivery to 'repost'",
        )
