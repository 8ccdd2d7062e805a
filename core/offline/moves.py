"""What the offline stand-in can do with a request: answer, or call something first."""

from dataclasses import dataclass, field
from typing import Any

UNSURE = "I am a stand-in without a language model: I open, list and change tickets, sum up, remember and recall."


@dataclass(frozen=True, slots=True)
class Say:
    """Answer with a text, and be done."""

    text: str


@dataclass(frozen=True, slots=True)
class Call:
    """Call a tool, or hand over, and look at the answer next time."""

    name: str
    arguments: dict[str, Any] = field(default_factory=dict)


Move = Say | Call
