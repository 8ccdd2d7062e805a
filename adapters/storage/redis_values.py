"""Records and questions as the scripts of the Redis store take them, and rows as they answer them.

What the scripts look at is a value of its own; the rest of a row is JSON that they only pass on. Sealed bytes are
base64 in JSON; an item's body, which is nearly all there is, stays as it is.
"""

from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import orjson

from core.queries.bill import UsageByTurnOfBranch, UsageOfSession, UsageRow
from core.queries.branches import BranchByName, BranchesOf, BranchRow, MoveRow, MovesOf
from core.queries.counts import CountRow, Counts
from core.queries.people import SessionById, SessionRow, StandOf, StandRow
from core.queries.query import Query
from core.queries.turns import ItemRow, ItemsOf, TurnAt, TurnById, TurnRow, TurnsUpTo, WindowOf
from core.records import RECORDS
from core.records.bill import BookUsage, ReplaceUsage
from core.records.guards import SessionAt, TurnEnds
from core.records.people import AddSession
from core.records.record import Commit, Record
from core.records.turns import (
    AddBranch,
    AddItem,
    AddTurn,
    BumpRevision,
    ClearSession,
    DropBranch,
    DropItem,
    DropTurn,
    EnsureMain,
    GrowBranch,
    MoveHead,
    SwitchBranch,
)

Value = bytes | str | int
Values = list[Value]


def session_of(commit: Commit) -> bytes:
    """The session a commit is about: its first record names it."""
    first = commit[0]
    session: bytes = first.id if isinstance(first, AddSession) else first.session  # type: ignore[attr-defined]  # a guard of a session
    return session


def commit_values(commit: Commit) -> Values:
    """A commit for the script that writes. Raises LookupError for a record that no standalone session has."""
    values: Values = []
    for record in sorted(commit, key=lambda record: _ORDER[type(record)]):
        values += (type(record).__name__, *_WRITTEN[type(record)](record))
    return values


def query_values(query: Query[Any]) -> Values:
    """A question for the script that asks. Raises LookupError for one that no standalone session is asked."""
    name, values = _ASKED[type(query)]
    return [name, *values(query)]


def rows_of(query: Query[Any], answer: list[Any]) -> list[Any]:
    """The rows of an answer, of the question's row class."""
    return list(_READ[type(query)](query, answer)) if answer else []


# --- records ----------------------------------------------------------------------------------------------------------


def _json(*values: object) -> bytes:
    return orjson.dumps([b64encode(value).decode() if isinstance(value, bytes) else value for value in values])


def _place(turn: str | None, branch: bytes | None) -> str:
    return f"{turn or ''}|{(branch or b'').hex()}"


def _turn(turn: AddTurn) -> Values:
    row = (turn.id, turn.parent, turn.depth, turn.status, turn.speaker, turn.agent, turn.event, 0, turn.at, turn.body)
    return [turn.id, turn.parent or "", turn.depth, _json(*row)]


def _booked(used: BookUsage) -> Values:
    counts = (used.requests, used.input_tokens, used.cached_tokens, used.output_tokens, used.reasoning_tokens)
    row = (*counts, used.cost_nano, used.estimated, used.id, used.customer, used.purpose, used.model, used.at)
    return [_place(used.turn, used.branch), _json(*row)]


_ORDER = {record: number for number, record in enumerate(RECORDS)}
_WRITTEN: dict[type[Record], Callable[[Any], Sequence[Value]]] = {
    SessionAt: lambda r: (r.version,),
    TurnEnds: lambda r: (r.turn, r.seq),
    AddSession: lambda r: (r.workspace, r.owner, r.strategy, r.branch, r.at, r.body),
    AddTurn: _turn,
    AddItem: lambda r: (r.turn, r.seq, r.body),
    DropItem: lambda r: (r.turn, r.seq),
    BumpRevision: lambda r: (),
    AddBranch: lambda r: (r.name, r.head or "", _json(r.forked, r.at, r.body)),
    EnsureMain: lambda r: (r.name, _json(None, r.at, r.body)),
    DropBranch: lambda r: (r.name, r.name.hex()),
    DropTurn: lambda r: (r.id,),
    MoveHead: lambda r: (
        *(r.branch, r.branch.hex(), r.to_turn or "", r.at),
        _json(r.from_turn, r.to_turn, r.kind, r.actor, r.at),
    ),
    GrowBranch: lambda r: (r.branch, r.head, r.at),
    SwitchBranch: lambda r: (r.branch,),
    ClearSession: lambda r: (r.branch,),
    ReplaceUsage: lambda r: (_place(r.turn, r.branch),),
    BookUsage: _booked,
}

# --- questions and rows -----------------------------------------------------------------------------------------------

