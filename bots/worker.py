"""`deskmate worker`: works what other processes on the same store accept; they say what it answers."""

import asyncio

from bots.assemble import open_desk
from bots.collecting import collecting_aside
from bots.leaving import until_told
from bots.settings import store_file
from core.config import Settings
from core.errors import ConfigError


def run_worker(settings: Settings) -> int:
    """Work until told to leave; returns the exit code. Raises ConfigError for a store that one process holds alone."""
    if store_file(settings) is not None:
        raise ConfigError("one process holds a SQLite file: set DESK_STORE=postgresql://... to work it with several")
    if settings.store == "memory:":
        raise ConfigError("one process holds what is in its memory: set DESK_STORE=postgresql://... for several")
    return asyncio.run(until_told(_work(settings), interrupt=lambda: False, interrupted=0))


async def _work(settings: Settings) -> None:
    async with open_desk(settings, [], serving=True) as desk, collecting_aside():
        print(f"Working, up to {settings.work.turns_at_once} turns at once.", flush=True)
        await desk.until_outdated()
