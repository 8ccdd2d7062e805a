"""Finding a person as operators name them, and what the desk itself notes of one."""

from typing import Any

from core.audit import DESK
from core.customers import Identity
from core.errors import BadInputError
from core.ports import Sealer, Store
from core.queries.log import NoteByKey, NoteRow
from core.queries.people import CustomerById, CustomerOfIdentity, CustomerRow
from core.records.guards import CustomerAt
from core.records.people import PutCustomer
from core.records.record import Record
from core.sealed import open_json

FORGETTING = "forgetting"
"""The kind of the note that orders that a person is forgotten."""


async def find_person(store: Store, sealer: Sealer, named: str) -> CustomerRow:
    """The customer of an id, or of an identity 'platform/workspace/user'. Raises BadInputError where there is none."""
    parts = named.split("/", 2)
    rows = await store.read(CustomerById(named))
    if not rows and len(parts) == 3:
        rows = await store.read(CustomerOfIdentity(sealer.lookup("identity", str(Identity(*parts)))))
    if not rows:
        raise BadInputError(
            f"nobody here is known as {named}: give a customer id (`deskmate usage --json` lists them), "
            "or platform/workspace/user"
        )
    return rows[0]


def unchanged(person: CustomerRow) -> list[Record]:
    """Guard a commit about a person, so that of two at once the later one is refused with ChangedError."""
    return [CustomerAt(person.id, person.version), PutCustomer(person.id, person.body)]


def note_key(sealer: Sealer, kind: str, customer: str) -> bytes:
    """The keyed hash under which the desk keeps a note of a kind about a customer."""
    return sealer.lookup("note", f"{DESK}\x1f{kind}\x1f{customer}")


async def is_being_forgotten(store: Store, sealer: Sealer, customer: str) -> bool:
    """Whether it is ordered that a customer is forgotten, and not done yet."""
    return bool(await store.read(NoteByKey(DESK, FORGETTING, note_key(sealer, FORGETTING, customer))))


def open_note(sealer: Sealer, row: NoteRow) -> Any:  # noqa: ANN401  what JSON holds
    """Open a note of the desk's own."""
    _, value = open_json(sealer, "note", DESK, row.key.hex(), row.body)
    return value
