"""Keeps the loop short: of a crowd only so many go on in one round as leave time for all else, heartbeats first."""

import asyncio
from collections import deque

ROUND_SECONDS = 0.02
"""How long those who go on in one round may take together, judged by those who went on before them."""
FEW = 8
"""How many go on in one round where nobody knows yet what they take."""


class Turnstile:
    """Passed before each larger piece of work. Nobody waits where there is no crowd; a crowd passes in its order.

    A loop runs all that is ready before it looks at its clocks and sockets again: a thousand messages that came at
    once would be a second in which no heartbeat is answered. Within one loop at a time.
    """

    def __init__(self, *, most: int = FEW) -> None:
        """Nobody waits yet. `most` go on in one round at most: more than a few only where each takes much the same."""
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._most = most
        self._room = min(FEW, most)
        self._passed = 0
        self._woken = 0
        self._began = 0.0
        self._ending = False

    async def passed(self) -> None:
        """Return when it is one's turn: at once, or some rounds of the loop later."""
        loop = asyncio.get_running_loop()
        if not self._ending:
            self._end_later(loop)
        if not self._waiting and self._passed < self._room:
            self._passed += 1
            return
        turn = loop.create_future()
        self._waiting.append(turn)
        await turn

    def _end_later(self, loop: asyncio.AbstractEventLoop) -> None:
        self._ending = True
        loop.call_soon(self._end_round, loop)

    def _begin(self, loop: asyncio.AbstractEventLoop) -> None:
        self._began = loop.time()

    def _end_round(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._woken:
            self._room = self._room_for(loop.time() - self._began)
        passed, self._passed, self._woken, self._ending = self._passed, 0, 0, False
        # A loop keeps the order of what it is told to run soon: between this and the end it runs the woken alone.
        loop.call_soon(self._begin, loop)
        while self._waiting and self._woken < self._room:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                self._woken += 1
        self._passed = self._woken
        if passed or self._waiting or self._woken:
            self._end_later(loop)

    def _room_for(self, took: float) -> int:
        """How many have room in the next round, if each takes what the last ones took."""
        fit = int(self._woken * ROUND_SECONDS / took) if took > 0 else self._most
        return max(1, min(fit, 2 * self._room, self._most))
