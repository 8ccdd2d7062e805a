"""Questions about the inbox and the lanes."""

from dataclasses import dataclass

from core.queries.query import Query


@dataclass(frozen=True, slots=True)
class LaneRow:
    """A lane: `held` is 1 while a worker's lease on it runs."""

    session: bytes
    pending: int
    epoch: int
    worker: str | None
    held: int


@dataclass(frozen=True, slots=True)
class WaitingLanes(Query[LaneRow]):
    """Lanes with pending events that nobody holds, the longest waiting first; at most `limit`."""

    row = LaneRow
    limit: int


@dataclass(frozen=True, slots=True)
class LaneById(Query[LaneRow]):
    """One lane; at most one."""

    row = LaneRow
    session: bytes


@dataclass(frozen=True, slots=True)
class EventRow:
    """An event as stored."""

    seq: int
    id: str
    session: bytes
    customer: str
    kind: str
    status: str
    attempts: int
    stopped: int
    at: int
    body: bytes


@dataclass(frozen=True, slots=True)
class QueuedAfter(Query[EventRow]):
    """The session's queued events after `seq`, oldest first."""

    row = EventRow
    session: bytes
    seq: int


@dataclass(frozen=True, slots=True)
class NextEvent(Query[EventRow]):
    """The lane's oldest queued event; at most one."""

    row = EventRow
    session: bytes


@dataclass(frozen=True, slots=True)
class MessageBefore(Query[EventRow]):
    """The newest event of kind 'message' of a session with `seq` under the given one; at most one."""

    row = EventRow
    session: bytes
    seq: int


@dataclass(frozen=True, slots=True)
class StoppedBy(Query[EventRow]):
    """The event of a session that the stop of this `seq` marked; at most one."""

    row = EventRow
    session: bytes
    seq: int


@dataclass(frozen=True, slots=True)
class ParkedEvents(Query[EventRow]):
    """Events that were given up, oldest first; at most `limit`."""

    row = EventRow
    limit: int
