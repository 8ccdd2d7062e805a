"""Lanes: the events of a session one at a time, in the order they came, by whoever holds the lane."""

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from core.errors import FencedError
from core.ids import new_id
from core.ports import Store
from core.queries.lanes import EventRow, NextEvent, WaitingLanes
from core.records.guards import LaneIs
from core.records.lanes import (
    ClaimLane,
    CountAttempt,
    FinishEvent,
    FreeLanes,
    GiveBackAttempt,
    GiveBackLanes,
    ReleaseLane,
    RenewLanes,
)
from core.records.record import Record, Rows
from core.writer import GroupWriter

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Lane:
    """A lane this process holds. Every commit of its events goes through it, so that a stale holder writes nothing.

    `counted` says that the attempt of its next event is counted already, as the claim and every finish do.
    """

    session: bytes
    epoch: int
    worker: str
    writer: GroupWriter
    store: Store
    held: bool = True
    counted: bool = True

    async def next_event(self) -> EventRow | None:
        """Read the oldest event that waits."""
        rows = await self.store.read(NextEvent(self.session))
        return rows[0] if rows else None

    async def finish(self, event: EventRow, records: Sequence[Record], *, status: str = "done") -> Sequence[Rows]:
        """Commit all that came of an event, and that it is dealt with; the lane is let go if nothing waits.

        Gives back the rows of the records that return some. Raises FencedError when the lane was given to another
        worker, and what else the records' guards refuse.
        """
        *rows, released = await self.writer.commit(
            (
                LaneIs(self.session, self.epoch),
                *records,
                FinishEvent(event.id, status),
                CountAttempt(self.session, self.worker),
                ReleaseLane(self.session, self.epoch, 0),
            )
        )
        self.held = bool(released) and released[0][1] is not None
        return rows

    async def uncount(self, event: EventRow) -> None:
        """Take the attempt back: the event has to wait, and what happens meanwhile is not its fault."""
        await self.writer.commit((LaneIs(self.session, self.epoch), GiveBackAttempt(event.id)))
        self.counted = False

    async def count(self) -> None:
        """Count an attempt of the next event, which runs now."""
        await self.writer.commit((LaneIs(self.session, self.epoch), CountAttempt(self.session, self.worker)))
        self.counted = True

    async def give_back(self, event: EventRow | None) -> None:
        """Let the lane go unfinished; the event's attempt does not count."""
        self.held = False
        # The next one's attempt was counted with the claim, or with the end of the one before it.
        event = event or await self.next_event()
        given = (GiveBackAttempt(event.id),) if event and self.counted else ()
        try:
            release = ReleaseLane(self.session, self.epoch, 1)
            await self.writer.commit((LaneIs(self.session, self.epoch), *given, release))
        except FencedError:
            log.info("lane %s was taken over before it was given back", self.session.hex()[:12])


class Lanes:
    """Claims and renews lanes under one worker name."""

    def __init__(self, store: Store, writer: GroupWriter, *, lease: float) -> None:
        """`lease` is in seconds; a lane not renewed for that long may be taken by another worker."""
        self.worker = new_id()
        self._store = store
        self._writer = writer
        self._lease = lease

    async def free_all(self) -> None:
        """Take every lane from whoever held it: for the desk that holds its store alone, at start."""
        await self._writer.commit((FreeLanes(),))

    def claim_record(self, session: bytes) -> ClaimLane:
        """Make the record that claims a lane if it is to be had, for a commit that queues an event."""
        return ClaimLane(session, self.worker, self._lease)

    def claimed(self, session: bytes, epoch: int) -> Lane:
        """Make the lane of a claim that was committed."""
        return Lane(session, epoch, self.worker, self._writer, self._store)

    async def claim_waiting(self, limit: int, *, but: Collection[bytes] = ()) -> list[Lane]:
        """Claim up to `limit` lanes that have events and nobody to work them, `but` those of some sessions."""
        waiting = await self._store.read(WaitingLanes(limit + len(but)))
        sessions = [row.session for row in waiting if row.session not in but][:limit]
        if not sessions:
            return []
        claims = await self._writer.commit(tuple(map(self.claim_record, sessions)))
        return [
            self.claimed(session, int(str(rows[0][0]))) for session, rows in zip(sessions, claims, strict=True) if rows
        ]

    def giving_back(self) -> Record:
        """Make the record that lets every lane of this worker go: those that were claimed while it stopped, too."""
        return GiveBackLanes(self.worker)

    def renewal(self) -> Record:
        """Make the record that extends the lease on every lane of this worker."""
        return RenewLanes(self.worker, self._lease)
