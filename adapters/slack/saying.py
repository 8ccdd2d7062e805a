"""How words are said on Slack besides plain text: slash commands, buttons, message shortcuts."""

import re

from adapters.buttons import STALE, button_words
from core.errors import BadInputError

BUTTON = "desk:"
"""What the action id of our buttons begins with."""

DESK, TICKET_SUMMARY = "/desk", "/ticket-summary"
SHORTCUT_WORDS = {"undo_from_here": "undo", "summarise": "summary"}
"""The word a message shortcut says of its message."""
CREATE_TICKET, REVIEW = "create_ticket", "review"
SHORTCUTS = (*SHORTCUT_WORDS, CREATE_TICKET, REVIEW)
HERE, REASON = "here", "reason"
SUBJECT = 200
"""Characters of a message that become the subject of a ticket."""

MAX_VALUE = 2_000
"""Characters of a button's value. https://docs.slack.dev/reference/block-kit/block-elements/button-element"""

_ARGUMENT = re.compile(r"""["“”]([^"“”]*)["“”](?!\S)|'([^']*)'(?!\S)|(\S+)""")


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


def button_said(action_id: str, value: str) -> tuple[str, tuple[str, ...]]:
    """Read what a button says; BadInputError where it says nothing of ours."""
    name, args = button_words(value, most=MAX_VALUE)
    if action_id.removeprefix(BUTTON).partition("#")[0] != name:
        raise BadInputError(f"button {action_id[:80]!r} says another word than its id", reply=STALE)
    return name, args


def _arguments(text: str) -> tuple[str, ...]:
    """Split as a shell does, but for an apostrophe inside a word and a quote that never ends, which mean themselves."""
    return tuple(double or single or word for double, single, word in _ARGUMENT.findall(text))
