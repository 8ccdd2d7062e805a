"""What was written, counted: turns, model calls, parked events, deliveries. Numbers and closed sets of words only."""

from collections.abc import Sequence

from core.errors import RefusedError
from core.models import Usage
from core.ports import Metrics, Outcome, Stage, Writes
from core.records.bill import BookUsage
from core.records.lanes import FinishEvent
from core.records.outbox import MarkDelivery
from core.records.record import Commit, Record
from core.records.turns import AddTurn


class NoMetrics:
    """Counts nothing: for a desk that nobody watches."""

    def accepted(self, outcome: str) -> None:
        """Ignore an event."""

    def turn(self, status: str) -> None:
        """Ignore a turn."""

    def took(self, stage: Stage, seconds: float) -> None:
        """Ignore a time."""

    def called(self, model: str, usage: Usage, cost_nano: int | None) -> None:
        """Ignore a model call."""

    def parked(self) -> None:
        """Ignore a parked event."""

    def delivered(self, status: str) -> None:
        """Ignore a delivery."""


class Counted:
    """Writes as a store does, and counts what is durable: what a commit was refused for is not counted."""

    def __init__(self, writes: Writes, metrics: Metrics) -> None:
        self._writes = writes
        self._metrics = metrics

    async def write(self, batch: Sequence[Commit]) -> list[Outcome]:
        """Write a batch, then count it."""
        outcomes = await self._writes.write(batch)
        for commit, outcome in zip(batch, outcomes, strict=True):
            if not isinstance(outcome, RefusedError):
                for record in commit:
                    self._count(record)
        return outcomes

    def _count(self, record: Record) -> None:
        match record:
            case AddTurn():
                self._metrics.turn(record.status)
            case BookUsage():
                self._metrics.called(record.model, _usage(record), record.cost_nano)
            case FinishEvent(status="parked"):
                self._metrics.parked()
            case MarkDelivery(status="sent" | "failed" | "unknown"):
                self._metrics.delivered(record.status)


def _usage(record: BookUsage) -> Usage:
    return Usage(
        record.requests, record.input_tokens, record.cached_tokens, record.output_tokens, record.reasoning_tokens
    )
