"""Is the audit log as it was written: every line, in its place, up to where it was known to reach."""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass

from core.audit import open_line
from core.audit_chain import Anchored, digest_of, link_of
from core.errors import UnreadableError
from core.ports import Sealer, Store
from core.queries.log import AuditAfter, AuditEnd, AuditEndRow, AuditRow, AuditStart, AuditStartRow

PAGE = 1000
CUT = "cut"
"""What a line says that names the last one that was cut off: its number, its link, and how many went with it."""
WHOLE = AuditStartRow(0, b"")
"""Where a log begins of which nothing was cut off."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check came to: how many lines there are, what is wrong, in the log's order, and where it was cut off."""

    lines: int
    problems: tuple[str, ...]
    cut: int = 0

    @property
    def holds(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


class ChainCheck:
    """Follows the chain line by line; give it all lines, oldest first, then ask for the verdict.

    Where the store says that the log begins counts only if the newest line about a cut says the same.
    """

    def __init__(self, sealer: Sealer, anchors: Iterable[Anchored], start: AuditStartRow = WHOLE) -> None:
        """`anchors` are the ends that were kept outside, `start` is where the store says that the log begins."""
        self._sealer = sealer
        self._anchors: dict[int, set[bytes]] = {}
        for anchor in anchors:
            self._anchors.setdefault(anchor.seq, set()).add(anchor.link)
        self._start, self._cut = start, WHOLE
        self.last, self._link = start.seq, start.link
        self._problems: list[str] = []
        self._look_at_anchors()
        # Those of lines that were cut off are proved by the line about the cut.
        self._anchors = {seq: links for seq, links in self._anchors.items() if seq > start.seq}

    def line(self, row: AuditRow) -> None:
        """Look at the next line."""
        if row.seq != self.last + 1:
            self._problems.append(f"{_lines(self.last + 1, row.seq - 1)} missing")
        if not row.link:
            self._problems.append(f"line {row.seq} has no link: it is from before the chain, or somebody took it off")
        elif row.link != link_of(self._sealer, self._link, row):
            self._problems.append(f"line {row.seq} was changed, or stands in another's place")
        elif row.digest != digest_of(row.body):
            self._problems.append(f"the text of line {row.seq} was changed")
        if row.action == CUT:
            self._cut = self._named(row)
        self.last, self._link = row.seq, row.link
        self._look_at_anchors()

    def verdict(self, end: AuditEndRow) -> Verdict:
        """Say what all the lines came to, if the store says that the log ends in `end`."""
        problems = list(self._problems)
        if self._start != self._cut:
            said = f"the log begins after line {self._start.seq}"
            problems.append(f"{said}, and it was cut off up to line {self._cut.seq}")
        if (end.seq, end.link) != (self.last, self._link):
            problems.append(f"the log ends in line {self.last}, and the store says {end.seq}")
        if self._anchors:
            problems.append(f"the log ends in line {self.last}, and it once reached up to {max(self._anchors)}")
        return Verdict(self.last - self._start.seq, tuple(problems), self._start.seq)

    def _look_at_anchors(self) -> None:
        for link in self._anchors.pop(self.last, ()):
            if link != self._link:
                self._problems.append(f"line {self.last} is not the one that was anchored")

    def _named(self, row: AuditRow) -> AuditStartRow:
        try:
            detail = open_line(row, self._sealer).detail
            return AuditStartRow(detail["up_to"], bytes.fromhex(detail["link"]))
        except (UnreadableError, KeyError, TypeError, ValueError):
            self._problems.append(f"line {row.seq} does not say what was cut off")
            return WHOLE


async def check_audit(store: Store, sealer: Sealer, anchors: Sequence[Anchored]) -> Verdict:
    """Check the whole log against anchors that were read before; also what is written while it runs."""
    while True:
        (start,) = await store.read(AuditStart())
        verdict = await _check_from(start, store, sealer, anchors)
        # Lines that were cut off meanwhile would be missed.
        if await store.read(AuditStart()) == [start]:
            return verdict


async def _check_from(start: AuditStartRow, store: Store, sealer: Sealer, anchors: Sequence[Anchored]) -> Verdict:
    check = ChainCheck(sealer, anchors, start)
    while True:
        before = check.last
        async for row in all_lines(store, after=before):
            check.line(row)
        (end,) = await store.read(AuditEnd())
        # A log that ends further on grew just now, unless there is nothing more to read in it.
        if end.seq <= check.last or check.last == before:
            return check.verdict(end)


async def all_lines(store: Store, *, after: int = 0) -> AsyncIterator[AuditRow]:
    """Read the log from a line on, in pages, until nothing is left."""
    while rows := await store.read(AuditAfter(after, PAGE)):
        for row in rows:
            yield row
        after = rows[-1].seq


def _lines(first: int, last: int) -> str:
    return f"line {first} is" if first == last else f"lines {first} to {last} are"
