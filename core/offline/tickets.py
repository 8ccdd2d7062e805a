"""How the offline stand-in works on tickets, with the real tools."""

import re
from typing import Any

from core.offline.moves import UNSURE, Call, Move, Say
from core.offline.reading import Request
from core.wording import plain

OPEN = ("open", "waiting_for_staff")


def open_ticket(request: Request, found: re.Match[str]) -> Move:
    """Open a ticket, unless one with that subject is open."""
    subject = _subject(found) or _before(found)
    if not subject:
        return Say("What is the ticket about? Say `open a ticket: ` and its subject.")
    opened, listed = request.answer_of("create_ticket"), request.answer_of("list_tickets")
    if opened is not None:
        return Say(_opened(opened))
    if listed is None:
        return Call("list_tickets")
    twin = _twin(listed, subject)
    if twin is not None:
        return Say(_already_open(twin))
    priority = (found["priority"] or "normal").lower()
    return Call("create_ticket", {"subject": subject, "description": request.asked, "priority": priority})


def resolve(request: Request, found: re.Match[str]) -> Move:
    """Close a ticket."""
    return _change(request, found["id"], {"resolve": True}, "{id} is resolved.")


def reopen(request: Request, found: re.Match[str]) -> Move:
    """Open a ticket again."""
    return _change(request, found["id"], {"reopen": True}, "{id} is open again.")


def add_note(request: Request, found: re.Match[str]) -> Move:
    """Add a note to a ticket."""
    return _change(request, found["id"], {"note": found["note"].strip()}, "I added the note to {id}.")


def set_priority(request: Request, found: re.Match[str]) -> Move:
    """Give a ticket another priority."""
    return _change(request, found["id"], {"priority": found["priority"].lower()}, "{id} has priority {priority} now.")


def list_tickets(request: Request, found: re.Match[str]) -> Move:
    """Say which tickets there are, or how one of them stands."""
    answer = request.answer_of("list_tickets")
    if answer is None:
        return Call("list_tickets")
    wanted = (found.groupdict().get("id") or "").upper()
    tickets = [ticket for ticket in answer.get("tickets", []) if wanted in ("", ticket["id"])]
    if not tickets:
        return Say(f"There is no ticket {wanted} among yours." if wanted else "You have no tickets yet.")
    if len(tickets) == 1:
        return Say(f"{_line(tickets[0])}.")
    return Say("\n".join(["Your tickets:", *(f"- {_line(ticket)}" for ticket in tickets)]))


def _change(request: Request, ticket: str | None, change: dict[str, Any], said: str) -> Move:
    answer = request.answer_of("update_ticket")
    if answer is not None:
        return Say(said.format(**answer["changed"]) if "changed" in answer else str(answer.get("error", UNSURE)))
    tickets = request.known.get("open_tickets", [])
    if ticket is None and len(tickets) != 1:
        return Say("Which ticket? Please name it, such as TKT-1001.")
    everything = {"note": "", "priority": "", "resolve": False, "reopen": False}
    return Call("update_ticket", {"ticket_id": (ticket or tickets[0]["id"]).upper(), **everything, **change})


def _subject(found: re.Match[str]) -> str:
    text: str = found["subject"].lstrip(" \t:,-").rstrip()
    if not re.search(r"\w", text) or text.rstrip(".!").casefold() in ("it", "this", "that", "me", "please"):
        return ""
    quoted = text[0] in "\"“'" and text[-1] in "\"”'"
    return text[1:-1].strip() if quoted else text


def _before(found: re.Match[str]) -> str:
    """The subject where none follows: what was said before "please open a ticket"."""
    before = re.sub(r"\b(?:please|can you|could you|would you)\W*$", "", found.string[: found.start()], flags=re.I)
    return " ".join(before.split()).rstrip(".!,; ")[:200]


def _opened(answer: dict[str, Any]) -> str:
    if "already_open" in answer:
        return _already_open(answer["already_open"])
    if "opened" not in answer:
        return str(answer.get("error", UNSURE))
    ticket = answer["opened"]
    return f"I opened {ticket['id']}: “{ticket['subject']}” (priority {ticket['priority']})."


def _already_open(ticket: dict[str, str]) -> str:
    return f"{ticket['id']} “{ticket['subject']}” is open for that already, so I opened no second one."


def _twin(listed: dict[str, Any], subject: str) -> dict[str, str] | None:
    wanted = _folded(subject)
    tickets = (ticket for ticket in listed.get("tickets", []) if ticket["status"] in OPEN)
    return next((ticket for ticket in tickets if _folded(ticket["subject"]) == wanted), None)


def _line(ticket: dict[str, str]) -> str:
    return f"{ticket['id']} “{ticket['subject']}”: {plain(ticket['status'])}, priority {ticket['priority']}"


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())
