"""Pauses between attempts at something a platform's workspace is in the way of, cut short when it is no more."""

import asyncio
from contextlib import suppress


class Pauses:
    """The pauses of everybody who waits, by what they wait for."""

    def __init__(self) -> None:
        """Nobody waits yet."""
        self._over: dict[tuple[str, str], asyncio.Event] = {}

    async def wait(self, platform: str, workspace: str, *, seconds: float) -> bool:
        """Wait so long; True where the wait was cut short."""
        over = self._over.setdefault((platform, workspace), asyncio.Event())
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await over.wait()
        return over.is_set()

    def cut(self, platform: str, workspace: str) -> None:
        """Let all who wait for a platform's workspace go on now."""
        over = self._over.pop((platform, workspace), None)
        if over is not None:
            over.set()
