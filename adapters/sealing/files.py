"""What sealing asks of the file system: files nobody else reads, names that outlive a power cut, a lock."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.errors import KeyringError, StoreError

PATIENCE = 10.0
"""Seconds a writer waits for another; a write takes milliseconds."""


def require_private(path: Path) -> None:
    """Refuse a file that its group or others may read or write."""
    if path.stat().st_mode & 0o077:
        raise KeyringError(f"{path} is open to other users of this machine: run  chmod 600 {path}")


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable: a file's own fsync does not keep its name."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock file at `path`; blocks, so call it in a thread. The system lets go of it when a process dies."""
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _acquire(file, path)
        yield
    finally:
        os.close(file)


def _acquire(file: int, path: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise StoreError(f"another process has held {path} for {PATIENCE:.0f} s") from None
            time.sleep(0.002)
