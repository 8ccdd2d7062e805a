"""The audit log, and notes of platforms and of the desk."""

from dataclasses import dataclass

from core.records.record import Record


@dataclass(frozen=True, slots=True)
class AddAudit(Record):
    """Line `seq` (from 1) of the audit log, which ends in it now.

    Made without `seq`, `digest` and `link`: `core.audit_chain` puts them in when the line is written, behind an
    `AuditEnds`; a line without a link is refused with AuditMovedError. `digest` is the SHA-256 of `body`, `link` the
    keyed hash of the whole line and the link before it.
    """

    id: str
    actor: str
    action: str
    subject: str
    owner: str
    at: int
    body: bytes
    seq: int = 0
    digest: bytes = b""
    link: bytes = b""


@dataclass(frozen=True, slots=True)
class CutAudit(Record):
    """Really delete the audit log up to and with line `seq`; it begins after that one now.

    ChangedError unless that line is there and has this `link`.
    """

    seq: int
    link: bytes


@dataclass(frozen=True, slots=True)
class PutNote(Record):
    """What a platform's adapter remembers under a key; the one before it is replaced."""

    platform: str
    kind: str
    key: bytes
    at: int
    body: bytes


@dataclass(frozen=True, slots=True)
class DropNote(Record):
    """Really delete a note."""

    platform: str
    kind: str
    key: bytes
