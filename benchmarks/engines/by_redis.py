"""Redis streams: one stream, one consumer group, as its manual shows it. A group has no notion of a lane."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from importlib.metadata import version
from typing import Any

from redis.asyncio import Redis

from benchmarks.engines.engine import Hands, Pace, Send
from benchmarks.engines.house import AT_ONCE, Event, House, Truth

STREAM, GROUP = "deskmate:engines:events", "workers"
IDLE_SECONDS = {"default": 30.0, "short": 3.0}
"""It has no time of its own after which an entry counts as left: the application chooses."""


class RedisStreams:
    name = f"Redis streams (redis-py {version('redis')})"
    about = "a consumer group; nothing asks for order within a lane, `XAUTOCLAIM` for what was left"
    processes = 2
    restarts = False

    async def prepare(self, house: House, pace: Pace) -> None:
        async with Redis.from_url(house.redis) as redis:
            await redis.delete(STREAM)
            await redis.xgroup_create(STREAM, GROUP, id="0", mkstream=True)

    async def fill(self, house: House, events: Sequence[Event]) -> None:
        async with Redis.from_url(house.redis) as redis:
            for event in events:
                await _add(redis, event)

    @asynccontextmanager
    async def sending(self, house: House, hands: Hands) -> AsyncIterator[Send]:
        async with Redis.from_url(house.redis) as redis:
            yield lambda event: _add(redis, event)

    def work(self, house: House, worker: str, pace: Pace) -> None:
        asyncio.run(_work(house, worker, pace))

    async def clear(self, house: House) -> None:
        async with Redis.from_url(house.redis) as redis:
            await redis.delete(STREAM)


async def _add(redis: "Redis[Any]", event: Event) -> None:
    await redis.xadd(STREAM, {"event": json.dumps(event.words())})


async def _work(house: House, worker: str, pace: Pace) -> None:
    truth = Truth(house, worker)
    await truth.pool()
    async with Redis.from_url(house.redis, socket_timeout=None) as redis, asyncio.TaskGroup() as tasks:
        await _Worker(redis, truth, worker, IDLE_SECONDS[pace], tasks).read()


class _Worker:
    """One consumer of the group."""

    def __init__(
        self, redis: "Redis[Any]", truth: Truth, name: str, idle_seconds: float, tasks: asyncio.TaskGroup
    ) -> None:
        self._redis = redis
        self._truth = truth
        self._name = name
        self._idle_seconds = idle_seconds
        self._tasks = tasks
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def read(self) -> None:
        """Take new entries as long as there is a slot."""
        self._tasks.create_task(self._claim())
        while True:
            await self._slots.acquire()
            found = await self._redis.xreadgroup(GROUP, self._name, {STREAM: ">"}, count=1, block=1000)
            if not found:
                self._slots.release()
            for entry, fields in found[0][1] if found else ():
                self._tasks.create_task(self._handle(entry, fields))

    async def _claim(self) -> None:
        """Take over what another consumer left unacknowledged for too long."""
        left = int(self._idle_seconds * 1000)
        while True:
            await asyncio.sleep(1)
            _, entries, _ = await self._redis.xautoclaim(STREAM, GROUP, self._name, min_idle_time=left, count=1)
            for entry, fields in entries:
                await self._slots.acquire()
                self._tasks.create_task(self._handle(entry, fields))

    async def _handle(self, entry: bytes, fields: dict[bytes, bytes]) -> None:
        beating = asyncio.create_task(_beat(self._redis, self._name, entry, self._idle_seconds / 3))
        try:
            await self._truth.handle(Event(**json.loads(fields[b"event"])))
            await self._redis.xack(STREAM, GROUP, entry)
        finally:
            beating.cancel()
            self._slots.release()


async def _beat(redis: "Redis[Any]", worker: str, entry: bytes, every: float) -> None:
    """Keep an entry that is worked from being claimed by others."""
    with suppress(asyncio.CancelledError):
        while True:
            await asyncio.sleep(every)
            await redis.xclaim(STREAM, GROUP, worker, min_idle_time=0, message_ids=[entry], justid=True)


ENGINE = RedisStreams()
