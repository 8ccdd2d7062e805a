"""Locks between processes, on a file of their own; the system frees them when their process ends, however it ends."""

import fcntl
import os
import random
import time
from types import TracebackType

from core.errors import StoreError

_FIRST_PAUSE, _LONGEST_PAUSE = 0.0002, 0.005


class FileLock:
    """An exclusive lock among all that open the same path, in this process and others. For one thread at a time."""

    def __init__(self, path: str, *, patience: float = 30.0) -> None:
        """Open the lock's file, made with mode 0600 where it is not there; `patience` is in seconds."""
        self._path = path
        self._patience = patience
        self._file = open(path, "r+b", buffering=0, opener=_open_private)  # noqa: SIM115 - closed by `close`

    def __enter__(self) -> None:
        """Wait for the lock. Raises StoreError where it is not free within the lock's patience."""
        deadline = time.monotonic() + self._patience
        pause = _FIRST_PAUSE
        # Asking again and again instead of waiting in the kernel: a wait there has no time-out.
        while not self._try():
            if time.monotonic() > deadline:
                raise StoreError(f"another process has held {self._path} for over {self._patience:.0f} s: end it first")
            time.sleep(pause * random.uniform(0.5, 1))  # noqa: S311 - spreads the tries, guards nothing
            pause = min(pause * 2, _LONGEST_PAUSE)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Let the lock go."""
        fcntl.flock(self._file, fcntl.LOCK_UN)

    def close(self) -> None:
        """Let go of the lock, if it is held, and of its file."""
        self._file.close()

    def _try(self) -> bool:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CREAT, 0o600)
