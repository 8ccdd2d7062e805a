"""The rules of the offline stand-in: what it does with a request. The first rule that fits decides."""

import re
from collections.abc import Callable

from core.instructions import TRIAGE
from core.offline import memory, tickets
from core.offline.moves import UNSURE, Call, Move, Say
from core.offline.reading import Request
from core.text import first_words
from core.wording import count

Rule = Callable[[Request, re.Match[str]], Move | None]

_QUOTED = 200
_GREETING = re.compile(
    r"\s*(?:hi|hello|hey|hallo|good (?:morning|day|afternoon|evening))\b[\s,.!]*(?:there|again|desk\w*)?[\s,.!]*",
    re.IGNORECASE,
)
_NOBODY = frozenset(
    ("you", "me", "us", "him", "her", "them", "someone", "somebody", "anyone", "a", "an", "human", "person", "staff")
)


def decide(request: Request) -> Move:
    """What to do next for a request."""
    move = _by_rule(request)
    if isinstance(move, Call):
        return move if move.name in request.tools or move.name in request.handoffs.values() else Say(UNSURE)
    greeting = _greeting(request)
    if move is not None:
        return Say(f"{greeting} {move.text}".strip())
    if greeting and not _without_greeting(request):
        return Say(f"{greeting} {_open_tickets(request)}What can I do for you?")
    return Say(f"{greeting} You wrote “{first_words(request.asked, _QUOTED)}”. {UNSURE}".strip())


def _by_rule(request: Request) -> Move | None:
    asked = _without_greeting(request)
    for pattern, rule in RULES:
        found = pattern.search(asked)
        move = rule(request, found) if found is not None else None
        if move is not None:
            return move
    return None


def _without_greeting(request: Request) -> str:
    greeting = _GREETING.match(request.asked)
    return request.asked[greeting.end() :] if greeting else request.asked


def _greeting(request: Request) -> str:
    """Greet who greets, and who comes back to a new conversation."""
    name, greeted = request.known.get("customer", ""), _GREETING.match(request.asked) is not None
    if request.known.get("returning") and (greeted or not request.known.get("turns_so_far")):
        return f"Welcome back, {name}."
    return f"Hello, {name}." if greeted else ""


def _open_tickets(request: Request) -> str:
    known = request.known.get("open_tickets", [])
    if not known:
        return ""
    named = "; ".join(f"{ticket['id']} “{ticket['subject']}”" for ticket in known)
    return f"You have {count(len(known), 'open ticket')}: {named}. "


def _talk_to(request: Request, found: re.Match[str]) -> Move | None:
    wanted, here = found["who"].lower(), request.known.get("agent", TRIAGE)
    if wanted in ("front", "back", "reception"):
        wanted = TRIAGE
    if wanted == here:
        return Say(f"You are talking to {here} now. What can I do for you?")
    if wanted in request.handoffs:
        return Call(request.handoffs[wanted])
    # A specialist knows only the way back; the first agent knows the others.
    if wanted not in _NOBODY and TRIAGE in request.handoffs and not request.done:
        return Call(request.handoffs[TRIAGE])
    return None


_ID = r"(?P<id>TKT-\d+)"
_PATTERNS: tuple[tuple[str, Rule], ...] = (
    (rf"\bnote\s+(?:on|to|for)\s+{_ID}\s*[:,-]?\s*(?P<note>.+)", tickets.add_note),
    (rf"\bpriority\s+(?:of|for)\s+{_ID}\s+(?:to|is|=|:)\s*(?P<priority>\w+)", tickets.set_priority),
    (rf"\bset\s+{_ID}\s+to\s+(?P<priority>\w+)", tickets.set_priority),
    (
        r"\b(?:open|create|file)\s+(?:(?:a|an|new|another|me)\s+)*(?:(?P<priority>low|normal|high|urgent)"
        r"(?:[ -]priority)?\s+)?(?:support\s+)?ticket\b(?:\s+(?:about|for|on|that says)\b)?(?P<subject>[^\n]*)",
        tickets.open_ticket,
    ),
    (rf"\b(?:resolve|close)(?:\s+(?:my\s+|the\s+)?ticket)?(?:\s+{_ID}|\s*[.!]?$)", tickets.resolve),
    (rf"{_ID}\s+(?:is|was|has been)\s+(?:resolved|solved|fixed|done)\b", tickets.resolve),
    (rf"\breopen(?:\s+(?:my\s+|the\s+)?ticket)?(?:\s+{_ID}|\s*[.!]?$)", tickets.reopen),
    (
        r"\b(?:talk|speak|connect|transfer|switch|hand|go|bring)\b[^.?!\n]{0,30}?\b(?:to|with)\s+(?:the\s+)?(?P<who>\w+)",
        _talk_to,
    ),
    (
        r"^\s*(?:please\s+)?remember\b(?!\s+(?:my|our)\b[^.!\n]*\?)\s*(?:(?:that|this)\b)?\s*[:,]?\s*(?P<what>.+)",
        memory.remember,
    ),
    (
        r"\b(?:(?:what(?:'s|’s|\s+is|\s+are)|remember|recall|tell\s+me|know)\s+(?:my|our)|"
        r"(?:what|which)\s+(?:was|were)\s+(?:my|our|the|that))\s+"
        r"(?P<subject>(?!(?:open\s+)?tickets?\b)[^?.!,\n]{1,60}?)"
        r"(?:\s+(?:again|now|please|once more|yesterday|from \w+))*\s*(?:[?.!,]|$)",
        memory.recall,
    ),
    (
        r"\b(?:what|which)\s+(?P<subject>[^?.!,\n]{1,60}?)\s+(?:did|have|had)\s+i\s+(?:give|given|tell|told|say|said)\b",
        memory.recall,
    ),
    (r"\b(?:summary|summari[sz]e|sum\s+(?:it\s+|this\s+)?up)\b", memory.sum_up),
    (r"\b(?:list|show)\b[^.?!\n]*\btickets?\b|\bmy\s+(?:open\s+)?tickets?\b", tickets.list_tickets),
    (_ID, tickets.list_tickets),
)
RULES = tuple((re.compile(pattern, re.IGNORECASE | re.DOTALL), rule) for pattern, rule in _PATTERNS)
