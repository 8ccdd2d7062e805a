"""Waiting at a start for the server that keeps a keyring."""

import asyncio
import logging
import random
import time
from collections.abc import Callable
from typing import TypeVar

from core.errors import KeyringAwayError

log = logging.getLogger(__name__)
AnswerT = TypeVar("AnswerT")

FIRST_PAUSE, LONGEST_PAUSE = 0.05, 2.0


async def patiently(attempt: Callable[[], AnswerT], seconds: float) -> AnswerT:
    """Do in a thread what asks a keyring, again while its server is away; KeyringAwayError after so many seconds."""
    end, pause = time.monotonic() + seconds, FIRST_PAUSE
    while True:
        try:
            return await asyncio.to_thread(attempt)
        except KeyringAwayError as error:
            left = end - time.monotonic()
            if left <= 0:
                raise KeyringAwayError(f"{error} (tried for {seconds:g} s)" if seconds else str(error)) from error
            if pause == FIRST_PAUSE:
                log.warning("%s; trying for %g s", error, seconds)
        await asyncio.sleep(min(pause * random.uniform(0.8, 1.2), left))  # noqa: S311 - spreads retries only
        pause = min(pause * 2, LONGEST_PAUSE)
