"""Handing a question to staff: a ticket for them, opened without a model."""

from core.call import Call, Result
from core.config import MAX_TEXT
from core.errors import BadInputError
from core.ids import new_id
from core.models import Ticket, TicketStatus
from core.queries import TurnsSpokenIn
from core.sealed import open_json
from core.session_ids import ticket_of
from core.stage import Stage
from core.staging import stage_of
from core.text import first_words
from core.tickets import staged_records
from core.tools import find_twin

NOTHING = "Tell me in a few words what our staff should look at: `staff the printer burns`."


async def staff(call: Call) -> Result:
    """Open a ticket that waits for staff: about what is said with the word, else about the asker's last message.

    A ticket that is there for it already is handed to staff instead.
    """
    said = " ".join(call.args) or await _last_said(call)
    if not said.strip():
        raise BadInputError(reply=NOTHING)
    stage = stage_of(call.kit, call.event, call.scene)
    stage.load(call.scene.tickets)
    ticket = await _ticket_for(stage, said, own=ticket_of(call.scene.name))
    if ticket.status is not TicketStatus.WAITING_FOR_STAFF:
        await call.tell_staff(f"{ticket.name} waits for staff")
    stage.set_status(ticket.name, TicketStatus.WAITING_FOR_STAFF)
    stage.close()
    call.say(f"{ticket.name} is with our staff now: {ticket.subject}")
    customer = call.scene.customer.id
    return [call.guard(), *staged_records(stage, call.kit.sealer, actor=customer, at=call.event.at)]


async def _ticket_for(stage: Stage, said: str, *, own: str | None) -> Ticket:
    subject = first_words(said, 80)
    found = stage.tickets.get(own or "") or find_twin(stage.tickets.values(), subject)
    if found is not None:
        return found
    return await stage.open_ticket(new_id(), subject=subject, description=said[:MAX_TEXT], priority="normal")


async def _last_said(call: Call) -> str:
    turns = await call.kit.store.read(TurnsSpokenIn(call.scene.session.id, call.scene.customer.id))
    if not turns:
        return ""
    body = open_json(call.kit.sealer, "turn", turns[0].speaker, turns[0].id, turns[0].body)
    return str(body["said"]) if body else ""
