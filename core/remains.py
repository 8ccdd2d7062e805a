"""What a forgotten person leaves to others: conversations that go on without them, and messages to be taken away."""

from collections.abc import Sequence
from dataclasses import dataclass

from core.audit import DESK
from core.models import Delivery, TurnStatus
from core.people import FORGETTING, open_note
from core.ports import Sealer, Store
from core.queries.branches import BranchesOf
from core.queries.lanes import QueuedAfter
from core.queries.log import NotesOf
from core.queries.outbox import DeliveriesTo, DeliveryRow
from core.queries.people import PlacesOf, SessionRow, SessionsSpokenBy
from core.queries.turns import TurnRow, TurnsOf
from core.records.guards import SessionAt
from core.records.outbox import AddDelivery
from core.records.people import BindPlace, HandOver
from core.records.record import Record
from core.records.turns import ClearSession, RewriteBranch
from core.replies import FAREWELL, open_delivery, seal_delivery
from core.scene import branch_name, session_name
from core.sealed import branch_row, open_json, row_of, seal_json

REMOVED = "(removed: the person this was for asked to be forgotten)"
"""Stands where a platform keeps the message."""
_ALL = 1_000_000


async def others_keep(store: Store, sealer: Sealer, customer: str, *, at: int) -> list[Record]:
    """Hand what others go on with over to the desk: conversations in which they spoke too, and places bound to those.

    Refused with ChangedError where somebody spoke meanwhile.
    """
    records, dying, leaving = list[Record](), set[bytes](), await _leaving(store, sealer, customer)
    for session in await store.read(SessionsSpokenBy(customer, _ALL)):
        if session.owner != customer:
            continue
        records.append(SessionAt(session.id, session.version))
        turns = await store.read(TurnsOf(session.id))
        others = await _others_in(store, session, turns) - {customer}
        if others:
            # Who is the same person is forgotten with them, and then the conversation goes whole.
            heir = min(others) if others <= leaving else DESK
            records += await _handed_over(store, sealer, session, heir)
            continue
        dying.add(session.id)
        if any(turn.speaker != customer for turn in turns):
            # All that is left of others is that they were forgotten, too.
            records.append(ClearSession(session.id, session.branch))
    for place in await store.read(PlacesOf(customer)):
        if place.session not in dying:
            name = open_json(sealer, "place", customer, row_of(place.key), place.body)
            body = seal_json(sealer, "place", DESK, row_of(place.key), name)
            records.append(BindPlace(place.key, place.session, DESK, at, body))
    return records


async def removals_of(store: Store, sealer: Sealer, customer: str, *, at: int) -> list[AddDelivery]:
    """The pieces that take away what the desk posted for a customer, and that stands on the platforms."""
    rows = await store.read(DeliveriesTo(customer))
    pieces = [_Posted(row, open_delivery(sealer, row)) for row in rows if row.body]
    gone = {each.delivery.message for each in pieces if each.delivery.removes}
    standing = [each for each in pieces if each.stands and each.row.key not in gone]
    return [_removal(sealer, each, at) for each in standing]


@dataclass(frozen=True, slots=True)
class _Posted:
    row: DeliveryRow
    delivery: Delivery

    @property
    def stands(self) -> bool:
        """Whether it was posted, and not for one person's eyes in a place of many: nobody can take that away."""
        seen = self.delivery.ref.direct or not self.delivery.private
        return self.delivery.kind == "reply" and self.row.sent is not None and seen


def _removal(sealer: Sealer, posted: _Posted, at: int) -> AddDelivery:
    row, was = posted.row, posted.delivery
    message = open_json(sealer, "sent", row.owner, row.key, row.sent or b"")
    key = f"{row.key}.forgotten"
    piece = Delivery(key, "retract", was.ref, was.to, "", None, REMOVED, message=message, removes=True)
    return AddDelivery(
        key=key,
        platform=row.platform,
        place=row.place,
        session=row.session,
        turn=None,
        owner=FAREWELL,
        kind="retract",
        status="pending",
        at=at,
        body=seal_delivery(sealer, FAREWELL, piece),
    )


async def _others_in(store: Store, session: SessionRow, turns: Sequence[TurnRow]) -> set[str]:
    spoke = {turn.speaker for turn in turns if turn.status != TurnStatus.ERASED}
    return spoke | {event.customer for event in await store.read(QueuedAfter(session.id, 0))}


async def _leaving(store: Store, sealer: Sealer, customer: str) -> set[str]:
    """Who is being forgotten just now: a person may be several customers."""
    orders = await store.read(NotesOf(DESK, FORGETTING))
    return {customer, *(open_note(sealer, row)["customer"] for row in orders)}


async def _handed_over(store: Store, sealer: Sealer, session: SessionRow, heir: str) -> list[Record]:
    await sealer.prepare((heir,))
    body = {"id": session_name(sealer, session)}
    records: list[Record] = [HandOver(session.id, heir, seal_json(sealer, "session", heir, row_of(session.id), body))]
    for branch in await store.read(BranchesOf(session.id)):
        name = branch_name(sealer, session, branch.name, branch.body)
        sealed = seal_json(sealer, "branch", heir, branch_row(session.id, branch.name), name)
        records.append(RewriteBranch(session.id, branch.name, sealed))
    return records
