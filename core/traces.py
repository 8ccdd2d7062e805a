"""Spans of what the desk does, with ids only; where nobody set up OpenTelemetry they cost next to nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Span, StatusCode

SpanName = Literal["accept", "turn", "agent", "model call", "tool", "handoff", "guardrail", "commit", "deliver"]

_TRACER = trace.get_tracer("deskmate")


@contextmanager
def span(name: SpanName, **ids: str) -> Iterator[Span]:
    """Be inside a span until left. Of an error its kind is noted, never its words, which may be somebody's."""
    with _TRACER.start_as_current_span(
        name, attributes=_named(ids), record_exception=False, set_status_on_exception=False
    ) as own:
        try:
            yield own
        except BaseException as error:
            _fail(own, type(error).__name__)
            raise


def begin(name: SpanName, within: Context) -> Span:
    """Begin a span; who began it ends it with `end`."""
    return _TRACER.start_span(name, within)


def end(own: Span, *, error: str | None, **ids: str) -> None:
    """End a span, with the kind of what went wrong in it, if anything did."""
    own.set_attributes(_named(ids))
    if error is not None:
        _fail(own, error)
    own.end()


def _fail(own: Span, kind: str) -> None:
    own.set_attribute("error.type", kind)
    own.set_status(StatusCode.ERROR)


def _named(ids: dict[str, str]) -> dict[str, str]:
    return {f"desk.{name}": value for name, value in ids.items()}
