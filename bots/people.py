"""What operators do for and about a person: forget, hold, export. Each leaves its line in the audit log."""

import sys
from collections.abc import AsyncIterator
from dataclasses import asdict
from typing import Any

from bots.assemble import Records
from bots.reading import note_reading_of, operator
from core.access import Subject, author_of, local_operator
from core.audit import DESK, Author, audit_record
from core.clock import as_time, now
from core.customers import identities, open_customer
from core.errors import BadInputError
from core.export_file import GivenCustomer, read_export
from core.exporting import everything_of
from core.forgetting import NOTICED_SECONDS, Forgetting, Order
from core.legal_holds import Hold, all_holds, end_hold, put_hold
from core.linked import customer_of, rows_of
from core.people import find_person
from core.places import Places
from core.records.record import Commit, Record
from core.retention import due, sweep
from core.taking_in import arrival_of, arrival_records, check_is_apart, check_is_new
from core.writer import GroupWriter

Values = dict[str, Any]


async def forget(records: Records, named: str, *, sure: bool) -> Values:
    """Forget a person, and whoever was to be forgotten and is not yet; the receipt."""
    async with records.writer() as writer:
        forgetting = Forgetting(records.store, records.sealer, writer, noticed=NOTICED_SECONDS)
        left = {name: done for done in await forgetting.resume() for name in (done.customer, done.named)}
        if named in left:
            return _receipt(left[named])
        person = await find_person(records.store, records.sealer, named)
        if not sure:
            raise BadInputError(f"forgetting {named} cannot be brought back: say it with --yes to do it")
        order = Order(person.id, by=_who(records).id, named=named)
        everyone = [row.id for row in await rows_of(records.store, records.sealer, person)]
        await writer.commit(tuple(await forgetting.order(person, order)))
        done = [done for done in await forgetting.resume() if done.customer in everyone]
        return _receipt(*sorted(done, key=lambda one: one.customer != person.id))


async def holds(records: Records) -> list[Values]:
    """Who is on hold; the reasons may speak of them, so that it was read is noted first."""
    await note_reading_of(records, "hold_list")
    return [_hold(each) for each in await all_holds(records.store, records.sealer)]


async def hold(records: Records, named: str, *, reason: str, ends: bool) -> Values:
    """Put a person on hold, or end it."""
    async with records.writer() as writer:
        person = await find_person(records.store, records.sealer, named)
        change = end_hold if ends else put_hold
        await writer.commit(tuple(await change(records.store, records.sealer, person, reason=reason, by=_who(records))))
    return {"customer": person.id, "reason": reason.strip(), "on_hold": not ends}


async def identified(records: Records, named: str) -> list[Values]:
    """Who a person is on the platforms, and as which customers; that it was read is noted first."""
    async with records.writer() as writer:
        person = await find_person(records.store, records.sealer, named)
        await records.sealer.prepare((DESK,))
        await writer.commit((audit_line(records, "identities", person.id, {}),))
    found = []
    for row in await rows_of(records.store, records.sealer, person):
        how = open_customer(row, records.sealer).links if row.body else {}
        known = await identities(records.store, records.sealer, row.id)
        histories = how.get(person.id, "")
        found += [{"identity": str(each), "customer": row.id, "histories": histories} for each in known]
    return found


async def unlink(records: Records, named: str, *, reason: str) -> Values:
    """Let a customer go from the others who are the same person."""
    # It brings the Agents SDK, which takes seconds to import.
    from core.unlinking import Parts, unlinked

    if not reason.strip():
        raise BadInputError("say why, with --reason: the audit log keeps it")
    async with records.writer() as writer:
        person = await find_person(records.store, records.sealer, named)
        customer = await customer_of(records.store, records.sealer, person.id)
        if customer is None or not customer.links:
            raise BadInputError(f"{named} is not linked to anybody: `deskmate link list {named}` shows who they are")
        places = Places(records.settings, store=records.store, sealer=records.sealer, writer=writer)
        parts = Parts(records.store, records.sealer, places)
        await writer.commit(tuple(await unlinked(parts, customer, by=_who(records), reason=reason.strip())))
    return {"customer": person.id, "from": sorted(customer.links), "reason": reason.strip()}


