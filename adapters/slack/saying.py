"""How words are said on Slack besides plain text: slash commands, buttons, message shortcuts."""

import json
import re

from core.errors import BadInputError
from core.models import PICK, Button

BUTTON = "desk:"
"""What the action id of our buttons begins with."""

DESK, TICKET_SUMMARY = "/desk", "/ticket-summary"
SHORTCUT_WORDS = {"undo_from_here": "undo", "summarise": "summary"}
"""The word a message shortcut says of its message."""
CREATE_TICKET = "create_ticket"
SHORTCUTS = (*SHORTCUT_WORDS, CREATE_TICKET)
SUBJECT = 200
"""Characters of a message that become the subject of a ticket."""

MAX_VALUE = 2_000
"""Characters of a button's value. https://docs.slack.dev/reference/block-kit/block-elements/button-element"""

_ARGUMENT = re.compile(r"""["“”]([^"“”]*)["“”](?!\S)|'([^']*)'(?!\S)|(\S+)""")
_STALE = "That button is from another version of me. Say `help` to see what I understand."


def slash_words(command: str, text: str) -> tuple[str, tuple[str, ...]] | None:
    """The word a slash command says, and its arguments; None where it is not ours. `/desk` alone asks for help."""
    args = _arguments(text)
    if command == TICKET_SUMMARY:
        return TICKET_SUMMARY[1:], args
    if command != DESK:
        return None
    if not args:
        return "help", ()
    taken = 2 if [arg.lower() for arg in args[:2]] == ["not", "helpful"] else 1
    return " ".join(args[:taken]).lstrip("!/") or "help", args[taken:]


def ticket_wish(text: str) -> str:
    """Ask for a ticket about a message, in words."""
    line = " ".join(text.split()) or "a message without words"
    return f"open a ticket: {line if len(line) <= SUBJECT else line[: SUBJECT - 1] + '…'}"


def button_value(button: Button) -> str:
    """Write what a button says, as small as it goes."""
    return json.dumps({"c": button.command, "a": button.args}, ensure_ascii=False, separators=(",", ":"))


def button_words(action_id: str, value: str) -> tuple[str, tuple[str, ...]]:
    """Read what a button says; BadInputError where it says nothing of ours."""
    try:
        said = json.loads(value) if len(value) <= MAX_VALUE else None
    except (ValueError, RecursionError):
        said = None
    name, args = (said.get("c"), said.get("a", [])) if isinstance(said, dict) else (None, None)
    if not isinstance(name, str) or not isinstance(args, list) or not all(isinstance(arg, str) for arg in args):
        raise BadInputError(f"button {action_id[:80]!r} has a value we never wrote", reply=_STALE)
    if action_id.removeprefix(BUTTON).partition("#")[0] != name:
        raise BadInputError(f"button {action_id[:80]!r} says another word than its id", reply=_STALE)
    return name, tuple(args)


def picks(args: tuple[str, ...]) -> bool:
    """Whether a button picks the conversation it means, as after a slash command that could mean several."""
    return any(arg.startswith(PICK) for arg in args)


def _arguments(text: str) -> tuple[str, ...]:
    """Split as a shell does, but for an apostrophe inside a word and a quote that never ends, which mean themselves."""
    return tuple(double or single or word for double, single, word in _ARGUMENT.findall(text))
