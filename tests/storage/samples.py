"""Records to try a store with: every field has a value, and what a test is about is named."""

from dataclasses import replace

from core.errors import RefusedError
from core.models import MAIN
from core.queries.branches import BranchByName
from core.queries.people import SessionById
from core.records.bill import BookUsage
from core.records.lanes import AddEvent
from core.records.log import AddAudit
from core.records.outbox import AddDelivery
from core.records.people import AddCustomer, AddIdentity, AddSession
from core.records.tickets import AddTicket, AddTicketChange
from core.records.turns import AddBranch, AddItem, AddMessage, AddTurn, EnsureMain, MoveHead

S = b"session-1"
MAIN_BRANCH = MAIN.encode()
HOUR = 3600.0
OVER = -1.0  # a lease that has ended when it begins


async def commit(store, *records):
    """Write one commit alone and return its rows; raises what it was refused for."""
    (outcome,) = await store.write([records])
    if isinstance(outcome, RefusedError):
        raise outcome
    return outcome


async def one(store, query):
    """Ask for what is there exactly once."""
    (row,) = await store.read(query)
    return row


async def head(store, session=S, branch=MAIN_BRANCH):
    return (await one(store, BranchByName(session, branch))).head


async def version(store, session=S):
    return (await one(store, SessionById(session))).version


def customer(id_="c", **changes):
    return replace(AddCustomer(id_, "w", 1, b"customer"), **changes)


def identity(key=b"identity", **changes):
    return replace(AddIdentity(key, "c", 1, b"body of an identity"), **changes)


def session(id_=S, **changes):
    """A session and its first branch."""
    opened = replace(AddSession(id_, "w", "c", "user", MAIN_BRANCH, 1, b"body of a session"), **changes)
    return opened, EnsureMain(id_, opened.branch, opened.at, b"body of main")


def event(id_="e1", **changes):
    return replace(
        AddEvent(id_, b"key of " + id_.encode(), S, "c", "message", 1, b"body of " + id_.encode()), **changes
    )


def turn(id_="t1", **changes):
    return replace(AddTurn(id_, S, None, 1, "done", "c", "triage", None, 1, b"body of " + id_.encode()), **changes)


def items(turn_, count=2):
    return tuple(AddItem(turn_, seq, f"{turn_}.{seq}".encode()) for seq in range(count))


def move(to, frm=None, **changes):
    return replace(MoveHead(S, MAIN_BRANCH, frm, to, "turn", "c", 1), **changes)


def said(count, *, first=1, parent=None, **changes):
    """So many turns one after the other, t1, t2 ..., each with two items, and the head moved to the last."""
    records = []
    for depth in range(first, first + count):
        id_ = f"t{depth}"
        records += [turn(id_, parent=parent, depth=depth, **changes), *items(id_), move(id_, parent)]
        parent = id_
    return tuple(records)


def branch(name=b"other", **changes):
    return replace(AddBranch(S, name, None, None, 2, b"body of a branch"), **changes)


def message(key=b"message", **changes):
    return replace(AddMessage(key, S, "t1", "question", "c", 1, b"body of a message"), **changes)


def ticket(id_="k1", **changes):
    return replace(AddTicket(id_, "w", 1001, "c", S, "t1", "open", "normal", 1, b"body of a ticket"), **changes)


def change(id_="h1", **changes):
    opened = AddTicketChange(id_, "k1", "t1", 1, "status", "turn", "c", 1, None, b"after")
    return replace(opened, **changes)


def usage(id_="u1", **changes):
    call = BookUsage(id_, "c", S, "t1", MAIN_BRANCH, "turn", "model", 1, 100, 40, 20, 5, 1_000, 0, 1)
    return replace(call, **changes)


def delivery(key="d1", **changes):
    return replace(
        AddDelivery(key, "terminal", b"place", S, "t1", "c", "reply", "pending", 1, b"body of a piece"), **changes
    )


def audit(id_="a1", seq=1, **changes):
    line = AddAudit(id_, "actor", "show", "subject", "c", 1, b"body of a line", seq, b"digest", b"link " + id_.encode())
    return replace(line, **changes)


def assert_clear(error, path):
    """An error an operator can act on: one line, not long, that names the file."""
    text = str(error)
    assert str(path) in text
    assert "\n" not in text
    assert len(text) < 120 + len(str(path))
