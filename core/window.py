"""The newest items of a history, opened: read many times, handed out as copies, a bounded number kept in memory."""

from array import array
from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Sequence
from typing import Generic, NamedTuple, Protocol, TypeVar

from core.models import Item
from core.sealed import decode_list

LARGEST = 1024 * 1024
"""Bytes of one window; what is larger is read in pages each time, and never kept."""
PIECE = 256 * 1024
"""Bytes that items are made of in one go: up to a millisecond for which nobody else has the interpreter."""
OVERHEAD = 512
"""Bytes a window and its holder cost beside the items."""

_OPEN, _CLOSE = b"[]"


class Excerpt(NamedTuple):
    """Items of a window, to be made of its text when they are used: the text from a comma to a comma.

    What is added to the window meanwhile is not among them. May be read in any thread.
    """

    text: bytearray
    start: int
    end: int

    def read(self) -> list[Item]:
        """Make the items, at the cost of one; they are the reader's own."""
        text = self.text[self.start : self.end + 1]
        text[0], text[-1] = _OPEN, _CLOSE
        return decode_list(text)


class Window:
    """The newest items of a history as JSON, oldest first; `complete` says that nothing is older.

    They stand in one text, a comma before and after each. Items are only added, by one thread and in such an order that
    who reads in another sees all of an addition or nothing. `used` is set by who reads, and cleared by `Windows`: it
    spares the window once.
    """

    __slots__ = ("_ends", "_text", "complete", "used")

    def __init__(self, items: Sequence[bytes] = (), *, complete: bool = True) -> None:
        """Take items as they are."""
        self._text = bytearray(b",")
        self._ends = array("Q")
        self.complete = complete
        self.used = True
        self.add(items)

    def __len__(self) -> int:
        """How many items are here."""
        return len(self._ends)

    @property
    def size(self) -> int:
        """How many bytes are here: each item and a comma."""
        return len(self._text) - 1

    def covers(self, limit: int | None) -> bool:
        """Whether the newest `limit` items (None: all) are all here."""
        return self.complete or (limit is not None and limit <= len(self._ends))

    def excerpts(self, limit: int | None = None) -> list[Excerpt]:
        """Give the newest `limit` items (None: all), oldest first, in pieces of at most `PIECE` bytes or one item."""
        self.used = True
        ends, count = self._ends, len(self._ends)
        first = 0 if limit is None else max(0, count - limit)
        found = []
        while first < count:
            start = self._start(first)
            first = max(first + 1, bisect_right(ends, start + PIECE, first, count))
            found.append(Excerpt(self._text, start, ends[first - 1]))
        return found

    def add(self, items: Sequence[bytes]) -> int:
        """Take in what was added to the history; returns by how many bytes it has grown."""
        if not items:
            return 0
        before = at = len(self._text) - 1
        self._text += b",".join(items) + b","
        self._ends.extend([at := at + len(item) + 1 for item in items])
        return at - before

    def cut(self, keep: int, largest: int = LARGEST) -> "Window":
        """The newest items only: at most `keep` of them, and at most `largest` bytes."""
        first = max(0, len(self) - keep)
        if self.size > largest:
            first = max(first, bisect_left(self._ends, self.size - largest) + 1)
        if first == 0:
            return self
        start, newest = self._start(first), Window(complete=False)
        newest._text += self._text[start + 1 :]
        newest._ends.extend([end - start for end in self._ends[first:]])
        return newest

    def _start(self, item: int) -> int:
        return self._ends[item - 1] if item else 0


def without_cut_off_outputs(items: list[Item]) -> list[Item]:
    """Leave out leading outputs whose calls are not among these items: a model refuses an answer to no question."""
    calls = {item.get("call_id") for item in items if not _is_output(item)}
    for start, item in enumerate(items):
        if not _is_output(item) or item.get("call_id") in calls:
            return items[start:]
    return []


def _is_output(item: Item) -> bool:
    kind = item.get("type")
    return isinstance(kind, str) and kind.endswith("_output")


class Holder(Protocol):
    """Who has a window that may be taken away, and how many items of it are wanted."""

    window: Window | None
    wanted: int


HolderT = TypeVar("HolderT", bound=Holder)


class Windows(Generic[HolderT]):
    """Keeps the windows of many holders within a number of bytes; those not read for longest go first.

    Reading a window touches nothing here, so that readers in other threads need no lock: a window that was read since
    it was looked at last is spared once (a clock, not a list in order of use).
    """

    def __init__(self, size: int) -> None:
        """Make room for `size` bytes."""
        self.held = 0
        self._size = size
        self._sizes: OrderedDict[HolderT, int] = OrderedDict()

    def keep(self, holder: HolderT, window: Window | None) -> None:
        """Give a holder its new window, or none; others lose theirs when there are too many bytes."""
        holder.window = window
        if window is None:
            self.held -= self._sizes.pop(holder, 0)
            return
        size = window.size + OVERHEAD
        self.held += size - self._sizes.get(holder, 0)
        self._sizes[holder] = size
        if self.held > self._size:
            self._make_room()

    def add(self, holder: HolderT, items: Sequence[bytes]) -> None:
        """Let a holder's window take in new items; of one grown too large the newest half stays."""
        window = holder.window
        if window is None:
            return
        grown = window.add(items)
        if window.size > LARGEST or len(window) > 2 * holder.wanted:
            # Down to half, so that not every addition has to cut again.
            return self.keep(holder, window.cut(holder.wanted, LARGEST // 2))
        self.held += grown
        self._sizes[holder] += grown
        if self.held > self._size:
            self._make_room()
        return None

    def _make_room(self) -> None:
        # Each may be spared once, so that twice round is enough.
        for _ in range(2 * len(self._sizes)):
            if self.held <= self._size:
                return
            holder, size = self._sizes.popitem(last=False)
            if holder.window is not None and holder.window.used:
                holder.window.used = False
                self._sizes[holder] = size
            else:
                holder.window = None
                self.held -= size
