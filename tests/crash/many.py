"""Many processes on one PostgreSQL, killed and stalled while they work: is each event finished once, and in order?

    python -m tests.crash.many --store postgresql://postgres@127.0.0.1/postgres --kills 8

Two take events in, work and post (`deskmate chat --jsonl`), two only work (`deskmate worker`). An event of a person is
said when the one before it was acknowledged. The bench counts what its triggers in the database, the processes' notes
and the database itself say in the end.
"""

import argparse
import asyncio
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg

from adapters.storage import open_store
from benchmarks.servers import database_on
from tests.cluster import Server, cluster
from tests.crash.driver import Process
from tests.crash.many_check import WITNESS, Found, check
from tests.crash.many_workers import Works
from tests.crash.programs import House
from tests.crash.warm import warm_up

BREAKAGES = ("fence", "outlet")
FRONTS = 2
PAUSE = 0.5
PATIENCE = 60.0
"""Seconds without anything new after which it is stuck."""


@dataclass(slots=True)
class Options:
    """What a run is asked for."""

    store: str | None
    workers: int = 4
    kills: int = 8
    stalls: int = 4
    cuts: int = 0
    restarts: int = 0
    lanes: int = 40
    events: int = 30
    lease: float = 1.0
    seed: int = 0
    broken: str | None = None


@dataclass(slots=True)
class Lane:
    """One person: how much of what they say was acknowledged, who is to acknowledge more, and when they go on."""

    name: str
    acknowledged: int = 0
    front: int | None = None
    says_at: float = 0.0


@dataclass(slots=True)
class Many:
    """One run."""

    options: Options
    works: Works
    url: str
    server: Server | None = None
    processes: list[Process] = field(default_factory=list)
    replies: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    killed: dict[int, float] = field(default_factory=dict)
    stalled: set[int] = field(default_factory=set)
    lanes: list[Lane] = field(init=False)
    ended: list[str] = field(default_factory=list)
    _heard: float = 0.0
    _acknowledgements: int = 0

    def __post_init__(self) -> None:
        self.lanes = [Lane(f"p{number}") for number in range(self.options.lanes)]

    def run(self) -> Found:
        """Say all, kill and stall on the way, wait for the last answer, and count."""
        options, chance = self.options, random.Random(self.options.seed)
        acts = ["kill"] * options.kills + ["stall"] * options.stalls + ["cut"] * options.cuts
        acts += ["restart"] * options.restarts
        chance.shuffle(acts)
        total = options.lanes * options.events
        # The first one alone makes the keys.
        self.processes.append(self.works.open(front=True))
        self._talk(lambda: bool(self.replies))
        self.processes += [self.works.open(front=number < FRONTS) for number in range(1, options.workers)]
        for number, act in enumerate(acts, start=1):
            wanted = total * number // (len(acts) + 2)
            self._talk(lambda wanted=wanted: self._acknowledgements >= wanted)
            time.sleep(chance.uniform(0, 0.2))
            self._do(act, chance.randrange(options.workers))
        self._talk(lambda: all(len(self.replies[lane.name]) >= options.events for lane in self.lanes))
        for process in self.processes:
            process.signal(signal.SIGTERM)
        for process in self.processes:
            self._note_end(process)
        return check(self)

    def _do(self, act: str, number: int) -> None:
        process = self.processes[number]
        if act == "cut":
            asked(self.url, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
                  " AND application_name = 'deskmate'")  # fmt: skip
        elif act == "restart" and self.server is not None:
            self.server.stop("immediate")
            self.server.start()
        elif act == "stall":
            self._stall(process)
        else:
            process.signal(signal.SIGKILL)
            self.killed[process.pid] = time.time()
            for line in process.finish(0):
                self._take(line)
            self._replace(number)

    def _replace(self, number: int) -> None:
        """Start another process in place of one; what that one did not acknowledge is said again."""
        for lane in self.lanes:
            if lane.front == number:
                lane.front = None
        self.processes[number] = self.works.open(front=number < FRONTS)

    def _stall(self, process: Process) -> None:
        """Stop a process until another one has a lane of it, and let it go on at that very moment."""
        self.stalled.add(process.pid)
        before = asked(self.url, "SELECT count(*) FROM bench_taken")
        process.signal(signal.SIGSTOP)
        until = time.monotonic() + self.options.lease + 3
        while time.monotonic() < until and asked(self.url, "SELECT count(*) FROM bench_taken") == before:
            self._hear()
        process.signal(signal.SIGCONT)

    def _talk(self, done: Any) -> None:
        """Let everybody say what they have to say, until it is done or nothing comes any more."""
        self._heard = time.monotonic()
        while not done():
            for lane in self.lanes:
                if lane.front is None and lane.acknowledged < self.options.events and lane.says_at < time.monotonic():
                    self._say(lane)
            self._hear()
            if time.monotonic() - self._heard > PATIENCE:
                self.ended.append(f"in {PATIENCE:g} s nothing came: {self.works.house.last_words()}")
                return

    def _say(self, lane: Lane) -> None:
        lane.front = random.randrange(min(FRONTS, len(self.processes)))
        number = lane.acknowledged
        line = {"type": "message", "id": f"{lane.name}-{number}", "user": lane.name, "text": f"note {number}"}
        self.processes[lane.front].send(line)

    def _hear(self) -> None:
        for number, process in enumerate(self.processes):
            for line in process.hear(0.005) if number < FRONTS else ():
                self._heard = time.monotonic()
                self._take(line)
            if process.status is not None:
                self.ended.append(f"a process ended by itself with {process.status}: {self.works.house.last_words()}")
                self._replace(number)

    def _take(self, line: dict[str, Any]) -> None:
        if line["type"] in ("accepted", "duplicate", "error"):
            name, _, number = str(line.get("id", "")).partition("-")
            lane = self.lanes[int(name[1:])]
            if int(number) == lane.acknowledged:
                lane.front = None
                # Now and then before the answer, now and then after it: so lanes pass from one process to another.
                lane.says_at = time.monotonic() + random.uniform(0, PAUSE)
                if line["type"] != "error":
                    lane.acknowledged += 1
                    self._acknowledgements += 1
        elif line["type"] == "reply" and line["to"] not in self.replies[name := line["to"].partition("-")[0]]:
            self.replies[name].append(line["to"])

    def _note_end(self, process: Process) -> None:
        for line in process.finish(15):
            self._take(line) if "type" in line else None
        if process.status != 0:
            self.ended.append(f"told to end it ended with {process.status}: {self.works.house.last_words()}")


