"""NATS JetStream: a subject and a durable pull consumer per lane, with one unacknowledged message at most."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from importlib.metadata import version

import nats
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, StorageType, StreamConfig
from nats.js.errors import NotFoundError

from benchmarks.engines.engine import Hands, Pace, Send
from benchmarks.engines.house import AT_ONCE, LANES, Event, House, Truth

STREAM = "deskmate_engines"
ACK_SECONDS = {"default": 30.0, "short": 3.0}
PULL_SECONDS = 30.0


class Nats:
    name = f"NATS JetStream (nats-py {version('nats-py')})"
    about = "a durable consumer per lane with `max_ack_pending=1`; all workers pull from all of them"
    processes = 2
    restarts = False

    async def prepare(self, house: House, pace: Pace) -> None:
        await self.clear(house)
        async with _stream(house) as stream:
            config = StreamConfig(name=STREAM, subjects=[f"{STREAM}.*"], storage=StorageType.FILE)
            await stream.add_stream(config)
            for number in range(LANES):
                await stream.add_consumer(
                    STREAM,
                    ConsumerConfig(
                        durable_name=f"lane{number}",
                        filter_subject=f"{STREAM}.lane{number}",
                        ack_policy=AckPolicy.EXPLICIT,
                        ack_wait=ACK_SECONDS[pace],
                        max_ack_pending=1,
                    ),
                )

    async def fill(self, house: House, events: Sequence[Event]) -> None:
        async with _stream(house) as stream:
            for event in events:
                await _publish(stream, event)

    @asynccontextmanager
    async def sending(self, house: House, hands: Hands) -> AsyncIterator[Send]:
        async with _stream(house) as stream:
            yield lambda event: _publish(stream, event)

    def work(self, house: House, worker: str, pace: Pace) -> None:
        asyncio.run(_work(house, worker, pace))

    async def clear(self, house: House) -> None:
        async with _stream(house) as stream:
            with contextlib.suppress(NotFoundError):
                await stream.delete_stream(STREAM)


@asynccontextmanager
async def _stream(house: House) -> AsyncIterator[JetStreamContext]:
    client = await nats.connect(house.nats)
    try:
        yield client.jetstream()
    finally:
        await client.close()


async def _publish(stream: JetStreamContext, event: Event) -> None:
    await stream.publish(f"{STREAM}.{event.lane}", json.dumps(event.words()).encode())


async def _work(house: House, worker: str, pace: Pace) -> None:
    truth = Truth(house, worker)
    await truth.pool()
    slots = asyncio.Semaphore(AT_ONCE)
    async with _stream(house) as stream, asyncio.TaskGroup() as lanes:
        for number in range(LANES):
            lanes.create_task(_work_lane(stream, f"lane{number}", truth, slots, ACK_SECONDS[pace]))


async def _work_lane(
    stream: JetStreamContext, lane: str, truth: Truth, slots: asyncio.Semaphore, ack_seconds: float
) -> None:
    pulled = await stream.pull_subscribe_bind(lane, stream=STREAM)
    while True:
        with contextlib.suppress(TimeoutError, nats.errors.TimeoutError):
            for message in await pulled.fetch(1, timeout=PULL_SECONDS):
                async with slots:
                    beating = asyncio.create_task(_beat(message, ack_seconds / 3))
                    await truth.handle(Event(**json.loads(message.data)))
                    beating.cancel()
                    await message.ack()


async def _beat(message: Msg, every: float) -> None:
    while True:
        await asyncio.sleep(every)
        await message.in_progress()


ENGINE = Nats()
