"""What sealing asks of the file system: files nobody else reads, names that outlive a power cut, a lock."""

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from adapters.file_locks import FileLock
from core.errors import KeyringError

PATIENCE = 10.0
"""Seconds a writer waits for another; a write takes milliseconds."""


def require_private(path: Path, *, instead: str) -> None:
    """Refuse a folder, and a file that its group or others may read or write; `instead` is what else can be set."""
    if path.is_dir():
        raise KeyringError(f"{path} is a folder, where a file should be: move it away, or set {instead}")
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
    """Hold the lock file at `path`; blocks, so call it in a thread."""
    with closing(FileLock(str(path), patience=PATIENCE)) as lock, lock:
        yield
