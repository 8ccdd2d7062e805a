"""The front door: an event is made durable, once, before anyone is told that it arrived."""

import logging
from dataclasses import dataclass, replace

from core.access import may, role_of
from core.candidates import choose, conversations_at, without_pick
from core.clock import now
from core.customers import find_customer, identity_key, new_customer
from core.delivery import Deliveries
from core.errors import ChangedError, ConflictError, ErasedError
from core.events import event_name, kind_of, message_name
from core.ids import new_id
from core.kit import Kit
from core.lanes import Lane, Lanes
from core.lru import Lru
from core.models import (
    Accepted,
    Command,
    ConversationRef,
    Event,
    MessageDeleted,
    MessageEdited,
    Profile,
    Reaction,
    UserMessage,
)
from core.pace import Pace
from core.places import new_session_records
from core.queries.lanes import EventRow
from core.queries.people import CustomerOfIdentity
from core.queries.said import MessageByKey, MessageRow, QuestionBy
from core.queries.turns import TurnById
from core.records.erasing import ForgetCustomer
from core.records.lanes import AddEvent, MarkStop
from core.records.record import Record, Rows
from core.records.turns import AddMessage
from core.room import Room
from core.sealed import seal_json, seal_message
from core.text import clean
from core.turnstile import Turnstile
from core.wakes import Wakes
from core.words import says_stop, word_said

log = logging.getLogger(__name__)

AT_ONCE = 256
"""How many events are taken in in one round of the loop at most, where that takes no time worth mentioning."""
POSTED_SECONDS = 2.0
"""How long a word about an unknown message waits for what is being posted; Slack waits three for its answer."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of an event: `lane` where it was idle and is claimed now, `row` where the event is its only one.

    `stopped` is the id of the running event of `session` that this one asks to stop. `queued` is a new event whose lane
    was not claimed, and `event` what it says.
    """

    accepted: Accepted
    session: bytes
    lane: Lane | None = None
    row: EventRow | None = None
    stopped: str | None = None
    queued: EventRow | None = None
    event: Event | None = None


