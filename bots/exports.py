"""Writing exports: a whole file or none."""

import json
import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

from core.errors import BadInputError


async def write_lines(path: str, values: AsyncIterator[dict[str, Any]]) -> int:
    """Write values as lines of JSON to a new file (mode 0600) or, for `-`, to the terminal; returns how many.

    A file that cannot be finished is taken away again. Raises BadInputError where it is there already.
    """
    if path == "-":
        return await _write(sys.stdout.fileno(), values)
    with _new_file(path) as file:
        return await _write(file, values)


def write_text(path: str, text: str) -> None:
    """Write a text to a new file (mode 0600), or none. Raises BadInputError where it is there already."""
    with _new_file(path) as file:
        _write_all(file, text.encode())


@contextmanager
def _new_file(path: str) -> Iterator[int]:
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise BadInputError(f"{path} is there already: name a new file") from None
    try:
        yield file
        os.fsync(file)
    except BaseException:
        os.unlink(path)
        raise
    finally:
        os.close(file)


async def _write(file: int, values: AsyncIterator[dict[str, Any]]) -> int:
    count = 0
    async for value in values:
        _write_all(file, f"{json.dumps(value)}\n".encode())
        count += 1
    return count


def _write_all(file: int, content: bytes) -> None:
    while content:
        content = content[os.write(file, content) :]
