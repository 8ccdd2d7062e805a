"""The Agents SDK's Session for one turn: reads what is committed, keeps what is new in memory."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from core.errors import StageClosedError
from core.items import text_of
from core.models import Item

if TYPE_CHECKING:
    from agents.items import TResponseInputItem
    from agents.memory import SessionSettings


class TurnSession:
    """A turn's session: `window` stands before it and is never changed, what the turn adds is kept in a buffer.

    Items are kept portable: messages as role and text, no provider's ids, states or reasoning, which mean nothing to
    another model or API, nor to a later request.
    """

    def __init__(self, session_id: str, window: Sequence[Item]) -> None:
        self.session_id = session_id
        self.session_settings: SessionSettings | None = None
        self.window = window
        self._buffer: list[Item] = []
        self._closed = False

    @property
    def items(self) -> list[Item]:
        """What this turn added so far, in order."""
        return list(self._buffer)

    def close(self) -> None:
        """Refuse every later addition: the turn is over, however it ended."""
        self._closed = True

    async def get_items(self, limit: int | None = None) -> "list[TResponseInputItem]":
        """The window and then the buffer; with `limit` the newest ones of that."""
        items = [*self.window, *self._buffer]
        if limit is not None:
            items = items[-limit:] if limit > 0 else []
        return cast("list[TResponseInputItem]", items)

    async def add_items(self, items: "list[TResponseInputItem]") -> None:
        """Append to the buffer. Raises StageClosedError once the turn is over."""
        if self._closed:
            raise StageClosedError("an item came too late: its turn is over")
        self._buffer += [_portable(item) for item in cast("list[Item]", items) if item.get("type") != "reasoning"]

    async def pop_item(self) -> "TResponseInputItem | None":
        """Take back the newest item of this turn; what is committed stays."""
        return cast("TResponseInputItem", self._buffer.pop()) if self._buffer else None

    async def clear_session(self) -> None:
        """Forget what this turn added; what is committed stays."""
        self._buffer.clear()


def _portable(item: Item) -> Item:
    if item.get("role") == "assistant":
        return {"role": "assistant", "content": text_of(item)}
    return {key: value for key, value in item.items() if key not in ("id", "status")}
