"""Stories with one right end, told to the desk as a process; each prints what came of it as JSON.

python -m tests.crash.scenarios poison      a message that kills the process whenever it is worked
python -m tests.crash.scenarios sigterm     a desk that is asked to stop in the middle of a turn, again and again
python -m tests.crash.scenarios away        messages written on Discord after a desk was killed and before the next one
python -m tests.crash.scenarios late        a first direct message on Discord, read after people lost patience
"""

import asyncio
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import core.desk
import tests.crash.guild
from adapters.discord.catch_up import CatchUp
from core.agent import SupportAgent
from core.config import WorkSettings
from core.models import Item
from tests.crash.check import Damage
from tests.crash.discord_house import DiscordHouse
from tests.crash.driver import Process
from tests.crash.guild import Guild
from tests.crash.killer import Kill, Trap
from tests.crash.programs import House
from tests.crash.truth import Line
from tests.crash.warm import warm_up

MARK = "the marked message"
WHILE_AWAY = 20
IMPATIENT = 0.15
MOST = 10
"""Starts after which a scenario is given up."""

PATIENCE = 15.0


@dataclass(frozen=True, slots=True)
class MarkedHouse(House):
    """A house whose desk does something special when the agent gets the marked message."""

    def chat(self, trap: Trap) -> int:
        answer = SupportAgent.answer

        async def marked(support: SupportAgent, session: Any, context: Any, said: list[Item], **rest: Any) -> Any:
            if MARK in str(said):
                await self.meet()
            return await answer(support, session, context, said, **rest)

        SupportAgent.answer = marked
        return House.chat(self, trap)

    async def meet(self) -> None:
        """What the marked message does."""
        os.kill(os.getpid(), signal.SIGKILL)


class SlowHouse(MarkedHouse):
    """Here the marked message is never answered, and the bench sees that its turn runs."""

    @property
    def running(self) -> Path:
        return self.folder / "running"

    async def meet(self) -> None:
        core.desk.STOP_SECONDS = 0.2
        self.running.touch()
        await asyncio.Event().wait()


@dataclass(frozen=True, slots=True)
class LateHouse(DiscordHouse):
    """Here people lose patience long before the desk has read what it missed."""

    def chat(self, trap: Trap) -> int:
        read = CatchUp.read

        async def late(catch_up: CatchUp, take: Any) -> int:
            await asyncio.sleep(10 * IMPATIENT)
            return await read(catch_up, take)

        CatchUp.read = late
        return DiscordHouse.chat(self, trap)


@dataclass(slots=True)
class Outcome:
    """How each process ended, and what was written."""

    ended: list[int | None] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=dict)
    damage: dict[str, list[str]] = field(default_factory=dict)
    attempts: int = WorkSettings().attempts


def poison(folder: Path) -> Outcome:
    """Say three things to one lane, the second of them poison, and start the desk until it gets through."""
    house = MarkedHouse(folder, f"sqlite:///{folder}/desk.db")
    outcome = Outcome()
    while len(outcome.ended) < MOST and 0 not in outcome.ended:
        with house.open(Trap()) as desk:
            for number, text in enumerate(("before it", MARK, "after it"), start=1):
                desk.send({"type": "message", "id": f"e{number}", "user": "ann", "text": text})
            desk.end_input()
            _finish(desk, outcome)
    outcome.rows = house.read("doctor")["counts"]
    return outcome


def sigterm(folder: Path) -> Outcome:
    """Stop the desk in the same turn more often than a message may be tried, then let it be answered."""
    slow = SlowHouse(folder, f"sqlite:///{folder}/desk.db")
    outcome = Outcome()
    for number in range(outcome.attempts + 2):
        with slow.open(Trap()) as desk:
            if number == 0:
                desk.send({"type": "message", "id": "e1", "user": "ann", "text": MARK})
            _wait(desk, outcome, slow.running.exists)
            desk.signal(signal.SIGTERM)
            _finish(desk, outcome)
        slow.running.unlink(missing_ok=True)
    house = House(slow.folder, slow.store)
    with house.open(Trap()) as desk:
        desk.end_input()
        _finish(desk, outcome)
    outcome.rows = house.read("doctor")["counts"]
    return outcome


def away(folder: Path) -> Outcome:
    """Kill a desk on Discord that two people talked to, and write twenty messages before the next one is there."""
    guild, outcome = Guild(seed=1), Outcome()
    guild.open()
    house = DiscordHouse(folder, f"sqlite:///{folder}/desk.db", guild=guild)
    places: tuple[Line, ...] = ({}, {"channel": "help", "thread": "t1"})
    with house.open(Trap()) as desk:
        for number, place in enumerate(places):
            desk.send({"type": "message", "id": f"e{number}", "user": "ann", "text": "hello", **place})
        _wait(desk, outcome, lambda: _replies(outcome) == len(places))
        desk.signal(signal.SIGKILL)
        _finish(desk, outcome)
    for number in range(WHILE_AWAY):
        guild.write_now(
            {"type": "message", "id": f"e{number + 2}", "user": "ann", **places[number % 2], "text": f"note {number}"}
        )
    with house.open(Trap()) as desk:
        _wait(desk, outcome, lambda: _replies(outcome) == len(places) + WHILE_AWAY)
        desk.end_input()
        _finish(desk, outcome)
    damage = Damage()
    house.inspect(damage)
    outcome.damage = dict(damage.found)
    outcome.rows = house.read("doctor")["counts"]
    guild.close()
    return outcome


def late(folder: Path) -> Outcome:
    """Kill a desk that has heard of a direct conversation and has not taken in what was said first there."""
    tests.crash.guild.UNHEARD = tests.crash.guild.MISSED = IMPATIENT
    guild, outcome, trap = Guild(seed=1), Outcome(), Trap()
    guild.open()
    house = LateHouse(folder, f"sqlite:///{folder}/desk.db", guild=guild)
    trap.arm(Kill(points=1, name="accept"))
    with house.open(trap) as desk:
        desk.send({"type": "message", "id": "e0", "user": "ann", "text": "hello"})
        _wait(desk, outcome, lambda: False)
        _finish(desk, outcome)
    with house.open(Trap()) as desk:
        _wait(desk, outcome, lambda: _replies(outcome) == 1)
        desk.end_input()
        _finish(desk, outcome)
    outcome.rows = house.read("doctor")["counts"]
    guild.close()
    return outcome


def _replies(outcome: Outcome) -> int:
    return len({line["to"] for line in outcome.lines if line["type"] == "reply"})


def _wait(desk: Process, outcome: Outcome, done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not done() and desk.status is None and time.monotonic() < deadline:
        outcome.lines += desk.hear(0.02)


def _finish(desk: Process, outcome: Outcome) -> None:
    outcome.lines += desk.finish(PATIENCE)
    outcome.ended.append(desk.status)


def main(words: Sequence[str]) -> int:
    """Play a scenario."""
    (name,) = words
    warm_up()
    folder = Path(tempfile.mkdtemp(prefix="deskmate-crash-"))
    try:
        outcome = {"poison": poison, "sigterm": sigterm, "away": away, "late": late}[name](folder)
    finally:
        shutil.rmtree(folder)
    shown = {"ended": outcome.ended, "lines": outcome.lines, "rows": outcome.rows, "damage": outcome.damage}
    print(json.dumps(shown))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
