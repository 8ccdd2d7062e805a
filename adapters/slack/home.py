"""The Home tab of the app, from plain values."""

from collections.abc import Mapping, Sequence

from adapters.payloads import Json
from adapters.slack.markdown import plain
from adapters.slack.render import SECTION, buttons, section
from core.models import Button, Ticket, Usage

_LINE = 140
_MORE = 20
"""Room for the line that says how many more there are."""

_CHOICES = (Button("Clear our conversation", "clear"), Button("Export what is kept of me", "export"))


def home(tickets: Sequence[Ticket], usage: Usage | None, remembered: Mapping[str, str], *, channel: str) -> Json:
    """Draw the tab: open tickets, usage, what is remembered, and buttons to export and to clear.

    `channel` is the direct conversation with the person: what they press on the tab is said there.
    """
    facts = [plain(_line(f"{key}: {value}")) for key, value in remembered.items()]
    blocks = [
        _heading("Your open tickets"),
        section(_bulleted([_ticket(ticket) for ticket in tickets]) or "You have no open tickets."),
        _heading("What you have used"),
        section(_used(usage)),
        _heading("What I remember of you"),
        section(_bulleted(facts) or "Nothing."),
        {"type": "divider"},
        *buttons(_CHOICES),
    ]
    return {"type": "home", "private_metadata": channel, "blocks": blocks}


def _heading(text: str) -> Json:
    return {"type": "header", "text": {"type": "plain_text", "text": text}}


def _ticket(ticket: Ticket) -> str:
    state = f"{ticket.status.replace('_', ' ')}, {ticket.priority} priority"
    return f"*{ticket.name}* {plain(_line(ticket.subject))} ({state})"


def _used(usage: Usage | None) -> str:
    if usage is None or not usage.requests:
        return "Nothing yet."
    requests = f"{usage.requests:,} request{'' if usage.requests == 1 else 's'}"
    return f"{usage.total_tokens:,} tokens in {requests} to the language model."


def _bulleted(lines: Sequence[str]) -> str:
    """List what fits a section, and say how much more there is."""
    shown, room = list[str](), SECTION - _MORE
    for number, line in enumerate(lines):
        room -= len(line) + 3
        if room < 0:
            return "\n".join((*shown, f"and {len(lines) - number} more"))
        shown.append(f"• {line}")
    return "\n".join(shown)


def _line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LINE else line[: _LINE - 1] + "…"
