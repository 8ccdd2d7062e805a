"""Looking, again and again and in a thread, for what other processes erased."""

import logging
import threading
from collections.abc import Callable

from core.errors import DeskError

log = logging.getLogger(__name__)

LEAST = 0.01
"""Seconds between two looks at least."""


class Watch:
    """Calls `look` every `within()` seconds until it is closed; nothing waits for it."""

    def __init__(self, look: Callable[[], None], within: Callable[[], float]) -> None:
        self._look = look
        self._within = within
        self._ended = threading.Event()
        self._failing = False
        self._thread = threading.Thread(target=self._run, name="keyring erasures", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End, and wait for the look that goes on."""
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(max(self._within(), LEAST)):
            try:
                self._look()
                self._failing = False
            except DeskError as error:
                # What is in memory stays in use: else nobody is served while the keyring is away.
                if not self._failing:
                    log.warning("whether keys were erased cannot be told: %s", error)
                self._failing = True
