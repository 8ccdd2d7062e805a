"""What an event finds when its turn comes: the session, its branch, and who speaks."""

import asyncio
from dataclasses import dataclass, field, replace

from core.customers import open_customer
from core.errors import NoSuchSessionError
from core.linked import others_of
from core.models import MAIN, Customer, Ticket
from core.ports import Sealer, Store
from core.queries.branches import BranchByName, BranchRow
from core.queries.lanes import EventRow
from core.queries.people import CustomerById, SessionById, SessionRow
from core.queries.tickets import TicketByNumber
from core.queries.turns import TurnsSpokenBy
from core.sealed import branch_row, open_json
from core.session_ids import ticket_of
from core.tickets import load_tickets


@dataclass(slots=True)
class Scene:
    """A session as it stands, and the customer who speaks in it. Read fresh for each event.

    `bound` says that the place is bound to the branch: in other places the session goes on with its current one.
    `remembered` and `elsewhere` are what others who are the same person, with joined histories, asked to remember, and
    their tickets. `spoken` are the newest two turns the customer spoke before, in any session. `ticket` is the id of
    the ticket whose session it is, whoever that ticket belongs to; None where it is no ticket's, or not opened yet.
    """

    session: SessionRow
    name: str
    branch: str
    customer: Customer
    tickets: list[Ticket]
    spoken: list[str]
    bound: bool = False
    remembered: dict[str, str] = field(default_factory=dict)
    elsewhere: list[Ticket] = field(default_factory=list)
    ticket: str | None = None

    @property
    def on_main(self) -> bool:
        """Whether the current branch is the one every session starts on."""
        return self.branch == MAIN


async def load_scene(store: Store, sealer: Sealer, event: EventRow, *, branch: str | None = None) -> Scene:
    """Read what the event finds; all questions are asked at once. `branch` is the one its place is bound to, if any."""
    sessions, customers, tickets, spoken = await asyncio.gather(
        store.read(SessionById(event.session)),
        store.read(CustomerById(event.customer)),
        load_tickets(store, sealer, event.customer),
        store.read(TurnsSpokenBy(event.customer, 2)),
    )
    if not sessions or not customers:
        raise NoSuchSessionError(f"event {event.id} is of a session or customer that is gone")
    session, customer = sessions[0], customers[0]
    there = await store.read(BranchByName(session.id, sealer.lookup("branch", branch))) if branch else []
    if there:
        session = on_branch(session, there[0])
    name = session_name(sealer, session)
    known = open_customer(customer, sealer)
    joined = [each for each in await others_of(store, sealer, known) if each.id in known.joined]
    return Scene(
        session=session,
        name=name,
        branch=branch_name(sealer, session, session.branch, session.branch_body),
        customer=known,
        tickets=tickets,
        spoken=[turn.id for turn in spoken],
        bound=bool(there),
        remembered={key: value for each in joined for key, value in each.preferences.items()},
        elsewhere=[ticket for each in joined for ticket in await load_tickets(store, sealer, each.id)],
        ticket=await _own_ticket(store, session, name, tickets),
    )


def on_branch(session: SessionRow, branch: BranchRow) -> SessionRow:
    """The session as it is on another branch than its current one."""
    return replace(session, branch=branch.name, branch_body=branch.body, head=branch.head, depth=branch.depth)


async def _own_ticket(store: Store, session: SessionRow, name: str, tickets: list[Ticket]) -> str | None:
    own = ticket_of(name)
    if own is None:
        return None
    found = next((ticket.id for ticket in tickets if ticket.name == own), None)
    if found is not None:
        return found
    rows = await store.read(TicketByNumber(session.workspace, int(own.removeprefix("TKT-"))))
    return rows[0].id if rows else None


def session_name(sealer: Sealer, session: SessionRow) -> str:
    """The readable id of a session."""
    name: str = open_json(sealer, "session", session.owner, session.id.hex(), session.body)["id"]
    return name


def branch_name(sealer: Sealer, session: SessionRow, branch: bytes, body: bytes) -> str:
    """The readable name of a branch of a session."""
    name: str = open_json(sealer, "branch", session.owner, branch_row(session.id, branch), body)
    return name
