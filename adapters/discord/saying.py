"""How words are said on Discord besides plain text: app commands, menus of a message, buttons."""

from adapters.buttons import STALE, button_words
from adapters.payloads import Json, object_in, objects_in, text_in
from core.errors import BadInputError

BUTTON = "desk:"
"""What the custom id of our buttons begins with."""
MAX_CUSTOM_ID = 100

DESK, STAFF, TICKET_SUMMARY, ASK = "desk", "desk-staff", "ticket-summary", "ask"
QUESTION = "question"
CREATE_TICKET = "Create ticket"
MENUS = {"Undo from here": "undo", "Summarise": "summary"}
"""The word that each menu of a message says of it."""
SUBJECT = 200
"""Characters of a message that become the subject of a ticket."""

SILENT = {"helpful": "Thank you.", "not helpful": "Thank you for saying so.", "stop": "Stopping."}
"""Words that the desk does without a word: what the person is told at once."""

_ON_MESSAGE = 3
_SPOKEN = {"not-helpful": "not helpful"}
"""Discord's names hold no blanks."""


def slash_words(data: Json) -> tuple[str, tuple[str, ...]] | None:
    """The word an app command says, and its arguments; None where it is not ours."""
    name = text_in(data, "name")
    if name == TICKET_SUMMARY:
        return TICKET_SUMMARY, _values(data)
    if name not in (DESK, STAFF):
        return None
    word = next(iter(objects_in(data, "options")), {})
    said = text_in(word, "name") or "help"
    return _SPOKEN.get(said, said), _values(word)


def question(data: Json) -> str | None:
    """What `/ask` asks; None for every other command."""
    if text_in(data, "name") != ASK or is_menu(data):
        return None
    return next((text_in(one, "value") for one in objects_in(data, "options") if one.get("name") == QUESTION), "")


def is_menu(data: Json) -> bool:
    """Whether a command was chosen from the menu of a message."""
    return data.get("type") == _ON_MESSAGE


def target_of(data: Json) -> Json:
    """The message that a menu was opened on."""
    return object_in(object_in(object_in(data, "resolved"), "messages"), text_in(data, "target_id"))


def ticket_wish(text: str) -> str:
    """Ask for a ticket about a message, in words."""
    line = " ".join(text.split()) or "a message without words"
    return f"open a ticket: {line if len(line) <= SUBJECT else line[: SUBJECT - 1] + '…'}"


def pressed_words(custom_id: str) -> tuple[str, tuple[str, ...]] | None:
    """What a button says; None where it is not ours, BadInputError where it says nothing we ever wrote."""
    if not custom_id.startswith(BUTTON):
        return None
    if len(custom_id) > MAX_CUSTOM_ID:
        raise BadInputError("a custom id is longer than Discord keeps", reply=STALE)
    return button_words(custom_id.removeprefix(BUTTON).partition("#")[2], most=MAX_CUSTOM_ID)


def _values(option: Json) -> tuple[str, ...]:
    values = [one.get("value") for one in objects_in(option, "options")]
    said = [str(value) for value in values if isinstance(value, str | int) and not isinstance(value, bool)]
    return tuple(part for one in said for part in one.split())
