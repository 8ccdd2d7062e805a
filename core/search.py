"""Search in what people said and were answered: turns of the scope are opened, newest first, and looked at.

Nothing is kept for it, so that what was deleted, or whose key is gone, is found by nobody. Other people's words are
searched through `core.access` only. Why it is done so stands in docs/decisions/0002-search.md.
"""

import asyncio
import re
import unicodedata
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from time import monotonic

from core.errors import ErasedError, UnreadableError
from core.ports import Sealer, Store
from core.queries.query import Query
from core.queries.turns import TurnRow, TurnsBefore, TurnsOfTicket, TurnsSpokenBefore
from core.recall import UNSPACED
from core.sealed import open_json

SLICE = 500
"""Turns that are read, and opened in a thread, at a time: others of the desk's work goes on in between."""
NEWEST = "~"
"""Sorts after the id of every turn."""

_SNIPPET, _BEFORE = 160, 60
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Scope:
    """Where is searched: in one workspace (None: in all), in one customer's turns, in those about one ticket.

    `session` is the ticket's own where it has one. Ids of turns sort by time: `since` is the first that is looked at,
    `before` the first that is not.
    """

    workspace: str | None
    customer: str | None = None
    ticket: str | None = None
    session: bytes = b""
    since: str = ""
    before: str = NEWEST


@dataclass(frozen=True, slots=True)
class Bounds:
    """When a search ends before its end: so many were found, or so many seconds went by."""

    found: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Search:
    """What is searched for: each of some words (none: whatever was said there), in a scope, within bounds.

    `about` and `owner` are the ticket or customer it is about, and whose data that makes it; empty for everybody's.
    """

    scope: Scope
    words: str
    bounds: Bounds
    about: str = ""
    owner: str = ""


@dataclass(frozen=True, slots=True)
class Match:
    """A turn with what was asked for; `name` is its speaker's, `snippet` some of what was said or answered."""

    row: TurnRow
    name: str
    snippet: str


@dataclass(frozen=True, slots=True)
class Matches:
    """What was found, newest first. `reached` is the last turn that was looked at; None where all were.

    `opened` turns were read, and `unreadable` ones would not open.
    """

    found: tuple[Match, ...] = ()
    reached: str | None = None
    opened: int = 0
    unreadable: int = 0


async def look_through(store: Store, sealer: Sealer, search: Search) -> Matches:
    """Find the turns in which each of the words begins one, until there are enough or the time is over."""
    bounds = search.bounds
    look = _Look(sealer, [_pattern(word) for word in _words_in(search.words)], bounds.found)
    end = monotonic() + bounds.seconds
    async for rows in _slices(store, search.scope):
        # In a thread: keys that are not in memory may be a round trip each.
        await asyncio.to_thread(look.through, rows)
        if len(look.found) >= bounds.found or monotonic() >= end:
            return look.matches(look.reached)
    return look.matches(None)


@dataclass(slots=True)
class _Look:
    """A search on its way."""

    sealer: Sealer
    patterns: list[re.Pattern[str]]
    most: int
    found: list[Match] = field(default_factory=list)
    reached: str | None = None
    opened: int = 0
    unreadable: int = 0

    def through(self, rows: Sequence[TurnRow]) -> None:
        for row in rows:
            if len(self.found) >= self.most:
                return
            self.reached = row.id
            if row.body and (match := self._match(row)) is not None:
                self.found.append(match)

    def matches(self, reached: str | None) -> Matches:
        return Matches(tuple(self.found), reached, self.opened, self.unreadable)

    def _match(self, row: TurnRow) -> Match | None:
        try:
            body = open_json(self.sealer, "turn", row.speaker, row.id, row.body)
        except ErasedError:
            return None
        except UnreadableError:
            self.unreadable += 1
            return None
        self.opened += 1
        said, answered = body.get("said", ""), body.get("answered", "")
        texts = (_folded(said), _folded(answered))
        if not all(any(pattern.search(text) for text in texts) for pattern in self.patterns):
            return None
        return Match(row, body.get("name", ""), _snippet((said, answered), self.patterns))


async def _slices(store: Store, scope: Scope) -> AsyncIterator[list[TurnRow]]:
    """The turns of a scope, newest first."""
    while rows := await store.read(_question(scope)):
        inside = [row for row in rows if row.id >= scope.since and scope.customer in (None, row.speaker)]
        if inside:
            yield inside
        if len(rows) < SLICE or rows[-1].id < scope.since:
            return
        scope = replace(scope, before=rows[-1].id)


def _question(scope: Scope) -> Query[TurnRow]:
    if scope.ticket is not None:
        return TurnsOfTicket(scope.ticket, scope.session, scope.before, SLICE)
    if scope.customer is not None:
        return TurnsSpokenBefore(scope.customer, scope.workspace, scope.before, SLICE)
    return TurnsBefore(scope.workspace, scope.before, SLICE)


def _words_in(text: str) -> tuple[str, ...]:
    """The words of a text as they are looked for: letter case, width, and how an accent is written do not count."""
    return tuple(dict.fromkeys(_WORD.findall(_folded(text))))


def _pattern(word: str) -> re.Pattern[str]:
    return re.compile(re.escape(word) if UNSPACED.search(word) else rf"\b{re.escape(word)}")


def _folded(text: str) -> str:
    # Most texts are in one form already, and plain ones in every form.
    plain = text.isascii() or unicodedata.is_normalized("NFKC", text)
    return (text if plain else unicodedata.normalize("NFKC", text)).casefold()


def _snippet(texts: Sequence[str], patterns: Sequence[re.Pattern[str]]) -> str:
    """Some of what was said, from before the first of the words on; of the answer where they stand only there."""
    for label, text in zip(("Asked", "Answered"), texts, strict=True):
        line = " ".join(unicodedata.normalize("NFKC", text).split())
        at = min((hit.start() for pattern in patterns if (hit := pattern.search(line.casefold()))), default=None)
        if at is not None or not patterns:
            return f"{label}: {_cut(line, at or 0)}"
    return "Asked: …"


def _cut(line: str, at: int) -> str:
    begin = 0 if at <= _BEFORE else at - _BEFORE
    piece = line[begin : begin + _SNIPPET]
    return f"{'…' if begin else ''}{piece}{'…' if begin + _SNIPPET < len(line) else ''}"
