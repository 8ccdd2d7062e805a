"""What the desk says, as a line of JSON or as lines to look at."""

import re
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.spinner import Spinner
from rich.text import Text

from core.models import Accepted, Button, Delivery, Progress

_INDENT = (0, 0, 0, 2)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_ALWAYS_THERE = {"undo", "retry", "helpful", "not helpful"}
"""Words that can be typed at any time: their buttons under every answer would only fill the screen."""
_QUOTED = re.compile(r"`[^`\n]+`")


def split(text: str) -> list[str]:
    """Leave a text in one piece: a terminal takes any length."""
    return [text]


def line_of(delivery: Delivery) -> dict[str, Any]:
    """The object of one output line. The same piece reads the same whenever it is written again."""
    if delivery.kind != "reply":
        return {"type": delivery.kind, "key": delivery.message, "text": "" if delivery.removes else delivery.text}
    line = {
        "type": "reply",
        "to": delivery.to,
        "key": delivery.key,
        "session": delivery.session,
        "turn": delivery.turn,
        "user": delivery.ref.user,
        "text": delivery.text,
        "private": delivery.private,
    }
    file = delivery.file
    return line | {"file": {"name": file.name, "content": file.content}} if file else line


def acknowledgement(accepted: Accepted, id_: str) -> dict[str, Any]:
    """The object that says an event is kept, or was kept before."""
    return {"type": accepted.value, "id": id_}


def refusal(id_: str | None, message: str) -> dict[str, Any]:
    """The object that says why a line was not taken."""
    return {"type": "error", "id": id_, "message": message}


def shown(delivery: Delivery, *, user: str) -> RenderableType:
    """One piece as the chat of `user` shows it."""
    lines: list[RenderableType] = []
    if notes := _notes(delivery, user):
        lines.append(Text(f"  ({', '.join(notes)})", style="dim italic"))
    lines.append(Padding(_words(delivery.text), _INDENT, expand=False))
    if delivery.file:
        lines.append(Padding(Text(safe(delivery.file.content)), _INDENT, expand=False))
    if choices := [button for button in delivery.buttons if button.command not in _ALWAYS_THERE]:
        lines.append(Text("".join(_button(button) for button in choices), style="cyan"))
    return Group(*lines)


def working(progress: Progress) -> RenderableType:
    """What is known of a running turn: its text so far, and what it is doing."""
    doing = Padding(Spinner("dots", Text(f"{safe(progress.doing) or 'working'} ...", style="dim italic")), _INDENT)
    return Group(Padding(_words(progress.text), _INDENT, expand=False), doing) if progress.text else doing


def prompt() -> Text:
    """What stands before the line that a person types."""
    return Text("you › ", style="bold green")


def safe(text: str) -> str:
    """Take the sting out of a text: with control characters it could rewrite the screen it is shown on."""
    return _CONTROL.sub("\ufffd", text)


def notice(text: str) -> Text:
    """A line of the terminal's own, not of the desk."""
    return Text(safe(text), style="dim")


def complaint(text: str) -> Text:
    """Why something typed was not taken."""
    return Text(safe(text), style="red")


def _words(text: str) -> Text:
    words = Text(safe(text))
    words.highlight_regex(_QUOTED, "bold")
    return words


def _notes(delivery: Delivery, user: str) -> list[str]:
    notes = []
    if delivery.ref.user != user:
        # Left over from somebody else's conversation on this machine: said, so that nobody takes it for theirs.
        notes.append(f"for {safe(delivery.ref.user)}")
    if delivery.private:
        notes.append("only you see this")
    if delivery.kind == "retract":
        notes.append("in place of an answer above")
    if delivery.kind == "restore":
        notes.append("back again")
    return notes


def _button(button: Button) -> str:
    return safe(f"  {button.label}: /{' '.join((button.command, *button.args))} ")
