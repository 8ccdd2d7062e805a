"""What the offline stand-in reads in what a model is given: the request, what is known, what was done for it so far."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from agents import Handoff, Tool

from core.instructions import KNOWN
from core.items import own_words
from core.models import Item


@dataclass(frozen=True, slots=True)
class Done:
    """A tool that was called for this request, and what it answered."""

    name: str
    answer: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Request:
    """One model call as the stand-in understands it. `said` are the asker's earlier messages, newest first."""

    asked: str
    known: dict[str, Any]
    said: tuple[str, ...]
    done: tuple[Done, ...]
    tools: frozenset[str]
    handoffs: dict[str, str]

    def answer_of(self, tool: str) -> dict[str, Any] | None:
        """What a tool answered last, None where it was not called for this request."""
        return next((done.answer for done in reversed(self.done) if done.name == tool), None)

    @property
    def shared(self) -> bool:
        """Whether others read the place."""
        return self.known.get("place") == "shared"

    @property
    def speaker(self) -> str:
        """How the asker is named before each line of theirs; '' where nobody else speaks."""
        return _speaker(self.known)


def read_request(
    instructions: str | None, given: str | Sequence[Any], tools: Sequence[Tool], handoffs: Sequence[Handoff[Any, Any]]
) -> Request:
    """Read the input of a model call."""
    items: list[Item] = [{"role": "user", "content": given}] if isinstance(given, str) else [*given]
    last = max((at for at, item in enumerate(items) if item.get("role") == "user"), default=-1)
    known = _read_known(instructions or "")
    speaker = _speaker(known)
    return Request(
        asked=own_words(items[last], speaker).strip() if last >= 0 else "",
        known=known,
        said=tuple(_said(items[: max(last, 0)], speaker)),
        done=tuple(_done(items[last + 1 :])),
        tools=frozenset(tool.name for tool in tools),
        handoffs={handoff.agent_name: handoff.tool_name for handoff in handoffs},
    )


def _read_known(instructions: str) -> dict[str, Any]:
    _, found, rest = instructions.partition(f"{KNOWN}\n")
    return _read_json(rest.partition("\n")[0]) if found else {}


def _speaker(known: dict[str, Any]) -> str:
    return " ".join(str(known.get("customer", "")).split()) if known.get("place") == "shared" else ""


def _said(items: Sequence[Item], speaker: str) -> Iterator[str]:
    """The asker's earlier messages, newest first; where several people speak, each is named first."""
    for item in reversed(items):
        if item.get("role") == "user" and own_words(item).startswith(f"{speaker}: " if speaker else ""):
            yield own_words(item, speaker)


def _done(items: Sequence[Item]) -> Iterator[Done]:
    called = {item["call_id"]: item["name"] for item in items if item.get("type") == "function_call"}
    for item in items:
        if item.get("type") == "function_call_output" and item["call_id"] in called:
            yield Done(called[item["call_id"]], _read_json(item["output"]))


def _read_json(text: object) -> dict[str, Any]:
    try:
        value = json.loads(text) if isinstance(text, str) else None
    except ValueError:
        value = None
    return value if isinstance(value, dict) else {"error": str(text)}
