"""How long things last."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds, as Discord has them: by the service's clock, except for heartbeats, which run on real time."""

    answer_within: float = 3.0
    """Until an interaction nobody answered is unknown."""
    token_life: float = 15 * 60.0
    """Until an interaction's token takes no more follow-ups."""
    nonce_window: float = 5 * 60.0
    """How long a nonce is remembered: "a few minutes" in Discord's words."""
    heartbeat: float = 41.25
    """What HELLO asks for; a socket silent for half as long again is closed."""
