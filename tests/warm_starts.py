"""Processes that start in no time: forks of one that has imported everything, by the fork server of `multiprocessing`.

A cold start is two and a half seconds of work, nearly all of it the import of the Agents SDK. What starts here is a
process of its own, with its own folder, environment and standard files, and dies by the same signals.
"""

import asyncio
import contextlib
import io
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from importlib import import_module
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from pathlib import Path

ROOT = Path(__file__).parents[1]
_FORKS = multiprocessing.get_context("forkserver")


class WarmStart:
    """A function of a module that takes words, run as a program; `pipes` are its standard files, on our side."""

    def __init__(self, main, *words, folder, env, given=False):
        """`main` is `module:function`; `given` says that something is written to its standard input."""
        theirs, self.pipes = zip(_pipe(writes=True), _pipe(), _pipe(), strict=True)
        if not given:
            os.close(self.pipes[0])
        self._process = _FORKS.Process(target=_become, args=(main, words, str(folder), dict(env), theirs))
        _serve()
        self._process.start()
        for end in theirs:
            end.close()
        self.pid = self._process.pid
        self.ended = self._process.sentinel

    @property
    def returncode(self):
        return self._process.exitcode

    def send_signal(self, number):
        if self.returncode is None:
            os.kill(self.pid, number)

    def kill(self):
        self.send_signal(signal.SIGKILL)

    def join(self, timeout=None):
        self._process.join(timeout)
        return self.returncode


class Started(WarmStart):
    """One that is used like a `subprocess.Popen` with pipes."""

    def __init__(self, main, *words, folder, env):
        super().__init__(main, *words, folder=folder, env=env, given=True)
        self.stdin, self.stdout, self.stderr = (
            os.fdopen(number, mode) for number, mode in zip(self.pipes, ("wb", "rb", "rb"), strict=True)
        )

    def __enter__(self):
        return self

    def __exit__(self, *error):
        for file in (self.stdin, self.stdout, self.stderr):
            with contextlib.suppress(BrokenPipeError):
                file.close()
        self.join()

    def wait(self, timeout):
        if self.join(timeout) is None:
            raise subprocess.TimeoutExpired("a warm start", timeout)
        return self.returncode

    def communicate(self, said=b"", timeout=None):
        read = [_Reading(file) for file in (self.stdout, self.stderr)]
        with contextlib.suppress(BrokenPipeError):
            self.stdin.write(said)
            self.stdin.close()
        self.wait(timeout)
        return tuple(reading.all() for reading in read)


class _Reading(threading.Thread):
    def __init__(self, file):
        super().__init__(daemon=True)
        self._file, self._read = file, b""
        self.start()

    def run(self):
        self._read = self._file.read()

    def all(self):
        self.join()
        return self._read


class StartedBeside(WarmStart):
    """One that is used like an `asyncio.subprocess.Process` with pipes, made by `beside`."""

    @classmethod
    async def beside(cls, main, *words, folder, env):
        process = cls(main, *words, folder=folder, env=env)
        process.stdout, process.stderr = [await process._reader(number) for number in process.pipes[1:]]
        return process

    async def _reader(self, number):
        reader = asyncio.StreamReader()
        file = os.fdopen(number, "rb", buffering=0)
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), file)
        return reader

    async def wait(self):
        ended, loop = asyncio.Event(), asyncio.get_running_loop()
        loop.add_reader(self.ended, ended.set)
        try:
            await ended.wait()
        finally:
            loop.remove_reader(self.ended)
        return self.join()

    async def communicate(self):
        read = await asyncio.gather(self.stdout.read(), self.stderr.read())
        await self.wait()
        return tuple(read)


def run(main, *words, env=None, timeout):
    """Run it to its end in the project's folder; what it wrote is text."""
    with Started(main, *words, folder=ROOT, env=env or os.environ) as process:
        try:
            out, err = process.communicate(timeout=timeout)
        finally:
            process.kill()
    return subprocess.CompletedProcess(words, process.returncode, out.decode(), err.decode())


def _pipe(*, writes=False):
    """Their end, to be handed over, and ours."""
    read, write = os.pipe()
    return (Connection(read, writable=False), write) if writes else (Connection(write, readable=False), read)


def _serve():
    """Have the fork server. It is found as everything else is, so it starts in the project's folder."""
    forkserver.set_forkserver_preload(["tests.warm_imports"])
    with contextlib.chdir(ROOT):
        forkserver.ensure_running()


def _become(main, words, folder, env, ends):
    for number, end in enumerate(ends):
        os.dup2(end.fileno(), number)
        end.close()
    os.environ.clear()
    os.environ.update(env)
    os.chdir(folder)
    sys.path[:] = [path for path in sys.path if path]
    sys.argv = [main, *words]
    sys.stdin = io.TextIOWrapper(os.fdopen(0, "rb", closefd=False))
    sys.stdout, sys.stderr = (
        io.TextIOWrapper(os.fdopen(number, "wb", closefd=False), errors=errors, line_buffering=number == 2)
        for number, errors in ((1, "strict"), (2, "backslashreplace"))
    )
    module, function = main.split(":")
    sys.exit(getattr(import_module(module), function)(list(words)))
