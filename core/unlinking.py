"""The word `unlink`, and what it comes to: who was one person is two again."""

from dataclasses import dataclass

from core.audit import Author, audit_record
from core.call import Call, Result
from core.clock import now
from core.customers import Identity, identities
from core.errors import NotAllowedError
from core.legal_holds import ON_HOLD, hold_on
from core.linked import others_of, tied_records, untie
from core.models import ConversationRef, Customer
from core.places import Places, new_session_records
from core.ports import Sealer, Store
from core.queries.people import SessionById
from core.records.record import Record
from core.session_ids import place_key

UNLINKED = "I take you for one person no more. What was said stays with who said it."
ALONE = "You are not linked to anybody. Say `link` to begin."


async def unlink(call: Call) -> Result:
    """Take back that the asker is the same person as others."""
    if not call.scene.customer.links:
        call.say(ALONE)
        return []
    call.say(UNLINKED)
    parts = Parts(call.kit.store, call.kit.sealer, call.kit.places)
    return await unlinked(parts, call.scene.customer, by=Author(call.scene.customer.id))


@dataclass(frozen=True, slots=True)
class Parts:
    """What it takes to change who is one person."""

    store: Store
    sealer: Sealer
    places: Places


async def unlinked(parts: Parts, customer: Customer, *, by: Author, reason: str = "") -> list[Record]:
    """The records that let a customer go from the others who are the same person.

    Raises NotAllowedError while they are on hold: of who goes, what is kept could be deleted.
    """
    hold = await hold_on(parts.store, parts.sealer, customer.id)
    if hold is not None:
        said = f"{customer.id} is on hold ({hold.reason}): `deskmate hold remove {hold.customer}` ends it"
        raise NotAllowedError(said, reply=ON_HOLD)
    others = await others_of(parts.store, parts.sealer, customer)
    records = tied_records(untie(customer, others), parts.sealer)
    detail = {"with": [other.id for other in others], **by.sealed} | ({"reason": reason} if reason else {})
    records += [
        _line(parts.sealer, each, by, {"from": customer.id} if each is not customer else detail)
        for each in (customer, *others)
    ]
    for other in others:
        records += await _taken_home(parts, customer, other.id)
        records += await _taken_home(parts, other, customer.id)
    return records


async def _taken_home(parts: Parts, customer: Customer, other: str) -> list[Record]:
    """Let a customer's own places mean their own conversation again, where they mean the other's."""
    records, at = list[Record](), now()
    for identity in await identities(parts.store, parts.sealer, customer.id):
        ref = own_place(identity)
        name = await parts.places.name_at(ref)
        rows = await parts.store.read(SessionById(parts.sealer.lookup("session", name)))
        if rows and rows[0].owner == other:
            home = parts.places.bind(ref, place_key(ref, "user"), customer.id, at)
            records += new_session_records(parts.sealer, home, ref, owner=customer.id, at=at)
            records += home.records
    return records


def own_place(identity: Identity) -> ConversationRef:
    """A person's own conversation with the desk, as it names a session; where it is the platform knows."""
    return ConversationRef(identity.platform, identity.workspace, "", identity.user)


def _line(sealer: Sealer, customer: Customer, by: Author, detail: object) -> Record:
    id_ = customer.id
    return audit_record(sealer, actor=by.id, action="unlink", subject=id_, owner=id_, detail=detail, at=now())
