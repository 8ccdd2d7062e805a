"""Keeps the loop short: of a crowd only so many go on in one round as leave time for all else, heartbeats first."""

import asyncio
from collections import deque

ROUND_SECONDS = 0.02
"""A round of the loop that takes longer is crowded: then one goes on at a time."""
MOST = 8
"""How many go on in one round at most."""


class Turnstile:
    """Passed before each larger piece of work. Nobody waits where there is no crowd; a crowd passes in its order.

    A loop runs all that is ready before it looks at its clocks and sockets again: a thousand messages that came at
    once would be a second in which no heartbeat is answered. Within one loop at a time.
    """

    def __init__(self) -> None:
        """Nobody waits yet."""
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._passed = 0
        self._room = MOST
        self._round_began: float | None = None

    async def passed(self) -> None:
        """Return when it is one's turn: at once, or some rounds of the loop later."""
        loop = asyncio.get_running_loop()
        if self._round_began is None:
            self._begin_round(loop)
        if not self._waiting and self._passed < self._room:
            self._passed += 1
            return
        turn = loop.create_future()
        self._waiting.append(turn)
        await turn

    def _begin_round(self, loop: asyncio.AbstractEventLoop) -> None:
        self._round_began = loop.time()
        loop.call_soon(self._end_round, loop)

    def _end_round(self, loop: asyncio.AbstractEventLoop) -> None:
        took = loop.time() - (self._round_began or 0.0)
        self._room = MOST if took < ROUND_SECONDS else 1
        passed, self._passed, self._round_began = self._passed, 0, None
        while self._waiting and self._passed < self._room:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                self._passed += 1
        if passed or self._waiting or self._passed:
            self._begin_round(loop)
