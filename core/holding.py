"""The word `hold`: an admin keeps all of a person of their workspace, whoever wants it deleted, and ends that."""

from core.access import EVERYBODY, author_of, reading_line
from core.call import Call, Result
from core.clock import as_time
from core.customers import identities
from core.errors import BadInputError
from core.legal_holds import Hold, all_holds, end_hold, is_held, put_hold
from core.linked import customer_of
from core.models import Customer
from core.naming import named
from core.noted import reader_in, show

END = "end"
"""Said before a person whose hold is over."""
NONE = "Nobody of this workspace is on hold. Say `hold @person REASON` to put a hold on somebody."
PUT = "{name} is on hold now: nothing of theirs is deleted until `hold end` is said of them."
ENDED = "{name} is not on hold any more."
NOT_HELD = "There is no hold on {name} here. `hold` lists those there are."


async def hold(call: Call) -> Result:
    """Put somebody on hold, or end it; alone, list the holds of the workspace."""
    if not call.args:
        return await _list(call)
    ends = call.args[0].lower() == END
    person = await named(call, call.args[1:] if ends else call.args)
    store, sealer, name = call.kit.store, call.kit.sealer, person.customer.name
    if ends and not await is_held(store, sealer, person.row.id):
        raise BadInputError(reply=NOT_HELD.format(name=name))
    change = end_hold if ends else put_hold
    by = author_of(sealer, reader_in(call))
    records = await change(store, sealer, person.row, reason=person.reason, by=by)
    await show(call, (ENDED if ends else PUT).format(name=name))
    return records


async def _list(call: Call) -> Result:
    store, sealer = call.kit.store, call.kit.sealer
    found = [(await customer_of(store, sealer, hold.customer), hold) for hold in await all_holds(store, sealer)]
    here = [(person, hold) for person, hold in found if person and person.workspace == call.ref.workspace]
    await show(call, "\n".join([await _line(call, person, hold) for person, hold in here]) or NONE)
    return [await reading_line(sealer, reader_in(call), "hold_list", EVERYBODY)]


async def _line(call: Call, person: Customer, hold: Hold) -> str:
    known = await identities(call.kit.store, call.kit.sealer, person.id)
    ids = ", ".join(each.user for each in known if each.workspace == call.ref.workspace)
    return f"- {person.name} ({ids}), since {as_time(hold.at):%Y-%m-%d %H:%M} UTC, by {hold.by}: {hold.reason}"
