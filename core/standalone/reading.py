"""Reading a session's items: the newest from its window, all of them in pages.

They are answered as excerpts of a window, and become objects only where they are used (`decoded`): thousands of small
objects that wait to be handed from one thread to the other leave the processor's caches meanwhile. With 500 sessions
at once in PostgreSQL that cost a quarter of a turn.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from core.models import Item
from core.queries.people import StandRow
from core.queries.turns import ItemRow, TurnAt, WindowOf
from core.sealed import decode
from core.standalone.line import LineJob, SessionLine, Tip, is_user
from core.window import LARGEST, Excerpt, Window

PAGE = 256
"""Turns read at once: whoever else uses the store waits for no more than that."""
ITEMS_PER_TURN = 3
"""A first guess; where turns are smaller, more of them are read."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """The `turns` turns up to and with `head`: as many as its depth are all of a branch."""

    head: str | None
    turns: int


class Reading(LineJob):
    """The job to read the newest `limit` items (None: all). It waits for its own check, as an `Asker`."""

    __slots__ = ("_limit",)

    def __init__(self, line: SessionLine, limit: int | None) -> None:
        super().__init__(line)
        self._limit = limit

    def at_once(self) -> bool:
        """Ask no more than whether anybody wrote, where all else is known."""
        line, window = self.line, self.line.window
        if line.tip is None or not line.untold or window is None or not window.covers(self._limit):
            return False
        line.shared.checks.enter(line.key, self)
        return True

    async def work(self) -> list[Excerpt]:
        """Read what is not known."""
        return await (read_whole(self.line) if self._limit is None else read_newest(self.line, self._limit))

    def set_result(self, rows: Sequence[StandRow], /) -> None:
        """Hand out the window, where nobody wrote."""
        line, window = self.line, self.line.window
        if window is not None and line.stands(rows):
            return line.finish(self, window.excerpts(self._limit))
        line.forget()
        return line.work(self)

    def set_exception(self, error: Exception, /) -> None:
        """Answer that the store could not be asked."""
        self.line.forget()
        self.line.finish(self, None, error)


async def decoded(excerpts: Sequence[Excerpt]) -> list[Item]:
    """Make the items; the others of this loop have their turn between excerpts."""
    items: list[Item] = []
    for number, excerpt in enumerate(excerpts):
        if number:
            await asyncio.sleep(0)
        items += excerpt.read()
    return items


async def read_newest(line: SessionLine, limit: int) -> list[Excerpt]:
    """Read the newest `limit` items of the current branch, and keep them as its window."""
    tip = await line.refresh()
    turns = limit // ITEMS_PER_TURN + 1
    while line.window is None or not line.window.covers(limit):
        if turns > PAGE:
            return await read_all(line, Stretch(tip.head, tip.depth), limit)
        tip = await line.load(turns)
        turns *= 4
    window = line.window
    # What is kept is bounded; what was asked for is not.
    line.know(tip, window.cut(max(limit, line.wanted)))
    return window.excerpts(limit)


async def read_whole(line: SessionLine) -> list[Excerpt]:
    """Read all items of the current branch; what is not too large is kept as its window."""
    tip = await line.refresh()
    if line.window is None or not line.window.complete:
        if tip.depth > PAGE:
            return await _read_long(line, tip)
        tip = await line.load(PAGE)
    window = line.window or Window()
    if window.size > LARGEST:
        line.know(tip, window.cut(line.wanted))
    else:
        # Whoever reads all does so again and again: what is added must not cut the window down.
        line.wanted = max(line.wanted, len(window))
    return window.excerpts()


async def _read_long(line: SessionLine, tip: Tip) -> list[Excerpt]:
    """Read all items in pages, and keep them as the window if they are not too large."""
    window, last = await _read_pages(line, Stretch(tip.head, tip.depth), None)
    # Read at several moments: it is what the tip says only where nothing was added to its last turn meanwhile.
    if last is not None and (last.turn, last.seq + 1) == (tip.head, tip.seq) and window.size <= LARGEST:
        line.wanted = max(line.wanted, len(window))
        line.know(tip, window)
    return window.excerpts()


async def read_all(line: SessionLine, stretch: Stretch, limit: int | None) -> list[Excerpt]:
    """Read the newest `limit` items of a stretch (None: all), oldest first."""
    window, _ = await _read_pages(line, stretch, limit)
    return window.excerpts(limit)


async def _read_pages(line: SessionLine, stretch: Stretch, limit: int | None) -> tuple[Window, ItemRow | None]:
    """Read at least the newest `limit` items of a stretch (None: all), and tell which is the last one."""
    found: list[list[bytes]] = []
    last: ItemRow | None = None
    count = 0
    async for rows in pages(line, stretch):
        last = last or (rows[-1] if rows else None)
        found.append(list(map(line.open_item, rows)))
        count += len(rows)
        if limit is not None and count >= limit:
            break
    window = Window()
    while found:
        window.add(found.pop())
    return window, last


async def pages(line: SessionLine, stretch: Stretch) -> AsyncIterator[list[ItemRow]]:
    """Read the items of a stretch page by page: the newest page first, the items of a page oldest first."""
    head, left = stretch.head, stretch.turns
    while head is not None and left > 0:
        yield await line.read(WindowOf(head, min(PAGE, left)))
        left -= PAGE
        rows = await line.read(TurnAt(head, left)) if left > 0 else []
        head = rows[0].id if rows else None


def is_said(line: SessionLine, row: ItemRow) -> bool:
    """Whether an item is a user's."""
    return is_user(decode(line.open_item(row)))
