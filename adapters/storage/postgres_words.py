"""Words from process to process, over LISTEN and NOTIFY on a connection of its own."""

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from adapters.storage.postgres_server import TROUBLE, Server

if TYPE_CHECKING:
    from asyncpg import Connection

log = logging.getLogger(__name__)

CHANNEL = "deskmate"
LARGEST = 7900
"""Bytes of one notification; the server takes less than 8000."""
PAUSE = 1.0
"""Seconds between two attempts to listen again."""


class Words:
    """Tells and hears words of the processes that share a database. Best effort: what is lost is found by looking."""

    def __init__(self, server: Server) -> None:
        """Nothing is opened before the first word."""
        self._server = server
        self._hear: list[Callable[[str], None]] = []
        self._connection: Connection | None = None
        self._connecting = asyncio.Lock()
        self._gone = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def tell(self, words: Sequence[str]) -> None:
        """Tell words to all who listen; never raises."""
        with suppress(*TROUBLE):
            connection = await self._connected()
            await connection.execute(
                "SELECT pg_notify($1, w) FROM unnest($2::text[]) AS w", CHANNEL, list(_parts(words))
            )

    async def listen(self, hear: Callable[[str], None]) -> None:
        """Call `hear` for each word from now on, also on the connections that follow this one."""
        self._hear.append(hear)
        if self._task is None:
            await self._server.patiently(self._connected)
            self._task = asyncio.create_task(self._keep_listening(), name="words")

    async def close(self) -> None:
        """Hear no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._connection is not None:
            self._connection.terminate()

    async def _connected(self) -> "Connection":
        async with self._connecting:
            if self._connection is None or self._connection.is_closed():
                self._gone.clear()
                # A word is not worth waiting for the disk.
                self._connection = await self._server.connect(synchronous_commit="off")
                self._connection.add_termination_listener(self._lost)
                await self._connection.add_listener(CHANNEL, self._heard)
            return self._connection

    async def _keep_listening(self) -> None:
        while True:
            await self._gone.wait()
            try:
                await self._connected()
            except TROUBLE as error:
                log.debug("no words for a while: %s", error)
                await asyncio.sleep(PAUSE)

    def _lost(self, _: Any) -> None:  # noqa: ANN401 - the connection
        self._gone.set()

    def _heard(self, *notification: Any) -> None:  # noqa: ANN401 - the driver's four arguments
        for word in str(notification[-1]).split("\n"):
            for hear in self._hear:
                hear(word)


def _parts(words: Sequence[str]) -> Iterator[str]:
    """Join words into as few notifications as hold them."""
    part = ""
    for word in words:
        if part and len(f"{part}\n{word}".encode()) > LARGEST:
            yield part
            part = word
        else:
            part = f"{part}\n{word}" if part else word
    if part:
        yield part
