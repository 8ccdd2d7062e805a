"""Several desks on one store in virtual time: each call is a step, and a seed says which goes on, who stalls, who dies.

The desks, their SQL and its database are the real ones; the clock, the platform and the way between them are not. One
seed is one run: nothing here waits for anything outside, so the same steps follow each other every time.
"""

import asyncio
import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from hashlib import blake2b
from typing import Any
from unittest.mock import patch

from adapters.storage.sqlite import _open_writer, _Staged
from adapters.storage.sqlite_file import MEMORY
from adapters.storage.statements import load_statements
from core.absent import AbsentPlatform
from core.agent import SupportAgent
from core.config import check_settings
from core.desk import Desk
from core.errors import PlatformError, RefusedError, UnknownOutcomeError
from core.models import Command, ConversationRef, Delivery, Place
from core.offline import OfflineModel
from core.personal.masking import PersonalData
from core.records.guards import LaneIs, OutletIs
from core.records.lanes import ClaimLane, FinishEvent, ReleaseLane
from core.records.outbox import ClaimOutlet, MarkDelivery
from tests.core.virtual_time import VirtualLoop, end, whose

LEASE = 3.0
STALL = 4.0
LONGEST = 600.0
"""Virtual seconds in which everything has to be done."""
KINDS = ("front", "worker", "both")


class OpenSealer:
    """Seals nothing: what is looked at here is order."""

    erasures = 0

    async def prepare(self, owners: Sequence[str]) -> None:
        return None

    async def erase(self, owner: str) -> None:
        raise AssertionError("nobody is forgotten here")

    def seal(self, place: Place, content: bytes) -> bytes:
        return content

    def open(self, place: Place, sealed: bytes) -> bytes:
        return sealed

    def lookup(self, kind: str, value: str) -> bytes:
        return blake2b(f"{kind}\x1f{value}".encode(), digest_size=16).digest()


class Database:
    """The real statements on a real database whose clock is the loop's. One for all runs, empty for each.

    To make one anew and to prepare its statements costs as much as a run.
    """

    def __init__(self) -> None:
        self._at = lambda: 0.0
        self._writer = _open_writer(MEMORY, desk=False)
        self._statements = load_statements("sqlite")
        self._writer.create_function("virtual_now", 0, lambda: int(self._at() * 1_000_000))
        for sql in ("DROP VIEW clock", "CREATE VIEW clock AS SELECT virtual_now() AS now"):
            self._writer.execute(sql)
        tables = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'migration'"
        self._new = {name: self.ask(f"SELECT * FROM {name}") for (name,) in self.ask(tables)}  # noqa: S608

    def begin(self, loop: VirtualLoop) -> "Database":
        """Be a new database of a run."""
        self._at = loop.time
        self._writer.execute("PRAGMA foreign_keys = OFF")
        for name, rows in self._new.items():
            self._writer.execute(f"DELETE FROM {name}")  # noqa: S608
            for row in rows:
                self._writer.execute(f"INSERT INTO {name} VALUES ({', '.join('?' * len(row))})", row)  # noqa: S608
        self._writer.execute("PRAGMA foreign_keys = ON")
        return self

    def write(self, batch: Sequence[Any]) -> list[Any]:
        staged = _Staged(batch)
        self._writer.staged.append(staged)
        self._writer.commit()
        return staged.outcomes

    def read(self, query: Any) -> list[Any]:
        (statement,) = self._statements[type(query)]
        return [query.row(*row) for row in self._writer.execute(statement.sql, statement.values(query))]

    def holders(self) -> dict[bytes, Any]:
        """Of each lane and outlet: its epoch, and who holds it while the lease runs."""
        both = "SELECT session, epoch, worker, lease FROM lane UNION ALL SELECT place, epoch, worker, lease FROM outlet"
        rows = self._writer.execute(f"SELECT session, epoch, iif(lease > now, worker, NULL) FROM ({both}), clock")
        return {key: (epoch, worker) for key, epoch, worker in rows}

    def ask(self, sql: str) -> list[Any]:
        return self._writer.execute(sql).fetchall()


DATABASE = Database()


@dataclass
class World:
    """What all processes share: the database, what stands on the platform, and the dice."""

    seed: int
    loop: VirtualLoop
    dice: random.Random = field(init=False)
    stands: list[Delivery] = field(default_factory=list)
    finished: list[str] = field(default_factory=list)
    wrongs: list[str] = field(default_factory=list)
    steps: list[tuple[int, str]] = field(default_factory=list)
    processes: "dict[int, Process]" = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)
        self.database = DATABASE.begin(self.loop)

    def moment(self) -> float:
        return self.dice.uniform(0.001, 0.05)


