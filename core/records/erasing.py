"""What is forgotten, or was kept for its time."""

from dataclasses import dataclass

from core.records.record import Record


@dataclass(frozen=True, slots=True)
class ForgetCustomer(Record):
    """Really delete what a customer said, was told and is known by; their queued events are dealt with.

    Sessions that are theirs and in which nobody else spoke go whole. In others their turns stay, 'erased' and empty,
    so that the turns of others keep their place; revision + 1, version + 1. The customer's row, tickets, usage and
    audit lines stay, without what was sealed in the first two; the customer's version + 1.
    """

    customer: str


@dataclass(frozen=True, slots=True)
class BlankBodies(Record):
    """Really delete an owner's texts: of events that were given up and came before `inbox`, and of pieces that are
    posted, or were refused, and were made before `outbox` (times; 0: of none)."""

    owner: str
    inbox: int
    outbox: int


@dataclass(frozen=True, slots=True)
class DropTicket(Record):
    """Really delete a ticket with its timeline. Its number is never given again."""

    id: str


@dataclass(frozen=True, slots=True)
class FoldUsage(Record):
    """Put in the place of a customer's lines of the bill from before a time one line for each month (UTC), model and
    whether its price is known: `purpose` 'total', `calls` of them, without session, turn and ticket."""

    customer: str
    before: int


@dataclass(frozen=True, slots=True)
class DropUsage(Record):
    """Really delete a customer's lines of the bill from before a time."""

    customer: str
    before: int
