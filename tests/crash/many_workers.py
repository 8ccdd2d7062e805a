"""What each of many processes on one store does: the public command line, watched on its way to store and platform."""

import asyncio
import io
import json
import os
import random
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bots.cli import main
from core.agent import SupportAgent
from core.desk import Desk
from core.models import Delivery, Item
from core.ports import Outcome, Platform, Store
from core.records.guards import LaneIs
from core.records.lanes import ClaimLane, FinishEvent
from core.records.record import Commit
from tests.crash.breakages import break_desk
from tests.crash.driver import Process
from tests.crash.programs import House

SHORTEST, LONGEST = 0.02, 0.25
"""Seconds of a turn."""
SELDOM = 0.01
"""How many turns last longer than a lease."""
POSTED_WITHIN = 0.6
"""Seconds of a post: often longer than a turn, so that the next answer is there before."""


class Notes:
    """A file to which all processes append whole lines, and which outlives them."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def write(self, **values: object) -> None:
        os.write(self._file, json.dumps({"pid": os.getpid(), **values}).encode() + b"\n")


class SeenStore:
    """Notes the name of the worker, and each event it finished with the epoch it relied on."""

    def __init__(self, store: Store, notes: Notes) -> None:
        self._store = store
        self._notes = notes
        self._worker = ""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def write(self, batch: Sequence[Commit]) -> list[Outcome]:
        for record in (record for commit in batch for record in commit if isinstance(record, ClaimLane)):
            if record.worker != self._worker:
                self._worker = record.worker
                self._notes.write(worker=record.worker)
        outcomes = await self._store.write(batch)
        for commit, outcome in zip(batch, outcomes, strict=True):
            self._note_finish(commit, refused=isinstance(outcome, Exception))
        return outcomes

    def _note_finish(self, commit: Commit, *, refused: bool) -> None:
        for event in (record.id for record in commit if isinstance(record, FinishEvent)):
            (epoch,) = [record.epoch for record in commit if isinstance(record, LaneIs)]
            self._notes.write(event=event, epoch=epoch, refused=refused)


class SeenPlatform:
    """Takes its time for a piece, and notes who posted it."""

    def __init__(self, platform: Platform, notes: Notes) -> None:
        self._platform = platform
        self._notes = notes

    def __getattr__(self, name: str) -> Any:
        return getattr(self._platform, name)

    async def post(self, delivery: Delivery) -> str:
        await asyncio.sleep(random.uniform(0, POSTED_WITHIN))
        posted = await self._platform.post(delivery)
        self._notes.write(key=delivery.key, to=delivery.to, place=delivery.ref.user)
        return posted


@dataclass(frozen=True, slots=True)
class Works:
    """A store, and the processes on it: `front` ones take lines in, all of them work and those post."""

    house: House
    settings: Mapping[str, str]
    lease: float
    broken: str | None = None

    @property
    def notes(self) -> Path:
        return self.house.folder / "notes"

    def open(self, *, front: bool) -> Process:
        """Start a process: `deskmate chat --jsonl`, or `deskmate worker`."""

        def program() -> int:
            self.house.move_in(self.settings)
            watch(Notes(self.notes), self.lease)
            if self.broken:
                break_desk(self.broken)
            if front:
                return main(["-v", "chat", "--jsonl"])
            # What it says at its start is for people.
            sys.stdout = io.StringIO()
            return main(["-v", "worker"])

        return self.house.start(program)


def watch(notes: Notes, lease: float) -> None:
    """Let every Desk that this process makes be seen, and its turns last."""
    make, answer = Desk.__init__, SupportAgent.answer
    random.seed()

    def init(self: Desk, *, store: Store, platforms: Sequence[Platform], **rest: Any) -> None:
        rest["platforms"] = [SeenPlatform(platform, notes) for platform in platforms]
        make(self, store=SeenStore(store, notes), **rest)

    async def answered(support: SupportAgent, session: Any, context: Any, said: list[Item], **rest: Any) -> Any:
        long = random.random() < SELDOM
        await asyncio.sleep(2 * lease if long else random.uniform(SHORTEST, LONGEST))
        return await answer(support, session, context, said, **rest)

    Desk.__init__ = init
    SupportAgent.answer = answered
