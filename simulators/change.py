"""Waiting for something to become true without polling."""

import asyncio
from collections.abc import Callable


class Changes:
    """Wakes whoever waits, each time something happened."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def tell(self) -> None:
        """Say that something happened."""
        self._event.set()
        self._event = asyncio.Event()

    async def until(self, condition: Callable[[], bool], *, timeout: float | None) -> None:  # noqa: ASYNC109 - for tests' callers
        """Wait until `condition` holds; it is asked again at each change."""
        async with asyncio.timeout(timeout):
            while not condition():
                await self._event.wait()
