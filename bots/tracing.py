"""Traces, sent where the environment says in OpenTelemetry's own words (`OTEL_*`), and nowhere otherwise."""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from bots.commands.common import extra
from core.errors import ConfigError

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter

    from core.run_spans import RunSpans

EXPORTER = "OTEL_TRACES_EXPORTER"
ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")


@asynccontextmanager
async def traced(environ: Mapping[str, str] = os.environ) -> "AsyncIterator[RunSpans | None]":
    """Send traces until left, those of the Agents SDK to nobody else; None where no traces are asked for.

    Raises ConfigError where the library is missing or the exporter is not known.
    """
    kind = exporter_named(environ)
    if kind is None:
        yield None
        return
    with extra("otel"):
        from opentelemetry import trace
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        exporter = _exporter(kind)
    provider = TracerProvider(resource=Resource.create({"service.name": environ.get("OTEL_SERVICE_NAME", "deskmate")}))
    provider.add_span_processor(BatchSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    # The Agents SDK takes seconds to import: whoever traces has it already.
    from core.run_spans import RunSpans

    spans = RunSpans()
    spans.take_over()
    try:
        yield spans
    finally:
        await asyncio.to_thread(provider.shutdown)


def exporter_named(environ: Mapping[str, str]) -> str | None:
    """Which exporter the environment asks for; None for none. Raises ConfigError for one that is not known here."""
    if environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return None
    kind = environ.get(EXPORTER, "").strip() or ("otlp" if any(map(environ.get, ENDPOINTS)) else "none")
    if kind not in ("otlp", "console", "none"):
        raise ConfigError(f"{EXPORTER}: {kind!r} was found; allowed are otlp, console and none")
    return None if kind == "none" else kind


def _exporter(kind: str) -> "SpanExporter":
    if kind == "console":
        import sys

        from opentelemetry.sdk.trace.export import ConsoleSpanExporter

        return ConsoleSpanExporter(out=sys.stderr)
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    return OTLPSpanExporter()
