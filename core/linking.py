"""The word `link`: a person proves that two identities are theirs."""

from dataclasses import replace

from core.audit import DESK, audit_record
from core.branching import bind_here
from core.call import Call, Result
from core.clock import now
from core.customers import customer_records, identities
from core.errors import BadInputError, NotAllowedError
from core.link_codes import (
    GOOD_FOR_MINUTES,
    Asker,
    Code,
    Given,
    asker_of,
    drop_code,
    find_code,
    give_code,
    put_asker,
    put_code,
)
from core.linked import MOST_LINKED, customer_of, others_of, tie, tied_records
from core.models import Button, Customer, Histories
from core.people import is_being_forgotten
from core.places import Placed, new_session_records
from core.ports import Sealer
from core.records.record import Record
from core.replies import Told
from core.session_ids import escape
from core.unlinking import own_place

OFF = "Whoever runs this desk does not let people link who they are."
GIVEN = (
    "Your code is {code}. Say `link {code}` to me on your other platform within {minutes} minutes. It works once. "
    "Give it to nobody: who says it is taken for you and sees your tickets."
)
WRONG = (
    "That code is not good: it was used, is too old or was never given. "
    "Say `link` on your other platform for a new one."
)
ENOUGH = "You said too many wrong codes. Try it again in an hour."
OWN = "That code is your own from here. Say it to me on your other platform."
ASK = (
    "The code is good. Shall I join what was said on both sides, so that I know it on both, or keep it apart? "
    "Your tickets and what you use count together in any case."
)
SAME = "Here only people of two {across} can be linked, and that one is on the same as you."
NOT_PROVED = "Say `link CODE` first, with the code you got on your other platform."
ALREADY = "I know already that you are the same person there."
LINKED = {
    "join": "From now on I know that you are one person here and there, and what was said on both sides. "
    "Say `unlink` to take it back.",
    "apart": "From now on I know that you are one person here and there. What was said stays apart. "
    "Say `unlink` to take it back.",
}
TOLD = (
    "Your account was linked with one on {platform}, by the code you got here. If that was not you, say `unlink` now: "
    "it ends that."
)
_CHOICES: dict[str, Histories] = {"join": "join", "apart": "apart"}


async def link(call: Call) -> Result:
    """Give a code; or take one, and make one person of two when it is said what becomes of their histories."""
    if call.kit.settings.linking.across == "nothing":
        raise NotAllowedError(reply=OFF)
    await call.kit.sealer.prepare((DESK,))
    *code, last = call.args or ("",)
    choice = _CHOICES.get(last.lower())
    if choice is None and last:
        code.append(last)
    if code:
        return await _take(call, "".join(code), choice)
    return await _give(call) if choice is None else await _choose(call, choice)


async def _give(call: Call) -> Result:
    given = Given(replace(call.ref, groups=()), call.scene.name)
    code, records = await give_code(call.kit.store, call.kit.sealer, call.scene.customer.id, given)
    call.say(GIVEN.format(code=code, minutes=GOOD_FOR_MINUTES), private=True)
    line = _line(call.kit.sealer, "link code", call.scene.customer, call.scene.customer.id, {})
    return [*_same(call), *records, line]


async def _take(call: Call, said: str, choice: Histories | None) -> Result:
    kit, customer = call.kit, call.scene.customer
    asker = await asker_of(kit.store, kit.sealer, customer.id)
    if not asker.may_guess:
        raise NotAllowedError(reply=ENOUGH)
    first, _ = await find_code(kit.store, kit.sealer, said)
    other = await customer_of(kit.store, kit.sealer, first.customer) if first else None
    # Read anew after whose it is: whoever uses the code, or guesses at it, changes them, and then this is refused.
    code, proved = await find_code(kit.store, kit.sealer, said)
    if other is None or code is None or not proved:
        return _refuse(call, asker, code, other)
    if other.id == customer.id:
        raise BadInputError(reply=OWN)
    await _check(call, other)
    if choice is not None:
        return [drop_code(code), *await _tied(call, other, choice, code.given)]
    proof = replace(asker, proved=other.id, until=code.until, given=code.given)
    return [drop_code(code), *customer_records(other, kit.sealer), *_asked(call, proof)]


def _asked(call: Call, proof: Asker) -> list[Record]:
    """Keep whose code was proved until it is said what becomes of their histories."""
    call.say(ASK, private=True, buttons=(Button("Join", "link", ("join",)), Button("Keep apart", "link", ("apart",))))
    return [*_same(call), put_asker(call.kit.sealer, call.scene.customer.id, proof)]


