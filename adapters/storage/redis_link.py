"""One connection to a Redis server, held for good: commands go over together, their answers come back in that order.

The driver makes it, and makes it again where it was cut. Its pool and its own packing of commands are left out: they
took a tenth of a session's turn.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

from adapters.redis_server import ANSWERED_WITHIN, clear_errors, driver

Command = Sequence[bytes | str | int]


class Link:
    """A connection by itself, opened at its first use. One exchange at a time."""

    def __init__(self, name: str, connection: Any) -> None:  # noqa: ANN401 - the driver's
        """`name` says in errors which server it is."""
        from hiredis import pack_command

        self._name = name
        self._connection = connection
        self._pack: Any = pack_command  # its types know only commands of one word
        self._refused = driver().exceptions.ResponseError
        self._turn = asyncio.Lock()

    async def exchange(self, commands: Sequence[Command]) -> list[Any]:
        """Send commands and read all answers; what the server refuses stands, as an error, where its answer would.

        Raises StoreError where there is no answer: each command may have been done or not.
        """
        async with self._turn:
            with clear_errors(self._name):
                return await self._exchange(commands)

    async def close(self) -> None:
        """Disconnect."""
        async with self._turn:
            with clear_errors(self._name):
                await self._connection.disconnect()

    async def _exchange(self, commands: Sequence[Command]) -> list[Any]:
        connection = self._connection
        try:
            async with asyncio.timeout(ANSWERED_WITHIN):
                # What can be read before anything was asked is the end of a connection that was cut meanwhile.
                if connection.is_connected and await connection.can_read():
                    await connection.disconnect(nowait=True)
                await connection.send_packed_command(
                    [self._pack(tuple(command)) for command in commands], check_health=False
                )
                return [await self._answer() for _ in commands]
        except BaseException:
            # What is still to be read must not be taken for the answer to something else.
            await connection.disconnect(nowait=True)
            raise

    async def _answer(self) -> Any:  # noqa: ANN401 - the driver's
        try:
            return await self._connection.read_response()
        except self._refused as error:
            return error