_ASKED: dict[type[Query[Any]], tuple[str, Callable[[Any], Sequence[Value]]]] = {
    SessionById: ("SessionById", lambda q: ()),
    StandOf: ("StandOf", lambda q: ()),
    WindowOf: ("WindowOf", lambda q: (q.head, q.turns)),
    ItemsOf: ("ItemsOf", lambda q: (q.turn,)),
    TurnById: ("TurnById", lambda q: (q.id,)),
    TurnAt: ("TurnAt", lambda q: (q.head, q.depth)),
    TurnsUpTo: ("TurnsUpTo", lambda q: (q.head, q.limit)),
    BranchesOf: ("BranchesOf", lambda q: ()),
    BranchByName: ("BranchByName", lambda q: (q.name,)),
    MovesOf: ("MovesOf", lambda q: (q.branch.hex(), q.limit)),
    UsageOfSession: ("Usage", lambda q: ()),
    UsageByTurnOfBranch: ("Usage", lambda q: ()),
    Counts: ("Counts", lambda q: ()),
}


def _pairs(flat: list[bytes]) -> dict[bytes, bytes]:
    return dict(zip(flat[::2], flat[1::2], strict=True))


def _session(query: SessionById, answer: list[Any]) -> Iterator[SessionRow]:
    kept, (name, value, depth) = _pairs(answer[0]), answer[1]
    head, _, rest = value.partition(b" ")
    yield SessionRow(
        id=query.id,
        workspace=kept[b"workspace"].decode(),
        owner=kept[b"owner"].decode(),
        strategy=kept[b"strategy"].decode(),
        branch=name,
        branch_body=b64decode(orjson.loads(rest)[2]),
        head=head.decode() or None,
        depth=depth,
        agent="",
        version=int(kept[b"version"]),
        revision=int(kept[b"revision"]),
        answered_by="bot",
        muted=0,
        started=int(kept[b"started"]),
        spoken=int(kept[b"spoken"]),
        body=kept[b"body"],
    )


def _stand(query: StandOf, answer: list[Any]) -> Iterator[StandRow]:
    version, head, seq = answer
    yield StandRow(int(version), head.decode() or None, seq)


def _turn_row(row: bytes, session: bytes = b"") -> TurnRow:
    id_, parent, depth, status, speaker, agent, event, edited, at, body = orjson.loads(row.split(b" ", 4)[4])
    return TurnRow(id_, session, parent, depth, status, speaker, agent, event, edited, at, b64decode(body))


def _turn_rows(query: object, answer: list[Any]) -> Iterator[TurnRow]:
    for run in answer:
        yield from map(_turn_row, run)


def _item_rows(query: object, answer: list[Any]) -> Iterator[ItemRow]:
    for turns, items in answer:
        of = {row.split(b" ", 1)[0]: _turn_row(row) for row in turns}
        for item in items:
            number, seq, body = item.split(b":", 2)
            turn = of[number]
            yield ItemRow(turn.id, turn.depth, turn.speaker, int(seq), body)


def _branch_rows(query: object, answer: list[Any]) -> list[BranchRow]:
    found = []
    for name, value, depth in answer:
        head, _, rest = value.partition(b" ")
        forked, at, body = orjson.loads(rest)
        found.append(BranchRow(name, head.decode() or None, depth, forked, at, b64decode(body)))
    return sorted(found, key=lambda branch: (branch.at, branch.name))


def _move_rows(query: object, answer: list[Any]) -> Iterator[MoveRow]:
    for move in answer:
        number, _, json = move.split(b" ", 2)
        yield MoveRow(int(number), *orjson.loads(json))


def _summed(key: str, booked: list[list[Any]]) -> UsageRow:
    columns = list(zip(*(row[:7] for row in booked), strict=True))
    requests, read, cached, written, reasoning = map(sum, columns[:5])
    priced, estimated = list(filter(None, columns[5])), sum(columns[6])
    unpriced = columns[5].count(None)
    return UsageRow(key, len(booked), requests, read, cached, written, reasoning, sum(priced), unpriced, estimated)


def _usage_of_session(query: object, answer: list[Any]) -> Iterator[UsageRow]:
    yield _summed("", [row for booked in answer[1::2] for row in orjson.loads(booked)])


def _usage_of_branch(query: UsageByTurnOfBranch, answer: list[Any]) -> Iterator[UsageRow]:
    for place, booked in sorted(_pairs(answer).items()):
        turn, _, branch = place.decode().partition("|")
        if branch == query.branch.hex():
            yield _summed(turn, orjson.loads(booked))


def _counts(query: object, answer: list[Any]) -> Iterator[CountRow]:
    yield CountRow("session", 1)
    yield from map(CountRow, ("turn", "item"), answer)


_READ: dict[type[Query[Any]], Callable[[Any, list[Any]], Any]] = {
    SessionById: _session,
    StandOf: _stand,
    WindowOf: _item_rows,
    ItemsOf: _item_rows,
    TurnById: _turn_rows,
    TurnAt: _turn_rows,
    TurnsUpTo: _turn_rows,
    BranchesOf: _branch_rows,
    BranchByName: _branch_rows,
    MovesOf: _move_rows,
    UsageOfSession: _usage_of_session,
    UsageByTurnOfBranch: _usage_of_branch,
    Counts: _counts,
}
