"""What every engine is put through: idle, load, backlog, and a worker that is killed in the middle of an event."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.engines.engine import Engine, Pace, Send
from benchmarks.engines.hands import Workers, working
from benchmarks.engines.house import LANES, Books, Event, House, drop_database
from benchmarks.engines.truth import Damage, damage_of, drain, latencies
from benchmarks.engines.worker import engine_named

IDLE_EVENTS, IDLE_SECONDS = 100, 0.05
LOAD_PER_LANE, LOAD_PER_SECOND = 20, 100
BACKLOG_PER_LANE = 30
DRAIN_SECONDS = 180.0
PATIENCE_SECONDS = 100.0
"""How long a killed worker's lane is watched."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What an engine came to at a pace: milliseconds to start, seconds to drain and to take over (None: not seen)."""

    engine: str
    pace: Pace
    idle: tuple[float, float]
    load: tuple[float, float]
    drained: float | None
    takeover: float | None
    damage: Damage


class Scenes:
    """One engine at one pace."""

    def __init__(self, name: str, pace: Pace, *, house: House, books: Books) -> None:
        self._name = name
        self._pace = pace
        self._house = house
        self._books = books
        self._engine: Engine = engine_named(name)
        self._damage = Damage()

    async def run(self, *, scale: float = 1.0) -> Figures:
        """Play all scenes; `scale` makes less of each, to see that it runs."""
        per_lane = max(2, int(LOAD_PER_LANE * scale)), max(2, int(BACKLOG_PER_LANE * scale))
        idle = await self._paced(max(10, int(IDLE_EVENTS * scale)), every=IDLE_SECONDS)
        load = await self._paced(LANES * per_lane[0], every=1 / LOAD_PER_SECOND)
        drained = await self._backlog(per_lane[1])
        takeover = await self._killed(PATIENCE_SECONDS * scale)
        return Figures(self._engine.name, self._pace, idle, load, drained, takeover, self._damage)

    async def _paced(self, count: int, *, every: float) -> tuple[float, float]:
        await self._prepare()
        async with working(self._name, self._pace, self._engine.processes) as workers:
            async with self._engine.sending(self._house, workers) as send:
                await _send_paced(send, count, every)
            await self._books.until(count, within=DRAIN_SECONDS)
        await self._judge([count // LANES + (lane < count % LANES) for lane in range(LANES)])
        return latencies(await self._books.handled())

    async def _backlog(self, per_lane: int) -> float | None:
        await self._prepare()
        events = [Event(f"lane{lane}", number, time.time()) for lane in range(LANES) for number in range(per_lane)]
        await self._engine.fill(self._house, events)
        async with working(self._name, self._pace, self._engine.processes, settle=False):
            done = await self._books.until(len(events), within=DRAIN_SECONDS)
        if not done:
            return None
        await self._judge([per_lane] * LANES)
        return drain(await self._books.handled())

    async def _killed(self, patience: float) -> float | None:
        """Seconds until an event is begun again after its worker was killed; what waits behind it comes after it."""
        await self._prepare()
        async with working(self._name, self._pace, self._engine.processes) as workers:
            async with self._engine.sending(self._house, workers) as send:
                for number in range(3):
                    await send(Event("lane0", number, time.time(), holds=number == 0))
            killed_at = await self._kill(workers)
            held = await self._books.held("lane0", 2, within=patience)
            if len(held) < 2:
                return None
            await self._books.until(3, within=DRAIN_SECONDS)
        await self._judge([3])
        return held[1][0] - killed_at

    async def _kill(self, workers: Workers) -> float:
        ((_, pid),) = await self._books.held("lane0", 1, within=DRAIN_SECONDS)
        killed = await workers.kill(pid)
        at = time.time()
        if self._engine.processes == 1 or (self._engine.restarts and self._pace == "short"):
            await workers.start([killed])
        return at

    async def _prepare(self) -> None:
        await self._engine.clear(self._house)
        await self._books.renew()
        await self._engine.prepare(self._house, self._pace)

    async def _judge(self, counts: Sequence[int]) -> None:
        expected = {f"lane{lane}": count for lane, count in enumerate(counts)}
        self._damage += damage_of(await self._books.handled(), expected)


async def _send_paced(send: Send, count: int, every: float) -> None:
    begun = time.monotonic()
    for number in range(count):
        await asyncio.sleep(max(0.0, begun + number * every - time.monotonic()))
        await send(Event(f"lane{number % LANES}", number // LANES, time.time()))


async def figures_of(name: str, pace: Pace, house: House, *, scale: float) -> Figures:
    """Put one engine through all scenes at one pace."""
    books = Books(house)
    try:
        return await Scenes(name, pace, house=house, books=books).run(scale=scale)
    finally:
        await books.close()
        await engine_named(name).clear(house)
        await drop_database(house)
