"""A desk as a queueing system, event by event: conversations, lanes, workers of some slots and one core, a slow model.

Pure and seeded: one seed gives one run. `growth.py` asks it how many workers ten million customers need.
"""

import heapq
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from math import log
from random import Random

Draw = Callable[[Random], float]
"""Draws a number of seconds."""


def exponential(mean: float) -> Draw:
    """Waits without a memory."""
    return lambda random: random.expovariate(1 / mean)


def lognormal(median: float, sigma: float) -> Draw:
    """What latencies look like: most near the median, some far above."""
    centre = log(median)
    return lambda random: random.lognormvariate(centre, sigma)


@dataclass(frozen=True, slots=True)
class Town:
    """Who writes, and what answers them. Times are seconds; `rate` is of conversations that begin in a second."""

    rate: float
    workers: int
    turns_at_once: int
    cpu: float
    """Of one turn, in the worker's one core; cut in as many bursts as there are model calls, and one more."""
    calls: int
    model: Draw
    turns: float
    """Turns of a conversation, on average; how many follow is drawn as if each might be the last."""
    think: Draw
    """From the answer to the next message."""
    hasty: float
    """The share of messages that are followed by another one at once, which waits in the lane."""
    hurry: Draw
    seconds: float
    warm: float = 0.0
    """Seconds before anything is counted."""
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it: seconds a message waited for the desk, for its own lane, and till its answer; shares busy."""

    turns: int
    wait_p50: float
    wait_p99: float
    wait_mean: float
    lane_p99: float
    answer_p50: float
    answer_p99: float
    cpu_busy: float
    slots_busy: float
    per_second: float
    in_house: float
    """Messages in the house, on average over time: waiting or being answered."""
    stay_mean: float


@dataclass(slots=True)
class _Message:
    came: float
    worker: int
    ready: float = 0.0
    begun: float = 0.0
    calls_left: int = 0


@dataclass(slots=True)
class _Conversation:
    """A lane: the message that is answered, and those behind it; `left` are messages nobody began to write yet."""

    left: int
    line: deque[_Message] = field(default_factory=deque)


@dataclass(slots=True)
class _Worker:
    free_slots: int
    cpu_free: float = 0.0
    waiting: deque[_Conversation] = field(default_factory=deque)


class Simulation:
    """One run of a town."""

    def __init__(self, town: Town) -> None:
        self._town = town
        self._random = Random(town.seed)
        self._burst = town.cpu / (town.calls + 1)
        self._workers = [_Worker(town.turns_at_once) for _ in range(town.workers)]
        self._events: list[tuple[float, int, Callable[[float, _Conversation], None], _Conversation]] = []
        self._order = count()
        self._done: list[_Message] = []
        self._ended: list[float] = []
        self._cpu_used = self._slots_used = 0.0
        self._inside, self._inside_since, self._inside_seconds = 0, town.warm, 0.0

    def run(self) -> Outcome:
        """Let time pass to the end."""
        end = self._town.warm + self._town.seconds
        self._at(self._random.expovariate(self._town.rate), self._begins, _Conversation(0))
        events = self._events
        while events and events[0][0] < end:
            at, _, what, conversation = heapq.heappop(events)
            what(at, conversation)
        self._inside_by(end, 0)
        return self._outcome()

    def _at(self, when: float, what: Callable[[float, _Conversation], None], conversation: _Conversation) -> None:
        heapq.heappush(self._events, (when, next(self._order), what, conversation))

    def _begins(self, at: float, _: _Conversation) -> None:
        """Somebody begins a conversation, and who comes next is known."""
        self._at(at + self._random.expovariate(self._town.rate), self._begins, _)
        self._says(at, _Conversation(self._length() - 1))

    def _length(self) -> int:
        turns = 1
        while self._random.random() > 1 / self._town.turns:
            turns += 1
        return turns

    def _says(self, at: float, conversation: _Conversation) -> None:
        """A message comes in at any worker, as a balancer has it, which claims the lane where it is idle."""
        self._inside_by(at, 1)
        conversation.line.append(_Message(at, self._random.randrange(self._town.workers)))
        if conversation.left and self._random.random() < self._town.hasty:
            conversation.left -= 1
            self._at(at + self._town.hurry(self._random), self._says, conversation)
        if len(conversation.line) == 1:
            self._ready(at, conversation)

    def _ready(self, at: float, conversation: _Conversation) -> None:
        message = conversation.line[0]
        message.ready = at
        worker = self._workers[message.worker]
        if worker.free_slots:
            worker.free_slots -= 1
            self._starts(at, conversation)
        else:
            worker.waiting.append(conversation)

    def _starts(self, at: float, conversation: _Conversation) -> None:
        message = conversation.line[0]
        message.begun = max(at, self._workers[message.worker].cpu_free)
        message.calls_left = self._town.calls
        self._goes_on(at, conversation)

    def _goes_on(self, at: float, conversation: _Conversation) -> None:
        """A burst of the worker's core, first come first served; then the model, or the end."""
        message = conversation.line[0]
        worker = self._workers[message.worker]
        worker.cpu_free = max(at, worker.cpu_free) + self._burst
        if message.calls_left:
            message.calls_left -= 1
            self._at(worker.cpu_free + self._town.model(self._random), self._goes_on, conversation)
        else:
            self._at(worker.cpu_free, self._ends, conversation)

    def _ends(self, at: float, conversation: _Conversation) -> None:
        message = conversation.line.popleft()
        worker = self._workers[message.worker]
        if message.came >= self._town.warm:
            self._done.append(message)
            self._ended.append(at)
        self._inside_by(at, -1)
        self._count(message, at)
        if worker.waiting:
            self._starts(at, worker.waiting.popleft())
        else:
            worker.free_slots += 1
        if conversation.line:
            # The lane goes on where it is held.
            conversation.line[0].worker = message.worker
            self._ready(at, conversation)
        elif conversation.left:
            conversation.left -= 1
            self._at(at + self._town.think(self._random), self._says, conversation)

    def _count(self, message: _Message, ended: float) -> None:
        """Add to what was busy while it was counted."""
        warm = self._town.warm
        self._slots_used += max(0.0, ended - max(message.begun, warm))
        if ended >= warm:
            self._cpu_used += self._town.cpu

    def _inside_by(self, at: float, change: int) -> None:
        if at > self._inside_since:
            self._inside_seconds += self._inside * (at - self._inside_since)
            self._inside_since = at
        self._inside += change

    def _outcome(self) -> Outcome:
        town, done = self._town, self._done
        waits = sorted(message.begun - message.ready for message in done)
        lanes = sorted(message.ready - message.came for message in done)
        stays = sorted(ended - message.came for message, ended in zip(done, self._ended, strict=True))
        return Outcome(
            turns=len(done),
            wait_p50=_share(waits, 0.5),
            wait_p99=_share(waits, 0.99),
            wait_mean=sum(waits) / len(waits),
            lane_p99=_share(lanes, 0.99),
            answer_p50=_share(stays, 0.5),
            answer_p99=_share(stays, 0.99),
            cpu_busy=self._cpu_used / (town.seconds * town.workers),
            slots_busy=self._slots_used / (town.seconds * town.workers * town.turns_at_once),
            per_second=len(done) / town.seconds,
            in_house=self._inside_seconds / town.seconds,
            stay_mean=sum(stays) / len(stays),
        )


def _share(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
