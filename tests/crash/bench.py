"""The crash bench: kills the desk again and again, and counts the damage.

    python -m tests.crash.bench --kills 200 --seed 1

A process of its own knows what was said and what came out; the desk is another one, on a store that outlives it. It is
killed at random times and before and after the calls of its ports, started again, and told again what it did not
acknowledge, and some things it did. At the end it drains, and every count of `check.py` must be zero.
"""

import argparse
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.servers import database_on
from tests.crash.breakages import BREAKAGES
from tests.crash.check import Damage, check
from tests.crash.discord_house import DiscordHouse
from tests.crash.driver import Process
from tests.crash.guild import Guild
from tests.crash.killer import Kill, Trap, plan, plan_stops
from tests.crash.programs import House, NotReadableError, ServerHouse
from tests.crash.report import report
from tests.crash.slack_house import SlackHouse
from tests.crash.story import Story
from tests.crash.truth import Truth
from tests.crash.twins import late_commits
from tests.crash.warm import warm_up
from tests.crash.workspace import Workspace

SHORT_LEASE = {"DESK_WORK__LEASE_SECONDS": "0.5"}
"""Where many may work a store, a killed desk's lanes are free when its lease is over; here that is soon."""
AT_ONCE = 6
"""Events that wait for their answer at a time."""

PLATFORMS = ("terminal", "slack", "slack-http", "discord")
PATIENCE = 15.0
"""Seconds a desk may take for what it has to do. Longer is stuck: the lease, which would heal much, is longer."""


@dataclass(slots=True)
class Options:
    """What a run is asked for."""

    kills: int
    seed: int
    platform: str = "terminal"
    store: str | None = None
    at: str = ""
    stops: int | None = None
    events: int = 20
    patience: float = PATIENCE
    workers: int = 1
    hasty: bool = False
    broken: str | None = None
    keep: bool = False


@dataclass(slots=True)
class Bench:
    """One run: the same seed says the same things and plans the same kills."""

    options: Options
    house: House
    trap: Trap
    truth: Truth = field(default_factory=Truth)
    damage: Damage = field(default_factory=Damage)
    deaths: Counter[str] = field(default_factory=Counter)
    stops: int = 0
    late: Counter[str] = field(default_factory=Counter)
    story: Story = field(init=False)
    _again: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.story = Story(self.options.seed, self.truth, self.house.manners)
        self._again = random.Random(f"duplicates {self.options.seed}")

    def run(self) -> None:
        """Kill as planned, drain, and note all damage."""
        options = self.options
        kills = plan(options.seed, options.kills, self.house.pace, at=options.at)
        stops = plan_stops(options.seed, options.kills // 20 if options.stops is None else options.stops)
        for number, kill in enumerate(kills, start=1):
            self._round(kill)
            for stop in stops[self.stops : number * len(stops) // options.kills]:
                self._ask_to_stop(stop)
        self._drain()
        try:
            check(self.truth, self.story, self.house.read_all(), self.damage)
        except NotReadableError as error:
            self.damage.note("crashed", str(error))
        self.house.inspect(self.damage)
        self.late.update(f"late commits: {became}" for became in late_commits(self.house.late))
        for _ in range(self.late["late commits: taken"]):
            self.damage.note("late", "the commit of a worker whose lane had moved on was taken")

    def _round(self, kill: Kill) -> None:
        """From a start to a kill."""
        with self._start(kill) as desk:
            if self.truth.tired():
                self._let_through(desk)
                self.trap.arm(kill)
            self._talk(desk, seconds=kill.seconds or self.options.patience)
            if desk.status is None and kill.seconds is None:
                self._note_stuck("make calls")
            desk.signal(signal.SIGKILL)
            self._hear_rest(desk, 0)
            if desk.status != -signal.SIGKILL:
                self.damage.note("crashed", f"it ended by itself with {desk.status}: {self.house.last_words()}")
        self.deaths[self.trap.sprung or "at a random time"] += 1
        self.truth.strike()

    def _start(self, kill: Kill | None = None) -> Process:
        # Armed from the first breath on, unless something must get through before the next kill.
        self.trap.arm(None if self.truth.tired() else kill)
        desk = self.house.open(self.trap, workers=self.options.workers, broken=self.options.broken)
        earlier = [said for said in list(self.truth.said.values())[-100:] if said.acknowledged]
        twice = self._again.sample(earlier, min(len(earlier), self._again.randrange(4)))
        for said in [*twice, *self.truth.unacknowledged()]:
            desk.send(said.line)
        return desk

    def _let_through(self, desk: Process) -> None:
        """Wait until nothing is left that may not be killed once more."""
        for silent in sorted({said.talk for said in self.truth.tired() if said.effect == "none"}):
            desk.send(self.story.nudge(silent).line)
        self._wait(desk, lambda: not self.truth.tired())
        if desk.status is None and self.truth.tired():
            self._note_stuck(f"answer {[said.id for said in self.truth.tired()]}")
            for said in self.truth.tired():
                self.truth.give_up(said)

    def _talk(self, desk: Process, *, seconds: float, events: int | None = None) -> None:
        """Keep people talking, until it dies, the time is up or so many events were said."""
        until = time.monotonic() + seconds
        while desk.status is None and time.monotonic() < until and events != 0:
            while len(self.truth.open()) < AT_ONCE and events != 0:
                self._say(desk)
                events = events if events is None else events - 1
            self._hear(desk, min(until - time.monotonic(), 0.05))

    def _wait(self, desk: Process, done: Callable[[], bool]) -> None:
        """Listen until it is done, as long as patience lasts."""
        deadline = time.monotonic() + self.options.patience
        while not done() and desk.status is None and time.monotonic() < deadline:
            self._hear(desk, 0.05)

    def _say(self, desk: Process) -> None:
        said = self.story.next()
        desk.send(said.line)
        if self._again.random() < 0.1:
            desk.send(said.line)

    def _ask_to_stop(self, stop: Kill) -> None:
        """SIGTERM in the middle of the work: it must end well, and what it gives back is no attempt."""
        with self._start(stop) as desk:
            self._talk(desk, seconds=stop.seconds or 0)
            self._wait(desk, lambda: desk.heeds(stop.by))
            if self.trap.sprung is None:
                desk.signal(stop.by)
            self._hear_rest(desk, PATIENCE)
            self._note_end(desk, "SIGTERM")
        self.stops += 1

    def _drain(self) -> None:
        """Let the desk finish everything; a start after that must find nothing to do."""
        with self._start() as desk:
            self._talk(desk, seconds=self.options.patience, events=self.options.events)
            self._wait(desk, self.truth.settled)
            if desk.status is None and not self.truth.settled():
                self._note_stuck(f"answer {[said.id for said in self.truth.open()]}")
            self._end(desk)
        before = len(self.truth.written)
        with self._start() as desk:
            self._end(desk)
        for line in self.truth.written[before:]:
            self.damage.note("orphans", f"written again after a clean end: {line}")

    def _end(self, desk: Process) -> None:
        desk.end_input()
        self._hear_rest(desk, PATIENCE)
        self._note_end(desk, "the end of its input")

    def _hear(self, desk: Process, seconds: float) -> None:
        for line in desk.hear(seconds):
            self.truth.hear(line)

    def _hear_rest(self, desk: Process, seconds: float) -> None:
        for line in desk.finish(seconds):
            self.truth.hear(line)

    def _note_stuck(self, what: str) -> None:
        self.damage.note("stuck", f"in {self.options.patience:g} s it did not {what}: {self.house.last_words()}")

    def _note_end(self, desk: Process, cause: str) -> None:
        if desk.status != 0:
            self.damage.note("crashed", f"after {cause} it ended with {desk.status}: {self.house.last_words()}")


def main(words: Sequence[str] | None = None) -> int:
    """Run the bench; 1 when anything was found."""
    options = _options(words)
    warm_up()
    begun = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="deskmate-crash-"))
    try:
        with _store(options, folder) as store, _house(options, folder, store) as house:
            bench = Bench(options, house, Trap())
            bench.run()
        print(report(bench, seconds=time.monotonic() - begun))
    finally:
        if options.keep:
            print(f"store and log are in {folder}")
        else:
            shutil.rmtree(folder)
    return int(bool(bench.damage))


