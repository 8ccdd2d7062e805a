"""What a platform's adapter remembers over a restart: sealed, under words of its own choice."""

from typing import Any

from core.audit import DESK
from core.clock import now
from core.personal.masking import PersonalData
from core.ports import Sealer, Store
from core.queries.log import NoteByKey, NoteRow, NotesOf
from core.records.log import DropNote, PutNote
from core.sealed import open_json, seal_json
from core.writer import GroupWriter


class PlatformNotes:
    """The `core.ports.Notes` of one platform. They are nobody's data, and never a message."""

    def __init__(
        self, platform: str, *, store: Store, sealer: Sealer, writer: GroupWriter, personal: PersonalData
    ) -> None:
        """Nothing is opened here."""
        self._platform = platform
        self._store = store
        self._sealer = sealer
        self._writer = writer
        self._personal = personal

    async def put(self, kind: str, key: str, value: object) -> None:
        """Keep a value, durable when this returns; the one before it is gone."""
        await self._sealer.prepare((DESK,))
        await self._writer.commit((self._record(kind, key, value),))

    async def ride(self, kind: str, key: str, value: object) -> None:
        """Keep a value with the next commit: for what may be lost at a crash, because it is found out again."""
        await self._sealer.prepare((DESK,))
        self._writer.ride((self._record(kind, key, value),))

    async def get(self, kind: str, key: str) -> Any:  # noqa: ANN401  what JSON holds
        """The value that is kept; None where there is none."""
        rows = await self._store.read(NoteByKey(self._platform, kind, self._key(kind, key)))
        return self._open(rows[0])[1] if rows else None

    async def all(self, kind: str) -> dict[str, Any]:
        """All values of a kind by their keys."""
        return dict(map(self._open, await self._store.read(NotesOf(self._platform, kind))))

    async def drop(self, kind: str, key: str) -> None:
        """Forget a value; none is no error."""
        await self._writer.commit((DropNote(self._platform, kind, self._key(kind, key)),))

    async def masked(self, text: str) -> str:
        """What people wrote as it may be kept: without what the operator lets nobody keep."""
        return await self._personal.mask(text)

    def _record(self, kind: str, key: str, value: object) -> PutNote:
        hashed = self._key(kind, key)
        body = seal_json(self._sealer, "note", DESK, hashed.hex(), [key, value])
        return PutNote(self._platform, kind, hashed, now(), body)

    def _open(self, row: NoteRow) -> tuple[str, Any]:
        key, value = open_json(self._sealer, "note", DESK, row.key.hex(), row.body)
        return key, value

    def _key(self, kind: str, key: str) -> bytes:
        return self._sealer.lookup("note", f"{self._platform}\x1f{kind}\x1f{key}")
