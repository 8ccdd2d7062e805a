"""What Slack refuses because it is too long, too much or malformed. Pure."""

import json
from collections.abc import Iterator

from simulators.slack_service.errors import RefusedError
from simulators.slack_service.model import Json

POST_TEXT = 40_000
UPDATE_TEXT = 4_000
MARKDOWN_TEXT = 12_000
METADATA_BYTES = 16_000
MESSAGE_BLOCKS = 50
VIEW_BLOCKS = 100
BLOCK_TYPES = frozenset(
    [
        "actions",
        "alert",
        "card",
        "carousel",
        "container",
        "context",
        "context_actions",
        "divider",
        "file",
        "header",
        "image",
        "input",
        "markdown",
        "plan",
        "rich_text",
        "section",
        "table",
        "task_card",
        "video",
    ]
)
MOST_ELEMENTS = {"actions": 25, "context": 10, "context_actions": 5}
LONGEST = {"action_id": 255, "block_id": 255}


def check_blocks(blocks: list[Json], *, most: int = MESSAGE_BLOCKS) -> None:
    """Refuse blocks Slack would refuse, with a pointer to each fault."""
    faults = list(_faults(blocks, most))
    if faults:
        raise RefusedError("invalid_blocks", *faults)


def check_metadata(metadata: Json) -> None:
    """Refuse metadata without a type and payload, or over Slack's size."""
    if not metadata:
        return
    if not isinstance(metadata.get("event_type"), str) or not isinstance(metadata.get("event_payload"), dict):
        raise RefusedError("invalid_metadata_format")
    if len(json.dumps(metadata)) > METADATA_BYTES:
        raise RefusedError("metadata_too_large")


def check_markdown(text: str) -> None:
    """Refuse a `markdown_text` over its limit."""
    if len(text) > MARKDOWN_TEXT:
        raise RefusedError("msg_too_long")


def _faults(blocks: list[Json], most: int) -> Iterator[str]:
    if len(blocks) > most:
        yield f"no more than {most} items allowed [json-pointer:/blocks]"
    names = [block["block_id"] for block in blocks if block.get("block_id")]
    if len(names) != len(set(names)):
        yield "block_id must be unique [json-pointer:/blocks]"
    if sum(len(str(block.get("text", ""))) for block in blocks if block.get("type") == "markdown") > MARKDOWN_TEXT:
        yield f"markdown blocks must be less than {MARKDOWN_TEXT + 1} characters together [json-pointer:/blocks]"
    for index, block in enumerate(blocks):
        for fault in _block_faults(block):
            yield f"{fault} [json-pointer:/blocks/{index}]"


def _block_faults(block: Json) -> Iterator[str]:
    kind = block.get("type")
    if kind not in BLOCK_TYPES:
        yield f"unsupported type: {kind}"
    if kind == "section":
        yield from _section_faults(block)
    if kind == "header":
        yield from _text_faults(block.get("text"), 150)
    if kind in MOST_ELEMENTS:
        yield from _elements_faults(block, MOST_ELEMENTS[kind])
    yield from _name_faults(block)


def _section_faults(block: Json) -> Iterator[str]:
    fields = block.get("fields") or []
    if "text" not in block and not fields:
        yield "must define either `fields` or `text`"
    if "text" in block:
        yield from _text_faults(block["text"], 3_000)
    if len(fields) > 10:
        yield "no more than 10 items allowed: fields"
    for each in fields:
        yield from _text_faults(each, 2_000)


def _elements_faults(block: Json, most: int) -> Iterator[str]:
    elements = block.get("elements")
    if not isinstance(elements, list) or not elements:
        yield "no fewer than 1 items allowed: elements"
        return
    if len(elements) > most:
        yield f"no more than {most} items allowed: elements"
    names = [element["action_id"] for element in elements if element.get("action_id")]
    if len(names) != len(set(names)):
        yield "action_id must be unique within its block"
    for element in elements:
        yield from _element_faults(element)


def _element_faults(element: Json) -> Iterator[str]:
    if element.get("type") == "button":
        yield from _text_faults(element.get("text"), 75)
        if len(element.get("value", "")) > 2_000:
            yield "must be less than 2001 characters: value"
    yield from _name_faults(element)


def _name_faults(thing: Json) -> Iterator[str]:
    for name, longest in LONGEST.items():
        if len(str(thing.get(name, ""))) > longest:
            yield f"must be less than {longest + 1} characters: {name}"


def _text_faults(text: object, longest: int) -> Iterator[str]:
    words = text.get("text") if isinstance(text, dict) else None
    if not isinstance(words, str) or not words:
        yield "must be more than 0 characters: text"
    elif len(words) > longest:
        yield f"must be less than {longest + 1} characters: text"
