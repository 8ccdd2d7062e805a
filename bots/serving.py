"""A desk that serves people on one platform, or on several at once: where one is away the others go on."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import TYPE_CHECKING, Protocol

from bots.assemble import open_desk
from bots.collecting import collecting_aside
from bots.leaving import until_told
from core.config import Settings
from core.errors import ConfigError
from core.ports import Platform

if TYPE_CHECKING:
    from core.desk import Desk

log = logging.getLogger(__name__)

NAMED = 5
"""Places that are named at the start."""

Say = Callable[[str], None]
"""Tells the operator something."""


class ServedPlatform(Platform, Protocol):
    """A platform that people are served on."""

    def serving(self, desk: "Desk") -> AbstractAsyncContextManager[None]:
        """Hand what comes in to this desk until left."""
        ...


class Part(Protocol):
    """What a desk needs for a platform. Entered before the desk opens; left when the desk has said its last word."""

    title: str

    @property
    def app(self) -> ServedPlatform:
        """The platform itself."""
        ...

    async def __aenter__(self) -> object: ...

    async def __aexit__(self, *_: object) -> None: ...

    async def serve(self, say: Say) -> None:
        """Take in what people do, until cancelled; `say` once that people can be served.

        Raises ConfigError where something is set wrongly.
        """
        ...


def run_parts(settings: Settings, parts: Sequence[Part]) -> int:
    """Serve until told to leave; returns the exit code."""
    return asyncio.run(until_told(_serve(settings, parts), interrupt=lambda: False, interrupted=0))


def listed(names: Sequence[str]) -> str:
    """Name some places, and say how many more there are."""
    shown = [*names[:NAMED], *([f"{len(names) - NAMED} more"] if len(names) > NAMED else [])]
    return " and ".join((", ".join(shown[:-1]), shown[-1])) if len(shown) > 1 else shown[0]


async def _serve(settings: Settings, parts: Sequence[Part]) -> None:
    async with AsyncExitStack() as stack:
        for part in parts:
            await stack.enter_async_context(part)
        desk = await stack.enter_async_context(open_desk(settings, [part.app for part in parts], serving=True))
        for part in parts:
            await stack.enter_async_context(part.app.serving(desk))
        await stack.enter_async_context(collecting_aside())
        async with asyncio.TaskGroup() as tasks:
            watching = tasks.create_task(desk.until_outdated())
            await _serve_all(parts)
            watching.cancel()


async def _serve_all(parts: Sequence[Part]) -> None:
    left = {part.title for part in parts}
    async with asyncio.TaskGroup() as tasks:
        for part in parts:
            tasks.create_task(_serve_on(part, left, named=len(parts) > 1))


async def _serve_on(part: Part, left: set[str], *, named: bool) -> None:
    """Serve on one of the platforms that are `left`. A wrong setting stops all at the start, later this one alone."""
    said: list[str] = []

    def say(line: str) -> None:
        said.append(line)
        print(f"{part.title}: {line}" if named else line, flush=True)

    try:
        await part.serve(say)
    except ConfigError as error:
        left.discard(part.title)
        if not (said and left):
            raise
        log.error("%s is not served any more: %s", part.title, error)
