"""Working until a signal says to leave."""

import asyncio
import signal
from collections.abc import Callable, Coroutine
from contextlib import suppress


async def until_told(work: Coroutine[None, None, None], *, interrupt: Callable[[], bool], interrupted: int) -> int:
    """Work to the end, or until a signal says to leave: what was begun is then given back. Returns the exit code.

    `interrupt` is asked first at Ctrl-C: where it says that it dealt with it, the work goes on.
    """
    task = asyncio.ensure_future(work)
    told: list[int] = []

    def leave(code: int) -> None:
        # Once: a second signal must not cut off what the first one set going.
        if not told:
            told.append(code)
            task.cancel()

    def on_interrupt() -> None:
        if not interrupt():
            leave(interrupted)

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGHUP):
        # Not as the loop's own handler: with the loop that goes too, and a second signal would kill what is ending.
        signal.signal(number, lambda *_: _soon(loop, leave))
    loop.add_signal_handler(signal.SIGINT, on_interrupt)
    await asyncio.wait((task,))
    if told and task.cancelled():
        return told[0]
    await task
    return 0


def _soon(loop: asyncio.AbstractEventLoop, leave: Callable[[int], None]) -> None:
    with suppress(RuntimeError):  # the loop has ended
        loop.call_soon_threadsafe(leave, 0)
