"""A person of the asker's workspace whom staff names, and why they do."""

from collections.abc import Sequence
from dataclasses import dataclass

from core.call import Call
from core.errors import BadInputError, NoSuchSessionError
from core.models import Customer
from core.queries.people import CustomerById, CustomerRow
from core.reviewing import person_named

NO_REASON = "Say why, behind the name: the reason is kept in the audit log."
UNKNOWN = "I know nobody of that name here. Name them with @ or by their id, and then say why."


@dataclass(frozen=True, slots=True)
class Named:
    """Somebody of the workspace, as the store has them, and why they are named."""

    customer: Customer
    row: CustomerRow
    reason: str


async def named(call: Call, args: Sequence[str]) -> Named:
    """Read a name and a reason.

    Raises BadInputError where either is missing, NoSuchSessionError for who is not known in the asker's workspace.
    """
    if not args:
        call.misused()
    reason = " ".join(args[1:]).strip()
    if not reason:
        raise BadInputError(reply=NO_REASON)
    customer = await person_named(call, args[0], unknown=UNKNOWN)
    rows = await call.kit.store.read(CustomerById(customer.id))
    if not rows or customer.workspace != call.ref.workspace:
        raise NoSuchSessionError(reply=UNKNOWN)
    return Named(customer, rows[0], reason)
