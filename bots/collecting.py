"""Python's collector, kept from stopping a busy loop: what is old is looked through when nobody waits for it.

To look through all that a crowd of conversations holds takes tens of milliseconds, and Python does it in the middle of
any piece of work. Turns leave nothing for it: it only finds what went wrong in a way that nobody thought of.
"""

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

YOUNG = (700, 10)
"""Objects, and small collections, after which Python collects what is young: its own thresholds."""
NEVER = 1_000_000
LOOK_SECONDS = 5.0
"""How often it is looked whether nobody waits."""
AT_THE_LATEST = 60.0
ON_TIME = 0.003
"""A loop that wakes one up no later than that has nothing to do."""


@asynccontextmanager
async def collecting_aside() -> AsyncIterator[None]:
    """Collect what is old in quiet moments, as long as this is entered."""
    before = gc.get_threshold()
    # What was imported is no work for it: looking at it all took 130 ms in the middle of a request.
    gc.collect()
    gc.freeze()
    gc.set_threshold(*YOUNG, NEVER)
    collecting = asyncio.create_task(_collect_on())
    try:
        yield
    finally:
        collecting.cancel()
        with suppress(asyncio.CancelledError):
            await collecting
        gc.set_threshold(*before)
        gc.unfreeze()


async def _collect_on() -> None:
    loop = asyncio.get_running_loop()
    collected = loop.time()
    while True:
        due = loop.time() + LOOK_SECONDS
        await asyncio.sleep(LOOK_SECONDS)
        now = loop.time()
        if now - due < ON_TIME or now - collected >= AT_THE_LATEST:
            gc.collect()
            collected = loop.time()
