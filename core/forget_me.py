"""The word `forget`: a person asks to be forgotten."""

from core.call import Call, Result
from core.errors import NotAllowedError
from core.forgetting import Forgetting, Order
from core.legal_holds import ON_HOLD, hold_on
from core.models import Button
from core.queries.people import CustomerById

ASK = (
    "This makes me forget you for good, everywhere and not only here: what you said and what I answered, your name, "
    "what I remember of you and the text of your tickets. It cannot be brought back. What others quoted of you stays "
    "with them, and what you used stays on the bill, without your name. Say `forget confirm` to do it."
)


async def forget(call: Call) -> Result:
    """Order that the asker is forgotten, once they confirmed it; they are told when it is done."""
    kit, customer = call.kit, call.scene.customer
    if await hold_on(kit.store, kit.sealer, customer.id) is not None:
        raise NotAllowedError(reply=ON_HOLD)
    if call.args[-1:] != ("confirm",):
        call.say(ASK, buttons=(Button("Forget me for good", "forget", ("confirm",)),))
        return []
    call.say("I forgot you.")
    # It is posted when it is true: by then nothing of this person can be sealed, nor is this event's mail theirs.
    answer = call.mail.outgoing.pop().delivery
    (person,) = await kit.store.read(CustomerById(customer.id))
    forgetting = Forgetting(kit.store, kit.sealer, kit.writer, noticed=0)
    return await forgetting.order(person, Order(customer.id, by=customer.id, answer=answer))
