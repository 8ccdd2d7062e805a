"""Words to the other processes of a shared store: they save time, and each may be lost."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable

from core.errors import StoreError
from core.ids import new_id
from core.ports import Store

log = logging.getLogger(__name__)

LANES = "lanes"
"""Lanes wait for somebody with room."""
PIECES = "pieces"
"""Pieces wait for somebody who speaks a platform."""
STOP = "stop"
"""The turn of an event of a session is to stop."""
FORGET = "forget"
"""Somebody is to be forgotten."""
SAID = "said"
"""Something somebody said was taken in, or was told to be too many: with who, when and which."""

Hear = Callable[..., None]


class Wakes:
    """Tells the others, and hears what they tell. Costs nothing where nobody shares the store."""

    def __init__(self, store: Store) -> None:
        """Nothing is told before `open`, but kept until then."""
        self._store = store
        self._me = new_id()
        self._hears: defaultdict[str, list[Hear]] = defaultdict(list)
        self._due: dict[str, None] = {}
        self._telling: asyncio.Task[None] | None = None

    def on(self, about: str, hear: Hear) -> None:
        """Call `hear` with what comes after the word `about`, when another process says it."""
        self._hears[about].append(hear)

    async def open(self) -> None:
        """Begin to listen. Without it all is found by the look once a second."""
        if self._store.shared:
            try:
                await self._store.listen(self._heard)
            except StoreError as error:
                log.warning("the others are not heard, it goes on without: %s", error)

    def wake(self, about: str, *what: str) -> None:
        """Let this process itself hear a word."""
        for hear in self._hears[about]:
            hear(*what)

    def tell(self, about: str, *what: str) -> None:
        """Say a word to all others; equal ones that wait are said once."""
        if not self._store.shared:
            return
        self._due[" ".join((self._me, about, *what))] = None
        if self._telling is None:
            self._telling = asyncio.create_task(self._tell())

    async def close(self) -> None:
        """Say what is left to be said."""
        if self._telling is not None:
            await self._telling

    async def _tell(self) -> None:
        try:
            while self._due:
                words, self._due = tuple(self._due), {}
                await self._store.notify(words)
        finally:
            self._telling = None

    def _heard(self, word: str) -> None:
        who, about, *what = word.split(" ")
        if who != self._me:
            self.wake(about, *what)
