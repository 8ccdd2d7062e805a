"""The offline stand-in: no language model, but the same door. Deterministic, streamed, and it calls the real tools."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterator
from typing import Any

from agents import Handoff, Model, ModelResponse, ModelSettings, Tool, Usage, generation_span
from agents.items import TResponseInputItem, TResponseOutputItem, TResponseStreamEvent
from openai.types.responses import (
    Response,
    ResponseCompletedEvent,
    ResponseContentPartAddedEvent,
    ResponseContentPartDoneEvent,
    ResponseCreatedEvent,
    ResponseFunctionCallArgumentsDeltaEvent,
    ResponseFunctionCallArgumentsDoneEvent,
    ResponseFunctionToolCall,
    ResponseInProgressEvent,
    ResponseOutputItemAddedEvent,
    ResponseOutputItemDoneEvent,
    ResponseOutputMessage,
    ResponseOutputText,
    ResponseTextDeltaEvent,
    ResponseTextDoneEvent,
    ResponseUsage,
)
from openai.types.responses.response_usage import InputTokensDetails, OutputTokensDetails

from core.ids import new_id
from core.items import size_of, tokens_of
from core.model_name import OFFLINE
from core.offline.moves import Call, Move
from core.offline.reading import read_request
from core.offline.rules import decide

_PIECE = re.compile(r"\S+\s*|\s+")
_WORDS_A_PIECE = 3


class OfflineModel(Model):
    """Answers by rules from what it is given, as any model is: instructions, items, tools and handoffs.

    The same input gives the same answer; only the ids of calls and messages differ.
    """

    # The SDK's own signature.
    async def get_response(  # noqa: PLR0913
        self,
        system_instructions: str | None,
        input: str | list[TResponseInputItem],  # noqa: A002
        model_settings: ModelSettings,
        tools: list[Tool],
        output_schema: Any,  # noqa: ANN401
        handoffs: list[Handoff],
        tracing: Any,  # noqa: ANN401
        **kwargs: Any,  # noqa: ANN401
    ) -> ModelResponse:
        """Answer in one piece."""
        move = decide(read_request(system_instructions, input, tools, handoffs))
        used = _used(system_instructions, input, move)
        usage = Usage(
            requests=1,
            input_tokens=used.input_tokens,
            output_tokens=used.output_tokens,
            total_tokens=used.total_tokens,
        )
        return ModelResponse(output=[_item(move)], usage=usage, response_id=None)

    async def stream_response(  # noqa: PLR0913
        self,
        system_instructions: str | None,
        input: str | list[TResponseInputItem],  # noqa: A002
        model_settings: ModelSettings,
        tools: list[Tool],
        output_schema: Any,  # noqa: ANN401
        handoffs: list[Handoff],
        tracing: Any,  # noqa: ANN401
        **kwargs: Any,  # noqa: ANN401
    ) -> AsyncIterator[TResponseStreamEvent]:
        """Answer in pieces of a few words, in the order of events that the Responses API has."""
        with generation_span(model=OFFLINE, disabled=tracing.is_disabled()):
            move = decide(read_request(system_instructions, input, tools, handoffs))
            for event in _events(move, _used(system_instructions, input, move)):
                yield event
                await asyncio.sleep(0)


def _item(move: Move) -> ResponseFunctionToolCall | ResponseOutputMessage:
    if isinstance(move, Call):
        return ResponseFunctionToolCall(
            type="function_call",
            id=f"fc_{new_id()}",
            call_id=f"call_{new_id()}",
            name=move.name,
            arguments=json.dumps(move.arguments, ensure_ascii=False),
            status="completed",
        )
    part = ResponseOutputText(type="output_text", text=move.text, annotations=[], logprobs=[])
    return ResponseOutputMessage(
        type="message", id=f"msg_{new_id()}", role="assistant", status="completed", content=[part]
    )


def _used(instructions: str | None, given: str | list[Any], move: Move) -> ResponseUsage:
    asked = tokens_of(instructions or "", len(given) if isinstance(given, str) else size_of(given))
    answered = tokens_of(json.dumps(move.arguments) + move.name if isinstance(move, Call) else move.text)
    return ResponseUsage(
        input_tokens=asked,
        output_tokens=answered,
        total_tokens=asked + answered,
        input_tokens_details=InputTokensDetails.model_validate({"cached_tokens": 0, "cache_write_tokens": 0}),
        output_tokens_details=OutputTokensDetails(reasoning_tokens=0),
    )


def _events(move: Move, usage: ResponseUsage) -> Iterator[TResponseStreamEvent]:
    item = _item(move)
    whole = _response([item], usage)
    begun = whole.model_copy(update={"output": [], "status": "in_progress", "usage": None})
    yield ResponseCreatedEvent(type="response.created", response=begun, sequence_number=0)
    yield ResponseInProgressEvent(type="response.in_progress", response=begun, sequence_number=1)
    number = 2
    inner = _call_events(item) if isinstance(item, ResponseFunctionToolCall) else _message_events(item)
    for event in inner:
        event.sequence_number = number
        number += 1
        yield event
    yield ResponseCompletedEvent(type="response.completed", response=whole, sequence_number=number)


def _call_events(item: ResponseFunctionToolCall) -> Iterator[Any]:
    begun = item.model_copy(update={"arguments": "", "status": "in_progress"})
    place = {"item_id": item.id, "output_index": 0, "sequence_number": 0}
    yield ResponseOutputItemAddedEvent(type="response.output_item.added", item=begun, output_index=0, sequence_number=0)
    yield ResponseFunctionCallArgumentsDeltaEvent.model_validate(
        {"type": "response.function_call_arguments.delta", "delta": item.arguments, **place}
    )
    yield ResponseFunctionCallArgumentsDoneEvent.model_validate(
        {"type": "response.function_call_arguments.done", "arguments": item.arguments, "name": item.name, **place}
    )
    yield ResponseOutputItemDoneEvent(type="response.output_item.done", item=item, output_index=0, sequence_number=0)


def _message_events(item: ResponseOutputMessage) -> Iterator[Any]:
    begun = item.model_copy(update={"content": [], "status": "in_progress"})
    place: dict[str, Any] = {"item_id": item.id, "output_index": 0, "content_index": 0, "sequence_number": 0}
    part = item.content[0]
    text = part.text if isinstance(part, ResponseOutputText) else ""
    yield ResponseOutputItemAddedEvent(type="response.output_item.added", item=begun, output_index=0, sequence_number=0)
    yield ResponseContentPartAddedEvent(
        type="response.content_part.added", part=part.model_copy(update={"text": ""}), **place
    )
    for piece in _pieces(text):
        yield ResponseTextDeltaEvent(type="response.output_text.delta", delta=piece, logprobs=[], **place)
    yield ResponseTextDoneEvent(type="response.output_text.done", text=text, logprobs=[], **place)
    yield ResponseContentPartDoneEvent(type="response.content_part.done", part=part, **place)
    yield ResponseOutputItemDoneEvent(type="response.output_item.done", item=item, output_index=0, sequence_number=0)


def _pieces(text: str) -> Iterator[str]:
    words = _PIECE.findall(text)
    for start in range(0, len(words), _WORDS_A_PIECE):
        yield "".join(words[start : start + _WORDS_A_PIECE])


def _response(output: list[TResponseOutputItem], usage: ResponseUsage) -> Response:
    return Response(
        id=f"resp_{new_id()}",
        created_at=0,
        model=OFFLINE,
        object="response",
        output=output,
        tool_choice="auto",
        tools=[],
        parallel_tool_calls=False,
        status="completed",
        usage=usage,
    )
