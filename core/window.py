"""The newest items of a history, opened: read many times, handed out as copies, a bounded number kept in memory."""

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import Generic, Protocol, TypeVar

from core.models import Item
from core.sealed import decode_list

LARGEST = 1024 * 1024
"""Bytes of one window; what is larger is read in pages each time, and never kept."""
OVERHEAD = 512
"""Bytes a window and its holder cost beside the items."""


class Window:
    """The newest items of a history as JSON, oldest first; `complete` says that nothing is older.

    Items are only added, by one thread, and that in one step: who reads in another sees them all or none. `used` is
    set by who reads, and cleared by `Windows`: it spares the window once.
    """

    __slots__ = ("_items", "complete", "size", "used")

    def __init__(self, items: Iterable[bytes] = (), *, complete: bool = True) -> None:
        """Take items as they are."""
        self._items = list(items)
        self.complete = complete
        self.size = sum(map(len, self._items))
        self.used = True

    def __len__(self) -> int:
        """How many items are here."""
        return len(self._items)

    def covers(self, limit: int | None) -> bool:
        """Whether the newest `limit` items (None: all) are all here."""
        return self.complete or (limit is not None and limit <= len(self._items))

    def read(self, limit: int | None = None) -> list[Item]:
        """Copy out the newest `limit` items (None: all), oldest first."""
        self.used = True
        if limit is None:
            return decode_list(self._items)
        return decode_list(self._items[-limit:]) if limit else []

    def add(self, items: Sequence[bytes], size: int) -> None:
        """Take in what was added to the history, so many bytes."""
        self._items += items
        self.size += size

    def cut(self, keep: int, largest: int = LARGEST) -> "Window":
        """The newest items only: at most `keep` of them, and at most `largest` bytes."""
        items, left, taken = self._items, largest, 0
        for item in reversed(items[-keep:]):
            left -= len(item)
            if left < 0:
                break
            taken += 1
        return self if taken == len(items) else Window(items[len(items) - taken :], complete=False)


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
        size = sum(map(len, items))
        window.add(items, size)
        if window.size > LARGEST or len(window) > 2 * holder.wanted:
            # Down to half, so that not every addition has to cut again.
            return self.keep(holder, window.cut(holder.wanted, LARGEST // 2))
        self.held += size
        self._sizes[holder] += size
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
