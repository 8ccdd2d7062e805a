"""A count of all writes to a store, in memory its processes share: to ask whether others wrote costs no I/O."""

import mmap
import os
import struct
from types import TracebackType

_COUNT = struct.Struct("=Q")


class WriteStamp:
    """Counts the writes to one store: odd while somebody writes, even after. The caller holds the store's write lock.

    What this process wrote is taken off, so the number it sees changes by the writes of others only. It is raised
    before a write and after it: a process that dies in between leaves it odd, and the next writer makes it even.
    """

    def __init__(self, path: str | None) -> None:
        """Share the first bytes of the file at `path`, which is there; None is for a store nobody shares."""
        self._own = 0
        self._shared: bytearray | mmap.mmap = bytearray(_COUNT.size) if path is None else _shared_bytes(path)

    def seen(self) -> int:
        """A number that changes when others write, and is odd while they do. Any thread may ask."""
        count: int = _COUNT.unpack_from(self._shared)[0]
        return count - self._own

    def __enter__(self) -> None:
        """Begin a write."""
        count: int = _COUNT.unpack_from(self._shared)[0]
        self._raise(count + count % 2)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End it, before anyone is told that it was done."""
        self._raise(_COUNT.unpack_from(self._shared)[0])

    def close(self) -> None:
        """Let go of the file; what was seen last stays."""
        shared, self._shared = self._shared, bytearray(self._shared[: _COUNT.size])
        if isinstance(shared, mmap.mmap):
            shared.close()

    def _raise(self, count: int) -> None:
        self._own += 1
        _COUNT.pack_into(self._shared, 0, count + 1)


def _shared_bytes(path: str) -> mmap.mmap:
    file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        if os.fstat(file).st_size < _COUNT.size:
            os.truncate(file, _COUNT.size)
        return mmap.mmap(file, _COUNT.size)
    finally:
        os.close(file)
