"""Buttons that carry no reason: each names the audit line the reason stands in.

What one names is looked up anew and trusted for nothing: it may be forged, or be somebody else's.
"""

import re
from typing import Any

from core.access import Door, Reader, reader_of
from core.audit import open_line, short
from core.call import Call
from core.errors import BadInputError, NoSuchSessionError
from core.models import Button
from core.queries.log import AuditAfter, AuditEnd, AuditRow
from core.replies import FAREWELL

BY = "by:"
"""What the argument of a button begins with that names an audit line."""

OTHERS_READ = "Others read this place. Say it in a direct message to me."

_LINE = re.compile(rf"{BY}(\d{{1,15}})\.([0-9a-f]{{12}})", re.ASCII)
_NEAR = 1_000
"""How many lines others may have written between the end a button names and its line."""


async def end_of_log(call: Call) -> int:
    """Where the log ends before a line is written: it is found behind that."""
    (end,) = await call.kit.store.read(AuditEnd())
    return end.seq


def line_name(after: int, id_: str) -> str:
    """Name the line of this id, which is written after that end."""
    return f"{BY}{after}.{id_[-12:]}"


async def line_named(call: Call, name: str) -> tuple[AuditRow, dict[str, Any]]:
    """The line a button names, with its detail: one of the same reader, with a reason. Else NoSuchSessionError."""
    said = _LINE.fullmatch(name)
    actor = short(call.kit.sealer.lookup("reader", reader_in(call).identity))
    for row in await call.kit.store.read(AuditAfter(int(said[1]), _NEAR)) if said else ():
        if said and row.id.endswith(said[2]) and row.actor == actor:
            detail = open_line(row, call.kit.sealer).detail or {}
            if detail.get("reason"):
                return row, detail
    raise NoSuchSessionError


def reader_in(call: Call) -> Reader:
    """Who said the word, as a reader."""
    return reader_of(call.kit.settings, call.ref)


async def show(call: Call, text: str, buttons: tuple[Button, ...] = (), **rest: object) -> None:
    """Show the asker alone what is other people's. No piece of it is kept: it would outlive them."""
    await call.kit.sealer.prepare((FAREWELL,))
    call.say(text, private=True, buttons=buttons, owner=FAREWELL, **rest)


def check_unread(call: Call) -> None:
    """Refuse a word that sends a file of other people's where others read, and none can be sent to the asker alone."""
    if not (call.ref.direct or call.mail.platform.writes_directly):
        raise BadInputError(reply=OTHERS_READ)


def door_of(call: Call) -> Door:
    """The door, as the desk has it."""
    return Door(call.kit.store, call.kit.sealer, call.kit.writer)