class Intake:
    """Takes events in: one commit each, refused where the event was seen before."""

    def __init__(self, kit: Kit, lanes: Lanes, deliveries: Deliveries, room: Room, wakes: Wakes) -> None:
        """Lanes are claimed as long as there is room: each takes a place, which its worker gives back."""
        self._room = room
        self._deliveries = deliveries
        self._settings = kit.settings
        self._store = kit.store
        self._sealer = kit.sealer
        self._writer = kit.writer
        self._places = kit.places
        self._personal = kit.personal
        self._turnstile = Turnstile(most=AT_ONCE)
        self._pace = Pace(kit.settings, kit.store, kit.sealer, wakes)
        self._lanes = lanes
        self._customers: Lru[bytes, str] = Lru(65_536)
        self._sessions: Lru[bytes, bool] = Lru(65_536)
        self._erasures = kit.sealer.erasures

    async def take(self, event: Event) -> Taken:
        """Commit an event to the inbox and to its lane; durable when this returns."""
        event = clean(event)
        await self._turnstile.passed()
        while True:
            try:
                return await self._take(event)
            except ConflictError:
                # Two first messages of one person at once: the other one made the customer.
                log.info("a first message met another one of the same person")
            except ChangedError:
                log.info("a place was bound to another conversation meanwhile")
            except ErasedError:
                if not await self._forget_left(event):
                    raise

    async def _forget_left(self, event: Event) -> bool:
        """Finish forgetting who spoke, where the store is an older one than the keyring: they are somebody new then."""
        rows = await self._store.read(CustomerOfIdentity(identity_key(self._sealer, event.ref)))
        for row in rows:
            await self._writer.commit((ForgetCustomer(row.id),))
        self._know_nobody()
        return bool(rows)

    def _know_erasures(self) -> None:
        if self._sealer.erasures != self._erasures:
            self._know_nobody()

    def _know_nobody(self) -> None:
        """Read anew who is who and where: somebody was forgotten."""
        self._erasures = self._sealer.erasures
        self._customers, self._sessions = Lru(65_536), Lru(65_536)
        self._places.forget_all()

    async def _take(self, event: Event) -> Taken:
        at = now()
        self._know_erasures()
        if not await self._is_for_us(event):
            return Taken(Accepted.IGNORED, b"")
        # Before anything of it is sealed: what must never be kept is in no row, not even while it waits.
        event = await self._personal.masked(event)
        customer, records = await self._customer(event, at)
        paced = await self._pace.taken(event, customer)
        if paced is None:
            return Taken(Accepted.REFUSED, b"")
        event = await self._meant(paced, customer, at)
        session, opened = await self._session(event, customer, at)
        row = self._row(event, session, customer, at)
        stop = (self._stop(event, row),) if await self._is_stop(event, customer) else ()
        added = AddEvent(row.id, self._key(event), session, customer, row.kind, at, row.body)
        place = self._room.take()
        claim = (self._lanes.claim_record(session),) if place else ()
        taken: Taken | None = None
        try:
            rows = await self._writer.commit((*records, *opened, added, *self._question(event, row), *stop, *claim))
            taken = self._taken(event, row, rows, claims=bool(claim))
            return taken
        except ChangedError:
            self._places.forget(event.ref)
            raise
        finally:
            if taken is None or taken.lane is None:
                self._room.give(place)

    def _taken(self, event: Event, row: EventRow, rows: tuple[Rows, ...], *, claims: bool) -> Taken:
        self._sessions.put(row.session, True)
        added, *stopped = rows[: len(rows) - claims]
        claimed = rows[-1] if claims else []
        epoch, pending = map(_number, claimed[0]) if claimed else (0, 0)
        # Also a lane that was claimed by a duplicate has to be worked: a killed desk may have left events in it.
        lane = self._lanes.claimed(row.session, epoch) if claimed else None
        if not added:
            return Taken(Accepted.DUPLICATE, row.session, lane, event=event)
        first = replace(row, seq=_number(added[0][0]), attempts=1) if pending == 1 else None
        marked = str(stopped[0][0][0]) if stopped and stopped[0] else None
        return Taken(Accepted.NEW, row.session, lane, first, marked, None if lane else row, event)

    async def _is_for_us(self, event: Event) -> bool:
        """Whether an event in a place that others read has to do with the desk; in a direct one every event has."""
        if (event.ref.direct and event.ref.user) or isinstance(event, Command):
            return True
        if not isinstance(event, UserMessage):
            return _is_live(event) or await self._message(event.ref, event.message) is not None
        return event.called or await self._is_known_there(event.ref)

    async def _is_known_there(self, ref: ConversationRef) -> bool:
        """Whether somebody spoke to the desk in this conversation before."""
        customer = self._customers.get(identity_key(self._sealer, ref))
        if customer is None:
            found = await find_customer(self._store, self._sealer, ref)
            if found is None:
                return False
            customer = found.id
        session = self._sealer.lookup("session", await self._places.name_at(ref))
        return bool(await self._store.read(QuestionBy(session, customer)))

    async def _meant(self, command: Event, customer: str, at: int) -> Event:
        """Put the conversation that is meant into a loose command; it stays so where there is none, or several."""
        if not isinstance(command, Command) or not command.loose:
            return command
        word, _ = word_said(command)
        if word is None or word.about_person:
            return command
        found = conversations_at(self._store, self._sealer, command.ref, customer=customer, at=at)
        chosen = await choose(command, found, changes_history=word.changes_history)
        if chosen is None:
            return command
        args = without_pick(command.args)
        return replace(command, ref=chosen.ref, args=args, loose=False, said_at=command.ref)

    async def _customer(self, event: Event, at: int) -> tuple[str, list[Record]]:
        if isinstance(event, MessageDeleted) and not event.ref.user:
            return await self._owner(event), []
        key = identity_key(self._sealer, event.ref)
        known = self._customers.get(key)
        records: list[Record] = []
        if known is None:
            found = await find_customer(self._store, self._sealer, event.ref)
            if found is None:
                profile = event.profile if isinstance(event, UserMessage | Command) else Profile()
                found, records = await new_customer(self._sealer, event.ref, profile, tiers=self._settings.tiers, at=at)
            known = found.id
        if not records:
            self._customers.put(key, known)
            await self._sealer.prepare((known,))
        return known, records

    async def _owner(self, event: MessageDeleted) -> str:
        """Whose turn a deleted message belongs to, where the platform does not say who deleted it."""
        found = await self._message(event.ref, event.message)
        if found is None:
            raise ChangedError("the message that was deleted was forgotten meanwhile")
        await self._sealer.prepare((found.owner,))
        return found.owner

    async def _session(self, event: Event, customer: str, at: int) -> tuple[bytes, list[Record]]:
        message = _about(event)
        if message is not None:
            found = await self._message(event.ref, message)
            if found is not None:
                return found.session, []
        place = await self._places.session_at(event, customer, at)
        if self._sessions.get(place.session):
            return place.session, place.records
        created = new_session_records(self._sealer, place, event.ref, owner=customer, at=at)
        return place.session, [*created, *place.records]

    async def _message(self, ref: ConversationRef, message: str) -> MessageRow | None:
        key = self._sealer.lookup("message", message_name(ref, message))
        rows = await self._store.read(MessageByKey(key))
        if not rows:
            # What was posted a moment ago may still ride in memory.
            await self._writer.flush()
            rows = await self._store.read(MessageByKey(key))
        if not rows:
            await self._deliveries.settle_channel(ref, within=POSTED_SECONDS)
            rows = await self._store.read(MessageByKey(key))
        return rows[0] if rows else None

    def _stop(self, event: Event, row: EventRow) -> MarkStop:
        """Who stops what runs: its speaker, or staff."""
        staff = may(role_of(self._settings, event.ref), "undo_others")
        return MarkStop(row.session, row.id, None if staff else row.customer)

    async def _is_stop(self, event: Event, customer: str) -> bool:
        """Whether the event asks to stop what runs: a reaction does on one's own question until it is answered.

        Whose turn it is that runs, the mark asks.
        """
        if not says_stop(event) or not isinstance(event, Reaction) or event.live:
            return says_stop(event)
        asked = await self._message(event.ref, event.message)
        if asked is None or asked.turn is None or asked.owner != customer:
            return False
        return not await self._store.read(TurnById(asked.turn))

    def _row(self, event: Event, session: bytes, customer: str, at: int) -> EventRow:
        id_ = new_id()
        kind = kind_of(event)
        body = seal_json(self._sealer, "inbox", customer, id_, event)
        return EventRow(0, id_, session, customer, kind, "queued", 0, 0, at, body)

    def _question(self, event: Event, row: EventRow) -> list[Record]:
        if not isinstance(event, UserMessage):
            return []
        key = self._sealer.lookup("message", message_name(event.ref, event.id))
        body = seal_message(self._sealer, row.customer, key, message=event.id, thread=event.ref.thread)
        return [AddMessage(key, row.session, row.id, "question", row.customer, row.at, body)]

    def _key(self, event: Event) -> bytes:
        return self._sealer.lookup("event", event_name(event))


def _about(event: Event) -> str | None:
    if isinstance(event, MessageEdited | MessageDeleted | Reaction | Command):
        return event.message
    return None


def _is_live(event: Event) -> bool:
    return isinstance(event, Reaction) and event.live


def _number(value: object) -> int:
    return int(str(value))
