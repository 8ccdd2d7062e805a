"""Bots as people start them, beside a test's own loop."""

import asyncio
import signal
from contextlib import asynccontextmanager

from tests.bots.command_line import MAIN, PATIENCE, environment
from tests.warm_starts import StartedBeside


async def deskmate(folder, *args, **settings):
    return await StartedBeside.beside(MAIN, *args, folder=folder, env=environment(folder, **settings))


async def finished(process):
    try:
        async with asyncio.timeout(PATIENCE):
            out, err = await process.communicate()
    finally:
        await ended(process)
    return process.returncode, out.decode(), err.decode()


async def ended(process):
    if process.returncode is None:
        process.kill()
        await process.wait()


@asynccontextmanager
async def running(folder, *args, **settings):
    """A bot that is told to leave at the end, and does so in good order."""
    process = await deskmate(folder, *args, **settings)
    try:
        yield process
        process.send_signal(signal.SIGTERM)
        code, _, err = await finished(process)
        assert code == 0, err
    finally:
        await ended(process)


async def line_of(process):
    """The next line that is said to the operator."""
    async with asyncio.timeout(PATIENCE):
        return (await process.stdout.readline()).decode().rstrip("\n")


async def complaint_of(process, words):
    """The next line on stderr that holds these words."""
    async with asyncio.timeout(PATIENCE):
        while line := (await process.stderr.readline()).decode():
            if words in line:
                return line.rstrip("\n")
    raise AssertionError(f"nobody said {words!r}")
