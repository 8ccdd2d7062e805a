"""How words are said on Discord besides plain text: app commands, menus of a message, buttons."""

from adapters.buttons import STALE, button_value, button_words
from adapters.payloads import Json, object_in, objects_in, text_in
from core.errors import BadInputError
from core.models import Button

BUTTON = "desk:"
"""What the custom id of our buttons begins with."""
MAX_CUSTOM_ID = 100

DESK, STAFF, TICKET_SUMMARY, ASK = "desk", "desk-staff", "ticket-summary", "ask"
LINK = "link"
ALONE = (TICKET_SUMMARY, LINK, "unlink")
"""Words that are commands of their own: a group holds 25."""
QUESTION = "question"
CREATE_TICKET = "Create ticket"
MENUS = {"Undo from here": "undo", "Summarise": "summary"}
"""The word that each menu of a message says of it."""
REVIEW, SEARCH, REVIEW_MENU = "review", "search", "Review"
"""What staff reads with: two words, and the menu of a message that says the first of its conversation."""
USAGE_BY = "usage by"
HERE, PERSON, REASON = "here", "person", "reason"
HOLD = "hold"
WHY_TITLE, WHY_LABEL, WHY_LONGEST = "Why do you need to read it?", "The reason, which the audit log keeps", 500
WHAT, WHAT_TITLE, WHAT_LABEL, WHAT_LONGEST = "what", "Why do you search?", "What is searched for", 1_000
SUBJECT = 200
"""Characters of a message that become the subject of a ticket."""

SILENT = {"helpful": "Thank you.", "not helpful": "Thank you for saying so.", "stop": "Stopping."}
"""Words that the desk does without a word: what the person is told at once."""

_PLACES = {PERSON: 1, REASON: 2}
_ON_MESSAGE = 3
_PERSON = 6
_SPOKEN = {"not-helpful": "not helpful", "usage-by": USAGE_BY}
"""Discord's names hold no blanks."""


def slash_words(data: Json) -> tuple[str, tuple[str, ...]] | None:
    """The word an app command says, and its arguments; None where it is not ours."""
    name = text_in(data, "name")
    if name in ALONE:
        return name, _values(data)
    if name not in (DESK, STAFF):
        return None
    word = next(iter(objects_in(data, "options")), {})
    said = text_in(word, "name") or "help"
    if said == SEARCH:
        return SEARCH, _search_words(word)
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


def form_for(data: Json) -> Json | None:
    """The form that asks for a reason, where a command of staff's needs one and has none; else None."""
    if is_menu(data):
        target = text_in(data, "target_id")
        return _form(Button("", REVIEW, (HERE,)), target) if data.get("name") == REVIEW_MENU and target else None
    if text_in(data, "name") != STAFF:
        return None
    word = next(iter(objects_in(data, "options")), {})
    said = {text_in(one, "name"): one for one in objects_in(word, "options")}
    if text_in(said.get(REASON, {}), "value").strip():
        return None
    if text_in(word, "name") == SEARCH:
        return _search_form(" ".join(_search_words(word)))
    return _form(Button("", REVIEW, _values(word)[:1]), "") if text_in(word, "name") == REVIEW else None


def form_words(data: Json) -> tuple[str, tuple[str, ...], str] | None:
    """What a filled form says: a word, its arguments with the reason, and the message it is about, if any."""
    said = pressed_words(text_in(data, "custom_id"))
    rows = [row for part in objects_in(data, "components") for row in (object_in(part, "component"), part)]
    fields = [field for row in rows for field in (*objects_in(row, "components"), row)]
    filled = {text_in(field, "custom_id"): text_in(field, "value").split() for field in fields}
    if said is None:
        return None
    args, reason = (*said[1], *filled.get(WHAT, ())), filled.get(REASON, ())
    return said[0], (*args, *(("--reason",) if said[0] == SEARCH else ()), *reason), tag_of(text_in(data, "custom_id"))


def _search_form(what: str) -> Json | None:
    """A form with the search as it would be said in words, which may be mended there; None where it is too long."""
    if len(what) > WHAT_LONGEST:
        return None
    # A button's value is too short for a search.
    form = _form(Button("", SEARCH), "", WHAT_TITLE)
    field = _field(WHAT, WHAT_LABEL, WHAT_LONGEST) | ({"value": what} if what else {})
    return form | {"components": [_row(field), *form["components"]]}


def _form(button: Button, about: str, title: str = WHY_TITLE) -> Json:
    row = _row(_field(REASON, WHY_LABEL, WHY_LONGEST))
    return {"custom_id": custom_id_of(button, "why", about), "title": title, "components": [row]}


def _row(field: Json) -> Json:
    return {"type": 1, "components": [field]}


def _field(name: str, label: str, longest: int) -> Json:
    return {"type": 4, "custom_id": name, "label": label, "style": 2, "required": True, "max_length": longest}


def custom_id_of(button: Button, number: str, tag: str = "") -> str:
    """Write what a button or form says: `number` tells two that say the same apart, `tag` says what else there is."""
    return f"{BUTTON}{number}{f'@{tag}' if tag else ''}#{button_value(button)}"


def tag_of(custom_id: str) -> str:
    """The tag of a button or form of ours: the server a direct message is about, or the message a form is about."""
    tag = custom_id.removeprefix(BUTTON).partition("#")[0].partition("@")[2]
    return tag if tag.isdecimal() and tag.isascii() else ""


def _search_words(word: Json) -> tuple[str, ...]:
    """The options of a search, as they are said in words; one that says nothing is left out."""
    said: list[str] = []
    for option in sorted(objects_in(word, "options"), key=lambda one: one.get("name") != "words"):
        name, value = text_in(option, "name"), _value(option)
        said += [f"--{name}"] if value.strip() and name != "words" else []
        said += value.split()
    return tuple(said)


def pressed_words(custom_id: str) -> tuple[str, tuple[str, ...]] | None:
    """What a button says; None where it is not ours, BadInputError where it says nothing we ever wrote."""
    if not custom_id.startswith(BUTTON):
        return None
    if len(custom_id) > MAX_CUSTOM_ID:
        raise BadInputError("a custom id is longer than Discord keeps", reply=STALE)
    return button_words(custom_id.removeprefix(BUTTON).partition("#")[2], most=MAX_CUSTOM_ID)


def _values(option: Json) -> tuple[str, ...]:
    """The options of a word, as they are said in words: who is meant and then why, however they were filled in."""
    said = sorted(objects_in(option, "options"), key=lambda one: _PLACES.get(text_in(one, "name"), 0))
    return tuple(part for one in said for part in _value(one).split())


def _value(option: Json) -> str:
    """What an option says; a person is mentioned, as in a text."""
    value = option.get("value")
    if not isinstance(value, str | int) or isinstance(value, bool):
        return ""
    return f"<@{value}>" if option.get("type") == _PERSON else str(value)
