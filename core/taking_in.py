"""Taking in a person whom another desk exported, or this one before it forgot them: all in one commit, or nothing.

They are a new customer with a key of their own. Ids stay where they are free here.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from core.clock import now
from core.config import TierSettings
from core.customers import Identity, identity_row, seal_customer
from core.errors import BadInputError
from core.export_file import GivenConversation, GivenCustomer, GivenMonth, GivenTicket, GivenTurn, micros
from core.ids import id_at, new_id
from core.models import MAIN, Customer
from core.places import FIRST_TICKET
from core.ports import Sealer, Store
from core.queries.counts import CounterOf
from core.queries.people import CustomerOfIdentity, SessionById
from core.queries.turns import TurnById
from core.records.bill import BookUsage
from core.records.people import AddCustomer, AddSession, BindPlace, PutSession, Reserve
from core.records.record import Record
from core.records.tickets import AddTicket, AddTicketChange, PutTicket
from core.records.turns import AddBranch, AddItem, AddTurn, EnsureMain, MoveHead, PutFeedback, SwitchBranch
from core.sealed import branch_row, change_row, item_row, row_of, seal_json
from core.session_ids import next_generation, parse, ticket_of
from core.writer import GroupWriter

STAFF = "staff"
"""Who changed a ticket, where the file does not say more."""


@dataclass(slots=True)
class Arrival:
    """A person on their way in: who they are here, and what their things are called here."""

    given: GivenCustomer
    customer: Customer
    at: int
    sessions: dict[str, str] = field(default_factory=dict)
    turns: dict[str, str] = field(default_factory=dict)
    tickets: dict[tuple[str, str], int] = field(default_factory=dict)

    @property
    def renamed(self) -> dict[str, str]:
        """What tickets are called here that have other numbers than in the file."""
        return {was: f"TKT-{number}" for (_, was), number in self.tickets.items() if was != f"TKT-{number}"}


def check_is_apart(given: Sequence[GivenCustomer]) -> None:
    """Raise BadInputError where two customers of one file have an identity, a conversation or a turn in common."""
    identities = [identity for one in given for identity in one.person.identities]
    turns = [turn.id for one in given for turn in one.turns]
    conversations = [conversation.id for one in given for conversation in one.conversations]
    if any(len(set(each)) < len(each) for each in (identities, turns, conversations)):
        raise BadInputError("that is no export this version can take in: something in it is there twice")


async def check_is_new(store: Store, sealer: Sealer, given: GivenCustomer) -> None:
    """Raise BadInputError where the person is here already, or the file does not fit together."""
    _check_tree(given)
    for one in given.person.identities:
        identity = Identity(one.platform, one.workspace, one.user)
        if await store.read(CustomerOfIdentity(sealer.lookup("identity", str(identity)))):
            raise BadInputError(f"{identity} is here already: forget them first, with `deskmate forget {identity}`")


async def arrival_of(
    store: Store, sealer: Sealer, writer: GroupWriter, given: GivenCustomer, *, tiers: TierSettings
) -> Arrival:
    """Find out what everything is called here, of who is new here.

    Ticket numbers are reserved at once: those of the file where the workspace gave none yet, else new ones.
    """
    person = given.person
    tier = person.tier if person.tier in tiers.names else tiers.default
    customer = Customer(new_id(), person.workspace, person.name, tier, 1, dict(person.remembered))
    customer.email, customer.locale, customer.timezone = person.email, person.locale, person.timezone
    arrival = Arrival(given, customer, now())
    arrival.tickets = await _numbers(store, writer, given.tickets)
    for one in given.conversations:
        arrival.sessions[one.id] = await _free_name(store, sealer, _renumbered(one.id, one.workspace, arrival))
    for turn in given.turns:
        arrival.turns[turn.id] = await _free_id(store, turn)
    return arrival


def arrival_records(arrival: Arrival, sealer: Sealer) -> Iterator[Record]:
    """All that is written of a person; their key must be prepared."""
    customer, given, at = arrival.customer, arrival.given, arrival.at
    yield AddCustomer(customer.id, customer.workspace, at, seal_customer(customer, sealer))
    for one in given.person.identities:
        yield identity_row(sealer, customer.id, Identity(one.platform, one.workspace, one.user), at)
    for conversation in given.conversations:
        yield from _conversation(arrival, conversation, sealer)
    for ticket in given.tickets:
        yield from _ticket(arrival, ticket, sealer)
    yield from (_used(customer.id, month) for month in given.usage.months)


def _conversation(arrival: Arrival, given: GivenConversation, sealer: Sealer) -> Iterator[Record]:
    name, owner = arrival.sessions[given.id], arrival.customer.id
    key, main = sealer.lookup("session", name), sealer.lookup("branch", MAIN)
    body = seal_json(sealer, "session", owner, row_of(key), {"id": name})
    yield AddSession(key, given.workspace, owner, parse(name).strategy, main, micros(given.started), body)
    yield from _branches(arrival, given, key, sealer)
    depths: dict[str, int] = {}
    for turn in sorted((one for one in arrival.given.turns if one.conversation == given.id), key=_place_of):
        depths[turn.id] = depths[turn.parent] + 1 if turn.parent else 1
        yield from _turn(arrival, turn, key, depths[turn.id], sealer)
    yield SwitchBranch(key, sealer.lookup("branch", given.branch))
    yield PutSession(key, given.answered_by, int(given.muted))
    if parse(name).generation > 1:
        # What a place means by itself is the first one; without this the newest would be lost from sight.
        place = sealer.lookup("place", str(replace(parse(name), generation=1)))
        yield BindPlace(place, key, owner, arrival.at, seal_json(sealer, "place", owner, row_of(place), name))


def _branches(arrival: Arrival, given: GivenConversation, session: bytes, sealer: Sealer) -> Iterator[Record]:
    owner = arrival.customer.id
    for branch in given.branches:
        key, at = sealer.lookup("branch", branch.name), micros(branch.at)
        body = seal_json(sealer, "branch", owner, branch_row(session, key), branch.name)
        head, forked = (arrival.turns[one] if one else None for one in (branch.head, branch.forked))
        if branch.name == MAIN:
            yield EnsureMain(session, key, at, body)
        else:
            yield AddBranch(session, key, head, forked, at, body)
        yield MoveHead(session, key, None, head, "turn", owner, micros(given.spoken))


def _turn(arrival: Arrival, given: GivenTurn, session: bytes, depth: int, sealer: Sealer) -> Iterator[Record]:
    id_, owner = arrival.turns[given.id], arrival.customer.id
    said = {"said": given.said, "answered": given.answered, "files": list(given.files)}
    body = said | {"name": arrival.customer.name, "quotes": [], "earlier": [], "remembered": []}
    yield AddTurn(
        id=id_,
        session=session,
        parent=arrival.turns[given.parent] if given.parent else None,
        depth=depth,
        status=given.status.value,
        speaker=owner,
        agent=given.agent,
        event=None,
        at=micros(given.at),
        body=seal_json(sealer, "turn", owner, id_, body),
    )
    for seq, item in enumerate(given.items):
        yield AddItem(id_, seq, seal_json(sealer, "item", owner, item_row(id_, seq), item))
    if given.feedback is not None:
        yield PutFeedback(id_, owner, given.feedback.value, micros(given.feedback.at))


def _ticket(arrival: Arrival, given: GivenTicket, sealer: Sealer) -> Iterator[Record]:
    id_, owner = new_id(), arrival.customer.id
    name = arrival.sessions.get(given.conversation, given.conversation)
    value = {"subject": given.subject, "description": given.description, "session": name}
    body, status = seal_json(sealer, "ticket", owner, id_, value), given.status.value
    yield AddTicket(
        id=id_,
        workspace=given.workspace,
        number=arrival.tickets[given.workspace, given.id],
        customer=owner,
        session=sealer.lookup("session", name),
        turn=None,
        status=status,
        priority=given.priority,
        at=micros(given.opened),
        body=body,
    )
    yield PutTicket(id_, status, given.priority, len(given.timeline), micros(given.changed), body)
    yield from _timeline(given, id_, owner, sealer)


def _timeline(given: GivenTicket, ticket: str, owner: str, sealer: Sealer) -> Iterator[Record]:
    for version, entry in enumerate(given.timeline, 1):
        id_ = new_id()
        sealed = {
            column: None if text is None else seal_json(sealer, "ticket_change", owner, change_row(id_, column), text)
            for column, text in (("before", entry.before), ("after", entry.after))
        }
        actor = owner if entry.own else STAFF
        at = micros(entry.at)
        yield AddTicketChange(id_, ticket, None, version, entry.field, entry.cause, actor, at, **sealed)


def _used(customer: str, given: GivenMonth) -> BookUsage:
    """A month's total, in tokens: what it cost was billed elsewhere."""
    year, month = map(int, given.month.split("-"))
    return BookUsage(
        id=f"import/{customer}/{given.model}/{given.month}",
        customer=customer,
        session=b"",
        turn=None,
        branch=None,
        purpose="total",
        model=given.model,
        requests=given.requests,
        input_tokens=given.input_tokens,
        cached_tokens=given.cached_tokens,
        output_tokens=given.output_tokens,
        reasoning_tokens=given.reasoning_tokens,
        cost_nano=None,
        estimated=0,
        at=micros(datetime(year, month, 1, tzinfo=UTC)),
        calls=given.calls,
    )


