"""What a customer sees of themselves: open tickets, what they used, what is remembered of them."""

from core.customers import find_customer
from core.linked import others_of
from core.models import ConversationRef, Standing, TicketStatus
from core.ports import Sealer, Store
from core.tickets import load_tickets
from core.usage import usage_of_customer

_OVER = (TicketStatus.RESOLVED, TicketStatus.WITHDRAWN)


async def standing_of(store: Store, sealer: Sealer, ref: ConversationRef) -> Standing:
    """How the person of a ref stands with the desk; who never was here has nothing."""
    customer = await find_customer(store, sealer, ref)
    if customer is None:
        return Standing()
    everyone = (customer.id, *(other.id for other in await others_of(store, sealer, customer)))
    tickets = [ticket for each in everyone for ticket in await load_tickets(store, sealer, each)]
    used = await usage_of_customer(store, *customer.everyone)
    still_open = tuple(ticket for ticket in tickets if ticket.status not in _OVER)
    return Standing(still_open, used.usage, customer.preferences)
