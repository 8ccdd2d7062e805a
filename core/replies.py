"""What an event sends: replies, and changes to replies sent before, as numbered pieces under the event's id."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from time import monotonic
from typing import Any

from core.events import message_name, read_ref
from core.models import Button, ConversationRef, Delivery, DeliveryKind, TextFile
from core.outlets import Granted, Outlets, granted_of
from core.ports import Platform, Sealer
from core.queries.outbox import DeliveryRow
from core.records.outbox import AddDelivery
from core.records.record import Record, Rows
from core.records.turns import AddMessage
from core.sealed import open_json, seal_json, seal_message

FAREWELL = "farewell"
"""The owner of pieces to and about a person who was forgotten, and of what staff is shown of others: each is deleted as
soon as it is posted. Whoever makes one prepares the owner's key."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where an answer goes: the conversation, the event it answers (`to`, the platform's id), and whose data it is."""

    ref: ConversationRef
    to: str
    session: bytes
    session_name: str
    owner: str


@dataclass(frozen=True, slots=True)
class Told:
    """What somebody else is told for them alone: where, in which session, whose it is from then on, and what."""

    ref: ConversationRef
    session: str
    owner: str
    text: str


@dataclass(frozen=True, slots=True)
class Aside:
    """Where a word was said that stands in no conversation, and what names the one it means, where it means one."""

    ref: ConversationRef
    about: str | None = None


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A piece that was committed and is to be posted, under the `epoch` of its outlet where outlets are claimed.

    `since` is when it was committed, by the clock that only goes on; None where another process did it.
    """

    delivery: Delivery
    place: bytes
    session: bytes
    owner: str
    status: str
    epoch: int | None = None
    since: float | None = None


@dataclass(slots=True)
class Mail:
    """Collects the pieces of one event; `records` go into its commit, `outgoing` to the deliveries after it.

    With `outlets` the commit claims those of its pieces, and `granted` are the ones that were to be had.
    """

    event: str
    at: int
    address: Address
    platform: Platform
    sealer: Sealer
    aside: "Aside | None" = None
    outgoing: list[Outgoing] = field(default_factory=list)
    outlets: Outlets | None = None
    granted: dict[bytes, Granted] = field(default_factory=dict)

    def say(  # noqa: PLR0913  all that a reply can be
        self,
        text: str,
        *,
        turn: str | None = None,
        private: bool = False,
        buttons: tuple[Button, ...] = (),
        file: TextFile | None = None,
        stays: bool = False,
        owner: str = "",
    ) -> None:
        """Add a reply; what is too long for the platform becomes several pieces, buttons and file on the last.

        What answers a word that was said aside, and is no turn, is for the asker alone and goes to where it was said.
        """
        ref = self.address.ref
        if self.aside is not None and turn is None:
            ref, private = self.aside.ref, True
            text = f"About: {self.aside.about}\n{text}" if self.aside.about else text
        pieces = self.platform.split(text)
        for number, piece in enumerate(pieces, start=1):
            delivery = replace(self._new("reply", piece), ref=ref, turn=turn, private=private, stays=stays)
            self._add(replace(delivery, buttons=buttons, file=file) if number == len(pieces) else delivery, owner)

    def say_in(self, ref: ConversationRef, text: str) -> None:
        """Add a reply that stands in another conversation."""
        for piece in self.platform.split(text):
            self._add(replace(self._new("reply", piece), ref=ref))

    def settle(self) -> None:
        """Say with the last piece that the last ticket of the conversation is resolved."""
        newest = self.outgoing[-1]
        self.outgoing[-1] = replace(newest, delivery=replace(newest.delivery, settles=True))

    def change(self, kind: DeliveryKind, piece: Delivery, text: str, *, removes: bool = False) -> None:
        """Add a change of a piece sent before: `retract` puts `text` in its place, `restore` brings it back."""
        new = replace(self._new(kind, text), ref=piece.ref, turn=piece.turn, private=piece.private, removes=removes)
        self._add(replace(new, message=piece.key, buttons=piece.buttons if kind == "restore" else ()))

    def retract(self, pieces: Sequence[Delivery], text: str, *, removes: bool = False) -> None:
        """Let the first piece of an answer say `text` instead, and empty its further ones; or remove them all."""
        for number, piece in enumerate(pieces):
            self.change("retract", piece, text if number == 0 else "", removes=removes)

    def post_again(self, piece: Delivery) -> None:
        """Add a reply that brings back a piece that was removed."""
        again = replace(self._new("reply", piece.text), ref=piece.ref, turn=piece.turn, private=piece.private)
        self._add(replace(again, message=piece.key, buttons=piece.buttons))

    def records(self) -> list[Record]:
        """Make the records of all pieces."""
        records: list[Record] = [record for outgoing in self.outgoing for record in self._records_of(outgoing)]
        if self.outlets is not None:
            records += [self.outlets.claim_record(place, self.platform.name) for place in self._places()]
        return records

    def committed(self, rows: Sequence[Rows]) -> Sequence[Rows]:
        """Take in what `records` gave back, the last of these rows: the pieces are durable now. Others are left."""
        since = monotonic()
        self.outgoing = [replace(outgoing, since=since) for outgoing in self.outgoing]
        if self.outlets is None:
            return rows
        places = self._places()
        before = len(rows) - len(places)
        self.granted = granted_of(places, rows[before:])
        return rows[:before]

    def _places(self) -> list[bytes]:
        return list(dict.fromkeys(outgoing.place for outgoing in self.outgoing))

    def _new(self, kind: DeliveryKind, text: str) -> Delivery:
        key = f"{self.event}.{len(self.outgoing) + 1}"
        return Delivery(key, kind, self.address.ref, self.address.to, self.address.session_name, None, text)

    def _add(self, delivery: Delivery, owner: str = "") -> None:
        status = "sending" if self.platform.repeats_by_key else "pending"
        place = place_of(self.sealer, delivery.ref)
        self.outgoing.append(Outgoing(delivery, place, self.address.session, owner or self.address.owner, status))

    def _records_of(self, outgoing: Outgoing) -> Iterable[Record]:
        delivery = outgoing.delivery
        yield AddDelivery(
            key=delivery.key,
            platform=delivery.ref.platform,
            place=outgoing.place,
            session=outgoing.session,
            turn=delivery.turn,
            owner=outgoing.owner,
            kind=delivery.kind,
            status=outgoing.status,
            at=self.at,
            body=seal_delivery(self.sealer, outgoing.owner, delivery),
        )
        if self.platform.repeats_by_key and delivery.kind == "reply":
            yield answer_record(self.sealer, outgoing, message=delivery.key, at=self.at)


