"""A clock on which half an hour passes at once."""

import asyncio
from collections import defaultdict


class Clock:
    """asyncio, but for pauses: they pass at once, and are added up for each who waits."""

    def __init__(self):
        self.waited = defaultdict(float)

    def __getattr__(self, name):
        return getattr(asyncio, name)

    async def sleep(self, seconds):
        self._pass(seconds)
        await asyncio.sleep(0.001)

    def timeout(self, seconds):
        self._pass(seconds)
        return asyncio.timeout(0.001)

    def waiting(self, seconds):
        """How many have waited longer."""
        return len([waited for waited in self.waited.values() if waited > seconds])

    def _pass(self, seconds):
        self.waited[asyncio.current_task()] += seconds


async def begins(condition):
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.001)
