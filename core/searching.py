"""Staff search in everybody's conversations of their workspace: the word `search`. Each page is noted anew."""

from dataclasses import replace

from core.access import search_in_commit
from core.call import Call, Result
from core.candidates import session_mark
from core.errors import BadInputError, NoSuchSessionError
from core.models import Button
from core.noted import BY, door_of, end_of_log, line_name, line_named, reader_in, show
from core.reviewing import person_named
from core.search import NEWEST, Bounds, Scope, Search
from core.search_args import HOW, Wanted, id_of_time, read_wanted
from core.search_results import Hits, results_text, search_on
from core.session_ids import ticket_session_id
from core.tickets import ticket_by_name

BOUNDS = Bounds(found=10, seconds=2.0)
"""Of one page. It holds up the asker's own conversation alone."""
NO_REASON = "Say why you search, with `--reason`: it is kept in the audit log."


async def search(call: Call) -> Result:
    """Show a page of what is found."""
    if not call.args:
        raise BadInputError(reply=HOW)
    if call.args[0].startswith(BY):
        return await _go_on(call)
    wanted = read_wanted(call.args)
    if wanted.says_nothing:
        raise BadInputError(reply=HOW)
    if not wanted.reason:
        raise BadInputError(reply=NO_REASON)
    return await _show(call, await _search_of(call, wanted), reason=wanted.reason)


async def _show(call: Call, search: Search, *, reason: str) -> Result:
    after = await end_of_log(call)
    page, line = await search_in_commit(door_of(call), reader_in(call), search, reason=reason)
    await show(call, results_text(page), _buttons(page, line_name(after, line.id)))
    return [line]


async def _go_on(call: Call) -> Result:
    line, detail = await line_named(call, call.args[0])
    if line.action != "search" or not detail["reached"] or len(call.args) > 1:
        raise NoSuchSessionError
    return await _show(call, search_on(detail, line.subject, line.owner, BOUNDS), reason=detail["reason"])


async def _search_of(call: Call, wanted: Wanted) -> Search:
    scope = Scope(
        call.ref.workspace,
        since=id_of_time(wanted.since) if wanted.since else "",
        before=id_of_time(wanted.before) if wanted.before else NEWEST,
    )
    search = Search(scope, wanted.words, BOUNDS)
    if wanted.customer:
        person = await person_named(call, wanted.customer)
        search = replace(search, scope=replace(scope, customer=person.id), about=person.id, owner=person.id)
    if wanted.ticket:
        search = await _about_ticket(call, search, wanted.ticket)
    return search


async def _about_ticket(call: Call, search: Search, named: str) -> Search:
    kit = call.kit
    ticket = await ticket_by_name(kit.store, kit.sealer, call.ref.workspace, named)
    session = kit.sealer.lookup("session", ticket_session_id(ticket.workspace, ticket.name))
    scope = replace(search.scope, ticket=ticket.id, session=session)
    return replace(search, scope=scope, about=ticket.name, owner=ticket.customer)


def _buttons(page: Hits, name: str) -> tuple[Button, ...]:
    """A button to read each turn where it stands, and one to go on."""
    read = [
        Button(f"Read {number}", "review", (name, session_mark(hit.key), f"at{number}"))
        for number, hit in enumerate(page.hits, start=1)
    ]
    return (*read, *((Button("More", "search", (name,)),) if page.reached else ()))
