"""Several desks on one store, as several processes would be: each reaches it by a way of its own, which can be cut."""

import asyncio
import contextvars
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from agents import Model

from adapters.sealing import MasterKey, open_sealer
from adapters.storage import open_store
from adapters.storage.postgres import PostgresStore
from core.absent import AbsentPlatform
from core.config import check_settings
from core.desk import Desk
from core.models import ConversationRef, Delivery
from core.offline import OfflineModel
from core.ports import Platform, Sealer, Store
from tests.core.talk import Street
from tests.core.virtual_time import end

_whose: contextvars.ContextVar[str] = contextvars.ContextVar("whose", default="")


@dataclass
class Way:
    """One process's way to the store: told words at once, held up while it stalls, and silent once it was killed."""

    store: Store
    others: "list[Way]"
    shared: bool = True
    hears: list[Callable[[str], None]] = field(default_factory=list)
    deaf: bool = False
    dead: bool = False
    flowing: asyncio.Event = field(default_factory=asyncio.Event)
    written: int = 0

    def __post_init__(self) -> None:
        self.flowing.set()
        self.others.append(self)

    async def write(self, batch: Sequence[Any]) -> Any:
        await self._pass()
        self.written += 1
        return await self.store.write(batch)

    async def read(self, query: Any) -> Any:
        await self._pass()
        return await self.store.read(query)

    def stamp(self) -> int | None:
        return self.store.stamp()

    async def notify(self, words: Sequence[str]) -> None:
        await self._pass()
        for way in self.others:
            if not way.deaf and not way.dead:
                for word in words:
                    for hear in way.hears:
                        hear(word)

    async def listen(self, hear: Callable[[str], None]) -> None:
        self.hears.append(hear)

    async def scrub(self) -> None:
        await self.store.scrub()

    async def close(self) -> None:
        return None

    async def _pass(self) -> None:
        await self.flowing.wait()
        if self.dead:
            await asyncio.get_running_loop().create_future()


@dataclass
class Far(Street):
    """A platform where nothing is repeated by key, as Slack and Discord are. `posted` is what stands there, for all."""

    repeats_by_key: bool = False
    reached: bool = True
    before_post: Callable[[Delivery], Any] = lambda delivery: None
    after_post: Callable[[Delivery], Any] = lambda delivery: None

    async def reaches(self, ref: ConversationRef) -> bool:
        return self.reached

    async def post(self, delivery: Delivery) -> str:
        if (held := self.before_post(delivery)) is not None:
            await held
        self.posted.append(delivery)
        if (held := self.after_post(delivery)) is not None:
            await held
        return f"m-{delivery.key}"


def absent(name: str = "terminal") -> AbsentPlatform:
    return AbsentPlatform(name, lambda text: [text])


class Town:
    """One store, and the desks on it by their names."""

    def __init__(self, store: Store, sealer: Sealer) -> None:
        self.store, self.sealer = store, sealer
        self.ways: dict[str, Way] = {}
        self.desks: dict[str, Desk] = {}
        self._all: list[Way] = []
        self._tasks: dict[str, list[asyncio.Task[Any]]] = {}

    async def open(
        self,
        name: str,
        *platforms: Platform,
        model: Model | None = None,
        knows: Sequence[Platform] = (),
        pace: Any = None,
        **work: Any,
    ) -> Desk:
        way = self.ways[name] = Way(self.store, self._all)
        desk = self.desks[name] = Desk(
            settings=check_settings({"work": work} | ({"pace": pace} if pace else {})),
            store=way,
            sealer=self.sealer,
            model=model or OfflineModel(),
            platforms=platforms,
            absent=knows,
        )
        await self._as(name, desk.__aenter__())
        return desk

    async def accept(self, name: str, event: Any) -> Any:
        return await self._as(name, self.desks[name].accept(event))

    async def close(self, name: str) -> None:
        await self._as(name, self.desks.pop(name).__aexit__(None, None, None))

    async def kill(self, name: str) -> None:
        """From now on nothing that this process does reaches anything."""
        way, _ = self.ways.pop(name), self.desks.pop(name)
        way.dead = True
        await end(self._tasks.pop(name, []))

    async def pass_time(self, seconds: float) -> None:
        """Let the database's clock, and no other, go on: what has a lease has less of it left."""
        for table in ("lane", "outlet"):
            statement = f"UPDATE {table} SET lease = lease - {int(seconds * 1_000_000)}"
            if isinstance(self.store, PostgresStore):
                await self.store._readers.execute(statement)
            else:
                await self.store._writing.execute(statement)

    async def drained(self, *names: str) -> None:
        for name in names or tuple(self.desks):
            await self._as(name, self.desks[name].drain())

    async def _as(self, name: str, work: Any) -> Any:
        """Do something as the process of that name: what it begins is ended when that is killed."""
        loop = asyncio.get_running_loop()
        loop.set_task_factory(self._make_task)
        token = _whose.set(name)
        try:
            return await loop.create_task(work)
        finally:
            _whose.reset(token)

    def _make_task(self, loop: asyncio.AbstractEventLoop, work: Any, **rest: Any) -> asyncio.Task[Any]:
        task = asyncio.Task(work, loop=loop, **rest)
        if name := _whose.get():
            self._tasks.setdefault(name, []).append(task)
        return task


@asynccontextmanager
async def open_town(url: str = "memory:") -> AsyncIterator[Town]:
    async with open_store(url) as store, open_sealer(":memory:", MasterKey(bytes(32)), fresh=True) as sealer:
        town = Town(store, sealer)
        try:
            yield town
        finally:
            for name in tuple(town.desks):
                await town.close(name)
