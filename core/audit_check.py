"""Is the audit log as it was written: every line, in its place, up to where it was known to reach."""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass

from core.audit_chain import digest_of, link_of
from core.ports import Sealer, Store
from core.queries import AuditAfter, AuditEnd, AuditEndRow, AuditRow

PAGE = 1000


@dataclass(frozen=True, slots=True)
class Anchored:
    """Where the log was known to end once, kept outside the store."""

    seq: int
    link: bytes


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check came to: how many lines there are, and what is wrong, in the log's order."""

    lines: int
    problems: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


class ChainCheck:
    """Follows the chain line by line; give it all lines, oldest first, then ask for the verdict."""

    def __init__(self, sealer: Sealer, anchors: Iterable[Anchored]) -> None:
        """`anchors` are the ends that were kept outside."""
        self._sealer = sealer
        self._anchors: dict[int, set[bytes]] = {}
        for anchor in anchors:
            self._anchors.setdefault(anchor.seq, set()).add(anchor.link)
        self.last, self._link = 0, b""
        self._problems: list[str] = []

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
        self.last, self._link = row.seq, row.link
        for link in self._anchors.pop(row.seq, ()):
            if link != row.link:
                self._problems.append(f"line {row.seq} is not the one that was anchored")

    def verdict(self, end: AuditEndRow) -> Verdict:
        """Say what all the lines came to, if the store says that the log ends in `end`."""
        problems = list(self._problems)
        if (end.seq, end.link) != (self.last, self._link):
            problems.append(f"the log ends in line {self.last}, and the store says {end.seq}")
        if self._anchors:
            problems.append(f"the log ends in line {self.last}, and it once reached up to {max(self._anchors)}")
        return Verdict(self.last, tuple(problems))


async def check_audit(store: Store, sealer: Sealer, anchors: Sequence[Anchored]) -> Verdict:
    """Check the whole log against anchors that were read before; also what is written while it runs."""
    check = ChainCheck(sealer, anchors)
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