@contextmanager
def _store(options: Options, folder: Path) -> Iterator[str]:
    """A file that goes with its folder, or a database of its own on a server."""
    with database_on(options.store) as url:
        yield url or f"sqlite:///{folder}/desk.db"


@contextmanager
def _house(options: Options, folder: Path, store: str) -> Iterator[House]:
    if options.platform == "terminal":
        yield ServerHouse(folder, store, SHORT_LEASE) if options.store else House(folder, store)
        return
    people: Workspace | Guild
    if options.platform == "discord":
        people = Guild(options.seed, hasty=options.hasty)
    else:
        people = Workspace(options.seed, http=options.platform == "slack-http", hasty=options.hasty)
    people.open()
    try:
        if isinstance(people, Guild):
            yield DiscordHouse(folder, store, guild=people)
        else:
            yield SlackHouse(folder, store, SHORT_LEASE if options.store else {}, workspace=people)
    finally:
        people.close()


def _options(words: Sequence[str] | None) -> Options:
    parser = argparse.ArgumentParser(prog="python -m tests.crash.bench", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000), help="which story and which kills")
    parser.add_argument("--platform", choices=PLATFORMS, default=PLATFORMS[0], help="where people talk")
    parser.add_argument(
        "--store", metavar="URL", help="postgresql://...: on a new database of that server (default: in a new file)"
    )
    parser.add_argument("--at", default="", metavar="CALL", help="kill only before and after calls like this: `post`")
    parser.add_argument(
        "--stops", type=int, help="how often to send SIGTERM instead (default: a twentieth of the kills)"
    )
    parser.add_argument("--events", type=int, default=20, help="how many more to say in the last round, without a kill")
    parser.add_argument("--patience", type=float, default=PATIENCE, help="seconds after which a desk is stuck")
    parser.add_argument("--workers", type=int, choices=(1, 2), default=1, help="2: on one store, leases never renewed")
    parser.add_argument(
        "--hasty", action="store_true", help="not on the terminal: people react on an answer as soon as it stands"
    )
    parser.add_argument("--broken", choices=BREAKAGES, help="break this mechanism: damage must be found")
    parser.add_argument("--keep", action="store_true", help="keep store and log to look at")
    options = Options(**vars(parser.parse_args(words)))
    if options.workers > 1 and options.platform != "terminal":
        parser.error("two workers are tried on the terminal only")
    if options.platform == "discord" and options.store:
        parser.error("what a killed desk on Discord has taken in is looked up in the file of its store")
    if options.store and not options.store.startswith("postgresql://"):
        parser.error("--store takes the address of a PostgreSQL server")
    return options


if __name__ == "__main__":
    sys.exit(main())
