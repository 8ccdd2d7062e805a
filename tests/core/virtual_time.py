"""A loop in virtual time, which knows whose each task is: a process can be killed there."""

import asyncio
import contextvars
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

whose: contextvars.ContextVar[int] = contextvars.ContextVar("whose", default=0)


class StuckError(AssertionError):
    """Nothing is left that could go on."""


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop whose clock goes on exactly as far as the next thing that is due."""

    def __init__(self) -> None:
        super().__init__()
        self.at = 0.0
        self.tasks: defaultdict[int, list[asyncio.Task[Any]]] = defaultdict(list)
        self._selector.select = self._select
        self.set_task_factory(self._make_task)

    def time(self) -> float:
        return self.at

    def _select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None:
            raise StuckError("everything waits for something that never comes")
        self.at += timeout
        return []

    def _make_task(self, loop: asyncio.AbstractEventLoop, work: Any, **rest: Any) -> asyncio.Task[Any]:
        task = asyncio.Task(work, loop=loop, **rest)
        if number := whose.get():
            self.tasks[number].append(task)
        return task


async def end(tasks: Sequence[asyncio.Task[Any]]) -> None:
    """End what a process did; again where it still wants to put something right, for which it is too late."""
    pending = set(tasks)
    while pending:
        for task in tasks:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=0.001)
    await asyncio.gather(*tasks, return_exceptions=True)
