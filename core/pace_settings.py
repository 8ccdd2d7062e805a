"""What an operator sets about how much one person may say in a minute."""

from typing import Annotated, Literal

from pydantic import Field

from core.section import Section

_Most = Annotated[int, Field(ge=0, le=10_000)]


class PaceLimits(Section):
    """How much one person may say in a minute (0: no limit)."""

    messages_a_minute: _Most | None = None
    commands_a_minute: _Most | None = None


PEOPLE = PaceLimits(messages_a_minute=20, commands_a_minute=60)


class PaceSettings(Section):
    """What each person may say in a minute on all platforms together, and what each person of a tier may instead.

    Where nothing is said there is a limit only for who writes over a network: see `for_people`.
    """

    customer: PaceLimits = PaceLimits()
    tiers: dict[str, PaceLimits] = Field(default_factory=dict)

    def most(self, kind: Literal["messages", "commands"], tier: str) -> int:
        """The most of a kind that a person of a tier may say in a minute; 0 without a limit."""
        own: int | None = getattr(self.tiers.get(tier), f"{kind}_a_minute", None)
        told: int | None = getattr(self.customer, f"{kind}_a_minute")
        return (told if own is None else own) or 0

    def for_people(self) -> "PaceSettings":
        """The limits where people write whom nobody knows, not programs: 20 messages and 60 commands unless told."""
        told = self.customer.model_dump(exclude_none=True)
        return self.model_copy(update={"customer": PEOPLE.model_copy(update=told)})
