"""Pieces on their way to people, and the outlets they leave by."""

from dataclasses import dataclass
from typing import ClassVar

from core.records.record import Record


@dataclass(frozen=True, slots=True)
class MarkDelivery(Record):
    """Set a piece's status; 'sending' counts one attempt. `sent` (the sealed platform id) is kept where it is None."""

    key: str
    status: str
    sent: bytes | None


@dataclass(frozen=True, slots=True)
class BlankDeliveries(Record):
    """Really delete the text of a turn's pieces: what is posted keeps its row with an empty body, what is not is
    deleted."""

    turn: str


@dataclass(frozen=True, slots=True)
class DropDelivery(Record):
    """Really delete a piece."""

    key: str


@dataclass(frozen=True, slots=True)
class ReleaseOutlet(Record):
    """Let an outlet go if no piece is open there, or in any case with `always` = 1, if `epoch` still holds."""

    place: bytes
    epoch: int
    always: int


@dataclass(frozen=True, slots=True)
class ClaimOutlet(Record):
    """Take the outlet of a place for `worker` for `lease` seconds if it is free or its lease is over; epoch + 1.

    Who holds it already keeps it, under its epoch. Gives back `[(epoch, open)]`, where `open` counts the pieces that
    were open there before this commit's own, or `[]` where it was not to be had.
    """

    returns: ClassVar[bool] = True
    place: bytes
    platform: str
    worker: str
    lease: float


@dataclass(frozen=True, slots=True)
class RenewOutlets(Record):
    """Extend the lease of every outlet `worker` holds to `lease` seconds from now."""

    worker: str
    lease: float


@dataclass(frozen=True, slots=True)
class GiveBackOutlets(Record):
    """Let every outlet of `worker` go."""

    worker: str


@dataclass(frozen=True, slots=True)
class AddDelivery(Record):
    """A piece on its way out; ConflictError where the key is there. It is 'pending', or 'sending' (one attempt)."""

    key: str
    platform: str
    place: bytes
    session: bytes
    turn: str | None
    owner: str
    kind: str
    status: str
    at: int
    body: bytes
