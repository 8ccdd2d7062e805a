"""What the tools of a turn see: loaded for the turn, changed only through its stage."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime

from core.links import Links
from core.models import Ticket
from core.stage import Stage


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """One turn in brief: its number on the branch, when, what was said and what was answered."""

    number: int
    at: datetime
    said: str
    answered: str


@dataclass(frozen=True, slots=True)
class Recollection:
    """Something the customer said or was told in an earlier conversation of theirs."""

    at: datetime
    said: str
    answered: str


Recall = Callable[[str], Awaitable[list[Recollection]]]


@dataclass(slots=True)
class SupportContext:
    """The SDK run context of a turn. Tenant and customer come from here, never from the model.

    `elsewhere` are tickets the person opened as somebody else they are too, to be read only.
    `shared` says that others can read the place; `returning` that the customer was here before this conversation;
    `summary` stands for the part of the conversation that left the window ('' where none did); `own_words` are the
    customer's own texts, asked for where others read the place. `links` says which addresses may be said.
    """

    customer_id: str
    customer_name: str
    account_tier: str
    session_history: list[HistoryLine]
    stage: Stage
    recall: Recall
    shared: bool = False
    returning: bool = False
    elsewhere: tuple[Ticket, ...] = ()
    summary: str = ""
    own_words: tuple[str, ...] = ()
    preferences: dict[str, str] = field(default_factory=dict)
    links: Links = field(default_factory=Links)

    @property
    def tickets(self) -> list[Ticket]:
        """The customer's tickets as this turn sees them, by number."""
        return sorted(self.stage.tickets.values(), key=lambda ticket: ticket.number)
