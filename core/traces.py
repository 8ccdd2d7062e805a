"""Spans of what the desk does, with ids only; where nobody set up OpenTelemetry they cost next to nothing.

The Agents SDK's own tracing stays off: its spans carry what people wrote, and would be sent to OpenAI.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from opentelemetry import trace
from opentelemetry.trace import Span, StatusCode

SpanName = Literal["accept", "turn", "model call", "tool", "commit", "deliver"]

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
            fail(own, type(error).__name__)
            raise


def begin(name: SpanName, **ids: str) -> Span:
    """Begin a span inside the one that is open; who began it ends it."""
    return _TRACER.start_span(name, attributes=_named(ids))


def fail(own: Span, kind: str) -> None:
    """Note that what a span stands for failed."""
    own.set_attribute("error.type", kind)
    own.set_status(StatusCode.ERROR)


def _named(ids: dict[str, str]) -> dict[str, str]:
    return {f"desk.{name}": value for name, value in ids.items()}
