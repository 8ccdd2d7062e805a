"""Random nonces, drawn many at a time: one call of the system each costs a third of a seal, and the interpreter."""

import os
from collections import deque

SIZE = 12
"""Bytes of a nonce of AES-GCM (NIST SP 800-38D, 5.2.1.1)."""
_DRAWN = 512


class Nonces:
    """Gives each nonce once, in any thread; a forked process draws its own."""

    def __init__(self) -> None:
        """Draw nothing yet."""
        self._ready: deque[bytes] = deque()
        os.register_at_fork(after_in_child=self._ready.clear)

    def take(self) -> bytes:
        """Give the next one."""
        try:
            return self._ready.popleft()
        except IndexError:
            drawn = os.urandom(SIZE * _DRAWN)
            self._ready.extend(drawn[at : at + SIZE] for at in range(SIZE, len(drawn), SIZE))
            return drawn[:SIZE]


NONCES = Nonces()
"""Those of this process."""
