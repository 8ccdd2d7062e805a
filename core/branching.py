"""Branch, switch, new, open, clear, mute: which line of turns a conversation goes on with."""

import re

from core.access import may
from core.call import Call, Result
from core.errors import (
    BadInputError,
    BranchExistsError,
    NoSuchBranchError,
    NoSuchTicketError,
    NotAllowedError,
    RejectedError,
)
from core.events import read_event
from core.legal_holds import ON_HOLD, hold_on
from core.models import MAIN, Button, UserMessage
from core.places import Placed, new_session_records, reserve_ticket
from core.queries.branches import BranchByName, BranchesOf
from core.queries.lanes import EventRow, QueuedAfter
from core.queries.turns import TurnRow, TurnsOf
from core.records.guards import QueueEnds
from core.records.lanes import MoveEvent
from core.records.people import PutSession
from core.records.record import Record
from core.records.turns import AddBranch, ClearSession, SwitchBranch
from core.scene import branch_name
from core.sealed import branch_row, open_json, seal_json
from core.session_ids import session_id
from core.tickets import ticket_by_name
from core.tree import chain_from, newest
from core.wording import count, plain

APART = "thread"
"""The word behind a branch's name that lets it go on in a place of its own."""
NO_PLACE = "I can open no thread beside this conversation. Say `branch NAME` to go on here."
NOT_OPENED = (
    "I may not open a thread here: whoever manages this place can allow it to me. Say `branch NAME` to go on here."
)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")


async def branch(call: Call) -> Result:
    """Name a new branch at the newest turn, or at the turn of a gesture, and go on with it: here, or in a thread."""
    apart = len(call.args) > 1 and call.args[-1] == APART
    name = " ".join(call.args[:-1] if apart else call.args) or await _free_name(call)
    if not _NAME.fullmatch(name):
        raise BadInputError(reply="A branch name is up to 40 letters, digits, dots, dashes and underscores.")
    session = call.scene.session
    key = call.kit.sealer.lookup("branch", name)
    there = await call.kit.store.read(BranchByName(session.id, key))
    if there and not apart:
        raise BranchExistsError
    records: list[Record] = [call.guard()]
    depth = there[0].depth if there else 0
    if not there:
        turn = await _turn_to_branch_from(call)
        depth = turn.depth
        body = seal_json(call.kit.sealer, "branch", session.owner, branch_row(session.id, key), name)
        records.append(AddBranch(session.id, key, turn.id, turn.id, call.event.at, body))
    if apart:
        return [*records, *await _go_on_apart(call, name, depth)]
    call.say(
        f"You are on branch {name} now, from turn {depth}. Say `switch {call.scene.branch}` to return.",
        buttons=(Button("Open as a thread", "branch", (name, APART)),) if _may_go_apart(call) else (),
    )
    return [*records, _switched(call, name)]


async def _turn_to_branch_from(call: Call) -> TurnRow:
    session = call.scene.session
    turns = await newest(call.kit.store, session.head, 1)
    if call.turn is not None:
        turns = (await chain_from(call.kit.store, session.head, call.turn))[:1]
    if not turns:
        raise BadInputError(reply="There is no turn to branch from yet. Say something first.")
    return turns[0]


async def _go_on_apart(call: Call, name: str, depth: int) -> list[Record]:
    """Open another place beside this one, and bind it to the branch: here the conversation goes on as it was."""
    if not _may_go_apart(call):
        raise BadInputError(reply=NO_PLACE)
    platform, ref = call.mail.platform, call.ref
    try:
        there = await platform.open_beside(ref, key=call.mail.address.to, title=f"{name} (branch)")
    except RejectedError as error:
        raise BadInputError(reply=NOT_OPENED) from error
    if there is None:
        raise BadInputError(reply=NO_PLACE)
    came_from, gone_to = await platform.link(ref), await platform.link(there)
    origin = f"turn {depth} of {came_from}" if came_from else f"turn {depth}"
    call.mail.say_in(there, f"This is branch {name}, from {origin}. What is said here stays here.")
    call.say(
        f"Branch {name} goes on in a thread of its own{f': {gone_to}' if gone_to else ''}. This one goes on as it was."
    )
    placed = call.kit.places.bind(there, call.scene.name, call.scene.customer.id, call.event.at, branch=name)
    back = [_switched(call, MAIN)] if call.scene.branch == name and not call.scene.bound else []
    return [*placed.records, *back]


def _may_go_apart(call: Call) -> bool:
    """Whether another thread would be another place: where others read, and a thread is its own conversation."""
    return call.mail.platform.opens_places and not call.ref.direct and call.strategy == "conversation"


def _switched(call: Call, name: str) -> Record:
    """The record by which this place goes on with a branch."""
    if not call.scene.bound:
        return SwitchBranch(call.scene.session.id, call.kit.sealer.lookup("branch", name))
    placed = call.kit.places.bind(call.ref, call.scene.name, call.scene.customer.id, call.event.at, branch=name)
    return placed.records[0]


