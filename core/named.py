"""What adapters noted of a person under the ids a platform has for them: it goes when they are forgotten."""

from collections.abc import Iterator
from typing import Any

from core.audit import DESK
from core.clock import now
from core.customers import identities
from core.ports import Sealer, Store
from core.queries.log import AllNotesOf, KindNoteRow
from core.queries.outbox import DeliveriesTo
from core.records.log import DropNote, PutNote
from core.records.record import Record
from core.replies import open_delivery
from core.sealed import open_json, seal_json

_SEPARATORS = str.maketrans(dict.fromkeys(":\x1f", "/"))


async def without_person(store: Store, sealer: Sealer, customer: str) -> list[Record]:
    """The records that take a person out of the adapters' notes.

    A note that is kept under their id, or under that of the direct conversation with them, goes; in any other one the
    id is blanked, because what else it says (which thread a conversation has) others may need.
    """
    await sealer.prepare((DESK,))
    records = list[Record]()
    for platform, ids in (await _ids_of(store, sealer, customer)).items():
        for row in await store.read(AllNotesOf(platform)):
            records += _without(row, platform, ids, sealer)
    return records


async def _ids_of(store: Store, sealer: Sealer, customer: str) -> dict[str, set[str]]:
    """By platform: what a person is called there, and the direct conversations with them."""
    found: dict[str, set[str]] = {}
    for one in await identities(store, sealer, customer):
        # Somebody of another team has that before their id.
        found.setdefault(one.platform, set()).update({one.user, one.user.rpartition(":")[2]})
    for row in await store.read(DeliveriesTo(customer)):
        if row.body:
            ref = open_delivery(sealer, row).ref
            if ref.direct:
                found.setdefault(ref.platform, set()).add(ref.channel)
    return found


def _without(row: KindNoteRow, platform: str, ids: set[str], sealer: Sealer) -> Iterator[Record]:
    key, value = open_json(sealer, "note", DESK, row.key.hex(), row.body)
    if ids & set(key.translate(_SEPARATORS).split("/")):
        yield DropNote(platform, row.kind, row.key)
        return
    blanked = _blanked(value, ids)
    if blanked != value:
        body = seal_json(sealer, "note", DESK, row.key.hex(), [key, blanked])
        yield PutNote(platform, row.kind, row.key, now(), body)


def _blanked(value: Any, ids: set[str]) -> Any:  # noqa: ANN401  what JSON holds
    if isinstance(value, dict):
        return {name: _blanked(part, ids) for name, part in value.items()}
    if isinstance(value, list):
        return [_blanked(part, ids) for part in value]
    return "" if isinstance(value, str) and value in ids else value