def _place_of(turn: GivenTurn) -> tuple[int, str]:
    return turn.number, turn.id


def _check_tree(given: GivenCustomer) -> None:
    """Refuse a file in which turns do not lead back to a first one, or branches end elsewhere."""
    turns = {turn.id: turn for turn in given.turns}
    names = {one.id for one in given.conversations}
    ends = [(head, one.id) for one in given.conversations for each in one.branches for head in (each.head, each.forked)]
    whole = len(turns) == len(given.turns) and len(names) == len(given.conversations)
    leads = all(_leads_back(turn, turns) and turn.conversation in {*names, None} for turn in turns.values())
    fits = all(end is None or (end in turns and turns[end].conversation == name) for end, name in ends)
    on = all(one.branch in {each.name for each in one.branches} for one in given.conversations)
    if not (whole and leads and fits and on and all(_has_main(one) for one in given.conversations)):
        raise BadInputError("that is no export this version can take in: its turns and branches do not fit together")


def _leads_back(turn: GivenTurn, turns: Mapping[str, GivenTurn]) -> bool:
    if turn.parent is None:
        return True
    parent = turns.get(turn.parent)
    return parent is not None and parent.conversation == turn.conversation and parent.number < turn.number


def _has_main(given: GivenConversation) -> bool:
    names = [branch.name for branch in given.branches]
    return MAIN in names and len(set(names)) == len(names)


