"""History items as text: what they say, what of it are the asker's own words, and their size in tokens."""

import json
from collections.abc import Iterable
from typing import Any

from core.models import Item

CHARACTERS_PER_TOKEN = 4
"""How the tokens of a text are estimated, everywhere in the desk."""

FRAMES = ("(read along, ", "(file: ")
"""How a line of a message begins that the desk put there: other people's words, files."""


def text_of(item: Item) -> str:
    """The text of a message item, in whichever of the SDK's forms it is; '' for all else."""
    content = item.get("content") or ""
    return content if isinstance(content, str) else "".join(_text_of_part(part) for part in content)


def own_words(item: Item, speaker: str = "") -> str:
    """What the asker wrote: a message's text without the lines the desk put round it and without the speaker's name."""
    named = f"{speaker}: " if speaker else ""
    lines = [line.removeprefix(named) for line in text_of(item).split("\n") if not line.startswith(FRAMES)]
    return "\n".join(lines)


def tokens_of(*parts: str | int) -> int:
    """The tokens of texts, or of numbers of characters, as the desk estimates them: characters / 4, rounded up."""
    characters = sum(part if isinstance(part, int) else len(part) for part in parts)
    return -(-characters // CHARACTERS_PER_TOKEN)


def size_of(items: Iterable[Any]) -> int:
    """The characters of items as JSON."""
    return sum(len(json.dumps(item, ensure_ascii=False, default=str)) for item in items)


def _text_of_part(part: dict[str, Any]) -> str:
    return str(part.get("text") or part.get("refusal") or "")
