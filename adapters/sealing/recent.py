"""A bounded map that forgets what was used least lately."""

from collections import OrderedDict
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Recent(Generic[K, V]):
    """At most `limit` entries. `get` may run in any thread at any time; who puts or clears brings a lock."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._entries: OrderedDict[K, V] = OrderedDict()

    def get(self, key: K) -> V | None:
        """Return the entry and count it as used, or None."""
        try:
            self._entries.move_to_end(key)
            return self._entries[key]
        except KeyError:  # never there, or just pushed out by another thread
            return None

    def put(self, key: K, value: V) -> None:
        """Keep the entry, and forget the one unused for longest when there are too many."""
        self._entries[key] = value
        if len(self._entries) > self._limit:
            self._entries.popitem(last=False)

    def clear(self) -> None:
        """Forget all."""
        self._entries.clear()
