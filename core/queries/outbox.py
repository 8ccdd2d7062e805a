"""Questions about pieces on their way to people, and the outlets they leave by."""

from dataclasses import dataclass

from core.queries.query import Query


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """A piece on its way out, as stored."""

    seq: int
    key: str
    platform: str
    place: bytes
    session: bytes
    turn: str | None
    owner: str
    kind: str
    status: str
    attempts: int
    at: int
    body: bytes
    sent: bytes | None


@dataclass(frozen=True, slots=True)
class OpenDeliveries(Query[DeliveryRow]):
    """Pieces for a platform that are 'pending' or 'sending', with `seq` over `after`, in order; at most `limit`."""

    row = DeliveryRow
    platform: str
    after: int
    limit: int


@dataclass(frozen=True, slots=True)
class OpenAt(Query[DeliveryRow]):
    """Pieces of a place that are 'pending' or 'sending', in order; at most `limit`."""

    row = DeliveryRow
    place: bytes
    limit: int


@dataclass(frozen=True, slots=True)
class OutletRow:
    """An outlet: `held` is 1 while a worker's lease on it runs."""

    place: bytes
    epoch: int
    worker: str | None
    held: int


@dataclass(frozen=True, slots=True)
class WaitingOutlets(Query[OutletRow]):
    """Outlets of a platform with open pieces that nobody but `worker` holds, the longest waiting first; at most
    `limit`. One that was never claimed has epoch 0."""

    row = OutletRow
    platform: str
    worker: str
    limit: int


@dataclass(frozen=True, slots=True)
class OutletAt(Query[OutletRow]):
    """The outlet of a place; at most one."""

    row = OutletRow
    place: bytes


@dataclass(frozen=True, slots=True)
class DeliveriesOf(Query[DeliveryRow]):
    """All pieces of a turn, in order."""

    row = DeliveryRow
    turn: str


@dataclass(frozen=True, slots=True)
class DeliveriesTo(Query[DeliveryRow]):
    """All pieces that are sealed for a customer, in order."""

    row = DeliveryRow
    owner: str
