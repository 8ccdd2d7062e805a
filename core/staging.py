"""The stage of an event: where what it does to tickets is kept until its commit."""

from core.clock import as_time, now
from core.kit import Kit
from core.places import reserve_ticket
from core.queries.lanes import EventRow
from core.scene import Scene
from core.session_ids import ticket_of
from core.stage import Stage


def stage_of(kit: Kit, event: EventRow, scene: Scene) -> Stage:
    """Make the stage of an event; nothing is loaded yet."""
    own = ticket_of(scene.name)
    is_new = own is not None and own not in {ticket.name for ticket in scene.tickets}
    numbers = [int(own.removeprefix("TKT-"))] if own and is_new else []

    async def reserve() -> int:
        # The number a ticket's own session is named by was reserved when the place was bound to it.
        return numbers.pop() if numbers else await reserve_ticket(kit.writer, scene.customer.workspace)

    return Stage(turn=event.id, session=scene.name, customer=scene.customer, reserve=reserve, now=as_time(now()))
