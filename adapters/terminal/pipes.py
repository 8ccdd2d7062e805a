"""Lines in and lines out of a file descriptor, each from a thread of its own: a slow pipe never holds up the loop.

The threads use the descriptors alone, not `sys.stdin` or `sys.stdout`: a thread that waits in one of those at the end
of the program holds its lock, and the interpreter dies of it.
"""

import asyncio
import contextlib
import os
import queue
import select
import threading
from collections.abc import AsyncIterator

LONGEST = 16 * 1024 * 1024
"""Bytes of a line that are kept; one byte more tells that there were more."""

_CHUNK = 65_536
_CHUNKS_AHEAD = 16


async def read_lines(fd: int) -> AsyncIterator[bytes]:
    """Yield each line that comes in, without its newline, to the end of the input."""
    begun = bytearray()
    async for chunk in _chunks(fd):
        first, *rest = chunk.split(b"\n")
        begun += first[: LONGEST + 1 - len(begun)]
        for part in rest:
            yield bytes(begun)
            begun = bytearray(part)
    if begun:
        yield bytes(begun)


async def _chunks(fd: int) -> AsyncIterator[bytes]:
    loop = asyncio.get_running_loop()
    arrived: asyncio.Queue[bytes] = asyncio.Queue()
    room = threading.Semaphore(_CHUNKS_AHEAD)
    threading.Thread(target=_read_on, args=(fd, room, loop, arrived), name="input", daemon=True).start()
    while chunk := await arrived.get():
        yield chunk
        room.release()


def _read_on(
    fd: int, room: threading.Semaphore, loop: asyncio.AbstractEventLoop, arrived: asyncio.Queue[bytes]
) -> None:
    chunk = b"something"
    while chunk:
        room.acquire()
        try:
            chunk = os.read(fd, _CHUNK)
        except OSError:  # a terminal that was hung up ends like a file
            chunk = b""
        try:
            loop.call_soon_threadsafe(arrived.put_nowait, chunk)
        except RuntimeError:  # the loop is closed: nobody listens any more
            return


class LineSink:
    """Writes lines in the order they are given, each whole. Open it with `async with`."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._lines: queue.SimpleQueue[tuple[bytes, asyncio.Future[None] | None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._write_on, name="output", daemon=True)

    async def __aenter__(self) -> "LineSink":
        self._loop = asyncio.get_running_loop()
        self._gone: asyncio.Future[OSError] = self._loop.create_future()
        self._thread.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._lines.put(None)
        # A reader that takes nothing more is not waited for: who wants all to arrive calls `flush` before.
        await asyncio.to_thread(self._thread.join, 1)
        self._gone.cancel()

    def send(self, line: bytes) -> None:
        """Take a line and return at once; it is written after those before it."""
        self._lines.put((line + b"\n", None))

    async def write(self, line: bytes) -> None:
        """Return when the line is written; OSError when it cannot be."""
        await self._put(line + b"\n")

    async def flush(self) -> None:
        """Return when all lines are written; OSError when they cannot be."""
        await self._put(b"")

    async def gone(self) -> OSError:
        """Wait until the reader of the lines has gone away, if ever, and say how."""
        return await asyncio.shield(self._gone)

    async def _put(self, content: bytes) -> None:
        written: asyncio.Future[None] = self._loop.create_future()
        self._lines.put((content, written))
        await written

    def _write_on(self) -> None:
        failure: OSError | None = None
        while entry := self._lines.get():
            content, written = entry
            failure = failure or self._write_whole(content)
            if failure is None and written is None:
                continue
            # The loop may be closed by now: then nobody waits for the line.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._tell, written, failure)

    def _write_whole(self, content: bytes) -> OSError | None:
        rest = memoryview(content)
        while rest:
            try:
                rest = rest[os.write(self._fd, rest) :]
            except BlockingIOError:
                select.select((), (self._fd,), ())
            except OSError as error:
                return error
        return None

    def _tell(self, written: asyncio.Future[None] | None, failure: OSError | None) -> None:
        if failure is not None and not self._gone.done():
            self._gone.set_result(failure)
        if written is None or written.done():
            return
        if failure is None:
            written.set_result(None)
        else:
            written.set_exception(failure)
