"""The figures at the end of the demo: read with the operator's commands, and held against each other."""

import asyncio
from dataclasses import dataclass
from typing import Any

from bots.demo_drawing import Drawing
from bots.demo_stage import Stage

_REASON = "the demo counts who said what"
_SETTLED = ("withdrawn", "resolved")

Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Account:
    """What the desk keeps of one customer: `usage` is their bill, `conversations` are whole."""

    usage: Values
    conversations: list[Values]
    tickets: list[Values]

    @property
    def name(self) -> str:
        name: str = self.usage["name"]
        return name

    @property
    def kept(self) -> int:
        """Turns of the conversations as they are now."""
        return sum(len(one["turns"]) for one in self.conversations)

    @property
    def turns(self) -> list[Values]:
        """All turns, those that were taken back or are on another branch included."""
        return [turn for one in self.conversations for turn in (*one["turns"], *one["elsewhere"])]

    @property
    def open_tickets(self) -> int:
        return sum(1 for ticket in self.tickets if ticket["status"] not in _SETTLED)

    def turns_with(self, words: str) -> int:
        return sum(1 for turn in self.turns if words in str(turn))


async def show_figures(stage: Stage, drawing: Drawing, *, secret: str, owner: str) -> None:
    """Draw what each customer has, and prove that nobody has anything of another's."""
    drawing.title(
        "The figures",
        "Read with `deskmate sessions`, `tickets`, `usage` and `audit`, each with `--json`, in processes of their own.",
    )
    with drawing.waiting("the commands read"):
        accounts = await _read_accounts(stage)
        reviews = await _count_reviews(stage)
    _draw(accounts, drawing, secret)
    _prove_isolation(accounts, drawing, secret=secret, owner=owner)
    _prove_the_count(stage, accounts, drawing)
    _prove_the_seal(stage, drawing, (secret, owner, "printer"))
    conversations = sum(len(one.conversations) for one in accounts)
    drawing.proves(
        f"Reading these {conversations} conversations left {reviews} lines in the audit log",
        "who looks is seen.",
        holds=reviews == conversations,
    )


async def _read_accounts(stage: Stage) -> list[Account]:
    sessions, tickets, usage = await asyncio.gather(
        stage.read("sessions", "list"), stage.read("tickets", "list"), stage.read("usage")
    )
    names = [one["session"] for one in sessions]
    shown = await asyncio.gather(*(stage.read("sessions", "show", name, "--reason", _REASON) for name in names))
    return [Account(one, _of(one["customer"], shown), _of(one["customer"], tickets)) for one in usage]


async def _count_reviews(stage: Stage) -> int:
    lines = await stage.read("audit", "list")
    return sum(1 for line in lines if line["action"] == "review" and line["detail"]["reason"] == _REASON)


def _of(customer: str, found: list[Values]) -> list[Values]:
    return [one for one in found if one["customer"] == customer]


def _draw(accounts: list[Account], drawing: Drawing, secret: str) -> None:
    facts = {
        "tier": [one.usage["tier"] for one in accounts],
        "conversations": [len(one.conversations) for one in accounts],
        "turns": [one.kept for one in accounts],
        "turns taken back, or on another branch": [len(one.turns) - one.kept for one in accounts],
        "tickets": [len(one.tickets) for one in accounts],
        "tickets that are open": [one.open_tickets for one in accounts],
        "model calls": [one.usage["requests"] for one in accounts],
        "tokens": [one.usage["total_tokens"] for one in accounts],
        f"turns with {secret} in them": [one.turns_with(secret) for one in accounts],
    }
    drawing.table([one.name for one in accounts], facts)


def _prove_isolation(accounts: list[Account], drawing: Drawing, *, secret: str, owner: str) -> None:
    drawing.proves(
        "Every turn and ticket stands in a conversation of its own customer",
        "isolation that can be counted.",
        holds=all(_is_at_home(one) for one in accounts),
    )
    found = {one.name: one.turns_with(secret) for one in accounts}
    drawing.proves(
        f"{secret} stands in turns of {owner}'s, in none of anybody else's",
        "neither in an answer, nor in what the model was given.",
        holds=found.pop(owner) > 0 and bool(found) and not any(found.values()),
    )


def _prove_the_count(stage: Stage, accounts: list[Account], drawing: Drawing) -> None:
    drawing.proves(
        "As many turns are kept as were asked for",
        "over two restarts, one of them after a kill.",
        holds={one.name: len(one.turns) for one in accounts} == dict(stage.turns),
    )
    requests = {one.name: sum(turn["usage"]["usage"]["requests"] for turn in one.turns) for one in accounts}
    drawing.proves(
        "The bill adds up turn by turn, those taken back included",
        "undo changes the conversation, not what it cost.",
        holds=requests == {one.name: one.usage["requests"] for one in accounts},
    )


def _prove_the_seal(stage: Stage, drawing: Drawing, words: tuple[str, ...]) -> None:
    drawing.proves(
        f"No file holds {', '.join(words)} in plain bytes",
        "what is kept is sealed.",
        holds=not any(stage.holds(word) for word in words),
    )


def _is_at_home(account: Account) -> bool:
    own = {one["session"] for one in account.conversations}
    customer = account.usage["customer"]
    return all(turn["customer"] == customer for turn in account.turns) and all(
        ticket["session"] in own for ticket in account.tickets
    )
