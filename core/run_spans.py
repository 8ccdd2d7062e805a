"""The Agents SDK's spans of the desk's own runs, told to OpenTelemetry by a list of what may be told.

Told are a span's kind, its times, names that the desk gave itself, and the kind of an error. All else that the SDK's
spans hold is passed over, for a person or a model may have written it; so is every run that is not the desk's.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

from agents.tracing import (
    AgentSpanData,
    FunctionSpanData,
    GenerationSpanData,
    GuardrailSpanData,
    HandoffSpanData,
    ResponseSpanData,
    SpanData,
    Trace,
    TracingProcessor,
    get_trace_provider,
    set_trace_processors,
)
from agents.tracing import Span as SdkSpan
from opentelemetry.context import Context, get_current
from opentelemetry.trace import Span, set_span_in_context

from core.traces import SpanName, begin, end

ErrorKind = Literal["failed", "cut off", "tripped", "too many steps", "no such tool"]

UNKNOWN = "unknown"
"""What stands for a name that the desk did not give."""

_KINDS: dict[str, ErrorKind] = {
    "Guardrail tripwire triggered": "tripped",
    "Max turns exceeded": "too many steps",
    "Tool not found": "no such tool",
}
"""Errors by the SDK's own fixed words; every other one is `failed`."""


@dataclass(frozen=True, slots=True)
class Names:
    """What may be told by name: the model, as it is configured, and the desk's agents, tools and guardrails."""

    model: str
    known: frozenset[str]


class OwnRun:
    """One run of the desk, and its spans that are open."""

    def __init__(self, names: Names) -> None:
        """Its spans are inside the one that is open now."""
        self._names = names
        self._root = get_current()
        self._within: dict[str, Context] = {}
        self._open: dict[str, tuple[SdkSpan[Any], Span]] = {}
        self._agent = ""

    def begin(self, told: SdkSpan[Any]) -> None:
        """Begin the span that stands for one of the SDK's; of a kind that is not told none does."""
        if isinstance(told.span_data, AgentSpanData):
            self._end(self._agent, None)
            self._agent = told.span_id
        within = self._within.get(told.parent_id or "", self._root)
        name = _span_name(told.span_data)
        if name is not None:
            own = begin(name, within)
            self._open[told.span_id] = told, own
            within = set_span_in_context(own, within)
        self._within[told.span_id] = within

    def end(self, span_id: str) -> None:
        """End a span; an agent's waits for the next agent or the run's end, for the SDK does not note every error."""
        if span_id != self._agent:
            task = asyncio.current_task()
            # A model or a tool that is cancelled ends its span without a word about it.
            self._end(span_id, "cut off" if task is not None and task.cancelling() else None)

    def close(self, error: ErrorKind | None) -> None:
        """The run is over, with an error or without: end what is still open, innermost first."""
        for span_id in reversed(tuple(self._open)):
            self._end(span_id, error if span_id == self._agent else "cut off")

    def _end(self, span_id: str, error: ErrorKind | None) -> None:
        told, own = self._open.pop(span_id, (None, None))
        if told is not None and own is not None:
            end(own, error=_noted(told) or error, **self._ids(told.span_data))

    def _ids(self, data: SpanData) -> dict[str, str]:
        if isinstance(data, GenerationSpanData | ResponseSpanData):
            # As it is configured, whatever a service calls it.
            return {"model": self._names.model}
        named = _names_in(data).items()
        return {key: name if name is not None and name in self._names.known else UNKNOWN for key, name in named}


class RunSpans(TracingProcessor):
    """Hears of all spans that the SDK makes in this process, and tells those of the desk's own runs."""

    def __init__(self) -> None:
        """Nothing is heard until this is one of the SDK's processors."""
        self._runs: dict[str, OwnRun] = {}

    def take_over(self) -> None:
        """Be the only one in this process who hears of the SDK's spans: its exporter to OpenAI hears of none."""
        set_trace_processors([self])

    @contextmanager
    def of_run(self, names: Names) -> Iterator[None]:
        """Tell the spans of the run made inside, under a trace of its own: whose trace is open is not asked."""
        run = OwnRun(names)
        became: ErrorKind | None = None
        # Through the provider, since `agents.trace` warns where somebody else's is open.
        with get_trace_provider().create_trace("Deskmate") as trace:
            self._runs[trace.trace_id] = run
            try:
                yield
            except BaseException as error:
                became = "failed" if isinstance(error, Exception) else "cut off"
                raise
            finally:
                # All traces have the same id where the SDK's tracing is switched off.
                self._runs.pop(trace.trace_id, None)
                run.close(became)

    def on_trace_start(self, trace: Trace) -> None:
        """Nothing: the desk's own span of the turn stands for it."""

    def on_trace_end(self, trace: Trace) -> None:
        """Nothing."""

    def on_span_start(self, span: SdkSpan[Any]) -> None:
        """Begin its counterpart, if the run is the desk's."""
        if (run := self._runs.get(span.trace_id)) is not None:
            run.begin(span)

    def on_span_end(self, span: SdkSpan[Any]) -> None:
        """End its counterpart."""
        if (run := self._runs.get(span.trace_id)) is not None:
            run.end(span.span_id)

    def shutdown(self) -> None:
        """Nothing: who set up OpenTelemetry ends it."""

    def force_flush(self) -> None:
        """Nothing: no span waits here."""


def _span_name(data: SpanData) -> SpanName | None:
    match data:
        case AgentSpanData():
            return "agent"
        case GenerationSpanData() | ResponseSpanData():
            return "model call"
        case FunctionSpanData():
            return "tool"
        case HandoffSpanData():
            return "handoff"
        case GuardrailSpanData():
            return "guardrail"
    return None


def _noted(told: SdkSpan[Any]) -> ErrorKind | None:
    """The error that the SDK noted."""
    if isinstance(told.span_data, GuardrailSpanData) and told.span_data.triggered:
        return "tripped"
    return None if told.error is None else _KINDS.get(told.error["message"], "failed")


def _names_in(data: SpanData) -> dict[str, str | None]:
    match data:
        case AgentSpanData():
            return {"agent": data.name}
        case FunctionSpanData():
            return {"tool": data.name}
        case HandoffSpanData():
            return {"from": data.from_agent, "to": data.to_agent}
        case GuardrailSpanData():
            return {"guardrail": data.name}
    return {}
