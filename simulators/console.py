"""Trying an app by hand: lines are read from the terminal, what changed is shown."""

import asyncio
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

ShownT = TypeVar("ShownT")


class Waits(Protocol):
    """A service that can be waited on."""

    async def until(self, condition: Callable[[], bool], *, timeout: float | None = 10.0) -> None:  # noqa: ASYNC109 - as services have it
        """Wait until `condition` holds."""


class TypedConsole(ABC, Generic[ShownT]):
    """Reads lines, does what they say, and shows what changed."""

    def __init__(self, service: Waits) -> None:
        self._waits = service
        self._shown: dict[str, ShownT] = {}

    async def read(self) -> None:
        """Do line by line what is typed, until the end."""
        reader = asyncio.StreamReader()
        loop = asyncio.get_running_loop()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        while line := (await reader.readline()).decode().strip():
            try:
                self.act(line)
            except LookupError as error:
                say(f"  ? {error}")

    async def watch(self) -> None:
        """Show what is new or changed, as it happens."""
        while True:
            await self._waits.until(lambda: self.now() != self._shown, timeout=None)
            now = self.now()
            for id_, shown in now.items():
                if self._shown.get(id_) != shown:
                    say(self.line(shown))
            self._shown = now

    @abstractmethod
    def act(self, line: str) -> None:
        """Do what one line says."""

    @abstractmethod
    def now(self) -> dict[str, ShownT]:
        """Give what people see now, by what tells one message from another."""

    @abstractmethod
    def line(self, shown: ShownT) -> str:
        """Write one message as a line or a few."""


async def read_and_watch(console: TypedConsole[ShownT], welcome: str) -> None:
    """Say the welcome, then read lines until the input ends, showing what changes meanwhile."""
    say(welcome)
    watching = asyncio.create_task(console.watch())
    try:
        await console.read()
    finally:
        watching.cancel()


def say(text: str) -> None:
    """Write to the terminal."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
