"""A model that is asked only for what a budget has left: each call is reserved before it and settled after it."""

from collections.abc import AsyncIterator
from typing import Any

from agents import Model, ModelResponse
from agents.items import TResponseStreamEvent
from agents.retry import ModelRetryAdvice, ModelRetryAdviceRequest
from openai.types.responses import ResponseCompletedEvent

from core.budgets import Hold, Purse
from core.items import size_of, tokens_of
from core.metering import usage_of
from core.models import Usage


def paid(model: Model, purse: Purse | None) -> Model:
    """The model behind a purse; the model itself where nothing is capped."""
    return model if purse is None or not purse.caps else _PaidModel(model, purse)


class _PaidModel(Model):
    """The one place where a turn's calls of the model meet its budgets."""

    def __init__(self, model: Model, purse: Purse) -> None:
        self._model = model
        self._purse = purse

    async def _cleanup_on_run_end(self, owner: object) -> None:
        await self._model._cleanup_on_run_end(owner)  # noqa: SLF001 - it stands for the model it wraps

    async def close(self) -> None:
        """Whoever made the model closes it."""

    def get_retry_advice(self, request: ModelRetryAdviceRequest) -> ModelRetryAdvice | None:
        """What the model itself advises."""
        return self._model.get_retry_advice(request)

    async def get_response(
        self,
        system_instructions: str | None,
        input: Any,  # noqa: A002, ANN401 - the SDK's own interface
        *rest: Any,  # noqa: ANN401
        **kwargs: Any,  # noqa: ANN401
    ) -> ModelResponse:
        """Answer where there is enough left. Raises OverBudgetError where there is not."""
        hold = await self._reserve(system_instructions, input)
        try:
            response = await self._model.get_response(system_instructions, input, *rest, **kwargs)
        except Exception:
            self._purse.settle(hold, Usage())
            raise
        self._purse.settle(hold, usage_of(response.usage))
        return response

    async def stream_response(
        self,
        system_instructions: str | None,
        input: Any,  # noqa: A002, ANN401 - the SDK's own interface
        *rest: Any,  # noqa: ANN401
        **kwargs: Any,  # noqa: ANN401
    ) -> AsyncIterator[TResponseStreamEvent]:
        """Stream where there is enough left. Raises OverBudgetError where there is not.

        What is cut off keeps its reservation: nobody knows what it used.
        """
        hold: Hold | None = await self._reserve(system_instructions, input)
        began = False
        try:
            async for event in self._model.stream_response(system_instructions, input, *rest, **kwargs):
                began = True
                if isinstance(event, ResponseCompletedEvent) and event.response.usage and hold:
                    self._purse.settle(hold, _used(event.response.usage))
                    hold = None
                yield event
        except Exception:
            if hold and not began:
                self._purse.settle(hold, Usage())
            raise

    async def _reserve(self, instructions: str | None, given: Any) -> Hold:  # noqa: ANN401
        size = len(given) if isinstance(given, str) else size_of(given)
        return await self._purse.reserve(tokens_of(len(instructions or "") + size))


def _used(usage: Any) -> Usage:  # noqa: ANN401 - the service's own shape
    return Usage(1, usage.input_tokens, usage.input_tokens_details.cached_tokens or 0, usage.output_tokens)
