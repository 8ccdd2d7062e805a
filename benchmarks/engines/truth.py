"""What really happened, and what was wrong with it: pure, so that tests can plant damage and see it found."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class Handled:
    """One event as its handler wrote it down; times are seconds since 1970."""

    lane: str
    number: int
    sent: float
    begun: float
    ended: float
    worker: str


@dataclass(frozen=True, slots=True)
class Damage:
    """How many events of a lane ran before an older one, beside another, more than once, or not at all."""

    disorder: int = 0
    overlaps: int = 0
    doubled: int = 0
    lost: int = 0

    def __add__(self, other: "Damage") -> "Damage":
        return Damage(
            self.disorder + other.disorder,
            self.overlaps + other.overlaps,
            self.doubled + other.doubled,
            self.lost + other.lost,
        )


def damage_of(handled: Iterable[Handled], expected: Mapping[str, int]) -> Damage:
    """Compare what was handled with the events 0 to n-1 that each lane was given."""
    lanes: dict[str, list[Handled]] = defaultdict(list)
    for each in handled:
        lanes[each.lane].append(each)
    return sum((_of_lane(lanes[lane], count) for lane, count in expected.items()), Damage())


def _of_lane(handled: Sequence[Handled], count: int) -> Damage:
    by_time = sorted(handled, key=lambda each: each.begun)
    times = Counter(each.number for each in handled)
    # The first run of each event is what its place in the order is judged by: a repeat is counted as that alone.
    first = sorted({each.number: each for each in reversed(by_time)}.values(), key=lambda each: each.begun)
    return Damage(
        disorder=sum(later.number < earlier.number for earlier, later in pairwise(first)),
        overlaps=sum(later.begun < earlier.ended for earlier, later in pairwise(by_time)),
        doubled=sum(runs - 1 for runs in times.values()),
        lost=sum(number not in times for number in range(count)),
    )


def latencies(handled: Iterable[Handled]) -> tuple[float, float]:
    """Milliseconds from handing an event in to its handler: the median and the 99th of a hundred."""
    waited = sorted((each.begun - each.sent) * 1000 for each in handled)
    return waited[len(waited) // 2], waited[min(len(waited) - 1, int(len(waited) * 0.99))]


def drain(handled: Sequence[Handled]) -> float:
    """Seconds from the first handler's beginning to the last one's end."""
    return max(each.ended for each in handled) - min(each.begun for each in handled)