class Way:
    """A process's way to the store. Each call is a step, taken when the dice say so, later where the process stalls."""

    shared = True

    def __init__(self, world: World, number: int) -> None:
        self._world, self._number = world, number
        self._hear: Any = None
        self.dead = False
        self.stalled_until = 0.0

    async def write(self, batch: Sequence[Any]) -> list[Any]:
        await self._step("write")
        holders = self._world.database.holders()
        outcomes = self._world.database.write(batch)
        for commit, outcome in zip(batch, outcomes, strict=True):
            if not isinstance(outcome, RefusedError):
                self._world.wrongs += wrongs_of(commit, outcome, holders)
                self._world.finished += [each.id for each in commit if isinstance(each, FinishEvent)]
        sends = any(isinstance(each, MarkDelivery) and each.status == "sending" for commit in batch for each in commit)
        if not sends:
            # A process that is held up between this mark and the post is the one thing nobody can mend.
            await self._rest()
        return outcomes

    async def read(self, query: Any) -> list[Any]:
        await self._step(type(query).__name__)
        return self._world.database.read(query)

    def stamp(self) -> int | None:
        return None

    async def notify(self, words: Sequence[str]) -> None:
        await self._rest()
        for process in self._world.processes.values():
            for word in words:
                if process.way._hear is not None and self._world.dice.random() < 0.8:
                    process.way._hear(word)

    async def listen(self, hear: Any) -> None:
        self._hear = hear

    async def scrub(self) -> None:
        return None

    async def close(self) -> None:
        return None

    async def _step(self, what: str) -> None:
        await asyncio.sleep(max(self.stalled_until - self._world.loop.at, 0) + self._world.moment())
        if self.dead:
            await asyncio.get_running_loop().create_future()
        self._world.steps.append((self._number, what))

    async def _rest(self) -> None:
        await asyncio.sleep(self._world.moment())
        if self.dead:
            await asyncio.get_running_loop().create_future()


def wrongs_of(commit: Any, outcome: Any, holders: dict[bytes, Any]) -> list[str]:
    """What no store may do: take what is written under an epoch that has passed, or give away what somebody holds."""
    wrongs = []
    given = iter(outcome)
    finishes = any(isinstance(record, FinishEvent) for record in commit)
    for record in commit:
        key = getattr(record, "session", None) or getattr(record, "place", None)
        epoch, worker = holders.get(key, (0, None))
        rows = next(given) if record.returns else []
        if isinstance(record, LaneIs | OutletIs) and record.epoch < epoch:
            wrongs.append(f"{type(record).__name__} let epoch {record.epoch} pass, it was {epoch}")
        if finishes and isinstance(record, ReleaseLane) and record.epoch < epoch:
            wrongs.append(f"an event was finished under epoch {record.epoch}, it was {epoch}")
        if isinstance(record, ClaimLane | ClaimOutlet) and rows and worker not in (None, record.worker):
            wrongs.append(f"{type(record).__name__} gave away what another worker held")
    return wrongs


class Square:
    """A platform that keeps what was posted, refuses now and then, and loses answers."""

    name = "terminal"
    repeats_by_key = False
    names_devices = False

    def __init__(self, world: World, way: Way) -> None:
        self._world, self._way = world, way

    def remember_in(self, notes: Any) -> None:
        return None

    def split(self, text: str) -> list[str]:
        return halves(text)

    async def post(self, delivery: Delivery) -> str:
        if self._way.dead:
            await asyncio.get_running_loop().create_future()
        luck = self._world.dice.random()
        if luck < 0.05:
            raise PlatformError("not now")
        self._world.stands.append(delivery)
        await asyncio.sleep(self._world.moment())
        if luck < 0.1:
            raise UnknownOutcomeError("the answer is lost")
        return f"m-{delivery.key}"

    async def find(self, delivery: Delivery) -> str | None:
        await asyncio.sleep(self._world.moment())
        return f"m-{delivery.key}" if any(one.key == delivery.key for one in self._world.stands) else None

    async def reaches(self, ref: ConversationRef) -> bool:
        return True

    async def complete(self, message: Any, *, first: bool) -> Any:
        return message

    async def show(self, progress: Any) -> None:
        return None

    async def link(self, ref: ConversationRef) -> str | None:
        return None


