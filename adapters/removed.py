"""Messages of ours that we delete ourselves: a platform tells of each deletion, and not who deleted."""

import time

from core.ports import Notes

REMOVED = "removed"
_DAY = 86_400


class Removed:
    """Knows which messages were removed by us, and by no moderator."""

    def __init__(self, *, days: float) -> None:
        """`days` is how long a platform may tell of a deletion again."""
        self._days = days
        self._notes: Notes | None = None

    def remember_in(self, notes: Notes) -> None:
        """Use these notes from now on."""
        self._notes = notes

    async def note(self, name: str) -> None:
        """Note that a message is about to be removed, durable when this returns."""
        if self._notes:
            await self._notes.put(REMOVED, name, time.time())

    async def has(self, name: str) -> bool:
        """Whether we removed a message ourselves."""
        return bool(self._notes and await self._notes.get(REMOVED, name))

    async def tidy(self) -> None:
        """Forget what the platform no longer tells of."""
        if self._notes is None:
            return
        for name, at in (await self._notes.all(REMOVED)).items():
            if at < time.time() - self._days * _DAY:
                await self._notes.drop(REMOVED, name)
