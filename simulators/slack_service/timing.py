"""How long the service waits, and when it tries again."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds until an event counts as unanswered, and the pause before each further attempt.

    The defaults are Slack's own: three seconds, then at once, after a minute, after five.
    """

    acknowledge: float = 3.0
    retries: tuple[float, ...] = (0.0, 60.0, 300.0)

    @classmethod
    def quick(cls) -> "Timing":
        """Give a clock for tests: as many attempts, no pauses."""
        return cls(acknowledge=0.5, retries=(0.0, 0.01, 0.02))
