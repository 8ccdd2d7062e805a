"""Questions about the audit log, and about notes of platforms and of the desk."""

from dataclasses import dataclass

from core.queries.query import Query


@dataclass(frozen=True, slots=True)
class AuditRow:
    """A line of the audit log as stored."""

    seq: int
    id: str
    actor: str
    action: str
    subject: str
    owner: str
    at: int
    digest: bytes
    link: bytes
    body: bytes


@dataclass(frozen=True, slots=True)
class AuditLines(Query[AuditRow]):
    """The newest `limit` audit lines, oldest first."""

    row = AuditRow
    limit: int


@dataclass(frozen=True, slots=True)
class AuditAfter(Query[AuditRow]):
    """The audit lines after `seq`, oldest first; at most `limit`."""

    row = AuditRow
    seq: int
    limit: int


@dataclass(frozen=True, slots=True)
class AuditStartRow:
    """After which line the audit log begins: its number and link, 0 and empty where nothing was cut off."""

    seq: int
    link: bytes


@dataclass(frozen=True, slots=True)
class AuditStart(Query[AuditStartRow]):
    """After which line the audit log begins; exactly one row."""

    row = AuditStartRow


@dataclass(frozen=True, slots=True)
class AuditEndRow:
    """Where the audit log ends: its newest line's number and link, 0 and empty where it has none."""

    seq: int
    link: bytes


@dataclass(frozen=True, slots=True)
class AuditEnd(Query[AuditEndRow]):
    """Where the audit log ends; exactly one row."""

    row = AuditEndRow


@dataclass(frozen=True, slots=True)
class NoteRow:
    """A note as stored."""

    key: bytes
    at: int
    body: bytes


@dataclass(frozen=True, slots=True)
class NoteByKey(Query[NoteRow]):
    """One note of a platform; at most one."""

    row = NoteRow
    platform: str
    kind: str
    key: bytes


@dataclass(frozen=True, slots=True)
class NotesOf(Query[NoteRow]):
    """All notes of a platform of one kind, oldest first."""

    row = NoteRow
    platform: str
    kind: str


@dataclass(frozen=True, slots=True)
class KindNoteRow:
    """A note with the kind it is of."""

    kind: str
    key: bytes
    body: bytes


@dataclass(frozen=True, slots=True)
class AllNotesOf(Query[KindNoteRow]):
    """All notes of a platform, of whatever kind."""

    row = KindNoteRow
    platform: str