async def switch(call: Call) -> Result:
    """Go on with another branch."""
    if len(call.args) != 1:
        call.misused()
    session, key = call.scene.session, call.kit.sealer.lookup("branch", call.args[0])
    rows = await call.kit.store.read(BranchByName(session.id, key))
    if not rows:
        raise NoSuchBranchError
    name, depth = call.args[0], rows[0].depth
    call.say(f"You are on branch {name} now, after turn {depth}." if depth else f"You are on branch {name} now.")
    return [call.guard(), _switched(call, name)]


async def branches(call: Call) -> Result:
    """List the branches of the conversation."""
    session = call.scene.session
    lines = []
    for row in await call.kit.store.read(BranchesOf(session.id)):
        name = branch_name(call.kit.sealer, session, row.name, row.body)
        here = " (you are here)" if row.name == session.branch else ""
        lines.append(f"- {name}: {count(row.depth, 'turn')}{here}")
    call.say("\n".join(["The branches of this conversation:", *lines]))
    return []


async def new(call: Call) -> Result:
    """Start afresh in this place; the conversation so far is kept."""
    if call.strategy == "ticket":
        number = await reserve_ticket(call.kit.writer, call.ref.workspace)
        name = session_id(call.ref, "ticket", ticket=f"TKT-{number}")
    else:
        name = await call.kit.places.next_name(call.ref)
    placed = call.kit.places.bind(call.ref, name, call.scene.customer.id, call.event.at)
    call.say("We start afresh. What was said before is kept, and I can still look things up in it for you.")
    return await bind_here(call, placed)


async def open_ticket(call: Call) -> Result:
    """Let this place be about a ticket from now on."""
    if len(call.args) != 1:
        call.misused()
    if not call.ref.direct and call.strategy != "ticket":
        raise BadInputError(reply="Others read this place, so I do not open a ticket here. Do it in a direct message.")
    # Their own, also for staff: whoever opens a ticket reads what was said in it.
    ticket = await ticket_by_name(call.kit.store, call.kit.sealer, call.ref.workspace, call.args[0])
    if ticket.customer != call.scene.customer.id:
        raise NoSuchTicketError
    name = session_id(call.ref, "ticket", ticket=ticket.name)
    placed = call.kit.places.bind(call.ref, name, call.scene.customer.id, call.event.at)
    call.say(f"This conversation is about {ticket.name} now: {ticket.subject} ({plain(ticket.status.value)}).")
    return await bind_here(call, placed)


async def clear(call: Call) -> Result:
    """Delete the conversation for good, once the asker confirmed it."""
    session = call.scene.session
    turns = await call.kit.store.read(TurnsOf(session.id))
    own = all(turn.speaker in call.scene.customer.joined for turn in turns)
    if not own and not may(call.role, "undo_others"):
        raise NotAllowedError(reply="Others spoke here too: only staff can clear this conversation.")
    await _check_holds(call, {turn.speaker for turn in turns})
    if call.args[:1] != ("confirm",):
        call.say(
            f"This deletes this conversation ({count(len(turns), 'turn')}) for good; it cannot be brought back. "
            "Tickets stay. Say `clear confirm` to do it.",
            buttons=(Button("Delete for good", "clear", ("confirm",)),),
        )
        return []
    call.say("This conversation is deleted for good. Your tickets stay.")
    main = call.kit.sealer.lookup("branch", MAIN)
    return [call.guard(), ClearSession(session.id, main), call.audit("clear", {"turns": len(turns)})]


async def _check_holds(call: Call, speakers: set[str]) -> None:
    for speaker in speakers:
        if await hold_on(call.kit.store, call.kit.sealer, speaker) is not None:
            raise NotAllowedError(reply=ON_HOLD)


async def mute(call: Call) -> Result:
    """Keep quiet in this conversation."""
    call.say("I keep quiet here now. Say `unmute` when you want me back.")
    return [PutSession(call.scene.session.id, call.scene.session.answered_by, 1)]


async def unmute(call: Call) -> Result:
    """Answer in this conversation again."""
    call.say("I am listening again.")
    return [PutSession(call.scene.session.id, call.scene.session.answered_by, 0)]


async def bind_here(call: Call, placed: Placed) -> list[Record]:
    """Let the place mean another session, also for what was said in it after this event and waits behind it."""
    owner, at, event = call.scene.customer.id, call.event.at, call.event
    waiting = await call.kit.store.read(QueuedAfter(event.session, event.seq))
    created = new_session_records(call.kit.sealer, placed, call.ref, owner=owner, at=at)
    moved = [MoveEvent(row.id, placed.session) for row in waiting if _is_said_at(call, row)]
    return [QueueEnds(event.session, waiting[-1].seq if waiting else event.seq), *created, *placed.records, *moved]


def _is_said_at(call: Call, row: EventRow) -> bool:
    """Whether an event was said in the place of a call, and not about a message: that one stays where it is."""
    said = read_event(row.kind, open_json(call.kit.sealer, "inbox", row.customer, row.id, row.body))
    return (isinstance(said, UserMessage) or said.message is None) and call.kit.places.is_same(said.ref, call.ref)


async def _free_name(call: Call) -> str:
    taken = {row.name for row in await call.kit.store.read(BranchesOf(call.scene.session.id))}
    number = 1
    while call.kit.sealer.lookup("branch", f"what-if-{number}") in taken:
        number += 1
    return f"what-if-{number}"
