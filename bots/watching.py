"""What an operator watches a serving desk with: its figures over HTTP, where `DESK_METRICS` says."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from bots.commands.common import extra

if TYPE_CHECKING:
    from adapters.metrics import PrometheusMetrics
    from core.config import Settings
    from core.desk import Desk

SETTING = "DESK_METRICS"


def metrics_of(settings: "Settings") -> "PrometheusMetrics | None":
    """What counts for a desk; None where nobody wants to know. Raises ConfigError where the library is missing."""
    if not settings.metrics:
        return None
    with extra("metrics"):
        from adapters.metrics import PrometheusMetrics
    return PrometheusMetrics(settings.prices.currency)


@asynccontextmanager
async def shown(settings: "Settings", metrics: "PrometheusMetrics | None", desk: "Desk") -> AsyncIterator[None]:
    """Serve what was counted until left."""
    if metrics is None:
        yield
        return
    with extra("metrics"):
        from adapters.metrics import metrics_app
        from bots.listening import listening, read_address
    # A port alone is for this machine.
    address = settings.metrics if ":" in settings.metrics else f"127.0.0.1:{settings.metrics}"
    async with listening(metrics_app(metrics, desk.backlog), read_address(address, SETTING), SETTING):
        yield
