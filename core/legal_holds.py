"""Legal holds: what is kept of a person on hold is not deleted, whoever asks and however old it is."""

from dataclasses import dataclass

from core.audit import DESK, Author, audit_record
from core.clock import now
from core.errors import BadInputError
from core.linked import everyone_of
from core.people import is_being_forgotten, note_key, open_note, unchanged
from core.ports import Sealer, Store
from core.queries.log import NoteByKey, NotesOf
from core.queries.people import CustomerRow
from core.records.log import DropNote, PutNote
from core.records.record import Record
from core.sealed import seal_json

HOLD = "hold"
"""The kind of the note that keeps one."""
ON_HOLD = "I have to keep this for now: somebody who runs this desk put a legal hold on it. Ask them about it."


@dataclass(frozen=True, slots=True)
class Hold:
    """A hold on a customer: why, who put it, and when (microseconds)."""

    customer: str
    reason: str
    by: str
    at: int


async def hold_on(store: Store, sealer: Sealer, customer: str) -> Hold | None:
    """The hold on a customer, or on another who is the same person; None where there is none."""
    for each in await everyone_of(store, sealer, customer):
        own = await _own_hold(store, sealer, each)
        if own is not None:
            return own
    return None


async def all_held(store: Store, sealer: Sealer) -> set[str]:
    """The ids of all who are on hold, and of those who are the same person."""
    holds = await all_holds(store, sealer)
    return {each for hold in holds for each in await everyone_of(store, sealer, hold.customer)}


async def is_held(store: Store, sealer: Sealer, customer: str) -> bool:
    """Whether a customer is on hold themselves, and not only as another who is the same person."""
    return await _own_hold(store, sealer, customer) is not None


async def _own_hold(store: Store, sealer: Sealer, customer: str) -> Hold | None:
    rows = await store.read(NoteByKey(DESK, HOLD, note_key(sealer, HOLD, customer)))
    return Hold(**open_note(sealer, rows[0])) if rows else None


async def all_holds(store: Store, sealer: Sealer) -> list[Hold]:
    """Every hold there is, oldest first."""
    return [Hold(**open_note(sealer, row)) for row in await store.read(NotesOf(DESK, HOLD))]


async def put_hold(store: Store, sealer: Sealer, person: CustomerRow, *, reason: str, by: Author) -> list[Record]:
    """The records that put a person on hold, with their audit line.

    Raises BadInputError without a reason, and for who was forgotten or is being forgotten: nothing is left to hold.
    """
    if not reason.strip():
        raise BadInputError("say why, with --reason: the audit log keeps it")
    if not person.body or await is_being_forgotten(store, sealer, person.id):
        said = f"{person.id} was forgotten: there is nothing left to hold"
        raise BadInputError(said, reply="They were forgotten: there is nothing left to hold.")
    await sealer.prepare((DESK,))
    key = note_key(sealer, HOLD, person.id)
    value = {"customer": person.id, "reason": reason.strip(), "by": by.id, "at": now()}
    body = seal_json(sealer, "note", DESK, key.hex(), [person.id, value])
    line = _line(sealer, "hold", person.id, by, reason)
    return [*unchanged(person), PutNote(DESK, HOLD, key, now(), body), line]


async def end_hold(store: Store, sealer: Sealer, person: CustomerRow, *, reason: str, by: Author) -> list[Record]:
    """The records that end the hold on a person, with their audit line. Raises BadInputError where there is none."""
    if not reason.strip():
        raise BadInputError("say why, with --reason: the audit log keeps it")
    if await _own_hold(store, sealer, person.id) is None:
        raise BadInputError(f"{person.id} is not on hold: `deskmate hold list` shows who is")
    await sealer.prepare((DESK,))
    line = _line(sealer, "end hold", person.id, by, reason)
    return [DropNote(DESK, HOLD, note_key(sealer, HOLD, person.id)), line]


def _line(sealer: Sealer, action: str, customer: str, by: Author, reason: str) -> Record:
    detail = {**by.sealed, "reason": reason.strip()}
    return audit_record(sealer, actor=by.id, action=action, subject=customer, owner=DESK, detail=detail, at=now())