async def _numbers(store: Store, writer: GroupWriter, tickets: Iterable[GivenTicket]) -> dict[tuple[str, str], int]:
    """What number each ticket has here, by its workspace and its name in the file."""
    found: dict[tuple[str, str], int] = {}
    by_workspace: dict[str, dict[int, str]] = {}
    for ticket in tickets:
        by_workspace.setdefault(ticket.workspace, {})[int(ticket.id.removeprefix("TKT-"))] = ticket.id
    for workspace, named in by_workspace.items():
        is_used = bool(await store.read(CounterOf(f"ticket/{workspace}")))
        if not is_used:
            await _reserved(writer, workspace, max(FIRST_TICKET, *named))
        for number, name in sorted(named.items()):
            found[workspace, name] = await _reserved(writer, workspace, FIRST_TICKET) if is_used else number
    return found


async def _reserved(writer: GroupWriter, workspace: str, start: int) -> int:
    (rows,) = await writer.commit((Reserve(f"ticket/{workspace}", start),))
    return int(str(rows[0][0]))


def _renumbered(name: str, workspace: str, arrival: Arrival) -> str:
    """The name of a conversation that stands for a ticket, with the number the ticket has here."""
    number = arrival.tickets.get((workspace, ticket_of(name) or ""))
    return name if number is None else str(replace(parse(name), ticket=f"TKT-{number}"))


async def _free_name(store: Store, sealer: Sealer, name: str) -> str:
    parse(name)
    while await store.read(SessionById(sealer.lookup("session", name))):
        name = next_generation(name)
    return name


async def _free_id(store: Store, turn: GivenTurn) -> str:
    if not await store.read(TurnById(turn.id)):
        return turn.id
    return id_at(micros(turn.at) // 1000, bytes.fromhex(new_id())[6:])
