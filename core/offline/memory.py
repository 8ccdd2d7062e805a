"""How the offline stand-in remembers, recalls and sums up, with the real tools."""

import re
from collections.abc import Iterator
from typing import Any

from core.offline.facts import find_fact, find_preference
from core.offline.moves import UNSURE, Call, Move, Say
from core.offline.reading import Request
from core.text import first_words
from core.wording import count

_TICKET = re.compile(r"TKT-\d+", re.IGNORECASE)
_NAME = 40
"""Characters of the name of what is remembered whole."""
_WISHES = ("prefer", "like", "want", "need")


def sum_up(request: Request, found: re.Match[str]) -> Move:
    """Sum up the conversation; where others read it, what the asker has in it."""
    answer = request.answer_of("get_conversation_summary")
    if answer is None:
        return Call("get_conversation_summary")
    who = f"{answer['name']} ({answer['tier']})" if "tier" in answer else answer["name"]
    tickets = "; ".join(f"{one['id']} “{one['subject']}”" for one in answer["open_tickets"]) or "none"
    lines = [f"{who}, {count(answer['actions'], 'action')} so far. Open tickets: {tickets}."]
    told = _own_lines(answer, request.speaker) if request.shared else answer["recent"]
    lines += [f"{one['turn']}. “{one['said']}”{_dash(one['answered'])}" for one in told]
    return Say("\n".join(lines))


def _own_lines(answer: dict[str, Any], speaker: str) -> Iterator[dict[str, Any]]:
    """What the asker said. An answer is left out where it may name a ticket that is not theirs."""
    theirs = {one["id"] for one in answer["open_tickets"]}
    for line in answer["recent"]:
        own = line["said"].removeprefix(f"{speaker}: ")
        if own != line["said"]:
            named = _tickets_in(line["answered"]) - theirs - _tickets_in(own)
            yield line | {"said": own, "answered": "" if named else line["answered"]}


def _tickets_in(text: str) -> set[str]:
    return {name.upper() for name in _TICKET.findall(text)}


def _dash(answered: str) -> str:
    return f" – {answered}" if answered else ""


def remember(request: Request, found: re.Match[str]) -> Move:
    """Remember something for good."""
    answer = request.answer_of("remember_preference")
    if answer is None:
        name, value = _name_and_value(found["what"].strip().rstrip("."))
        return Call("remember_preference", {"name": name, "value": value})
    if "remembered" not in answer:
        return Say(str(answer.get("error", UNSURE)))
    kept = "; ".join(_kept(name, value) for name, value in answer["remembered"].items())
    return Say(f"I will remember {kept}.")


def _kept(name: str, value: str) -> str:
    if name in _WISHES:
        return f"that you {name} {value}"
    return f"this: {value}" if name == first_words(value, _NAME) else f"your {name}: {value}"


def recall(request: Request, found: re.Match[str]) -> Move | None:
    """Say a fact that was given before: here, among what is remembered, or in an earlier conversation."""
    subject = " ".join(found["subject"].split())
    known = request.known
    if subject.casefold() in ("name", "tier"):
        value = known.get("customer" if subject.casefold() == "name" else "tier")
        return Say(f"Your {subject} is {value}.") if value else None
    here = find_fact(subject, request.said) or find_preference(subject, known.get("preferences", {}))
    here = here or find_fact(subject, _noted(request))
    if here is not None:
        return Say(f"Your {subject} was {here}.")
    answer = request.answer_of("recall")
    return Call("recall", {"question": subject}) if answer is None else Say(_recalled(subject, answer))


def _noted(request: Request) -> list[str]:
    """What the notes of turns that left the window hold; where others speak too, of the asker's own words only."""
    notes: str = request.known.get("summary_of_earlier_turns", "")
    if not request.shared:
        return [notes]
    return [line for line in notes.splitlines() if line.startswith(f"Customer: {request.speaker}: ")]


def _name_and_value(what: str) -> tuple[str, str]:
    fact = re.match(r"(?:my|our|the)\s+(.{1,60}?)\s*(?:\b(?:is|are)\b|=|:)\s*(.+)", what, re.IGNORECASE | re.DOTALL)
    if fact is not None:
        return fact[1], fact[2]
    wish = re.match(rf"i\s+({'|'.join(_WISHES)})\s+(.+)", what, re.IGNORECASE | re.DOTALL)
    if wish is not None:
        return wish[1].lower(), wish[2]
    return first_words(what, _NAME), what


def _recalled(subject: str, answer: dict[str, Any]) -> str:
    for turn in answer.get("found", []):
        value = find_fact(subject, [turn["said"], turn["answered"]])
        if value is not None:
            return f"Your {subject} was {value}. You told me so on {turn['at'][:10]}."
    if "note" in answer:
        return f"I do not see your {subject} here. {answer['note']} Please ask me in a direct message."
    return f"I do not know your {subject}: it was not said here, nor in an earlier conversation."
