"""One socket: frames leave it in order, compressed if that was agreed."""

import asyncio
import json
import zlib
from collections.abc import Callable

from aiohttp import web

from simulators.discord_service.model import Json


class Link:
    """The sending side of a socket."""

    def __init__(self, socket: web.WebSocketResponse, request: web.Request, tell: Callable[[], None]) -> None:
        self._socket = socket
        self._wire = request.transport
        self._tell = tell
        self._packer = zlib.compressobj() if request.query.get("compress") == "zlib-stream" else None
        self._waiting: asyncio.Queue[str | int] = asyncio.Queue()
        self.unwritten = 0

    def send(self, frame: Json | str) -> None:
        """Queue a frame; text is sent as it is."""
        self._put(frame if isinstance(frame, str) else json.dumps(frame))

    def close(self, code: int) -> None:
        """Close the socket once everything queued is written."""
        self._put(code)

    def abort(self) -> None:
        """Cut the wire without a word."""
        if self._wire is not None:
            self._wire.abort()

    async def write(self) -> None:
        """Write what is queued, until the socket is closed."""
        while not self._socket.closed:
            item = await self._waiting.get()
            try:
                await self._write(item)
            except ConnectionError:
                return
            finally:
                self.unwritten -= 1
                self._tell()

    async def _write(self, item: str | int) -> None:
        if isinstance(item, int):
            await self._socket.close(code=item)
        elif self._packer is None:
            await self._socket.send_str(item)
        else:
            packed = self._packer.compress(item.encode()) + self._packer.flush(zlib.Z_SYNC_FLUSH)
            await self._socket.send_bytes(packed)

    def _put(self, item: str | int) -> None:
        self.unwritten += 1
        self._waiting.put_nowait(item)
        self._tell()
