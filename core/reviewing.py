"""Staff read somebody else's conversation: the word `review`. Each page is asked for anew, and noted anew."""

import re
from collections.abc import Mapping
from math import ceil
from typing import Any

from core.access import Subject, reading_line, review_in_commit
from core.call import Call, Result
from core.candidates import session_mark
from core.clock import as_time
from core.customers import find_customer
from core.errors import BadInputError, NoSuchSessionError
from core.models import PICK, Button, ConversationRef, Customer
from core.noted import BY, door_of, end_of_log, line_name, line_named, reader_in, show
from core.queries.log import AuditRow
from core.queries.people import SessionById, SessionRow, SessionsSpokenBy
from core.queries.turns import PlaceOfTurn
from core.transcript import TURNS, readable_id
from core.transcript_text import is_last, page_text
from core.wording import count

MOST_PICKED = 5
"""Conversations to pick from on a page; a platform shows five buttons in a row."""
OLDER = "older"
"""Said by a button in place of a conversation: the next page of those to pick from."""
LOOKED_AT = 200
"""How many of a person's newest conversations are looked at."""
HERE = "here"
"""Said in place of a person: the conversation in which it is said, or of the message it is said about."""
NO_REASON = "Say why you need to read it, behind the name: the reason is kept in the audit log."
NOBODY = (
    "I know no conversation of that person here. Name them with @ or by their id, or name a conversation by its id."
)
NOT_HERE = "I know no conversation here. Say `review` with a person, or on a message of a conversation with me."

_MENTION = re.compile(r"<@!?([^|>]+)(?:\|[^>]*)?>")
_PAGE = re.compile(r"[1-9]\d{0,5}", re.ASCII)
_FOUND = re.compile(r"at([1-9]\d?)", re.ASCII)


async def review(call: Call) -> Result:
    """Show a page of somebody's conversation, or let pick one of them."""
    if not call.args:
        call.misused()
    if call.args[0].startswith(BY):
        return await _go_on(call)
    reason = " ".join(call.args[1:]).strip()
    if not reason:
        raise BadInputError(reply=NO_REASON)
    if call.args[0] == HERE:
        return await _show(call, _here(call), reason=reason, page=1)
    if "/" in call.args[0]:
        return await _show(call, await _named(call, call.args[0]), reason=reason, page=1)
    customer = (await person_named(call, call.args[0])).id
    rows = await _spoken_by(call, customer)
    if len(rows) == 1:
        return await _show(call, rows[0], reason=reason, page=1)
    return await _let_pick(call, customer, rows, reason=reason, page=1)


async def _show(call: Call, row: SessionRow, *, reason: str, page: int) -> Result:
    after = await end_of_log(call)
    read, line = await review_in_commit(door_of(call), reader_in(call), row, page=page, reason=reason)
    more = Button("More", "review", (line_name(after, line.id), session_mark(row.id), str(page + 1)))
    text = page_text(read, call.kit.settings.prices)
    await show(call, text, () if is_last(read) else (more,), stays=True)
    return [line]


async def _let_pick(call: Call, customer: str, rows: list[SessionRow], *, reason: str, page: int) -> Result:
    shown = rows[(page - 1) * MOST_PICKED : page * MOST_PICKED]
    if not shown:
        raise NoSuchSessionError
    after = await end_of_log(call)
    line = await reading_line(
        call.kit.sealer, reader_in(call), "sessions_list", Subject(customer, customer), reason=reason
    )
    name = line_name(after, line.id)
    picks = [Button(_title(call, row), "review", (name, session_mark(row.id), "1")) for row in shown]
    pages = ceil(len(rows) / MOST_PICKED)
    if page < pages:
        picks.append(Button("More", "review", (name, OLDER, str(page + 1))))
    place = f" Page {page} of {pages}, newest first." if pages > 1 else ""
    await show(call, f"Which conversation do you want to read?{place}", tuple(picks))
    return [line]


async def _go_on(call: Call) -> Result:
    """Show the page a button names: of a conversation, named by the beginning of its hash, or of those to pick from."""
    name, session, place = call.args if len(call.args) == 3 else ("", "", "")
    line, detail = await line_named(call, name)
    if (line.action, session) == ("sessions_list", OLDER) and _PAGE.fullmatch(place):
        rows = await _spoken_by(call, line.owner)
        return await _let_pick(call, line.owner, rows, reason=detail["reason"], page=int(place))
    row = await _shown_by(call, line, detail, session)
    page = await _page_at(call, row, detail, place)
    return await _show(call, row, reason=detail["reason"], page=page)


async def _shown_by(call: Call, line: AuditRow, detail: Mapping[str, Any], session: str) -> SessionRow:
    """The conversation that was shown under a line: as a page, or to be picked."""
    store = call.kit.store
    rows: list[SessionRow] = []
    if line.action == "search":
        keys = {bytes.fromhex(key) for key, _ in detail["shown"]}
        rows = [row for key in keys if session_mark(key) == session for row in await store.read(SessionById(key))]
    elif line.action == "sessions_list" or (line.action, line.subject) == ("review", session.removeprefix(PICK)):
        spoken = await store.read(SessionsSpokenBy(line.owner, LOOKED_AT))
        rows = [row for row in spoken if session_mark(row.id) == session]
    if not rows:
        raise NoSuchSessionError
    return rows[0]


async def _page_at(call: Call, row: SessionRow, detail: Mapping[str, Any], place: str) -> int:
    """The page of a number, or the one on which a turn stands that was found: `at3` is the third one."""
    if _PAGE.fullmatch(place):
        return int(place)
    found = _FOUND.fullmatch(place)
    shown = detail.get("shown", [])
    if not found or int(found[1]) > len(shown):
        raise NoSuchSessionError
    before = await call.kit.store.read(PlaceOfTurn(row.id, row.head, shown[int(found[1]) - 1][1]))
    if not before:
        raise NoSuchSessionError
    return before[0].number // TURNS + 1


def _here(call: Call) -> SessionRow:
    if not call.scene.session.depth:
        raise NoSuchSessionError(reply=NOT_HERE)
    return call.scene.session


async def _named(call: Call, name: str) -> SessionRow:
    rows = await call.kit.store.read(SessionById(call.kit.sealer.lookup("session", name)))
    if not rows:
        raise NoSuchSessionError
    return rows[0]


async def person_named(call: Call, who: str, *, unknown: str = NOBODY) -> Customer:
    """A person of this workspace, by a mention or an id. Raises NoSuchSessionError where nobody is known by it."""
    mention = _MENTION.fullmatch(who)
    user = mention[1] if mention else who.removeprefix("@")
    ref = ConversationRef(call.ref.platform, call.ref.workspace, "", user)
    customer = await find_customer(call.kit.store, call.kit.sealer, ref)
    if customer is None:
        raise NoSuchSessionError(reply=unknown)
    return customer


async def _spoken_by(call: Call, customer: str) -> list[SessionRow]:
    """A person's conversations in this workspace, newest spoken first."""
    spoken = await call.kit.store.read(SessionsSpokenBy(customer, LOOKED_AT))
    rows = [row for row in spoken if row.workspace == call.ref.workspace and row.depth]
    if not rows:
        raise NoSuchSessionError(reply=NOBODY)
    return rows


def _title(call: Call, row: SessionRow) -> str:
    return f"{as_time(row.spoken):%Y-%m-%d %H:%M}, {count(row.depth, 'turn')}, {readable_id(row, call.kit.sealer)}"
