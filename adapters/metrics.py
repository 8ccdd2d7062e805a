"""The desk's figures as Prometheus reads them. Every label has a closed set of values; none names a person."""

import time
from collections.abc import Awaitable, Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from core.errors import StoreError
from core.models import Usage
from core.ports import Stage
from core.queries.counts import BacklogRow

Look = Callable[[], Awaitable[BacklogRow]]
"""Reads what waits now."""

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
_UNKNOWN = float("nan")


class PrometheusMetrics:
    """A `core.ports.Metrics` in a registry of its own, counted since the process began."""

    def __init__(self, currency: str) -> None:
        """Costs are in `currency`."""
        self.registry = CollectorRegistry()
        self._currency = currency
        self._events = self._counter("events", "Events handed in: new, seen before (duplicate), not for us", "outcome")
        self._turns = self._counter("turns", "Turns committed", "status")
        self._stages = Histogram(
            "desk_stage_seconds", "How long each stage took", ["stage"], buckets=_SECONDS, registry=self.registry
        )
        self._parked = self._counter("events_parked", "Events set aside after too many attempts")
        self._deliveries = self._counter("deliveries", "Pieces whose fate was noted", "status")
        self._calls = self._counter("model_calls", "Model calls booked", "model", "priced")
        self._tokens = self._counter("model_tokens", "Tokens booked; cached are a part of input", "model", "kind")
        self._cost = self._counter("model_cost", "Cost booked, for a chart: the bill is exact", "model", "currency")
        self._now = {name: self._gauge(name, about) for name, about in _NOW.items()}

    def accepted(self, outcome: str) -> None:
        """Count an event that was handed in."""
        self._events.labels(outcome).inc()

    def turn(self, status: str) -> None:
        """Count a turn."""
        self._turns.labels(status).inc()

    def took(self, stage: Stage, seconds: float) -> None:
        """Note how long a stage took; clocks of two machines may disagree, so never less than nothing."""
        self._stages.labels(stage).observe(max(0.0, seconds))

    def called(self, model: str, usage: Usage, cost_nano: int | None) -> None:
        """Count a model call, its tokens and its cost."""
        self._calls.labels(model, "no" if cost_nano is None else "yes").inc(usage.requests)
        kinds = {"input": usage.input_tokens, "cached": usage.cached_tokens, "output": usage.output_tokens}
        for kind, tokens in kinds.items():
            self._tokens.labels(model, kind).inc(tokens)
        self._cost.labels(model, self._currency).inc((cost_nano or 0) / 1e9)

    def parked(self) -> None:
        """Count an event that was set aside."""
        self._parked.inc()

    def delivered(self, status: str) -> None:
        """Count a piece whose fate was noted."""
        self._deliveries.labels(status).inc()

    async def text(self, look: Look) -> bytes:
        """Write all figures, with what waits now. Where the store does not answer that is not a number."""
        try:
            self._set(await look())
        except StoreError:
            for gauge in self._now.values():
                gauge.set(_UNKNOWN)
        return generate_latest(self.registry)

    def _set(self, waits: BacklogRow) -> None:
        age = time.time() - waits.oldest / 1e6 if waits.queued else 0.0
        now = (waits.queued, max(0.0, age), waits.parked, waits.open, waits.unknown)
        for gauge, value in zip(self._now.values(), now, strict=True):
            gauge.set(value)

    def _counter(self, name: str, about: str, *labels: str) -> Counter:
        return Counter(f"desk_{name}", about, labels, registry=self.registry)

    def _gauge(self, name: str, about: str) -> Gauge:
        return Gauge(f"desk_{name}", about, registry=self.registry)


_NOW = {
    "queue_depth": "Events that wait, of all processes on the store",
    "queue_age_seconds": "How long the oldest of them waits",
    "parked": "Events set aside that nobody dealt with",
    "deliveries_open": "Pieces that are to be posted",
    "deliveries_unknown": "Pieces of which nobody can tell whether they were posted",
}


def metrics_app(metrics: PrometheusMetrics, look: Look) -> Starlette:
    """Serve the figures at `/metrics`, and nothing else."""

    async def page(_: Request) -> Response:
        return Response(await metrics.text(look), headers={"content-type": CONTENT_TYPE_LATEST})

    return Starlette(routes=[Route("/metrics", page, methods=["GET"])])
