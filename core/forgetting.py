"""Forgetting a person for good: what is kept of them goes, and with their key whatever is left of it anywhere.

It is ordered in a note, which is durable before anything is done and goes when all is done: so it is finished whenever
it was cut off. Rows go first and the key after them, so that whoever comes back meanwhile is met as somebody new; then
once more, for what was written in between.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from core.audit import DESK, audit_record
from core.clock import now
from core.errors import BadInputError, ChangedError, StoreError
from core.legal_holds import hold_on
from core.link_codes import without_codes
from core.linked import rows_of
from core.models import Delivery
from core.named import without_person
from core.people import FORGETTING, note_key, open_note, unchanged
from core.ports import Sealer, Store
from core.queries.counts import HeldOf
from core.queries.log import NoteByKey, NotesOf
from core.queries.people import CustomerById, CustomerRow
from core.records.erasing import ForgetCustomer
from core.records.guards import CustomerAt
from core.records.log import DropNote, PutNote
from core.records.outbox import AddDelivery
from core.records.record import Commit, Record
from core.remains import others_keep, removals_of
from core.replies import FAREWELL, place_of, read_delivery, seal_delivery
from core.sealed import seal_json
from core.wording import count
from core.writer import GroupWriter

log = logging.getLogger(__name__)

NOTICED_SECONDS = 1.1
"""By when every process that has the store open knows of an erasure."""
TRIES = 20
_KEPT = ("usage", "audit")


@dataclass(frozen=True, slots=True)
class Order:
    """Whom to forget, who said so, and under which name; `answer` is where they are told, None: nowhere. With a
    `receipt` it is not the person who is told, but who ordered it.

    Once their rows are gone, `gone` and `kept` say how many there were, and `removals` how many messages go.
    """

    customer: str
    by: str
    named: str = ""
    answer: Delivery | None = None
    receipt: bool = False
    gone: dict[str, int] = field(default_factory=dict)
    kept: dict[str, int] = field(default_factory=dict)
    removals: int = 0


class Forgetting:
    """Carries out what was ordered. `noticed` is how long other processes may still know the person, in seconds."""

    def __init__(self, store: Store, sealer: Sealer, writer: GroupWriter, *, noticed: float) -> None:
        """Nothing is read before `resume`, which is `due` from the start."""
        self.due = True
        self._store = store
        self._sealer = sealer
        self._writer = writer
        self._noticed = noticed
        self._working = asyncio.Lock()

    @property
    def is_idle(self) -> bool:
        """Whether nothing is due or being done."""
        return not (self.due or self._working.locked())

    async def order(self, person: CustomerRow, order: Order) -> list[Record]:
        """The records that order it; refused with ChangedError where the person was changed meanwhile.

        Raises BadInputError where they were forgotten already or are on hold, which wins.
        """
        if not person.body:
            raise BadInputError(f"{order.named or person.id} was forgotten already")
        hold = await hold_on(self._store, self._sealer, person.id)
        if hold is not None:
            raise BadInputError(
                f"{order.named or person.id} is on hold ({hold.reason}): `deskmate hold remove` ends it"
            )
        await self._sealer.prepare((DESK, FAREWELL))
        records: list[Record] = []
        for row in await rows_of(self._store, self._sealer, person):
            # Who is the same person goes too; they are told once.
            own = order if row.id == person.id else Order(row.id, by=order.by)
            records += [*unchanged(row), self._note(own)]
        return records

    async def resume(self) -> list[Order]:
        """Carry out all that was ordered and not finished; gives what was done."""
        async with self._working:
            self.due = False
            done = []
            try:
                for row in await self._store.read(NotesOf(DESK, FORGETTING)):
                    done.append(await self._carry_out(_order(open_note(self._sealer, row))))
            except BaseException:
                self.due = True
                raise
            return done

    async def _carry_out(self, order: Order) -> Order:
        # What was posted a moment ago, here or by another process, is noted by then: it is to be taken away too.
        await self._writer.flush()
        await asyncio.sleep(self._noticed / 2)
        done = await self._without_rows(order)
        await self._sealer.erase(order.customer)
        await asyncio.sleep(self._noticed)
        await self._finish(done)
        await self._store.scrub()
        log.info("customer %s was forgotten", order.customer)
        return done

    async def _without_rows(self, order: Order) -> Order:
        for _ in range(TRIES):
            if order.gone:
                return order
            try:
                return await self._delete(order)
            except ChangedError:
                log.info("customer %s spoke while being forgotten", order.customer)
                order = await self._as_noted(order) or order
        raise StoreError(f"{order.customer} is too busy to be forgotten just now: run it again")

    async def _delete(self, order: Order) -> Order:
        store, sealer, customer = self._store, self._sealer, order.customer
        held = {row.table: row.rows for row in await store.read(HeldOf(customer))}
        removals = await removals_of(store, sealer, customer, at=now())
        notes = [*await without_person(store, sealer, customer), *await without_codes(store, sealer, customer)]
        done = replace(
            order,
            gone={table: rows for table, rows in held.items() if table not in _KEPT} | {"note": len(notes)},
            kept={table: held[table] for table in _KEPT},
            removals=len(removals),
        )
        await sealer.prepare((DESK, FAREWELL))
        kept = await others_keep(store, sealer, customer, at=now())
        await self._writer.commit(
            (*await self._guard(customer), *kept, self._note(done), ForgetCustomer(customer), *removals, *notes)
        )
        return done

    async def _finish(self, done: Order) -> None:
        for _ in range(TRIES):
            if await self._as_noted(done) is None:
                return
            try:
                await self._writer.commit(await self._last(done))
            except ChangedError:
                log.info("customer %s is being forgotten by another process too", done.customer)

    async def _last(self, done: Order) -> Commit:
        at = now()
        line = audit_record(
            self._sealer,
            actor=done.by,
            action="forget",
            subject=done.customer,
            owner=DESK,
            detail={"gone": done.gone, "kept": done.kept, "messages": done.removals},
            at=at,
        )
        guard, forgets = await self._guard(done.customer), ForgetCustomer(done.customer)
        note = DropNote(DESK, FORGETTING, note_key(self._sealer, FORGETTING, done.customer))
        return (*guard, forgets, *self._answer(done, at), line, note)

    def _answer(self, done: Order, at: int) -> Sequence[Record]:
        if done.answer is None:
            return ()
        piece = replace(done.answer, text=receipt_of(done) if done.receipt else told(done))
        place = place_of(self._sealer, piece.ref)
        return (
            AddDelivery(
                key=piece.key,
                platform=piece.ref.platform,
                place=place,
                session=place,
                turn=None,
                owner=FAREWELL,
                kind="reply",
                status="pending",
                at=at,
                body=seal_delivery(self._sealer, FAREWELL, piece),
            ),
        )

    async def _guard(self, customer: str) -> Sequence[Record]:
        return [CustomerAt(row.id, row.version) for row in await self._store.read(CustomerById(customer))]

    def _note(self, order: Order) -> PutNote:
        key = note_key(self._sealer, FORGETTING, order.customer)
        body = seal_json(self._sealer, "note", DESK, key.hex(), [order.customer, asdict(order)])
        return PutNote(DESK, FORGETTING, key, now(), body)

    async def _as_noted(self, order: Order) -> Order | None:
        key = note_key(self._sealer, FORGETTING, order.customer)
        rows = await self._store.read(NoteByKey(DESK, FORGETTING, key))
        return _order(open_note(self._sealer, rows[0])) if rows else None


def told(done: Order) -> str:
    """The receipt as the person reads it."""
    turns, tickets = count(done.gone["turn"], "turn"), count(done.gone["ticket"], "ticket")
    return (
        f"I forgot you: {turns} and the text of {tickets} are gone, and so is the key of all that was kept of you. "
        f"{count(done.removals, 'message')} of mine to you will be taken away as far as this place lets me. What "
        "others quoted of you stays with them. If you write again, we begin anew."
    )


def receipt_of(done: Order) -> str:
    """The receipt as somebody reads it who ordered it for another person: without a name."""
    gone = ", ".join(f"{place.replace('_', ' ')} {rows:,}" for place, rows in done.gone.items() if rows)
    stays = what_stays(done.kept, done.removals)
    return f"{done.customer} is forgotten, and their key destroyed. Gone, in rows: {gone}. {stays}"


def what_stays(kept: Mapping[str, int], messages: int) -> str:
    """What stays of a person, and what becomes of what they were told."""
    stays = ", ".join(f"{count(rows, 'line')} of {place}" for place, rows in kept.items())
    removed = count(messages, "message")
    return f"What stays, without a name: {stays}. {removed} of the desk to them will be taken off the platforms."


def _order(value: dict[str, Any]) -> Order:
    answer = value["answer"]
    return Order(**{**value, "answer": read_delivery(answer) if answer else None})
