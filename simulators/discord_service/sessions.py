"""Gateway sessions: numbered events, kept so that a lost socket can be taken up again."""

import json
from collections import deque
from dataclasses import dataclass, field

from simulators.discord_service.model import Json
from simulators.discord_service.sockets import Link

KEPT = 1000


@dataclass(slots=True)
class Session:
    """One session of the app: what it subscribed to, what it was sent, and its socket while it has one."""

    id: str
    intents: int
    shard: tuple[int, int]
    seq: int = 0
    sent: deque[tuple[int, str]] = field(default_factory=lambda: deque(maxlen=KEPT))
    link: Link | None = None

    def dispatch(self, name: str, data: Json, *, twice: bool = False) -> None:
        """Number an event, keep it, and send it if somebody listens."""
        self.seq += 1
        frame = json.dumps({"op": 0, "s": self.seq, "t": name, "d": data})
        self.sent.append((self.seq, frame))
        if self.link:
            self.link.send(frame)
            if twice:
                self.link.send(frame)

    def replay(self, seq: int) -> None:
        """Send again what came after a number."""
        for number, frame in self.sent:
            if number > seq and self.link:
                self.link.send(frame)

    def covers(self, guild: str) -> bool:
        """Tell whether a guild is of this session's shard; direct messages are of shard 0."""
        number, count = self.shard
        return (int(guild) >> 22) % count == number if guild else number == 0
