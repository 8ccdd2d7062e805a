"""A model that sees tokens in the place of personal data, and is answered for as if it had seen the values."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

from agents import Model, ModelResponse
from agents.items import TResponseInputItem, TResponseStreamEvent
from agents.retry import ModelRetryAdvice, ModelRetryAdviceRequest
from openai.types.responses import (
    Response,
    ResponseFunctionToolCall,
    ResponseOutputMessage,
    ResponseOutputRefusal,
    ResponseOutputText,
    ResponseTextDeltaEvent,
)

from core.personal.veil import Unveiling, Veil


def veiled(model: Model, veil: Veil | None) -> Model:
    """The model behind a veil; the model itself where there is none."""
    return model if veil is None else _VeiledModel(model, veil)


class _VeiledModel(Model):
    """The one place where a turn's words reach a model: they go out hidden and come back revealed."""

    def __init__(self, model: Model, veil: Veil) -> None:
        self._model = model
        self._veil = veil

    async def _cleanup_on_run_end(self, owner: object) -> None:
        await self._model._cleanup_on_run_end(owner)  # noqa: SLF001 - it stands for the model it wraps

    async def close(self) -> None:
        """Whoever made the model closes it."""

    def get_retry_advice(self, request: ModelRetryAdviceRequest) -> ModelRetryAdvice | None:
        """What the model itself advises."""
        return self._model.get_retry_advice(request)

    async def get_response(  # noqa: PLR0913 - the SDK's own interface
        self,
        system_instructions: str | None,
        input: str | list[TResponseInputItem],  # noqa: A002
        model_settings: Any,  # noqa: ANN401
        tools: Any,  # noqa: ANN401
        output_schema: Any,  # noqa: ANN401
        handoffs: Any,  # noqa: ANN401
        tracing: Any,  # noqa: ANN401
        **kwargs: Any,  # noqa: ANN401
    ) -> ModelResponse:
        """Ask with tokens, answer with values."""
        told, given = await self._hidden(system_instructions, input)
        response = await self._model.get_response(
            told, given, model_settings, tools, output_schema, handoffs, tracing, **kwargs
        )
        return replace(response, output=[self._revealed(item) for item in response.output])

    async def stream_response(  # noqa: PLR0913 - the SDK's own interface
        self,
        system_instructions: str | None,
        input: str | list[TResponseInputItem],  # noqa: A002
        model_settings: Any,  # noqa: ANN401
        tools: Any,  # noqa: ANN401
        output_schema: Any,  # noqa: ANN401
        handoffs: Any,  # noqa: ANN401
        tracing: Any,  # noqa: ANN401
        **kwargs: Any,  # noqa: ANN401
    ) -> AsyncIterator[TResponseStreamEvent]:
        """Ask with tokens, stream values: no piece ends in a part of a token."""
        told, given = await self._hidden(system_instructions, input)
        events = self._model.stream_response(
            told, given, model_settings, tools, output_schema, handoffs, tracing, **kwargs
        )
        text, last = Unveiling(self._veil), None
        async for event in events:
            if isinstance(event, ResponseTextDeltaEvent):
                last, piece = event, text.add(event.delta)
                if piece:
                    yield event.model_copy(update={"delta": piece})
                continue
            # Whatever comes after a text ends it.
            if last is not None:
                left = text.end()
                if left:
                    yield last.model_copy(update={"delta": left})
                last = None
            yield self._revealed_event(event)

    async def _hidden(self, instructions: str | None, given: Any) -> tuple[str | None, Any]:  # noqa: ANN401
        # What was said first, so that its tokens stay the same while the instructions change from call to call.
        items = await self._veil.hide_items(given)
        return instructions and await self._veil.hide(instructions), items

    def _revealed_event(self, event: TResponseStreamEvent) -> TResponseStreamEvent:
        """An event that holds something whole, revealed; pieces of arguments stay, they are shown to nobody."""
        changed: dict[str, Any] = {}
        if isinstance(response := getattr(event, "response", None), Response):
            changed["response"] = response.model_copy(
                update={"output": [self._revealed(one) for one in response.output]}
            )
        if (item := getattr(event, "item", None)) is not None:
            changed["item"] = self._revealed(item)
        if (part := getattr(event, "part", None)) is not None:
            changed["part"] = self._revealed_part(part)
        if isinstance(text := getattr(event, "text", None), str):
            changed["text"] = self._veil.reveal(text)
        if isinstance(arguments := getattr(event, "arguments", None), str):
            changed["arguments"] = self._veil.reveal_arguments(arguments)
        return event.model_copy(update=changed) if changed else event

    def _revealed(self, item: Any) -> Any:  # noqa: ANN401 - whatever a model answers
        if isinstance(item, ResponseFunctionToolCall):
            return item.model_copy(update={"arguments": self._veil.reveal_arguments(item.arguments)})
        if isinstance(item, ResponseOutputMessage):
            return item.model_copy(update={"content": [self._revealed_part(part) for part in item.content]})
        return item

    def _revealed_part(self, part: Any) -> Any:  # noqa: ANN401 - whatever a model answers
        if isinstance(part, ResponseOutputText):
            return part.model_copy(update={"text": self._veil.reveal(part.text)})
        if isinstance(part, ResponseOutputRefusal):
            return part.model_copy(update={"refusal": self._veil.reveal(part.refusal)})
        return part
