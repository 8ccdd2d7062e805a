"""What a button of ours carries: the word it says, never whose conversation is meant."""

import json

from core.errors import BadInputError
from core.models import PICK, Button

STALE = "That button is from another version of me. Say `help` to see what I understand."


def button_value(button: Button) -> str:
    """Write what a button says, as small as it goes."""
    return json.dumps({"c": button.command, "a": button.args}, ensure_ascii=False, separators=(",", ":"))


def button_words(value: str, *, most: int) -> tuple[str, tuple[str, ...]]:
    """Read what a button says, in at most `most` characters; BadInputError where it says nothing of ours."""
    try:
        said = json.loads(value) if len(value) <= most else None
    except (ValueError, RecursionError):
        said = None
    name, args = (said.get("c"), said.get("a", [])) if isinstance(said, dict) else (None, None)
    if not isinstance(name, str) or not isinstance(args, list) or not all(isinstance(arg, str) for arg in args):
        raise BadInputError("a button has a value we never wrote", reply=STALE)
    return name, tuple(args)


def picks(args: tuple[str, ...]) -> bool:
    """Whether a button picks the conversation it means, as after a slash command that could mean several."""
    return any(arg.startswith(PICK) for arg in args)


def clipped(label: str, most: int) -> str:
    """Cut a label to what a platform shows; it is never blank."""
    return (label if len(label) <= most else label[: most - 1] + "…").strip() or "…"
