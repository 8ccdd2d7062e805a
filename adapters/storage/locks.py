"""The locks of a store's file: one round every write, one for life."""

import os

from adapters import file_locks
from core.errors import StoreBusyError


class FileLock(file_locks.FileLock):
    """A lock that can also be held for life, by the one desk that works a store."""

    def hold(self, what: str) -> None:
        """Take the lock until `close`. Raises StoreBusyError at once where another one has it."""
        if not self._try():
            holder = self._file.read(20).decode(errors="replace").strip()
            raise StoreBusyError(
                f"{what} is worked by another desk (process {holder}): stop that one, or set DESK_STORE to another file"
            )
        self._file.truncate(0)
        self._file.write(f"{os.getpid()}\n".encode())
