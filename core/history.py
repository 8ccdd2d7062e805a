"""What the model sees of a session: the running summary of what is old, and the newest turns whole."""

from collections.abc import Sequence
from dataclasses import dataclass

from core.context import HistoryLine
from core.ids import time_of
from core.items import own_words, text_of
from core.lru import Lru
from core.models import Item
from core.ports import Sealer, Store
from core.queries.people import SessionRow
from core.queries.said import SummaryRow, SummaryUpTo
from core.queries.turns import ItemRow, WindowOf
from core.sealed import decode_list, item_row, joined, open_json, open_sealed

LOOK_BACK = 400
"""Turns that are read at most; a summary stands for all before the window long before that many."""


@dataclass(frozen=True, slots=True)
class PastTurn:
    """A turn of the window: its items as JSON, opened, never changed in place, who spoke, and the turn in brief.

    `tokens` are characters / 4.
    """

    id: str
    depth: int
    items: tuple[bytes, ...]
    tokens: int
    line: HistoryLine
    speaker: str

    def read(self) -> list[Item]:
        """Copy the items out."""
        return decode_list(joined(self.items))


def past_turn(id_: str, depth: int, items: Sequence[bytes], *, speaker: str) -> PastTurn:
    """Make a turn of the window."""
    read = decode_list(joined(items))
    said = next((text_of(item) for item in read if item.get("role") == "user"), "")
    answered = next((text_of(item) for item in reversed(read) if item.get("role") == "assistant"), "")
    line = HistoryLine(depth, time_of(id_), said, answered)
    return PastTurn(id_, depth, tuple(items), sum(map(len, items)) // 4, line, speaker)


@dataclass(frozen=True, slots=True)
class History:
    """The chain up to a head: `summary` stands for all turns up to depth `summarised`, `turns` are those after it.

    `tokens` is the size of these turns together.
    """

    summary: str = ""
    summarised: int = 0
    turns: tuple[PastTurn, ...] = ()
    tokens: int = 0

    def followed_by(self, turn: PastTurn) -> "History":
        """The history after one more turn."""
        return History(self.summary, self.summarised, (*self.turns, turn), self.tokens + turn.tokens)

    def read(self) -> list[Item]:
        """Copy the items of the window out, at the cost of one."""
        return decode_list(joined(item for turn in self.turns for item in turn.items))

    def words_of(self, customer: str) -> list[str]:
        """What a customer wrote in the window."""
        own = [item for turn in self.turns if turn.speaker == customer for item in turn.read()]
        return [own_words(item) for item in own if item.get("role") == "user"]

    def lines(self, limit: int) -> list[HistoryLine]:
        """The newest turns in brief."""
        return [turn.line for turn in self.turns[-limit:]]


def history_of(summary: str, summarised: int, turns: Sequence[PastTurn]) -> History:
    """Make a history of the turns after a summary."""
    return History(summary, summarised, tuple(turns), sum(turn.tokens for turn in turns))


_Key = tuple[bytes, str, int]
"""A session, a head, and the session's redaction revision."""


class Histories:
    """Reads histories, and keeps the ones in use opened.

    Keyed by session, head and redaction revision, all read with the session itself: a stale one is never found. Of a
    history that grew elsewhere, in another process, only the turns that are new are read.
    """

    def __init__(self, store: Store, sealer: Sealer, *, keep: int = 2048) -> None:
        """`keep` histories stay in memory, the ones used last."""
        self._store = store
        self._sealer = sealer
        self._kept: Lru[_Key, History] = Lru(keep)
        self._newest: Lru[bytes, _Key] = Lru(keep)

    async def read(self, session: SessionRow, head: str | None) -> History:
        """The history of a session up to `head`."""
        if head is None:
            return History()
        kept = self._kept.get((session.id, head, session.revision))
        if kept is None:
            kept = await self._load(session, head)
            self.keep(session, head, kept)
        return kept

    def keep(self, session: SessionRow, head: str, history: History) -> None:
        """Keep the history of a head, such as one that was just committed."""
        key = (session.id, head, session.revision)
        self._kept.put(key, history)
        self._newest.put(session.id, key)

    async def _load(self, session: SessionRow, head: str) -> History:
        summaries = await self._store.read(SummaryUpTo(head, LOOK_BACK))
        summary = summaries[0] if summaries else None
        first = summary.depth if summary else 0
        known = self._known(session)
        if known is not None and known.summarised == first:
            grown = await self._grown(known, head, session.depth)
            if grown is not None:
                return grown
        rows = await self._store.read(WindowOf(head, LOOK_BACK))
        turns = _turns(self._sealer, [row for row in rows if row.depth > first])
        return history_of(self._text(summary), first, turns)

    def _known(self, session: SessionRow) -> History | None:
        """The history of the session that was kept last, if turns may have come after it."""
        key = self._newest.get(session.id)
        if key is None or key[2] != session.revision:
            return None
        known = self._kept.get(key)
        return known if known is not None and known.turns and known.turns[-1].depth < session.depth else None

    async def _grown(self, known: History, head: str, depth: int) -> History | None:
        """What a history has become up to `head`, which is so deep; None where it does not lead there."""
        last = known.turns[-1]
        rows = await self._store.read(WindowOf(head, min(depth - last.depth + 1, LOOK_BACK)))
        if not rows or rows[0].turn != last.id:
            return None
        newer = _turns(self._sealer, [row for row in rows if row.turn != last.id])
        return history_of(known.summary, known.summarised, (*known.turns, *newer))

    def _text(self, row: SummaryRow | None) -> str:
        if row is None:
            return ""
        text: str = open_json(self._sealer, "summary", row.owner, row.turn, row.body)
        return text


async def read_items(store: Store, sealer: Sealer, head: str | None, depth: int) -> list[Item]:
    """All items of the `depth` turns up to a head, for people to read; the model sees a window of them."""
    rows = await store.read(WindowOf(head, depth)) if head else []
    return [item for turn in _turns(sealer, rows) for item in turn.read()]


def _turns(sealer: Sealer, rows: Sequence[ItemRow]) -> list[PastTurn]:
    opened: dict[str, tuple[int, str, list[bytes]]] = {}
    for row in rows:
        body = open_sealed(sealer, "item", row.speaker, item_row(row.turn, row.seq), row.body)
        opened.setdefault(row.turn, (row.depth, row.speaker, []))[2].append(body)
    return [past_turn(turn, depth, items, speaker=who) for turn, (depth, who, items) in opened.items()]
