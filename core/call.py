"""A word of the table on its way to its handler, with all a handler needs."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import NoReturn

from core.access import may
from core.asking import Ask
from core.audit import audit_record
from core.budgets import Purse
from core.config import Role, StrategyName
from core.errors import BadInputError, NoSuchTicketError, NotAllowedError
from core.kit import Kit
from core.models import ConversationRef, Ticket
from core.queries.lanes import EventRow
from core.queries.turns import TurnRow
from core.records.guards import SessionAt
from core.records.record import Record
from core.replies import Mail, Told
from core.scene import Scene
from core.words import Word

Result = list[Record] | Ask
"""What a word comes to: records for its commit, or a message to answer (again) in a turn."""


_DIGITS = 20


@dataclass(frozen=True, slots=True)
class Call:
    """A word that was said: by whom, where, with what, and about which turn (None: the conversation as it stands).

    `tell_staff` says in the staff channel, if there is one, that something waits; `tell` tells somebody else, for them
    alone. `gesture` says it was a reaction: then what does not apply is passed over in silence.
    """

    word: Word
    args: tuple[str, ...]
    ref: ConversationRef
    event: EventRow
    scene: Scene
    role: Role
    mail: Mail
    kit: Kit
    tell_staff: Callable[[str], Awaitable[None]]
    tell: Callable[[Told], Awaitable[None]]
    turn: str | None = None
    gesture: bool = False

    @property
    def private(self) -> bool:
        """Whether the asker alone sees the answer; `here` posts a private one in the conversation."""
        return self.word.answer == "private" and self.args[-1:] != ("here",)

    @property
    def strategy(self) -> StrategyName:
        """What a session stands for in this place."""
        return self.kit.places.strategy(self.ref)

    @property
    def purse(self) -> Purse:
        """What the asker may still use of the model."""
        return self.kit.budgets.purse_of(self.scene.customer)

    def say(self, text: str, *, private: bool | None = None, **rest: object) -> None:
        """Answer, to whom the table says unless told otherwise."""
        self.mail.say(text, private=self.private if private is None else private, **rest)  # type: ignore[arg-type]

    def guard(self) -> SessionAt:
        """The record that refuses the commit when the session changed since it was read."""
        return SessionAt(self.scene.session.id, self.scene.session.version)

    def own(self, turns: list[TurnRow]) -> list[TurnRow]:
        """Check that the asker may take these turns back: every one their own, or they are staff."""
        if any(turn.speaker not in self.scene.customer.joined for turn in turns) and not may(self.role, "undo_others"):
            raise NotAllowedError(reply="Only the person who wrote those messages, or staff, can do that.")
        return turns

    def own_ticket(self, ticket: Ticket | None) -> Ticket:
        """Check that the asker may see a ticket: their own, or they are staff. One answer for all others."""
        if ticket is None or (
            ticket.customer not in self.scene.customer.everyone and not may(self.role, "staff_ticket")
        ):
            raise NoSuchTicketError
        return ticket

    def audit(self, action: str, detail: object) -> Record:
        """An audit line about this conversation."""
        return audit_record(
            self.kit.sealer,
            actor=self.scene.customer.id,
            action=action,
            subject=self.scene.session.id.hex()[:12],
            owner=self.scene.customer.id,
            detail=detail,
            at=self.event.at,
        )

    def number(self, *, default: int, least: int = 1, most: int = 1000) -> int:
        """The number that was said with the word."""
        if not self.args:
            return default
        said = self.args[0]
        # The length first: Python refuses to read a number of thousands of digits.
        if len(said) > _DIGITS or not said.isdecimal() or not least <= int(said) <= most:
            self.misused()
        return int(said)

    def misused(self) -> NoReturn:
        """Say how the word is used."""
        raise BadInputError(reply=f"Say it like this: `{self.word.name} {self.word.args}`.".replace(" `.", "`."))