def asked(url: str, sql: str) -> Any:
    """Ask the database one value."""

    async def ask() -> Any:
        connection = await asyncpg.connect(url)
        try:
            return await connection.fetchval(sql)
        finally:
            await connection.close()

    return asyncio.run(ask())


async def prepare(url: str) -> None:
    """Make the tables, and the triggers that note who had a lane when something was committed."""
    async with open_store(url):
        pass
    connection = await asyncpg.connect(url)
    await connection.execute(WITNESS)
    await connection.close()


def main(words: Sequence[str] | None = None) -> int:
    """Run the bench; 1 when anything was found."""
    options = _options(words)
    warm_up()
    folder = Path(tempfile.mkdtemp(prefix="deskmate-many-"))
    begun = time.monotonic()
    try:
        with ExitStack() as stack:
            server = None if options.store else stack.enter_context(cluster())
            url = stack.enter_context(database_on(server.url if server else options.store))
            assert url is not None
            asyncio.run(prepare(url))
            settings = {
                "DESK_WORK__LEASE_SECONDS": str(options.lease),
                "DESK_WORK__ATTEMPTS": "20",
                "DESK_MASTER_KEY": "ab" * 32,
            }
            works = Works(House(folder, url), settings, options.lease, options.broken)
            found = Many(options, works, url, server).run()
    finally:
        shutil.rmtree(folder)
    print(f"{found}\n{options.workers} processes, {time.monotonic() - begun:.1f} s, seed {options.seed}")
    return int(found.any)


def _options(words: Sequence[str] | None) -> Options:
    parser = argparse.ArgumentParser(prog="python -m tests.crash.many", description=(__doc__ or "").split("\n")[0])
    parser.add_argument(
        "--store", metavar="URL", help="on a new database of that PostgreSQL server (default: on a server of its own)"
    )
    parser.add_argument("--workers", type=int, default=4, help="processes at a time")
    parser.add_argument("--kills", type=int, default=8)
    parser.add_argument("--stalls", type=int, default=4, help="how often one is stopped until another has its lane")
    parser.add_argument("--cuts", type=int, default=0, help="how often all connections are cut")
    parser.add_argument("--restarts", type=int, default=0, help="how often a server of its own crashes and comes back")
    parser.add_argument("--lanes", type=int, default=40)
    parser.add_argument("--events", type=int, default=30, help="of each lane")
    parser.add_argument("--lease", type=float, default=1.0, help="seconds; some turns last twice as long")
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    parser.add_argument("--broken", choices=BREAKAGES, help="break this mechanism: damage must be found")
    options = Options(**vars(parser.parse_args(words)))
    if options.store and options.restarts:
        parser.error("--restarts is for a server of its own: leave --store away")
    return options


if __name__ == "__main__":
    sys.exit(main())
