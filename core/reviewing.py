"""Staff read somebody else's conversation: the word `review`. Each page is asked for anew, and noted anew."""

import re

from core.access import Reader, Subject, reader_of, reading_line, review_in_commit
from core.audit import open_line, short
from core.call import Call, Result
from core.clock import as_time
from core.customers import find_customer
from core.errors import BadInputError, NoSuchSessionError
from core.models import Button, ConversationRef
from core.queries import AuditAfter, AuditEnd, SessionById, SessionRow, SessionsSpokenBy
from core.transcript import readable_id
from core.transcript_text import page_of
from core.wording import count

MOST_PICKED = 5
"""Conversations to pick from; a platform shows five buttons in a row."""
LOOKED_AT = 200
"""How many of a person's newest conversations are looked at."""
AFTER = "after:"
"""What the argument of a button begins with that names the audit line its reason stands in."""
NO_REASON = "Say why you need to read it, behind the name: the reason is kept in the audit log."
NOBODY = (
    "I know no conversation of that person here. Name them with @ or by their id, or name a conversation by its id."
)

_MENTION = re.compile(r"<@!?([^|>]+)(?:\|[^>]*)?>")
_PAGE = re.compile(r"[1-9]\d{0,5}", re.ASCII)
_LINE = re.compile(rf"{AFTER}(\d{{1,15}})\.([0-9a-f]{{12}})", re.ASCII)
_NEAR = 1_000
"""How many lines others may have written between the end a button names and its line."""


async def review(call: Call) -> Result:
    """Show a page of somebody's conversation, or let pick one of them."""
    if not call.args:
        call.misused()
    if call.args[0].startswith(AFTER):
        return await _go_on(call)
    reason = " ".join(call.args[1:]).strip()
    if not reason:
        raise BadInputError(reply=NO_REASON)
    if "/" in call.args[0]:
        return await _show(call, await _named(call, call.args[0]), reason=reason, page=1)
    customer, rows = await _spoken_by(call, call.args[0])
    if len(rows) == 1:
        return await _show(call, rows[0], reason=reason, page=1)
    return await _let_pick(call, customer, rows, reason=reason)


async def _show(call: Call, row: SessionRow, *, reason: str, page: int) -> Result:
    kit, after = call.kit, await _end_of_log(call)
    transcript, line = await review_in_commit(kit.store, kit.sealer, _reader(call), row, reason=reason)
    text, more = page_of(transcript, page, kit.settings.prices)
    name = _line_name(after, line.id)
    buttons = (Button("More", "review", (name, short(row.id), str(page + 1))),) if more else ()
    call.say(text, private=True, buttons=buttons)
    return [line]


async def _let_pick(call: Call, customer: str, rows: list[SessionRow], *, reason: str) -> Result:
    after = await _end_of_log(call)
    line = await reading_line(
        call.kit.sealer, _reader(call), "sessions_list", Subject(customer, customer), reason=reason
    )
    name = _line_name(after, line.id)
    picks = [Button(_title(call, row), "review", (name, short(row.id), "1")) for row in rows[:MOST_PICKED]]
    left = len(rows) - len(picks)
    rest = f" {count(left, 'older one')} can be named by its id." if left else ""
    call.say(f"Which conversation do you want to read?{rest}", private=True, buttons=tuple(picks))
    return [line]


async def _go_on(call: Call) -> Result:
    """Show the page a button names. What it says is looked up anew, and trusted for nothing: it may be forged."""
    name, session, page = call.args if len(call.args) == 3 else ("", "", "")
    said = _LINE.fullmatch(name)
    if not said or not _PAGE.fullmatch(page):
        raise NoSuchSessionError
    reason, customer = await _reason_of(call, int(said[1]), said[2], session)
    rows = await call.kit.store.read(SessionsSpokenBy(customer, LOOKED_AT))
    row = next((row for row in rows if short(row.id) == session), None)
    if row is None:
        raise NoSuchSessionError
    return await _show(call, row, reason=reason, page=int(page))


async def _reason_of(call: Call, after: int, tail: str, session: str) -> tuple[str, str]:
    """The reason the same reader gave, and the customer they gave it for; NoSuchSessionError where there is none."""
    actor = short(call.kit.sealer.lookup("reader", _reader(call).identity))
    for row in await call.kit.store.read(AuditAfter(after, _NEAR)):
        if row.id.endswith(tail) and row.actor == actor:
            detail = open_line(row, call.kit.sealer).detail or {}
            given = row.action == "sessions_list" or (row.action, row.subject) == ("review", session)
            if given and detail.get("reason"):
                return detail["reason"], row.owner
    raise NoSuchSessionError


async def _named(call: Call, name: str) -> SessionRow:
    rows = await call.kit.store.read(SessionById(call.kit.sealer.lookup("session", name)))
    if not rows:
        raise NoSuchSessionError
    return rows[0]


async def _spoken_by(call: Call, who: str) -> tuple[str, list[SessionRow]]:
    """A person of this workspace, and their conversations here, newest spoken first."""
    mention = _MENTION.fullmatch(who)
    user = mention[1] if mention else who.removeprefix("@")
    ref = ConversationRef(call.ref.platform, call.ref.workspace, "", user)
    customer = await find_customer(call.kit.store, call.kit.sealer, ref)
    if customer is None:
        raise NoSuchSessionError(reply=NOBODY)
    spoken = await call.kit.store.read(SessionsSpokenBy(customer.id, LOOKED_AT))
    rows = [row for row in spoken if row.workspace == call.ref.workspace and row.depth]
    if not rows:
        raise NoSuchSessionError(reply=NOBODY)
    return customer.id, rows


async def _end_of_log(call: Call) -> int:
    (end,) = await call.kit.store.read(AuditEnd())
    return end.seq


def _line_name(after: int, id_: str) -> str:
    return f"{AFTER}{after}.{id_[-12:]}"


def _title(call: Call, row: SessionRow) -> str:
    return f"{as_time(row.spoken):%Y-%m-%d %H:%M}, {count(row.depth, 'turn')}, {readable_id(row, call.kit.sealer)}"


def _reader(call: Call) -> Reader:
    return reader_of(call.kit.settings, call.ref)
