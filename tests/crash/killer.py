"""Where the desk dies: at a random time, or before or after a call of its ports.

Which one is chosen from outside, in the plan; the desk then kills itself there. For that, whatever is given to a Desk
is wrapped, in the bench's own process. The product has no switch for it.
"""

import inspect
import mmap
import os
import random
import signal
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from core.desk import Desk
from core.ports import Platform, Sealer, Store
from core.records.lanes import AddEvent, FinishEvent
from core.records.record import Commit

NAMED = ("accept", "finish", "prepare", "post", "show", "ClaimLane", "Reserve", "MarkDelivery", "FreeLanes")

_HEAD = struct.Struct("=ii40s")
_SIZE = 512


@dataclass(frozen=True, slots=True)
class Pace:
    """How far ahead kills lie: enough for a start and some turns.

    `longest` are the seconds to one at a random time, `farthest` the points, before and after calls, to one at any
    point, at most. `named` are calls that would seldom be the next one: kills are aimed at them by name. `enough`
    seconds are waited for such a call; after that the kill is one at a random time.
    """

    longest: float = 0.15
    farthest: int = 60
    named: tuple[str, ...] = NAMED
    enough: float = 0.4


@dataclass(frozen=True, slots=True)
class Kill:
    """One planned kill: at the latest in so many seconds, or so many points of this name ahead."""

    seconds: float | None = None
    points: int = 0
    name: str = ""
    by: signal.Signals = signal.SIGKILL


def plan(seed: int, kills: int, pace: Pace, *, at: str = "") -> list[Kill]:
    """Half of them at random times, the others in turn at any point and at one of a name; or all `at` one name."""
    chance = random.Random(f"kills {seed}")
    if at:
        return [Kill(points=chance.randint(1, 8), name=at) for _ in range(kills)]
    points = _shuffled(chance, range(1, pace.farthest + 1), kills)
    names = _shuffled(chance, pace.named, kills)

    def at_random() -> Kill:
        return Kill(seconds=chance.uniform(0.02, pace.longest))

    def at_a_name() -> Kill:
        return Kill(seconds=pace.enough, points=chance.randint(1, 6), name=names.pop())

    ways = (at_random, lambda: Kill(points=points.pop()), at_random, at_a_name)
    return [ways[number % len(ways)]() for number in range(kills)]


def plan_stops(seed: int, stops: int) -> list[Kill]:
    """The same with SIGTERM: where a lane was claimed or an event finished, or at a random time."""
    chance = random.Random(f"stops {seed}")
    names = _shuffled(chance, ("accept", "finish", "ClaimLane", ""), stops)[:stops]
    return [
        Kill(seconds=chance.uniform(0.1, 0.3), points=chance.randint(1, 4) if name else 0, name=name, by=signal.SIGTERM)
        for name in names
    ]


class Trap:
    """A page of memory that the bench and the desk share: how many points ahead it dies, and at which it died."""

    def __init__(self) -> None:
        self._page = mmap.mmap(-1, _SIZE)

    def arm(self, kill: Kill | None) -> None:
        """Let the desk die where the kill says, counted from now; None for nowhere."""
        head = _HEAD.pack(kill.points, kill.by, kill.name.encode()) if kill else b""
        self._page[:] = head.ljust(_SIZE, b"\0")

    @property
    def sprung(self) -> str | None:
        """The point at which the desk died, None where it did not."""
        return self._page[_HEAD.size :].rstrip(b"\0").decode() or None

    def pass_by(self, when: str, call: str) -> None:
        """Called by the desk at each point; does not return at the one that was meant."""
        ahead, number, name = _HEAD.unpack_from(self._page)
        if not ahead or name.rstrip(b"\0").decode() not in call:
            return
        _HEAD.pack_into(self._page, 0, ahead - 1, number, name)
        if ahead == 1:
            point = f"{when} {call}".encode()[: _SIZE - _HEAD.size]
            self._page[_HEAD.size : _HEAD.size + len(point)] = point
            os.kill(os.getpid(), number)


class Watched:
    """Any port, with a point before and after each of its awaited calls."""

    def __init__(self, port: Store | Sealer | Platform, trap: Trap) -> None:
        self._port = port
        self._trap = trap

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)
        if not inspect.iscoroutinefunction(found):
            return found

        async def watched(*args: Any, **rest: Any) -> Any:
            call = _call_name(name, args)
            self._trap.pass_by("before", call)
            result = await found(*args, **rest)
            self._trap.pass_by("after", call)
            return result

        return watched


def watch_desk(trap: Trap) -> None:
    """Let every Desk that this process makes pass by the trap."""
    make = Desk.__init__

    def init(self: Desk, *, store: Store, sealer: Sealer, platforms: Sequence[Platform], **rest: Any) -> None:
        rest["platforms"] = [Watched(platform, trap) for platform in platforms]
        make(self, store=Watched(store, trap), sealer=Watched(sealer, trap), **rest)

    Desk.__init__ = init


def _shuffled(chance: random.Random, choices: Sequence[Any], number: int) -> list[Any]:
    """So many of the choices, each as often as every other one, in no order."""
    rounds = number // len(choices) + 1
    return [choice for _ in range(rounds) for choice in chance.sample(choices, len(choices))]


def _call_name(call: str, args: Sequence[Any]) -> str:
    if call == "read":
        return f"read {type(args[0]).__name__}"
    if call == "write":
        return f"write {'+'.join(sorted({_purpose(commit) for commit in args[0]}))}"
    return call


def _purpose(commit: Commit) -> str:
    """What a commit is for: taking an event in, finishing one, or else its first record's name."""
    kinds = {type(record) for record in commit}
    if AddEvent in kinds:
        return "accept"
    return "finish" if FinishEvent in kinds else type(commit[0]).__name__
