"""Ours: the desk's own lanes over its store, by `core.lanes` and `core.writer`, on PostgreSQL or on one SQLite file.

An event is accepted by the process that heard it, as the desk does it: one commit queues it and claims the lane where
it is idle. What others left is found by a poll.
"""

import asyncio
import json
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from hashlib import blake2b
from pathlib import Path

from adapters.storage import open_store
from benchmarks.engines.engine import Hands, Pace, Send
from benchmarks.engines.house import AT_ONCE, Event, House, Truth
from core.config import Settings
from core.errors import FencedError
from core.ids import new_id
from core.lanes import Lane, Lanes
from core.queries.lanes import EventRow
from core.records.lanes import AddEvent
from core.writer import GroupWriter

POLL_SECONDS = 1.0
"""As in `core.desk`, which would bring the Agents SDK along, and no turn is run here."""
LEASE_SECONDS = {"default": Settings().work.lease_seconds, "short": 3.0}
FOLDER = Path(tempfile.gettempdir()) / "deskmate_engines"


class DeskLanes:
    about = "a lane per session, claimed in the commit that accepts the event"

    def __init__(self, name: str, url_of: Callable[[House], str], *, processes: int) -> None:
        self.name = name
        self.processes = processes
        self.restarts = processes == 1
        self._url_of = url_of

    async def prepare(self, house: House, pace: Pace) -> None:
        FOLDER.mkdir(exist_ok=True)
        async with open_store(self._url_of(house)):
            pass

    async def fill(self, house: House, events: Sequence[Event]) -> None:
        async with open_store(self._url_of(house)) as store, GroupWriter(store) as writer:
            await asyncio.gather(*(writer.commit((_added(event),)) for event in events))

    @asynccontextmanager
    async def sending(self, house: House, hands: Hands) -> AsyncIterator[Send]:
        async def send(event: Event) -> None:
            await hands.tell(json.dumps(event.words()))

        yield send

    def work(self, house: House, worker: str, pace: Pace) -> None:
        asyncio.run(self._work(house, worker, pace))

    async def _work(self, house: House, worker: str, pace: Pace) -> None:
        truth = Truth(house, worker)
        await truth.pool()
        alone = self.processes == 1
        async with open_store(self._url_of(house), desk=alone) as store, GroupWriter(store) as writer:
            lanes = Lanes(store, writer, lease=LEASE_SECONDS[pace])
            if alone:
                await lanes.free_all()
            async with asyncio.TaskGroup() as tasks:
                works = _Works(lanes, writer, truth, tasks)
                tasks.create_task(_every(POLL_SECONDS, works.claim))
                tasks.create_task(_every(LEASE_SECONDS[pace] / 3, works.renew))
                await _accept_lines(works)

    async def clear(self, house: House) -> None:
        shutil.rmtree(FOLDER, ignore_errors=True)


class _Works:
    """The lanes this process holds."""

    def __init__(self, lanes: Lanes, writer: GroupWriter, truth: Truth, tasks: asyncio.TaskGroup) -> None:
        self._lanes = lanes
        self._writer = writer
        self._truth = truth
        self._tasks = tasks
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def accept(self, event: Event) -> None:
        added = _added(event)
        queued, claimed = await self._writer.commit((added, self._lanes.claim_record(added.session)))
        if claimed:
            epoch, pending = (int(str(value)) for value in claimed[0])
            lane = self._lanes.claimed(added.session, epoch)
            self._work(lane, _row_of(added, int(str(queued[0][0]))) if pending == 1 else None)

    async def renew(self) -> None:
        await self._writer.commit((self._lanes.renewal(),))

    async def claim(self) -> None:
        for lane in await self._lanes.claim_waiting(64):
            self._work(lane, None)

    def _work(self, lane: Lane, first: EventRow | None) -> None:
        self._tasks.create_task(self._work_lane(lane, first))

    async def _work_lane(self, lane: Lane, row: EventRow | None) -> None:
        try:
            while lane.held:
                row = row or await lane.next_event()
                if row is None:
                    return await lane.give_back(None)
                async with self._slots:
                    await self._truth.handle(Event(**json.loads(row.body)))
                    await lane.finish(row, ())
                row = None
        except FencedError:
            return


def _added(event: Event) -> AddEvent:
    key = f"{event.lane}/{event.number}".encode()
    session, body = blake2b(event.lane.encode(), digest_size=16).digest(), json.dumps(event.words()).encode()
    return AddEvent(new_id(), blake2b(key, digest_size=16).digest(), session, "alice", "message", 1, body)


def _row_of(added: AddEvent, seq: int) -> EventRow:
    return EventRow(seq, added.id, added.session, added.customer, added.kind, "queued", 1, 0, added.at, added.body)


async def _every(seconds: float, chore: Callable[[], Awaitable[None]]) -> None:
    while True:
        await chore()
        await asyncio.sleep(seconds)


async def _accept_lines(works: _Works) -> None:
    """Take in what the bench hands over its pipe, as a platform's adapter would; answered when it is durable."""
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := await lines.readline():
        await works.accept(Event(**json.loads(line)))
        print("durable", flush=True)


POSTGRES = DeskLanes("Deskmate, PostgreSQL", lambda house: house.database, processes=2)
SQLITE = DeskLanes("Deskmate, SQLite", lambda _: f"sqlite:///{FOLDER}/desk.db", processes=1)
