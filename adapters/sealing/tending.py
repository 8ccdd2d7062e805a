"""What an operator does with data keys in a desk that serves: in threads, so that nobody else waits for it."""

import asyncio

from adapters.sealing.rotation import Rotation
from core.ports import KeyCounts


class TendedKeys:
    """Implements `core.ports.Keys`."""

    def __init__(self, rotation: Rotation) -> None:
        self._rotation = rotation

    async def counts(self) -> KeyCounts:
        """Count owners, erased ones, and versions."""
        lines = await asyncio.to_thread(self._rotation.owners)
        erased = sum(line.state == "erased" for line in lines)
        return KeyCounts(len(lines) - erased, erased, sum(line.versions for line in lines))

    async def closed(self) -> list[str]:
        """Try every key under the master key: those that do not open."""
        return await asyncio.to_thread(self._rotation.closed)

    async def rotate(self, made_before: int) -> int:
        """Give each live owner whose newest key was made before a time a new one; how many."""
        return await asyncio.to_thread(self._rotation.rotate_data, made_before)
