"""Which session a place means: by its strategy, unless it was bound to another one."""

import re
from dataclasses import dataclass, field, replace

from core.config import Settings, StrategyName
from core.lru import Lru
from core.models import MAIN, ConversationRef, Event, UserMessage
from core.ports import Sealer, Store
from core.queries.people import PlaceByKey, PlaceRow, SessionById
from core.queries.tickets import TicketByNumber
from core.records.guards import PlaceIs
from core.records.people import AddSession, BindPlace, Reserve
from core.records.record import Record
from core.records.turns import EnsureMain
from core.sealed import branch_row, open_json, seal_json
from core.session_ids import next_generation, parse, place_key, session_id, strategy_for
from core.writer import GroupWriter

FIRST_TICKET = 1001
BINDINGS = 65_536
"""Places whose binding is remembered; a commit that relies on one checks it (`PlaceIs`)."""
_HOUR = 3_600_000_000
_TICKET = re.compile(r"\bTKT-(\d{1,9})\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Placed:
    """The session of a place.

    `records` bind the place to it where it was not before, or guard that it is still bound as it was read.
    """

    name: str
    session: bytes
    records: list[Record] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Binding:
    """What a place means: the name of a session, and the row that says so, None where its strategy does.

    Where it is bound to a branch of that session, `branch` is its name.
    """

    name: str
    row: PlaceRow | None
    branch: str | None = None


class Places:
    """Finds and changes what places mean."""

    def __init__(self, settings: Settings, *, store: Store, sealer: Sealer, writer: GroupWriter) -> None:
        """All parts are the desk's; nothing is opened here."""
        self._settings = settings
        self._store = store
        self._sealer = sealer
        self._writer = writer
        self._bindings: Lru[bytes, Binding] = Lru(BINDINGS)

    def strategy(self, ref: ConversationRef) -> StrategyName:
        """What a session stands for in this place."""
        return strategy_for(ref, self._settings.strategies)

    async def session_at(self, event: Event, customer: str, at: int) -> Placed:
        """The session an event in a place belongs to. The commit may be refused with ChangedError: then `forget`."""
        ref = event.ref
        key = self._place_key(ref)
        binding = self._bindings.get(key) or await self._read(ref)
        self._bindings.put(key, binding)
        placed = await self._placed(ref, binding, event, customer, at)
        guard = PlaceIs(key, binding.row.session if binding.row else None)
        return Placed(placed.name, placed.session, [guard, *placed.records])

    def forget(self, ref: ConversationRef) -> None:
        """Read anew what a place means: it was bound to another session meanwhile."""
        self._bindings.drop(self._place_key(ref))

    def forget_all(self) -> None:
        """Read anew what every place means."""
        self._bindings = Lru(BINDINGS)

    async def branch_at(self, ref: ConversationRef, session: bytes) -> str | None:
        """The branch a place is bound to, where it is to one of this session; None: it goes on with the current one."""
        binding = self._bindings.get(self._place_key(ref)) or await self._read(ref)
        if binding.branch is None:
            return None
        # Another branch of the same session changes nothing that a commit checks: read as it is now.
        binding = await self._read(ref)
        return binding.branch if binding.row and binding.row.session == session else None

    def bind(  # noqa: PLR0913 - what a binding consists of
        self, ref: ConversationRef, name: str, owner: str, at: int, *, branch: str | None = None
    ) -> Placed:
        """Let a place mean the session of this name from now on, or a branch of it."""
        key, session = self._place_key(ref), self._key(name)
        body = seal_json(self._sealer, "place", owner, key.hex(), {"name": name, "branch": branch} if branch else name)
        return Placed(name, session, [BindPlace(key, session, owner, at, body)])

    def is_same(self, one: ConversationRef, other: ConversationRef) -> bool:
        """Whether two refs are one place."""
        return self._place_key(one) == self._place_key(other)

    async def name_at(self, ref: ConversationRef) -> str:
        """The name of the session a place means now."""
        return (await self._read(ref)).name

    async def next_name(self, ref: ConversationRef) -> str:
        """The name of the session that begins where a place starts afresh."""
        return await self._next(ref, await self._read(ref))

    async def _next(self, ref: ConversationRef, binding: Binding) -> str:
        # On a branch of another place's session it has not had one of its own yet.
        if binding.branch is not None:
            return self._default(ref)
        if not self._is_borrowed(ref, binding.name):
            return next_generation(binding.name)
        # Of somebody else's conversation the next is theirs: their own begins after the last they had.
        name = self._default(ref)
        while await self._store.read(SessionById(self._key(name))):
            name = next_generation(name)
        return name

    def _is_borrowed(self, ref: ConversationRef, name: str) -> bool:
        """Whether a session is what a user's own place means, but another user's."""
        said, own = parse(name), parse(self._default(ref))
        return said.strategy == own.strategy == "user" and replace(said, generation=1) != own

    async def _read(self, ref: ConversationRef) -> Binding:
        key = self._place_key(ref)
        rows = await self._store.read(PlaceByKey(key))
        if not rows:
            return Binding(self._default(ref), None)
        said: str | dict[str, str] = open_json(self._sealer, "place", rows[0].owner, key.hex(), rows[0].body)
        if isinstance(said, str):
            return Binding(said, rows[0])
        return Binding(said["name"], rows[0], said["branch"])

    async def _placed(self, ref: ConversationRef, binding: Binding, event: Event, customer: str, at: int) -> Placed:
        if not isinstance(event, UserMessage):
            return Placed(binding.name, self._key(binding.name))
        if binding.row is None and self.strategy(ref) == "ticket":
            return self.bind(ref, await self._ticket_session(event, customer), customer, at)
        placed = Placed(binding.name, self._key(binding.name))
        if await self._is_stale(placed, at):
            return self.bind(ref, await self._next(ref, binding), customer, at)
        return placed

    def _default(self, ref: ConversationRef) -> str:
        # A ticket's place has a session of its own for what is said there before any ticket (commands).
        return place_key(ref, self.strategy(ref))

    def _place_key(self, ref: ConversationRef) -> bytes:
        return self._sealer.lookup("place", self._default(ref))

    def _key(self, name: str) -> bytes:
        return self._sealer.lookup("session", name)

    async def _ticket_session(self, event: UserMessage, customer: str) -> str:
        """The ticket the first message names, if it is the customer's own; else one of a new number."""
        workspace = event.ref.workspace
        for number in _TICKET.findall(event.text):
            rows = await self._store.read(TicketByNumber(workspace, int(number)))
            if rows and rows[0].customer == customer:
                return session_id(event.ref, "ticket", ticket=f"TKT-{rows[0].number}")
        number = await reserve_ticket(self._writer, workspace)
        return session_id(event.ref, "ticket", ticket=f"TKT-{number}")

    async def _is_stale(self, placed: Placed, at: int) -> bool:
        idle = self._settings.session.idle_hours * _HOUR
        if not idle:
            return False
        rows = await self._store.read(SessionById(placed.session))
        return bool(rows) and rows[0].head is not None and rows[0].spoken + idle < at


def new_session_records(sealer: Sealer, placed: Placed, ref: ConversationRef, *, owner: str, at: int) -> list[Record]:
    """The records of a session on its first branch; nothing happens where it is there already."""
    strategy = parse(placed.name).strategy
    main, row = sealer.lookup("branch", MAIN), placed.session.hex()
    body = seal_json(sealer, "session", owner, row, {"id": placed.name})
    branch = seal_json(sealer, "branch", owner, branch_row(placed.session, main), MAIN)
    return [
        AddSession(placed.session, ref.workspace, owner, strategy, main, at, body),
        EnsureMain(placed.session, main, at, branch),
    ]


async def reserve_ticket(writer: GroupWriter, workspace: str) -> int:
    """Reserve a ticket number that was never given before in the workspace."""
    (rows,) = await writer.commit((Reserve(f"ticket/{workspace}", FIRST_TICKET),))
    return int(str(rows[0][0]))
