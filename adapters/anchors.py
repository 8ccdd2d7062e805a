"""Where the audit log ended, line by line in a file outside the store: a log cut short does not reach up to it."""

import asyncio
import logging
import os

from core.audit_chain import Anchored
from core.errors import BadInputError

log = logging.getLogger(__name__)


class AnchorFile:
    """A `core.audit_chain.Anchor` that appends `NUMBER LINK` to a file, and says the same to the log of the program.

    It guards as far as whoever changes the store cannot change the file, or what collects the log.
    """

    def __init__(self, path: str | None, *, every: int) -> None:
        """Keep the end at each `every`-th line, in the log alone where there is no path."""
        self._path = path
        self._every = every
        self._kept = 0

    async def keep(self, seq: int, link: bytes, *, always: bool) -> None:
        """Keep the end of the log; see `core.audit_chain.Anchor`."""
        if not always and seq // self._every <= self._kept // self._every:
            return
        self._kept = seq
        log.info("the audit log ends in line %d, link %s", seq, link.hex())
        if self._path is None:
            return
        try:
            await asyncio.to_thread(_append, self._path, f"{seq} {link.hex()}\n")
        except OSError as error:
            log.error("the end of the audit log cannot be kept at %s: %s", self._path, error.strerror)

    async def kept(self) -> list[Anchored]:
        """What was kept in the file; nothing where there is no path."""
        return await asyncio.to_thread(read_anchors, self._path) if self._path else []


def read_anchors(path: str) -> list[Anchored]:
    """Read what was kept in a file; none where there is no file. A last line that was cut off by a crash is left out.

    Raises BadInputError for a file that holds anything else.
    """
    try:
        with open(path, encoding="ascii") as file:
            lines = file.read().split("\n")
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise BadInputError(f"the anchors at {path} cannot be read: {error}") from error
    return [_anchored(line, path) for line in lines[:-1]]


def _anchored(line: str, path: str) -> Anchored:
    try:
        seq, link = line.split(" ")
        return Anchored(int(seq), bytes.fromhex(link))
    except ValueError as error:
        raise BadInputError(f"the anchors at {path} hold {line[:40]!r}: a number and a link are expected") from error


def _append(path: str, line: str) -> None:
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(file, line.encode())
    finally:
        os.close(file)
