"""How much one person may say in a minute, on all platforms together.

It is counted in memory, and after a restart everybody begins anew. Processes of a shared store tell each other what
they took, so that two of them may let the same moment's messages pass, and no more. A budget is exact. Who is linked
counts as one person, from a minute after it at the latest.
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
from core.wakes import SAID, Wakes
from core.words import says_stop, spoken_command

MINUTE = 60_000_000
TOLD = "told"
SHORT = 16
"""Characters of a hash that tell one event of a person in a minute from another."""
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

    def __init__(self, settings: Settings, store: Store, sealer: Sealer, wakes: Wakes) -> None:
        """Nobody said anything yet. What the other processes take is heard through `wakes`."""
        self._settings = settings
        self._store = store
        self._sealer = sealer
        self._said: Lru[tuple[str, Kind], _Said] = Lru(PEOPLE)
        self._people: Lru[str, tuple[str, int]] = Lru(PEOPLE)
        self._wakes = wakes
        wakes.on(SAID, self._hear)

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
        said = self._of(person, kind)
        at = (event.at if isinstance(event, UserMessage) else None) or now()
        name = self._name_of(event)
        if _fits(said, name, at, most):
            self._wakes.tell(SAID, person, kind, str(at), name)
            return event
        if not isinstance(event, UserMessage | Command) or not _is_to_tell(said, name, at):
            return None
        self._wakes.tell(SAID, person, kind, str(at), name, TOLD)
        return replace(event, more_than=most)

    def _hear(self, person: str, kind: Kind, at: str, name: str, told: str = "") -> None:
        """Count what another process took, or told somebody was too many."""
        said, when = self._of(person, kind), int(at)
        if told:
            said.told = (when, name)
            return
        recent = [(one, known) for one, known in said.taken if one > when - MINUTE and known != name]
        said.taken = [*recent, (when, name)]

    def _of(self, person: str, kind: Kind) -> _Said:
        said = self._said.get((person, kind)) or _Said()
        self._said.put((person, kind), said)
        return said

    def _name_of(self, event: Event) -> str:
        """What an event is known by; to others a hash, as words between processes may be logged by their server."""
        name = event_name(event)
        return self._sealer.lookup("event", name).hex()[:SHORT] if self._store.shared else name

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
