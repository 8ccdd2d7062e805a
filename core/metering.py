"""What the model calls of a run used, completed or cut off."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from agents import Agent, ModelResponse, RunContextWrapper, RunHooks
from agents.usage import Usage as SdkUsage

from core.context import SupportContext
from core.items import size_of, tokens_of
from core.models import Usage
from core.usage import ModelCall


def usage_of(usage: SdkUsage) -> Usage:
    """The SDK's usage as the desk's, without a cost; one request at least, since one was made."""
    return Usage(
        requests=max(usage.requests, 1),
        input_tokens=usage.input_tokens,
        cached_tokens=usage.input_tokens_details.cached_tokens or 0,
        output_tokens=usage.output_tokens,
        reasoning_tokens=usage.output_tokens_details.reasoning_tokens or 0,
    )


@dataclass(slots=True)
class _Call:
    """A model call that has begun: what it was asked, the run's usage before it, and what it answered so far."""

    instructions: str
    items: Sequence[Any]
    run: SdkUsage
    requests_before: int
    entries_before: int
    streamed: int = 0


class Meter(RunHooks[SupportContext]):
    """Books each model call of a run into `calls`: as reported when it completed, estimated when it was cut off."""

    def __init__(self, model: str, calls: list[ModelCall]) -> None:
        self._model = model
        self._calls = calls
        self._open: _Call | None = None

    @property
    def calling(self) -> bool:
        """Whether a model call has begun and not ended: what goes wrong now went wrong in the model."""
        return self._open is not None

    async def on_llm_start(
        self,
        context: RunContextWrapper[SupportContext],
        agent: Agent[SupportContext],
        system_prompt: str | None,
        input_items: list[Any],
    ) -> None:
        """Note what the model is asked."""
        run = context.usage
        self._open = _Call(system_prompt or "", input_items, run, run.requests, len(run.request_usage_entries))

    async def on_llm_end(
        self, context: RunContextWrapper[SupportContext], agent: Agent[SupportContext], response: ModelResponse
    ) -> None:
        """Book a call that completed."""
        self._open = None
        self._calls.append(ModelCall(self._model, usage_of(response.usage)))

    def streamed(self, piece: str) -> None:
        """Count what the open call answers."""
        if self._open is not None:
            self._open.streamed += len(piece)

    def end(self, *, cut_off: bool) -> None:
        """Book the call that is still open, if any: the run is over.

        The SDK adds a completed answer to the run's usage before it looks at it, so one it then refused (a tool that
        does not exist) is booked as reported. A call that failed before it answered anything is not booked.
        """
        call, self._open = self._open, None
        if call is None:
            return
        if call.run.requests > call.requests_before:
            self._calls.append(ModelCall(self._model, _last_of(call)))
        elif cut_off or call.streamed:
            self._calls.append(ModelCall(self._model, _estimate(call), estimated=True))


def _last_of(call: _Call) -> Usage:
    requests = call.run.requests - call.requests_before
    if len(call.run.request_usage_entries) == call.entries_before:
        return Usage(requests=requests)
    last = call.run.request_usage_entries[-1]
    return Usage(
        requests=requests,
        input_tokens=last.input_tokens,
        cached_tokens=last.input_tokens_details.cached_tokens or 0,
        output_tokens=last.output_tokens,
        reasoning_tokens=last.output_tokens_details.reasoning_tokens or 0,
    )


def _estimate(call: _Call) -> Usage:
    asked = len(call.instructions) + size_of(call.items)
    return Usage(requests=1, input_tokens=tokens_of(asked), output_tokens=tokens_of(call.streamed))
