"""The worker processes of a scene: started, handed events, killed."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path

from benchmarks.engines.engine import Pace

ROOT = Path(__file__).parents[2]
SETTLE_SECONDS = 2.0
"""How long workers are left to connect and listen before anything is measured."""


class Workers:
    """So many workers of one engine."""

    def __init__(self, engine: str, pace: Pace) -> None:
        self._engine = engine
        self._pace = pace
        self._turn = count()
        self._running: dict[str, asyncio.subprocess.Process] = {}

    async def start(self, names: list[str]) -> None:
        """Start workers of these names; they begin together."""
        for name in names:
            self._running[name] = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-m", "benchmarks.engines.worker", self._engine, name, self._pace),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                cwd=ROOT,
            )
        begun = [self._running[name] for name in names]
        for process in begun:
            assert process.stdout
            if await process.stdout.readline() != b"ready\n":
                raise RuntimeError(f"a worker of {self._engine} did not start: see what it wrote above")
        for process in begun:
            assert process.stdin
            process.stdin.write(b"go\n")

    async def tell(self, line: str) -> None:
        """Give a line to one of those that run, by turns, and wait for its answer."""
        running = list(self._running.values())
        process = running[next(self._turn) % len(running)]
        assert process.stdin
        assert process.stdout
        process.stdin.write(line.encode() + b"\n")
        await process.stdout.readline()

    async def kill(self, pid: int) -> str:
        """Kill the worker of this process id with SIGKILL; its name comes back."""
        (name,) = (name for name, process in self._running.items() if process.pid == pid)
        os.kill(pid, signal.SIGKILL)
        await self._running.pop(name).wait()
        return name

    async def stop(self) -> None:
        """Kill all."""
        for process in self._running.values():
            process.kill()
            await process.wait()
        self._running.clear()


@asynccontextmanager
async def working(engine: str, pace: Pace, processes: int, *, settle: bool = True) -> AsyncIterator[Workers]:
    """Have so many workers run."""
    workers = Workers(engine, pace)
    try:
        await workers.start([f"w{number}" for number in range(processes)])
        if settle:
            await asyncio.sleep(SETTLE_SECONDS)
        yield workers
    finally:
        await workers.stop()
