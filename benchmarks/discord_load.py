"""Discord under load: how soon a message is answered, whether the loop is ever blocked, whether the order holds.

`python -m benchmarks discord_load [--minutes N] [--write]`. People talk in a simulated Discord in this process; the
desk serves them in a process of its own, through the real discord.py, on a file, with the offline model.
"""

import argparse
import asyncio
import contextlib
import logging
import re
import tempfile
import time
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from statistics import median
from typing import Any

from benchmarks.page import tell
from core.config import Settings
from core.words import WORDS
from simulators.discord_service import DiscordService

ASKED = 40
TALKS, LINES = 200, 5
BURST = TALKS * LINES
STEP = 0.005
"""Seconds between two looks at the loop."""
SECONDS = 240.0
_SAID = re.compile(r"talk (\d+) line (\d+)")


@dataclass(frozen=True)
class Desk:
    """A desk that runs in a process of its own; `blocked` says how long its loop was blocked at most since asked last.

    That is in milliseconds: by the clock, and of that what it worked itself. On a machine that does other things too
    the first counts how long those kept it from working.
    """

    process: BaseProcess
    pipe: Connection

    def blocked(self) -> tuple[float, float]:
        self.pipe.send("blocked")
        late, worked = zip(*self.pipe.recv(), strict=True)
        return max(late), max(worked)


# --- the desk's process -----------------------------------------------------------------------------------------------


def serve(token: str, api_base: str, gateway: str, store: str, pipe: Connection) -> None:
    """Serve until the pipe says that it is over."""
    warnings.simplefilter("ignore", DeprecationWarning)
    logging.disable(logging.WARNING)
    asyncio.run(_serve(token, api_base, gateway, store, pipe))


async def _serve(token: str, api_base: str, gateway: str, store: str, pipe: Connection) -> None:
    from adapters.discord.app import DiscordApp
    from adapters.discord.options import Aim, Options
    from bots.assemble import open_desk
    from bots.collecting import collecting_aside

    settings = Settings(store=store, model="offline")
    options = Options(open_threads=0)
    app = DiscordApp(token, WORDS, options=options, aim=Aim(api_base, gateway))
    async with app, open_desk(settings, [app], serving=False) as desk, app.serving(desk):
        running = asyncio.create_task(app.run())
        await app.until_ready()
        async with collecting_aside():
            pipe.send("ready")
            await _watch(pipe)
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


async def _watch(pipe: Connection) -> None:
    """Note how late the loop is, again and again."""
    loop, lags = asyncio.get_running_loop(), list[tuple[float, float]]()
    while True:
        due, worked = loop.time() + STEP, time.thread_time()
        await asyncio.sleep(STEP)
        late = (loop.time() - due) * 1000
        lags.append((late, min(late, (time.thread_time() - worked) * 1000)))
        if pipe.poll():
            if pipe.recv() == "over":
                return
            pipe.send(lags)
            lags.clear()


# --- this process: Discord, and the people in it ----------------------------------------------------------------------


@asynccontextmanager
async def a_desk(service: DiscordService) -> AsyncIterator[Desk]:
    """Have a desk serve a Discord."""
    here, there = get_context("spawn").Pipe()
    with tempfile.TemporaryDirectory() as folder:
        given = (service.token, service.api_base, service.gateway_url, f"sqlite:///{folder}/desk.db", there)
        process = get_context("spawn").Process(target=serve, args=given)
        process.start()
        loop = asyncio.get_running_loop()
        try:
            if not await loop.run_in_executor(None, here.poll, 30) or here.recv() != "ready":
                raise RuntimeError("the desk did not come up")
            yield Desk(process, here)
            here.send("over")
            await loop.run_in_executor(None, process.join, 20)
        finally:
            process.kill()


async def answered(service: DiscordService) -> list[float]:
    """From what Alice writes to the message that answers it, in milliseconds; the first ones warm up."""
    alice, took = service.person("Alice"), list[float]()
    for number in range(ASKED + 5):
        posted = len(posts(service))
        begun = time.perf_counter()
        alice.dm(f"hello, this is line {number}")
        await service.until(lambda posted=posted: len(posts(service)) > posted)  # type: ignore[misc]
        took.append((time.perf_counter() - begun) * 1000)
        await service.settled()
    return took[5:]


