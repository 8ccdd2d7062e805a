"""What people say of themselves, said of somebody else of the workspace by those whose role allows it."""

import json

from core.access import Subject, author_of, export_in_commit, line_of
from core.audit import DESK
from core.call import Call, Result
from core.errors import BadInputError, NoSuchSessionError, NotAllowedError
from core.forgetting import Forgetting, Order
from core.legal_holds import hold_on
from core.linked import customer_of, others_of
from core.models import Button, Customer, TextFile
from core.naming import named
from core.noted import BY, check_unread, door_of, end_of_log, line_name, line_named, reader_in, show
from core.people import is_being_forgotten
from core.queries.people import CustomerById
from core.unlinking import Parts, unlinked
from core.wording import count

HELD = "A legal hold is on them, and it wins: nothing of theirs is deleted, and they are not unlinked."
ALONE = "{name} is not linked to anybody."
UNLINKED = "{name} is taken for one person with others no more. What was said stays with who said it."
LINKED = (
    "They are somebody on another platform or in another workspace, too, and of that you decide nothing here. Say "
    "`unlink @person REASON` first, or ask those who run this desk to forget all of them."
)
ASKED = "forget asked"
"""The audit line of a question whose button orders the forgetting."""
ASK = (
    "This makes me forget {name} for good: what they said and what I answered, their name, what I remember of them and "
    "the text of their tickets. It cannot be brought back. Your reason stays in the audit log when they are gone: let "
    "it name nobody. Say `forget {line} confirm` to do it."
)
STALE = "That question is not good any more. Say `forget @person REASON` again."
BEGUN = "They are being forgotten already."


async def export_person(call: Call) -> Result:
    """Send the asker all that is kept of somebody in the workspace."""
    check_unread(call)
    person = await named(call, call.args)
    found, line = await export_in_commit(door_of(call), reader_in(call), person.customer, reason=person.reason)
    file = TextFile("deskmate-export.json", json.dumps(found, ensure_ascii=False, indent=2))
    turns, tickets = count(len(found["turns"]), "turn"), count(len(found["tickets"]), "ticket")
    text = f"This is all I keep of {person.customer.name} here: {turns}, {tickets}."
    await show(call, text, stays=True, file=file)
    return [line]


async def unlink_person(call: Call) -> Result:
    """Let somebody of the workspace go from the others who are the same person."""
    person = await named(call, call.args)
    if not person.customer.links:
        raise BadInputError(reply=ALONE.format(name=person.customer.name))
    await _check_hold(call, person.customer.id)
    parts, by = Parts(call.kit.store, call.kit.sealer, call.kit.places), author_of(call.kit.sealer, reader_in(call))
    records = await unlinked(parts, person.customer, by=by, reason=person.reason)
    await show(call, UNLINKED.format(name=person.customer.name))
    return records


async def forget_person(call: Call) -> Result:
    """Order that somebody of the workspace is forgotten, once who asked for it confirmed it; they get the receipt."""
    if call.args[0].startswith(BY):
        return await _forget(call)
    person = await named(call, call.args)
    await _check(call, person.customer)
    after, of = await end_of_log(call), Subject(person.customer.id, person.customer.id)
    line = await line_of(call.kit.sealer, reader_in(call), ASKED, of, reason=person.reason)
    name = line_name(after, line.id)
    button = Button("Forget them for good", "forget", (name, "confirm"))
    await show(call, ASK.format(name=person.customer.name, line=name), (button,))
    return [line]


async def _forget(call: Call) -> Result:
    """Order what was asked for under the line a button names, of who was named then and of nobody else."""
    kit, reader = call.kit, reader_in(call)
    customer, reason = await _asked(call)
    await _check(call, customer)
    await show(call, "They are forgotten.")
    # It is posted when it is true, as a receipt, and is not this event's.
    answer = call.mail.outgoing.pop().delivery
    (row,) = await kit.store.read(CustomerById(customer.id))
    order = Order(customer.id, by=author_of(kit.sealer, reader).id, answer=answer, receipt=True)
    ordered = await Forgetting(kit.store, kit.sealer, kit.writer, noticed=0).order(row, order)
    line = await line_of(kit.sealer, reader, "forget ordered", Subject(customer.id, DESK), reason=reason)
    return [*ordered, line]


async def _asked(call: Call) -> tuple[Customer, str]:
    """Whom the asker wanted forgotten, and why, as the line says that the button names."""
    name, *said = call.args
    try:
        line, detail = await line_named(call, name)
    except NoSuchSessionError:
        raise NoSuchSessionError(reply=STALE) from None
    customer = await customer_of(call.kit.store, call.kit.sealer, line.subject)
    if line.action != ASKED or said != ["confirm"] or customer is None:
        raise NoSuchSessionError(reply=STALE)
    return customer, detail["reason"]


async def _check(call: Call, customer: Customer) -> None:
    """Refuse who is on hold, is being forgotten, or is somebody elsewhere too, where the asker has no say."""
    await _check_hold(call, customer.id)
    if await is_being_forgotten(call.kit.store, call.kit.sealer, customer.id):
        raise BadInputError(reply=BEGUN)
    if await others_of(call.kit.store, call.kit.sealer, customer):
        raise NotAllowedError(reply=LINKED)


async def _check_hold(call: Call, customer: str) -> None:
    if await hold_on(call.kit.store, call.kit.sealer, customer) is not None:
        raise NotAllowedError(reply=HELD)
