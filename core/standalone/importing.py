"""Taking in a session that another library kept: its turns, branches and usage, in one commit that may be repeated."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from core.errors import ConflictError
from core.ids import id_at
from core.models import MAIN, Item, Place, Usage
from core.ports import Sealer, SessionStore
from core.queries.people import SessionById
from core.queries.turns import TurnsOf
from core.records.bill import BookUsage
from core.records.people import AddSession
from core.records.record import Record
from core.records.turns import AddBranch, AddItem, AddTurn, EnsureMain, GrowBranch
from core.sealed import branch_row, encode, item_row, row_of, seal_json
from core.standalone.adding import NOTHING
from core.standalone.line import is_user, key_of, owner_of
from core.writer import GroupWriter

Outcome = Literal["new", "there", "other"]
"""What an import finds: nothing of that id, the very same, or another session of that id, which stays as it is."""


@dataclass(frozen=True, slots=True)
class GivenItem:
    """An item by its number there, when it was added, and the number of its turn there (0: not counted)."""

    number: int
    value: Item
    at: int
    turn: int = 0

    def in_turn(self, turn: int) -> "GivenItem":
        """The same item in a turn."""
        return replace(self, turn=turn)


@dataclass(frozen=True, slots=True)
class GivenBranch:
    """A branch with all its items, also those it shares with others."""

    name: str
    items: tuple[GivenItem, ...]


@dataclass(frozen=True, slots=True)
class GivenUsage:
    """What a turn of a branch used, by their names there."""

    branch: str
    turn: int
    used: Usage
    at: int


@dataclass(frozen=True, slots=True)
class Given:
    """A session as it was kept elsewhere; `problems` are what of it cannot be taken in."""

    id: str
    made: int
    branches: tuple[GivenBranch, ...]
    usage: tuple[GivenUsage, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Grown:
    """A turn that is made of some items; branches that begin alike share it."""

    id: str
    parent: str | None
    depth: int
    items: tuple[GivenItem, ...]


@dataclass(slots=True)
class Tree:
    """The turns of a session that is taken in, and where its branches end and were forked."""

    turns: dict[tuple[str | None, tuple[int, ...]], Grown] = field(default_factory=dict)
    lines: dict[str, list[Grown]] = field(default_factory=dict)
    forked: dict[str, str | None] = field(default_factory=dict)


async def import_session(store: SessionStore, sealer: Sealer, given: Given, *, dry: bool) -> Outcome:
    """Take a session in, if nothing of its id is there; with `dry` only tell what would come of it."""
    key = key_of(sealer, given.id)
    tree = grown(key, given)
    if await store.ask(key, SessionById(key)):
        return await _compare(store, key, tree)
    if dry:
        return "new"
    owner = owner_of(key)
    await sealer.prepare((owner,))
    async with GroupWriter(store) as writer:
        try:
            await writer.commit(tuple(_records(sealer, key, given, tree)))
        except ConflictError:
            # Another import was faster.
            return await _compare(store, key, tree)
    return "new"


async def _compare(store: SessionStore, key: bytes, tree: Tree) -> Outcome:
    there = {turn.id for turn in await store.ask(key, TurnsOf(key))}
    return "there" if there and all(turn.id in there for turn in tree.turns.values()) else "other"


def grown(key: bytes, given: Given) -> Tree:
    """Make turns of items; their ids follow from the items alone, so that a second import makes the same."""
    tree = Tree()
    last = 0
    for branch in given.branches:
        line: list[Grown] = []
        forked: str | None = None
        for items in _turns(branch.items):
            parent = line[-1].id if line else None
            numbers = tuple(item.number for item in items)
            turn = tree.turns.get((parent, numbers))
            if turn is None:
                # One after the other, also where the times there count whole seconds.
                last = max(items[0].at // 1000, last + 1)
                seed = hashlib.sha256(repr((key, parent, numbers)).encode()).digest()
                turn = tree.turns[parent, numbers] = Grown(id_at(last, seed), parent, len(line) + 1, items)
            else:
                forked = turn.id
            line.append(turn)
        tree.lines[branch.name], tree.forked[branch.name] = line, forked
    return tree


def _turns(items: Sequence[GivenItem]) -> Iterator[tuple[GivenItem, ...]]:
    """Cut items into turns: each user item begins one, but the first joins what it finds before it."""
    turn: list[GivenItem] = []
    said = False
    for item in items:
        user = is_user(item.value)
        if user and said:
            yield tuple(turn)
            turn, said = [], False
        turn.append(item)
        said = said or user
    if turn:
        yield tuple(turn)


def _records(sealer: Sealer, key: bytes, given: Given, tree: Tree) -> Iterator[Record]:
    owner, main = owner_of(key), sealer.lookup("branch", MAIN)
    body = seal_json(sealer, "session", owner, row_of(key), {"id": given.id})
    yield AddSession(key, "local", owner, "session", main, given.made, body)
    yield EnsureMain(key, main, given.made, seal_json(sealer, "branch", owner, branch_row(key, main), MAIN))
    for turn in tree.turns.values():
        yield AddTurn(turn.id, key, turn.parent, turn.depth, "done", owner, "", None, turn.items[0].at, NOTHING)
        for seq, item in enumerate(turn.items):
            place = Place("item", owner, item_row(turn.id, seq))
            yield AddItem(turn.id, seq, sealer.seal(place, encode(item.value)))
    yield from _branches(sealer, key, given, tree)
    yield from _usage(sealer, key, given.usage, tree)


def _branches(sealer: Sealer, key: bytes, given: Given, tree: Tree) -> Iterator[Record]:
    for name, line in tree.lines.items():
        if not line:
            continue
        head, at, hashed = line[-1].id, line[-1].items[-1].at, sealer.lookup("branch", name)
        if name == MAIN:
            yield GrowBranch(key, hashed, head, at)
        else:
            body = seal_json(sealer, "branch", owner_of(key), branch_row(key, hashed), name)
            yield AddBranch(key, hashed, head, tree.forked[name], at, body)


def _usage(sealer: Sealer, key: bytes, usage: Iterable[GivenUsage], tree: Tree) -> Iterator[Record]:
    for number, one in enumerate(usage):
        at_turn = (turn for turn in tree.lines.get(one.branch, ()) if turn.items[-1].turn == one.turn)
        turn = next(at_turn, None)
        yield BookUsage(
            id=id_at(one.at // 1000, hashlib.sha256(repr((key, "usage", number)).encode()).digest()),
            customer=owner_of(key),
            session=key,
            turn=turn.id if turn else None,
            branch=sealer.lookup("branch", one.branch),
            purpose="turn",
            model="",
            requests=one.used.requests,
            input_tokens=one.used.input_tokens,
            cached_tokens=one.used.cached_tokens,
            output_tokens=one.used.output_tokens,
            reasoning_tokens=one.used.reasoning_tokens,
            cost_nano=None,
            estimated=0,
            at=one.at,
        )