async def burst(service: DiscordService) -> float:
    """Have everybody say all their lines at once; the seconds until all are answered, in order or it raises."""
    people = [service.person(f"Person {number}") for number in range(TALKS)]
    before, begun = len(posts(service)), time.perf_counter()
    for line in range(LINES):
        for number, person in enumerate(people):
            person.dm(f"talk {number} line {line}")
        await asyncio.sleep(0)
    await service.until(lambda: len(posts(service)) - before >= BURST, timeout=SECONDS)
    took = time.perf_counter() - begun
    await service.settled()
    check([standing(service, call) for call in posts(service)[before:]])
    return took


def posts(service: DiscordService) -> list[Any]:
    """The messages the desk has posted."""
    return [call for call in service.calls("POST /channels/{channel}/messages") if call.ok]


def standing(service: DiscordService, call: Any) -> str:  # noqa: ANN401 - the simulator's own shape
    """What a message says in the end: on a busy machine it was begun before the answer was there."""
    channel = service.world.channels[call.path.split("/")[2]]
    return str(channel.messages[call.answer["id"]].content)


def check(contents: list[str]) -> None:
    """Each line of each talk is answered once, and those of a talk in their order."""
    said: dict[int, list[int]] = {}
    for content in contents:
        found = _SAID.search(content)
        if found is None:
            raise RuntimeError(f"an answer quotes no line: {content[:80]!r}")
        said.setdefault(int(found[1]), []).append(int(found[2]))
    if said != {talk: list(range(LINES)) for talk in range(TALKS)}:
        raise RuntimeError("lines were lost, answered twice, or answered out of order")


async def load(service: DiscordService, minutes: float) -> int:
    """Keep everybody talking for so long; how many lines were answered."""
    people = [service.person(f"Caller {number}") for number in range(TALKS)]
    ends, before = time.monotonic() + minutes * 60, len(posts(service))
    said = 0
    while time.monotonic() < ends:
        for number, person in enumerate(people):
            person.dm(f"talk {number} line {said // TALKS}")
            said += 1
            if said % 20 == 0:
                await asyncio.sleep(0.4)
    await service.until(lambda: len(posts(service)) - before >= said, timeout=SECONDS)
    return said


async def figures(minutes: float) -> str:
    """Measure all of it and write it as a table."""
    async with DiscordService() as service, a_desk(service) as desk:
        took = sorted(await answered(service))
        first = desk.blocked()
        seconds = await burst(service)
        crowded = desk.blocked()
        said = await load(service, minutes)
        later, missed = desk.blocked(), service.gateway.missed_heartbeats
        beats = service.gateway.heartbeats
    p95 = took[len(took) * 95 // 100]
    burst_row = (
        f"{BURST:,} messages at once in {TALKS} conversations | all answered once and in order in {seconds:.1f} s"
    )
    return "\n".join(
        (
            "| | measured | aim |",
            "|---|---|---|",
            f"| message to answer, one user, p50 | {median(took):.1f} ms (p95 {p95:.1f} ms) | under 60 ms |",
            blocked_row(first),
            f"| {burst_row} | in order |",
            blocked_row(crowded),
            f"| {minutes:g} minutes of load, {said:,} messages: heartbeats missed | {missed} of {beats} | 0 |",
            blocked_row(later),
        )
    )


def blocked_row(blocked: tuple[float, float]) -> str:
    late, worked = blocked
    return f"| longest the loop was blocked meanwhile | {late:.0f} ms, {worked:.0f} ms of it its own work | 100 ms |"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks discord_load", description=__doc__)
    parser.add_argument("--minutes", type=float, default=1.0, help="how long the load lasts")
    parser.add_argument("--write", action="store_true", help="put the table into docs/bench.md")
    parser.add_argument("--quick", action="store_true", help="less of everything: to see that it runs")
    options = parser.parse_args()
    tell("discord", asyncio.run(figures(0.1 if options.quick else options.minutes)))


if __name__ == "__main__":
    main()