def halves(text: str) -> list[str]:
    return [text[: len(text) // 2], text[len(text) // 2 :]]


SETTINGS = {
    kind: check_settings(
        {"work": {"lease_seconds": LEASE, "attempts": 20, "turns_at_once": 0 if kind == "front" else 2}}
    )
    for kind in KINDS
}
MODEL = OfflineModel()


@cache
def _agents_of(kind: str) -> SupportAgent:
    """The agents of all desks of a kind: nobody asks them anything here, and to make them takes longer than a run."""
    return SupportAgent(SETTINGS[kind], MODEL, PersonalData(SETTINGS[kind].personal_data))


class Process:
    """A desk with its own way to the store; of a kind: it only posts, it only works, or both."""

    def __init__(self, world: World, number: int, kind: str) -> None:
        self.kind, self.number = kind, number
        self.way = Way(world, number)
        speaks = [] if kind == "worker" else [Square(world, self.way)]
        knows = [AbsentPlatform("terminal", halves)]
        with patch("core.desk.SupportAgent", lambda *_: _agents_of(kind)):
            self.desk = Desk(
                settings=SETTINGS[kind],
                store=self.way,
                sealer=OpenSealer(),
                model=MODEL,
                platforms=speaks,
                absent=knows,
            )

    async def begin(self) -> "Process":
        token = whose.set(self.number)
        try:
            await asyncio.get_running_loop().create_task(self.desk.__aenter__())
        finally:
            whose.reset(token)
        return self

    async def accepts(self, event: Any) -> bool:
        """Whether it says in time that it has an event."""
        token = whose.set(self.number)
        try:
            task = asyncio.get_running_loop().create_task(self.desk.accept(event))
        finally:
            whose.reset(token)
        await asyncio.wait({task}, timeout=2.0)
        return task.done() and not task.cancelled() and task.exception() is None

    async def die(self, loop: VirtualLoop) -> None:
        self.way.dead = True
        await end(loop.tasks.pop(self.number, []))


@dataclass
class Run:
    """What came of a seed."""

    steps: list[tuple[int, str]]
    finished: list[str]
    wrongs: list[str]
    said: dict[str, list[str]]
    queued: int
    open: int
    seconds: float


def run(seed: int, *, people: int = 3, events: int = 4, disasters: int = 4) -> Run:
    """Let people talk to three processes while some stall and some die; ends when all is said."""
    random.seed(seed)
    loop = VirtualLoop()
    try:
        return loop.run_until_complete(_Story(World(seed, loop), people, events, disasters).tell())
    finally:
        loop.close()


class _Story:
    def __init__(self, world: World, people: int, events: int, disasters: int) -> None:
        self._world, self._people, self._events, self._disasters = world, people, events, disasters
        self._numbers = iter(range(1, 1_000))

    async def tell(self) -> Run:
        world = self._world
        for kind in KINDS:
            await self._begin(kind)
        talking = [asyncio.create_task(self._talk(f"p{person}")) for person in range(self._people)]
        disasters = asyncio.create_task(self._strike())
        await asyncio.gather(disasters, *talking)
        while self._left() != (0, 0) and world.loop.at < LONGEST:
            await asyncio.sleep(0.1)
        for process in tuple(world.processes.values()):
            await process.die(world.loop)
        said: defaultdict[str, list[str]] = defaultdict(list)
        for delivery in world.stands:
            said[delivery.ref.user].append(f"{delivery.to}.{delivery.key.rpartition('.')[2]}")
        queued, open_ = self._left()
        return Run(world.steps, world.finished, world.wrongs, dict(said), queued, open_, world.loop.at)

    def _left(self) -> tuple[int, int]:
        ((queued, open_),) = self._world.database.ask(
            "SELECT (SELECT count(*) FROM inbox WHERE status = 'queued'),"
            " (SELECT count(*) FROM outbox WHERE status <> 'sent')"
        )
        return queued, open_

    async def _begin(self, kind: str) -> None:
        process = Process(self._world, next(self._numbers), kind)
        await process.begin()
        self._world.processes[process.number] = process

    async def _talk(self, person: str) -> None:
        ref = ConversationRef("terminal", "local", f"dm-{person}", person)
        for number in range(self._events):
            await self._hand_in(Command(f"{person}-{number}", ref, "help"))
            await asyncio.sleep(self._world.dice.choice((0.0, 0.0, 0.3)))

    async def _hand_in(self, event: Command) -> None:
        """Hand an event to any process, again to another one where that says nothing, as platforms do."""
        while not await self._world.dice.choice(list(self._world.processes.values())).accepts(event):
            pass

    async def _strike(self) -> None:
        for _ in range(self._disasters):
            await asyncio.sleep(self._world.dice.uniform(0.0, 1.0))
            process = self._world.dice.choice(list(self._world.processes.values()))
            if self._world.dice.random() < 0.5:
                process.way.stalled_until = self._world.loop.at + STALL
            else:
                del self._world.processes[process.number]
                await process.die(self._world.loop)
                await self._begin(process.kind)