async def exported(records: Records, named: str) -> AsyncIterator[Values]:
    """All that is kept of a person, as the word `export` gives it; that it was read out is noted first."""
    person = await find_person(records.store, records.sealer, named)
    if not person.body:
        raise BadInputError(f"{named} was forgotten: nothing is kept of them")
    await note_reading_of(records, "export_person", Subject(person.id, person.id))
    yield await everything_of(records.store, records.sealer, open_customer(person, records.sealer))


async def taken_in(records: Records, value: object, *, dry: bool) -> Values:
    """Take in a person from what `export` wrote; what came. Who was the same person comes in as somebody else.

    A file proves nothing: who they are together they prove anew, with `link`.
    """
    whole = read_export(value)
    everyone = (whole, *whole.linked)
    check_is_apart(everyone)
    async with records.writer() as writer:
        for given in everyone:
            await check_is_new(records.store, records.sealer, given)
        if dry:
            came = [_came(given, "", {}) for given in everyone]
        else:
            arrived = [await _arrived(records, writer, given) for given in everyone]
            await writer.commit(tuple(record for _, commit in arrived for record in commit))
            came = [each for each, _ in arrived]
    return came[0] | ({"linked": came[1:]} if whole.linked else {})


async def _arrived(records: Records, writer: GroupWriter, given: GivenCustomer) -> tuple[Values, Commit]:
    arrival = await arrival_of(records.store, records.sealer, writer, given, tiers=records.settings.tiers)
    await records.sealer.prepare((DESK, arrival.customer.id))
    came = _came(given, arrival.customer.id, arrival.renamed)
    line = audit_line(records, "import", arrival.customer.id, came["came"])
    return came, (*arrival_records(arrival, records.sealer), line)


def _came(given: GivenCustomer, customer: str, renamed: dict[str, str]) -> Values:
    counts = {
        "conversations": len(given.conversations),
        "turns": sum(turn.conversation is not None for turn in given.turns),
        "left_out": sum(turn.conversation is None for turn in given.turns),
        "tickets": len(given.tickets),
        "months": len(given.usage.months),
    }
    return {"customer": customer, "dry_run": not customer, "came": counts, "tickets": renamed}


async def retained(records: Records, *, dry: bool) -> Values:
    """Delete what was kept for long enough, or only say what would go."""
    retention, at = records.settings.retention, now()
    if dry:
        found = await due(records.store, records.sealer, retention, at=at)
    else:
        async with records.writer() as writer:
            found = await sweep(records.store, records.sealer, writer, retention, at=at)
        await records.store.scrub()
    counted = found.counted()
    problems = list(found.cut.problems) if found.cut else []
    if problems:
        counted["audit"] = {}
    return {
        "dry_run": dry,
        **{kind: sum(tiers.values()) for kind, tiers in counted.items()},
        "by_tier": counted,
        "audit_problems": problems,
    }


def is_sure(named: str) -> bool:
    """Ask at the terminal; where nobody sits there nobody is sure."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    print(f"Forget {named} for good? This cannot be brought back. Type yes: ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip() == "yes"


def _who(records: Records) -> Author:
    return author_of(records.sealer, local_operator(operator()))


def audit_line(records: Records, action: str, subject: str, detail: Values) -> Record:
    """A line about what the operator at this command line does."""
    who = _who(records).id
    return audit_record(records.sealer, actor=who, action=action, subject=subject, owner=DESK, detail=detail, at=now())


def _receipt(done: Order, *linked: Order) -> Values:
    """What was forgotten of a person; `linked` are the others who were the same one."""
    receipt = {
        "customer": done.customer,
        "gone": _added(done.gone, *(each.gone for each in linked)),
        "kept": _added(done.kept, *(each.kept for each in linked)),
        "messages": sum(each.removals for each in (done, *linked)),
        "key": "destroyed",
    }
    return receipt | ({"linked": [each.customer for each in linked]} if linked else {})


def _added(*counts: dict[str, int]) -> dict[str, int]:
    return {place: sum(each[place] for each in counts) for place in counts[0]}


def _hold(hold: Hold) -> Values:
    return asdict(hold) | {"at": as_time(hold.at).isoformat()}
