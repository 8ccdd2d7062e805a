"""What a desk does beside the events: it takes up what was left, renews its leases, deletes what is old."""

import asyncio
import logging
from contextlib import suppress

from core.clock import now
from core.delivery import Deliveries
from core.errors import DeskError, SchemaError, StoreError
from core.forgetting import NOTICED_SECONDS, Forgetting
from core.holds import Holds
from core.kit import Kit
from core.queries.counts import SchemaNumber
from core.retention import sweep
from core.wakes import FORGET, LANES, PIECES, STOP, Wakes
from core.worker import Workers

log = logging.getLogger(__name__)

POLL_SECONDS = 1.0
SCHEMA_SECONDS = 5.0
REACH_SECONDS = 60.0
SWEEP_SECONDS = 3600.0


class Chores:
    """Runs beside the desk from `start` to `stop`."""

    def __init__(self, kit: Kit, holds: Holds, workers: Workers, deliveries: Deliveries, wakes: Wakes) -> None:
        """Nothing runs yet."""
        self._kit = kit
        self._holds = holds
        self._workers = workers
        self._deliveries = deliveries
        self._forgetting = Forgetting(kit.store, kit.sealer, kit.writer, noticed=NOTICED_SECONDS * kit.store.shared)
        self._seen: int | None = None
        self._woken: set[str] = set()
        self._wake = asyncio.Event()
        self._outdated = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        wakes.on(LANES, lambda: self._hear(LANES))
        wakes.on(PIECES, self._hear_of_pieces)
        wakes.on(STOP, self._stop_turn)
        wakes.on(FORGET, self._hear_of_forgetting)

    def start(self) -> None:
        """Begin."""
        chores = [self._poll, self._renew, self._sweep]
        if self._kit.store.shared:
            chores += [self._watch_schema, self._reach_again]
        self._tasks = [asyncio.create_task(chore()) for chore in chores]

    async def stop(self) -> None:
        """End at once."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def take_up(self) -> None:
        """Take up all that nobody works or posts."""
        await self._take_up({LANES, PIECES})

    async def until_outdated(self) -> None:
        """Wait until the store has a newer schema than when this began. Raises SchemaError then."""
        await self._outdated.wait()
        raise SchemaError(
            "a newer version brought the store to a newer schema, so this process stops: update it and start it again"
        )

    def _hear_of_pieces(self, platform: str) -> None:
        if self._deliveries.speaks(platform):
            self._hear(PIECES)

    def _stop_turn(self, session: str, event: str) -> None:
        self._workers.stop_here(bytes.fromhex(session), event)

    def _hear_of_forgetting(self) -> None:
        self._forgetting.due = True
        self._wake.set()

    def _hear(self, what: str) -> None:
        self._woken.add(what)
        self._wake.set()

    async def _poll(self) -> None:
        """Take up what somebody says waits, and once a second what was left: by a crash, or a store that failed."""
        while True:
            woken, self._woken = self._woken or {LANES, PIECES}, set()
            self._wake.clear()
            try:
                await self._take_up(woken)
            except StoreError:
                log.exception("the store does not answer")
            with suppress(TimeoutError):
                async with asyncio.timeout(POLL_SECONDS):
                    await self._wake.wait()

    async def _take_up(self, what: set[str]) -> None:
        if LANES in what:
            await self._workers.claim()
        if PIECES in what and self._kit.store.shared:
            await self._deliveries.take_up()
        # A desk that is idle looks for new keys too: while the master key is rotated it is told the next one.
        _ = self._kit.sealer.erasures
        await self.forget()

    async def finish_forgetting(self) -> bool:
        """Forget whom this was ordered of; whether there may have been anybody, also where another task was at it."""
        if self._forgetting.is_idle:
            return False
        try:
            await self._forgetting.resume()
        except DeskError:
            log.exception("somebody is not forgotten yet: it is tried again")
            return False
        return True

    async def forget(self) -> None:
        """Forget whom this was ordered of, and take away what was posted for those another process forgot."""
        forgot = await self.finish_forgetting()
        stamp = self._kit.store.stamp()
        if forgot or stamp != self._seen:
            self._seen = stamp
            await self._deliveries.take_up_farewells()

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(self._kit.settings.work.lease_seconds / 3)
            try:
                posts = self._kit.store.shared and not self._deliveries.is_idle
                if posts or not self._workers.is_idle:
                    await self._kit.writer.commit(self._holds.renewal())
            except StoreError:
                log.exception("leases were not renewed: the store does not answer")

    async def _sweep(self) -> None:
        while not self._kit.settings.retention.keeps_all:
            try:
                await self._expire()
            except StoreError:
                log.exception("old conversations were not deleted: the store does not answer")
            await asyncio.sleep(SWEEP_SECONDS)

    async def _expire(self) -> None:
        kit = self._kit
        await sweep(kit.store, kit.sealer, kit.writer, kit.settings.retention, at=now())

    async def _reach_again(self) -> None:
        while True:
            await asyncio.sleep(REACH_SECONDS)
            self._deliveries.reach_again()

    async def _watch_schema(self) -> None:
        first: int | None = None
        while not self._outdated.is_set():
            with suppress(StoreError):
                (row,) = await self._kit.store.read(SchemaNumber())
                first = row.number if first is None else first
                if row.number > first:
                    self._outdated.set()
            await asyncio.sleep(SCHEMA_SECONDS)
