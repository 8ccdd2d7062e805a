"""What an operator sets about how long things are kept: days by class, and by the tier of whose they are."""

from typing import Annotated, Literal

from pydantic import Field

from core.section import Section

_Days = Annotated[int, Field(ge=0, le=36_600)]


Kept = Literal["conversation", "ticket", "usage", "audit", "parked", "delivery"]
"""What is kept for a time of its own: conversations, tickets that are over, lines of the bill and of the audit log,
texts of messages that were given up and of replies that were posted."""
KEPT: tuple[Kept, ...] = ("conversation", "ticket", "usage", "audit", "parked", "delivery")
CALLED: dict[Kept, str] = {
    "conversation": "Conversations",
    "ticket": "Tickets that are over",
    "usage": "Lines of the bill",
    "audit": "Lines of the audit log",
    "parked": "Texts of given-up messages",
    "delivery": "Texts of posted replies",
}
"""What people call them."""


class TierRetention(Section):
    """Days for the customers of one tier, where they are other days (0: never)."""

    conversation_days: _Days | None = None
    ticket_days: _Days | None = None
    usage_days: _Days | None = None
    audit_days: _Days | None = None
    parked_days: _Days | None = None
    delivery_days: _Days | None = None


class RetentionSettings(Section):
    """Days after which something is deleted for good (0: never), and what a tier says instead.

    Lines of the bill become totals of their month (`usage_becomes`), or go.
    """

    conversation_days: _Days = 0
    ticket_days: _Days = 0
    usage_days: _Days = 0
    usage_becomes: Literal["totals", "nothing"] = "totals"
    audit_days: _Days = 0
    parked_days: _Days = 0
    delivery_days: _Days = 0
    tiers: dict[str, TierRetention] = Field(default_factory=dict)

    def days(self, kind: Kept, tier: str) -> int:
        """How long something of a customer of a tier is kept; 0 for ever."""
        told: int | None = getattr(self.tiers.get(tier), f"{kind}_days", None)
        return self._of_all(kind) if told is None else told

    def limits(self, kind: Kept) -> set[int]:
        """The days there are for something, of whatever tier; empty where it is kept for ever."""
        return {self._of_all(kind), *(self.days(kind, tier) for tier in self.tiers)} - {0}

    @property
    def keeps_all(self) -> bool:
        """Whether nothing is ever deleted."""
        return not any(self.limits(kind) for kind in KEPT)

    def _of_all(self, kind: Kept) -> int:
        days: int = getattr(self, f"{kind}_days")
        return days
