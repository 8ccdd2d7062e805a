"""DBOS: a workflow per event on a queue partitioned by lane, one workflow of a partition at a time."""

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from dbos import DBOS, DBOSClient

from benchmarks.engines.engine import Hands, Pace, Send
from benchmarks.engines.house import AT_ONCE, Event, House, Truth

APP, QUEUE = "deskmate-engines", "events"
POLL_SECONDS = {"default": 1.0, "short": 0.05}


class Dbos:
    name = f"DBOS {version('dbos')}"
    about = "a queue with `partition_concurrency=1`, partitioned by lane"
    processes = 2
    restarts = True

    async def prepare(self, house: House, pace: Pace) -> None:
        await asyncio.to_thread(_migrate, house, pace)

    async def fill(self, house: House, events: Sequence[Event]) -> None:
        async with _sending(house) as send:
            for event in events:
                await send(event)

    @asynccontextmanager
    async def sending(self, house: House, hands: Hands) -> AsyncIterator[Send]:
        async with _sending(house) as send:
            yield send

    def work(self, house: House, worker: str, pace: Pace) -> None:
        _launch(house, worker)
        threading.Event().wait()

    async def clear(self, house: House) -> None:
        return None


@asynccontextmanager
async def _sending(house: House) -> AsyncIterator[Send]:
    client = await asyncio.to_thread(lambda: DBOSClient(system_database_url=house.database, application_name=APP))

    async def send(event: Event) -> None:
        await client.enqueue_async(
            {"queue_name": QUEUE, "workflow_name": "handle", "queue_partition_key": event.lane}, event.words()
        )

    try:
        yield send
    finally:
        await asyncio.to_thread(client.destroy)


def _migrate(house: House, pace: Pace) -> None:
    DBOS.migrate(house.database)
    client = DBOSClient(system_database_url=house.database, application_name=APP)
    client.register_queue(
        QUEUE, partition_concurrency=1, worker_concurrency=AT_ONCE, polling_interval_sec=POLL_SECONDS[pace]
    )
    client.destroy()


def _launch(house: House, worker: str) -> None:
    DBOS(
        config={
            "name": APP,
            "system_database_url": house.database,
            "executor_id": worker,
            "application_version": "1",
            "log_level": "WARNING",
        }
    )
    truth = Truth(house, worker)

    @DBOS.step(name="step")
    async def step(words: dict[str, Any]) -> None:
        await truth.handle(Event(**words))

    @DBOS.workflow(name="handle")
    async def handle(words: dict[str, Any]) -> None:
        await step(words)

    DBOS.launch()


ENGINE = Dbos()
