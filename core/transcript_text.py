"""A transcript as text, ten turns a page."""

from collections.abc import Iterable, Sequence

from core.config import PriceSettings
from core.models import Item
from core.transcript import TURNS, Page
from core.transcript_turns import TurnLine
from core.usage import UsageSum, money
from core.wording import count

_LONGEST = 600
"""Characters that are shown of a tool's arguments, and of its result."""


def page_text(page: Page, prices: PriceSettings) -> str:
    """The text of a page, the first one with what there is to say of the whole."""
    transcript = page.transcript
    lines = [_head(page, prices)] if page.number == 1 else []
    lines += [f"Page {page.number} of {max(1, -(-page.of_turns // TURNS))}"]
    lines += [_turn(turn, "", prices) for turn in transcript.turns]
    lines += [_turn(turn, ", taken back or on another branch", prices) for turn in transcript.elsewhere]
    return "\n\n".join(lines)


def is_last(page: Page) -> bool:
    """Whether no turn stands behind a page."""
    return page.number * TURNS >= page.of_turns


def _head(page: Page, prices: PriceSettings) -> str:
    transcript = page.transcript
    branches = ", ".join(f"{one.name} ({count(one.turns, 'turn')})" for one in transcript.branches)
    return (
        f"{transcript.session}, {count(page.of_turns, 'turn')}, on branch {transcript.branch}\n"
        f"Branches: {branches}\nUsed: {_used(transcript.usage, prices)}"
    )


def _turn(turn: TurnLine, beside: str, prices: PriceSettings) -> str:
    status = "" if turn.status == "done" else f", {turn.status}"
    edited = ", edited" if turn.edited else ""
    lines = [f"{turn.number}. {turn.name or turn.customer} ({turn.at:%Y-%m-%d %H:%M} UTC{status}{edited}{beside})"]
    lines += [f"Asked: {turn.said}", *tools_of(turn.items), f"Answered: {turn.answered}"]
    facts = [*turn.tickets, _used(turn.usage, prices), *(opinion.value for opinion in turn.feedback)]
    return "\n".join([*lines, f"({'; '.join(facts)})"])


def tools_of(items: Sequence[Item]) -> list[str]:
    """What tools were called with, and what they gave, one line each."""
    results = {item.get("call_id"): item.get("output") for item in items if item.get("type") == "function_call_output"}
    calls = (item for item in items if item.get("type") == "function_call")
    return [
        f"Tool {item.get('name')}({_short(item.get('arguments'))}) gave {_short(results.get(item.get('call_id')))}"
        for item in calls
    ]


def _short(value: object) -> str:
    text = " ".join(str("nothing" if value is None else value).split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _used(total: UsageSum, prices: PriceSettings) -> str:
    parts: Iterable[str] = (count(total.usage.total_tokens, "token"), money(total, prices))
    return ", ".join(parts)
