"""Handing a question to staff: a ticket for them, opened without a model."""

from dataclasses import dataclass

from core.call import Call, Result
from core.clock import as_time
from core.config import MAX_TEXT
from core.errors import BadInputError
from core.ids import new_id
from core.models import Ticket, TicketStatus
from core.queries.turns import TurnsSpokenIn
from core.sealed import open_json
from core.session_ids import is_private, ticket_of
from core.stage import Stage
from core.staging import stage_of
from core.text import first_words
from core.tickets import staged_records
from core.tools import find_twin

NOTHING = "Tell me in a few words what our staff should look at: `staff the printer burns`."


@dataclass(frozen=True, slots=True)
class _Asked:
    """What staff should look at, and how it is called where tickets are listed."""

    said: str
    subject: str


async def staff(call: Call) -> Result:
    """Open a ticket that waits for staff: about what is said with the word, else about the asker's last message.

    A ticket that is there for it already is handed to staff instead.
    """
    asked = _said_with(call) or await _last_said(call)
    if asked is None:
        raise BadInputError(reply=NOTHING)
    stage = stage_of(call.kit, call.event, call.scene)
    stage.load(call.scene.tickets)
    ticket = await _ticket_for(stage, asked, own=ticket_of(call.scene.name))
    if ticket.status is not TicketStatus.WAITING_FOR_STAFF:
        await call.tell_staff(f"{ticket.name} waits for staff")
    stage.set_status(ticket.name, TicketStatus.WAITING_FOR_STAFF)
    stage.close()
    call.say(f"{ticket.name} is with our staff now: {ticket.subject}")
    customer = call.scene.customer.id
    return [call.guard(), *staged_records(stage, call.kit.sealer, actor=customer, at=call.event.at)]


async def _ticket_for(stage: Stage, asked: _Asked, *, own: str | None) -> Ticket:
    found = stage.tickets.get(own or "") or find_twin(stage.tickets.values(), asked.subject)
    if found is not None:
        return found
    description = asked.said[:MAX_TEXT]
    return await stage.open_ticket(new_id(), subject=asked.subject, description=description, priority="normal")


def _said_with(call: Call) -> _Asked | None:
    said = " ".join(call.args).strip()
    return _Asked(said, first_words(said, 80)) if said else None


async def _last_said(call: Call) -> _Asked | None:
    """The asker's last message. Subjects are named where others read, so of what was said in private it is no part."""
    turns = await call.kit.store.read(TurnsSpokenIn(call.scene.session.id, call.scene.customer.id))
    if not turns:
        return None
    body = open_json(call.kit.sealer, "turn", turns[0].speaker, turns[0].id, turns[0].body)
    said = str(body["said"]).strip() if body else ""
    private = call.ref.direct or is_private(call.scene.name)
    subject = f"Asked on {as_time(turns[0].at):%Y-%m-%d at %H:%M} UTC" if private else first_words(said, 80)
    return _Asked(said, subject) if said else None
