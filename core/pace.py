"""How much one person may say in a minute, on all platforms together, as far as this process hears it.

It is counted in memory: what others hear is not, and after a restart everybody begins anew. A budget is exact.
Who is linked counts as one person, from a minute after it at the latest.
"""

from dataclasses import dataclass, field, replace
from typing import Literal

from core.access import role_of
from core.clock import now
from core.config import Settings
from core.customers import tier_of
from core.events import event_name
from core.linked import customer_of
from core.lru import Lru
from core.models import Command, Event, Reaction, UserMessage
from core.ports import Sealer, Store
from core.words import says_stop, spoken_command

MINUTE = 60_000_000
PEOPLE = 10_000
"""Of how many people is known what they said; of more, those who were silent longest begin anew."""

Kind = Literal["messages", "commands"]


@dataclass(slots=True)
class _Said:
    """What somebody said of a kind, newest last, and what they were told was too many."""

    taken: list[tuple[int, str]] = field(default_factory=list)
    told: tuple[int, str] | None = None


class Pace:
    """Counts what each person says by when it was said: what waited while nobody listened counts as it was said."""

    def __init__(self, settings: Settings, store: Store, sealer: Sealer) -> None:
        """Nobody said anything yet."""
        self._settings = settings
        self._store = store
        self._sealer = sealer
        self._said: Lru[tuple[str, Kind], _Said] = Lru(PEOPLE)
        self._people: Lru[str, tuple[str, int]] = Lru(PEOPLE)

    async def taken(self, event: Event, customer: str) -> Event | None:
        """The event as it is to be taken in; None where it is too many and is left out.

        The first one that is too many in a minute is taken, with what it is more than: so the person is told.
        Staff may say as much as they want, and everybody may say stop.
        """
        kind = _kind_of(event)
        if kind is None or role_of(self._settings, event.ref) != "customer":
            return event
        most = await self._most(kind, customer)
        if not most:
            return event
        person = await self._person_of(customer)
        said = self._said.get((person, kind)) or _Said()
        self._said.put((person, kind), said)
        at = (event.at if isinstance(event, UserMessage) else None) or now()
        name = event_name(event)
        if _fits(said, name, at, most):
            return event
        if not isinstance(event, UserMessage | Command) or not _is_to_tell(said, name, at):
            return None
        return replace(event, more_than=most)

    async def _person_of(self, customer: str) -> str:
        """The id all who are the same person are counted under; who links meanwhile is in a minute."""
        person, until = self._people.get(customer) or (customer, 0)
        if until <= now():
            known = await customer_of(self._store, self._sealer, customer)
            person = known.person if known else customer
            self._people.put(customer, (person, now() + MINUTE))
        return person

    async def _most(self, kind: Kind, customer: str) -> int:
        pace = self._settings.pace
        # Reading a customer costs more than the rest: only where tiers differ.
        tier = await tier_of(self._store, self._sealer, customer) if pace.tiers else ""
        return pace.most(kind, tier)


def _kind_of(event: Event) -> Kind | None:
    """What an event counts as; None for what is never too many."""
    if says_stop(event):
        return None
    if isinstance(event, UserMessage):
        return "messages" if spoken_command(event) is None else "commands"
    return "commands" if isinstance(event, Command | Reaction) else None


def _fits(said: _Said, name: str, at: int, most: int) -> bool:
    """Whether something is not too many; the same thing counts once."""
    if any(name == one for _, one in said.taken):
        return True
    if sum(at - MINUTE < when <= at for when, _ in said.taken) >= most:
        return False
    said.taken = [*said.taken, (at, name)][-most:]
    return True


def _is_to_tell(said: _Said, name: str, at: int) -> bool:
    """Whether the person is told: once a minute, and again where the same thing is looked at again."""
    if said.told is not None and name != said.told[1] and at - said.told[0] < MINUTE:
        return False
    said.told = (at, name)
    return True
