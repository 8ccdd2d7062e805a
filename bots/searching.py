"""What `deskmate search` finds in a store, as JSON values."""

from dataclasses import replace
from typing import Any

from bots.assemble import Records
from bots.reading import find_ticket, operator
from core.access import Door, local_operator, search_for
from core.errors import BadInputError
from core.people import find_person
from core.search import NEWEST, Bounds, Scope, Search
from core.search_args import Wanted, id_of_time
from core.search_results import results_json
from core.session_ids import ticket_session_id

BOUNDS = Bounds(found=50, seconds=10.0)
NOTHING = "say what to search for: words, --customer, --ticket, --since or --before"


async def search(records: Records, wanted: Wanted, *, workspace: str | None) -> dict[str, Any]:
    """Search in one workspace, or in all."""
    if wanted.says_nothing:
        raise BadInputError(NOTHING)
    search = await _search_of(records, wanted, workspace)
    async with records.writer() as writer:
        door = Door(records.store, records.sealer, writer)
        return results_json(await search_for(door, local_operator(operator()), search, reason=wanted.reason))


async def _search_of(records: Records, wanted: Wanted, workspace: str | None) -> Search:
    since = id_of_time(wanted.since) if wanted.since else ""
    before = id_of_time(wanted.before) if wanted.before else NEWEST
    search = Search(Scope(workspace, since=since, before=before), wanted.words, BOUNDS)
    if wanted.customer:
        person = await find_person(records.store, records.sealer, wanted.customer)
        search = replace(search, scope=replace(search.scope, customer=person.id), about=person.id, owner=person.id)
    if not wanted.ticket:
        return search
    row = await find_ticket(records, wanted.ticket, workspace)
    name = f"TKT-{row.number}"
    session = records.sealer.lookup("session", ticket_session_id(row.workspace, name))
    return replace(search, scope=replace(search.scope, ticket=row.id, session=session), about=name, owner=row.customer)