def place_of(sealer: Sealer, ref: ConversationRef) -> bytes:
    """Hash the conversation whose pieces are sent in order: a direct one is one, however many threads it has."""
    thread = "" if ref.direct else ref.thread or ""
    return sealer.lookup("outbox", "\x1f".join((ref.platform, ref.workspace, ref.channel, thread)))


def answer_record(sealer: Sealer, outgoing: Outgoing, *, message: str, at: int) -> AddMessage:
    """Note that a platform's message is an answer of a turn, so that a gesture on it finds the turn."""
    name = message_name(outgoing.delivery.ref, message)
    key = sealer.lookup("message", name)
    body = seal_message(sealer, outgoing.owner, key, message=message, thread=outgoing.delivery.ref.thread)
    return AddMessage(key, outgoing.session, outgoing.delivery.turn, "answer", outgoing.owner, at, body)


def seal_delivery(sealer: Sealer, owner: str, delivery: Delivery) -> bytes:
    """Seal a piece for the outbox."""
    return seal_json(sealer, "outbox", owner, delivery.key, delivery)


def open_delivery(sealer: Sealer, row: DeliveryRow) -> Delivery:
    """Open a piece of the outbox."""
    return read_delivery(open_json(sealer, "outbox", row.owner, row.key, row.body))


def read_delivery(value: dict[str, Any]) -> Delivery:
    """Read a piece from the JSON of its fields."""
    buttons = tuple(Button(button["label"], button["command"], tuple(button["args"])) for button in value["buttons"])
    file = TextFile(**value["file"]) if value.get("file") else None
    return Delivery(**{**value, "ref": read_ref(value["ref"]), "buttons": buttons, "file": file})


def outgoing_of(sealer: Sealer, row: DeliveryRow) -> Outgoing:
    """Open a row of the outbox as a piece to be posted."""
    return Outgoing(open_delivery(sealer, row), row.place, row.session, row.owner, row.status)
