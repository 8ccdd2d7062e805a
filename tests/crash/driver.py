"""The process under test: forked from the warm bench, spoken to through pipes, ended by signals.

A cold start costs 1.8 s of imports. The bench imports everything and opens nothing, so a fork of it is a desk that was
just started: it makes its own loop, threads and files. Nothing here knows of desks: any program can be driven.
"""

import contextlib
import gc
import json
import os
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn, Self

from tests.crash.truth import Line

Program = Callable[[], int]
"""What the forked process does; it returns its exit status."""


class Process:
    """A program in a process of its own, with a pipe in, a pipe out and a file for what it logs.

    `status` is None while it runs, then its exit status, or minus the signal that ended it. On leaving the `with` block
    it is killed if it still runs.
    """

    def __init__(self, program: Program, *, log: Path) -> None:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        gc.freeze()  # the collector then leaves alone the pages that both share
        to_child, self._in = os.pipe()
        self._out, from_child = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self._in)
            os.close(self._out)
            _become(program, fds=(to_child, from_child), log=log)
        os.close(to_child)
        os.close(from_child)
        os.set_blocking(self._in, False)
        self._unsent = bytearray()
        self._begun = b""
        self.status: int | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.finish(0)

    def fileno(self) -> int:
        """What is readable when something comes out."""
        return self._out

    def send(self, line: Line) -> None:
        """Hand a line in; what the pipe does not take now goes with the next call."""
        self._unsent += json.dumps(line).encode() + b"\n"
        self._push()

    def hear(self, seconds: float) -> list[Line]:
        """The lines that come out, waited for at most so long."""
        *whole, self._begun = (self._begun + self.read(seconds)).split(b"\n")
        # What stands after the last newline was torn by a kill, or its end is yet to come.
        return [json.loads(line) for line in whole]

    def read(self, seconds: float) -> bytes:
        """What comes out, waited for at most so long."""
        self._push()
        if self.status is not None or not select.select([self._out], [], [], max(seconds, 0))[0]:
            return b""
        chunk = os.read(self._out, 1 << 20)
        if not chunk:
            self._reap()
        return chunk

    def end_input(self) -> None:
        """Tell the program that nothing more comes."""
        if self._unsent:
            os.set_blocking(self._in, True)
            self._push()
        self._close_input()

    def signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if self.status is None:
            os.kill(self.pid, number)

    def heeds(self, number: int) -> bool:
        """Whether it listens to a signal by now, as far as one can tell: a process that begins simply ends of it."""
        try:
            status = Path(f"/proc/{self.pid}/status").read_text()
        except OSError:
            return True
        caught = next(line.split()[1] for line in status.splitlines() if line.startswith("SigCgt:"))
        return bool(int(caught, 16) >> (number - 1) & 1)

    def finish(self, seconds: float) -> list[Line]:
        """The rest of what comes out, to its end; killed where it does not end within so long."""
        deadline = time.monotonic() + seconds
        lines: list[Line] = []
        while self.status is None:
            if time.monotonic() >= deadline:
                self.signal(signal.SIGKILL)
            lines += self.hear(0.2)
        return lines

    def _push(self) -> None:
        try:
            while self._unsent:
                del self._unsent[: os.write(self._in, self._unsent)]
        except BlockingIOError:
            return
        except OSError:  # it is gone; that shows at the end of its output
            self._unsent.clear()

    def _reap(self) -> None:
        os.close(self._out)
        self._close_input()
        _, status = os.waitpid(self.pid, 0)
        self.status = os.waitstatus_to_exitcode(status)

    def _close_input(self) -> None:
        if self._in >= 0:
            os.close(self._in)
            self._in = -1


def run(program: Program, *, log: Path, seconds: float = 60) -> tuple[int, bytes]:
    """Run a program that needs no input; its exit status and all that it wrote."""
    written = b""
    deadline = time.monotonic() + seconds
    with Process(program, log=log) as process:
        process.end_input()
        while process.status is None and time.monotonic() < deadline:
            written += process.read(0.2)
    return process.status or 0, written


def _become(program: Program, *, fds: tuple[int, int], log: Path) -> NoReturn:
    status = 70
    try:
        errors = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        for number, fd in enumerate((*fds, errors)):
            os.dup2(fd, number)
            os.close(fd)
        sys.stdin, sys.stdout, sys.stderr = os.fdopen(0), os.fdopen(1, "w"), os.fdopen(2, "w")
        status = program()
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        # Not `sys.exit`: what the bench has registered for its own end is not the program's.
        os._exit(status)
