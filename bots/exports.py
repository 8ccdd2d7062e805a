"""Writing exports: a whole file or none."""

import json
import os
import sys
from collections.abc import AsyncIterator
from typing import Any

from core.errors import BadInputError


async def write_lines(path: str, values: AsyncIterator[dict[str, Any]]) -> int:
    """Write values as lines of JSON to a new file (mode 0600) or, for `-`, to the terminal; returns how many.

    A file that cannot be finished is taken away again. Raises BadInputError where it is there already.
    """
    if path == "-":
        return await _write(sys.stdout.fileno(), values)
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise BadInputError(f"{path} is there already: name a new file") from None
    try:
        count = await _write(file, values)
        os.fsync(file)
    except BaseException:
        os.unlink(path)
        raise
    finally:
        os.close(file)
    return count


async def _write(file: int, values: AsyncIterator[dict[str, Any]]) -> int:
    count = 0
    async for value in values:
        line = f"{json.dumps(value)}\n".encode()
        while line:
            line = line[os.write(file, line) :]
        count += 1
    return count
