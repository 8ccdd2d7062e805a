"""Two workers in one process on one store, leases shorter than a turn and never renewed: who comes late?

Every few events the worker that has one stalls until the other has taken its lane over and is about to finish. Then it
goes on as if nothing had happened. Its commit is late, and must be refused. Whether it was is written to a file: a late
commit that was taken may do no damage that shows, because turns and pieces have fixed keys, but that would be luck.
"""

import asyncio
import itertools
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import core.desk
from core.desk import Desk
from core.ports import Outcome, Store
from core.queries.people import SessionById
from core.records.guards import LaneIs
from core.records.lanes import ClaimLane, FinishEvent, RenewLanes
from core.records.record import Commit

SETTINGS = {"DESK_WORK__LEASE_SECONDS": "0.3", "DESK_WORK__ATTEMPTS": "20"}
"""A lease that is over soon; a takeover is an attempt, so there must be many."""

POLL = 0.03
STALL_EACH = 6
LONGEST_STALL = 2.0


class Witness:
    """What both workers claimed and committed; stalls one and holds the other so that a commit comes late."""

    def __init__(self, report: Path) -> None:
        self._report = report
        self._reads = itertools.count(1)
        self._epochs: dict[bytes, int] = {}
        self._claimed: dict[bytes, asyncio.Event] = {}
        self._late: dict[bytes, asyncio.Event] = {}

    async def stall(self, session: bytes) -> None:
        """Keep the worker that is about to work an event until another one has its lane, every now and then."""
        if next(self._reads) % STALL_EACH or session in self._late:
            return
        self._claimed[session] = asyncio.Event()
        self._late[session] = asyncio.Event()
        with suppress(TimeoutError):
            async with asyncio.timeout(LONGEST_STALL):
                await self._claimed[session].wait()
                return
        self._late.pop(session).set()

    async def hold(self, batch: Sequence[Commit]) -> None:
        """Keep back what finishes an event that a stalled worker is about to finish too late."""
        for commit in batch:
            session, epoch = _lane(commit)
            if session in self._late and not self._is_late(session, epoch):
                with suppress(TimeoutError):
                    async with asyncio.timeout(LONGEST_STALL):
                        await self._late[session].wait()

    def late(self, batch: Sequence[Commit]) -> list[bool]:
        """Which commits of a batch come late, as far as is known when it is handed in."""
        return [self._is_late(*_lane(commit)) for commit in batch]

    def note(self, batch: Sequence[Commit], late: Sequence[bool], outcomes: Sequence[Outcome]) -> None:
        """Keep what was claimed, and what became of late commits."""
        for commit, was_late, outcome in zip(batch, late, outcomes, strict=True):
            if was_late:
                self._write(outcome)
                done = self._late.pop(_lane(commit)[0], None)
                if done is not None:
                    done.set()
            self._note_claim(commit, outcome)

    def _is_late(self, session: bytes, epoch: int) -> bool:
        return epoch < self._epochs.get(session, epoch)

    def _note_claim(self, commit: Commit, outcome: Outcome) -> None:
        claims = [record for record in commit if isinstance(record, ClaimLane)]
        if not claims or isinstance(outcome, Exception):
            return
        returning = [record for record in commit if record.returns]
        for epoch, _ in outcome[returning.index(claims[0])]:
            self._epochs[claims[0].session] = int(str(epoch))
            if claims[0].session in self._claimed:
                self._claimed.pop(claims[0].session).set()

    def _write(self, outcome: Outcome) -> None:
        became = type(outcome).__name__ if isinstance(outcome, Exception) else "taken"
        with self._report.open("a") as report:
            report.write(f"{became}\n")


class TwinStore:
    """One store as one of two workers sees it: without renewals, and stalled by the witness."""

    def __init__(self, store: Store, witness: Witness) -> None:
        self._store = store
        self._witness = witness

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def read(self, query: Any) -> Any:
        if isinstance(query, SessionById):
            await self._witness.stall(query.id)
        return await self._store.read(query)

    async def write(self, batch: Sequence[Commit]) -> list[Outcome]:
        kept = [tuple(record for record in commit if not isinstance(record, RenewLanes)) for commit in batch]
        await self._witness.hold(kept)
        late = self._witness.late(kept)
        outcomes = await self._store.write(kept)
        self._witness.note(kept, late, outcomes)
        return outcomes


def employ_two(report: Path) -> None:
    """Let every Desk that this process makes have a twin on the same store."""
    make, enter, leave = Desk.__init__, Desk.__aenter__, Desk.__aexit__
    twins: dict[Desk, Desk] = {}
    core.desk.POLL_SECONDS = POLL

    def init(self: Desk, *, store: Store, **rest: Any) -> None:
        shared = TwinStore(store, Witness(report))
        twins[self] = Desk.__new__(Desk)
        for desk in (self, twins[self]):
            make(desk, store=shared, **rest)

    async def aenter(self: Desk) -> Desk:
        await enter(twins[self])
        return await enter(self)

    async def aexit(self: Desk, *error: Any) -> None:
        await leave(self, *error)
        await leave(twins[self], *error)

    Desk.__init__ = init
    Desk.__aenter__ = aenter
    Desk.__aexit__ = aexit


def late_commits(report: Path) -> list[str]:
    """What became of each late commit: the name of its refusal, or 'taken'."""
    return report.read_text().split() if report.exists() else []


def _lane(commit: Commit) -> tuple[bytes, int]:
    """The lane and epoch under which a commit finishes an event."""
    finishes = any(isinstance(record, FinishEvent) for record in commit)
    guards = [record for record in commit if isinstance(record, LaneIs)]
    return (guards[0].session, guards[0].epoch) if finishes and guards else (b"", 0)