def _refuse(call: Call, asker: Asker, code: Code | None, whose: Customer | None) -> Result:
    """Count a wrong guess against who made it, and against the code it was made at."""
    kit, customer = call.kit, call.scene.customer
    call.say(WRONG, private=True)
    records = [*_same(call), put_asker(kit.sealer, customer.id, asker.guessed_wrong())]
    if code is not None and whose is not None and whose.id != customer.id:
        records += customer_records(whose, kit.sealer)
        records.append(put_code(kit.sealer, replace(code, wrong=code.wrong + 1)))
    return [*records, _line(kit.sealer, "link refused", customer, customer.id, {})]


async def _choose(call: Call, choice: Histories) -> Result:
    asker = await asker_of(call.kit.store, call.kit.sealer, call.scene.customer.id)
    late = asker.until < call.event.at
    other = None if late else await customer_of(call.kit.store, call.kit.sealer, asker.proved)
    if other is None:
        raise BadInputError(reply=NOT_PROVED)
    await _check(call, other)
    cleared = put_asker(call.kit.sealer, call.scene.customer.id, replace(asker, proved="", until=0, given=None))
    return [cleared, *await _tied(call, other, choice, asker.given)]


async def _check(call: Call, other: Customer) -> None:
    """Refuse what the operator does not allow, and who is the same person already or is being forgotten."""
    kit, customer = call.kit, call.scene.customer
    if other.id in customer.everyone:
        raise BadInputError(reply=ALREADY)
    if len(customer.everyone) + len(other.everyone) > MOST_LINKED:
        raise BadInputError(reply=f"At most {MOST_LINKED} can be one person. Say `unlink` where you do not need it.")
    if await _tenants_of(call, customer) & await _tenants_of(call, other):
        raise NotAllowedError(reply=SAME.format(across=kit.settings.linking.across))
    if await is_being_forgotten(kit.store, kit.sealer, other.id):
        raise BadInputError(reply=WRONG)


async def _tenants_of(call: Call, customer: Customer) -> set[str]:
    """What has to be another one of those who are linked: the platform, or the workspace."""
    wide = call.kit.settings.linking.across == "workspaces"
    found = await identities(call.kit.store, call.kit.sealer, customer.id)
    return {f"{each.platform}/{escape(each.workspace)}" if wide else each.platform for each in found}


async def _tied(call: Call, other: Customer, choice: Histories, given: Given | None) -> list[Record]:
    """Make one person of two, and tell so where the code was given: it may have been stolen."""
    kit, customer = call.kit, call.scene.customer
    ones = [customer, *await others_of(kit.store, kit.sealer, customer)]
    others = [other, *await others_of(kit.store, kit.sealer, other)]
    records = tied_records(tie(ones, others, choice), kit.sealer)
    call.say(LINKED[choice], private=True)
    if given is not None:
        await call.tell(Told(given.ref, given.session, other.id, TOLD.format(platform=call.ref.platform)))
    for each in (*ones, *others):
        ids = [one.id for one in (others if each in ones else ones)]
        records.append(_line(kit.sealer, "link", each, customer.id, {"with": ids, "histories": choice}))
    if choice == "join":
        records += await _brought_together(call, ones, other)
    return records


async def _brought_together(call: Call, ones: list[Customer], other: Customer) -> list[Record]:
    """Let who comes go on in the other's own conversation, where a place stands for its user."""
    kit, records = call.kit, list[Record]()
    if kit.settings.strategies.direct != "user":
        return []
    (there,) = (await identities(kit.store, kit.sealer, other.id))[:1]
    ref = own_place(there)
    name = await kit.places.name_at(ref)
    session = kit.sealer.lookup("session", name)
    goal = Placed(name, session)
    records += new_session_records(kit.sealer, goal, ref, owner=other.id, at=call.event.at)
    for one in ones:
        for identity in await identities(kit.store, kit.sealer, one.id):
            here = own_place(identity)
            placed = kit.places.bind(here, name, one.id, call.event.at)
            mine = call.ref.direct and kit.places.is_same(here, call.ref)
            records += await bind_here(call, placed) if mine else placed.records
    return records


def _same(call: Call) -> list[Record]:
    """Guard what is counted about the asker: of two guesses at once the later one is counted after the first."""
    return customer_records(call.scene.customer, call.kit.sealer)


def _line(sealer: Sealer, action: str, customer: Customer, actor: str, detail: object) -> Record:
    return audit_record(
        sealer, actor=actor, action=action, subject=customer.id, owner=customer.id, detail=detail, at=now()
    )
