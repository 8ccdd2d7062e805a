"""Branch, switch, new, open, clear, mute: which line of turns a conversation goes on with."""

import re

from core.access import may
from core.call import Call, Result
from core.errors import BadInputError, BranchExistsError, NoSuchBranchError, NoSuchTicketError, NotAllowedError
from core.events import read_event
from core.models import MAIN, Button, UserMessage
from core.places import Placed, new_session_records, reserve_ticket
from core.queries import BranchByName, BranchesOf, EventRow, QueuedAfter, TurnsOf
from core.records import AddBranch, ClearSession, MoveEvent, PutSession, QueueEnds, Record, SwitchBranch
from core.scene import branch_name
from core.sealed import branch_row, open_json, seal_json
from core.session_ids import next_generation, session_id
from core.tickets import ticket_by_name
from core.tree import chain_from, newest
from core.wording import count, plain

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")


async def branch(call: Call) -> Result:
    """Name a new branch at the newest turn, or at the turn of a gesture, and go on with it."""
    name = " ".join(call.args) or await _free_name(call)
    if not _NAME.fullmatch(name):
        raise BadInputError(reply="A branch name is up to 40 letters, digits, dots, dashes and underscores.")
    session, sealer = call.scene.session, call.kit.sealer
    turns = await newest(call.kit.store, session.head, 1)
    if call.turn is not None:
        turns = (await chain_from(call.kit.store, session.head, call.turn))[:1]
    if not turns:
        raise BadInputError(reply="There is no turn to branch from yet. Say something first.")
    key = sealer.lookup("branch", name)
    if await call.kit.store.read(BranchByName(session.id, key)):
        raise BranchExistsError
    body = seal_json(sealer, "branch", session.owner, branch_row(session.id, key), name)
    call.say(f"You are on branch {name} now, from turn {turns[0].depth}. Say `switch {call.scene.branch}` to return.")
    return [
        call.guard(),
        AddBranch(session.id, key, turns[0].id, turns[0].id, call.event.at, body),
        SwitchBranch(session.id, key),
    ]


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
    return [call.guard(), SwitchBranch(session.id, key)]


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
        number = await reserve_ticket(call.kit.writer, call.scene.session.workspace)
        name = session_id(call.ref, "ticket", ticket=f"TKT-{number}")
    else:
        name = next_generation(await call.kit.places.name_at(call.ref))
    placed = call.kit.places.bind(call.ref, name, call.scene.customer.id, call.event.at)
    call.say("We start afresh. What was said before is kept, and I can still look things up in it for you.")
    return await _bind(call, placed)


async def open_ticket(call: Call) -> Result:
    """Let this place be about a ticket from now on."""
    if len(call.args) != 1:
        call.misused()
    if not call.ref.direct and call.strategy != "ticket":
        raise BadInputError(reply="Others read this place, so I do not open a ticket here. Do it in a direct message.")
    # Their own, also for staff: whoever opens a ticket reads what was said in it.
    ticket = await ticket_by_name(call.kit.store, call.kit.sealer, call.scene.session.workspace, call.args[0])
    if ticket.customer != call.scene.customer.id:
        raise NoSuchTicketError
    name = session_id(call.ref, "ticket", ticket=ticket.name)
    placed = call.kit.places.bind(call.ref, name, call.scene.customer.id, call.event.at)
    call.say(f"This conversation is about {ticket.name} now: {ticket.subject} ({plain(ticket.status.value)}).")
    return await _bind(call, placed)


async def clear(call: Call) -> Result:
    """Delete the conversation for good, once the asker confirmed it."""
    session = call.scene.session
    turns = await call.kit.store.read(TurnsOf(session.id))
    own = all(turn.speaker == call.scene.customer.id for turn in turns)
    if not own and not may(call.role, "undo_others"):
        raise NotAllowedError(reply="Others spoke here too: only staff can clear this conversation.")
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


async def mute(call: Call) -> Result:
    """Keep quiet in this conversation."""
    call.say("I keep quiet here now. Say `unmute` when you want me back.")
    return [PutSession(call.scene.session.id, call.scene.session.answered_by, 1)]


async def unmute(call: Call) -> Result:
    """Answer in this conversation again."""
    call.say("I am listening again.")
    return [PutSession(call.scene.session.id, call.scene.session.answered_by, 0)]


async def _bind(call: Call, placed: Placed) -> list[Record]:
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
