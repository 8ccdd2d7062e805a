"""The bill of a desk: all that was booked in a time, added up by whom or what it was for."""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Literal

from core.clock import as_time
from core.errors import BadInputError
from core.ports import Store
from core.queries.bill import LedgerRow, PlacedUsage, UsageLedger
from core.usage import UsageSum, usage_sum

Grouping = Literal["customer", "session", "ticket", "model"]
Outcome = Literal["done", "undone", "failed", "stopped", "blocked", "erased", "deleted", "none", "total"]
OUTCOMES: tuple[Outcome, ...] = ("done", "undone", "failed", "stopped", "blocked", "erased", "deleted", "none", "total")
"""What may have become of the turn a call was made for; `none` is for what belongs to no turn, `total` for calls
that are kept as a total of their month."""

Period = tuple[int, int]
"""From a time up to, not with, another, as records keep times."""
ALWAYS: Period = (0, 2**63 - 1)
AT_ONCE = 200
"""Customers whose usage is read at once: some milliseconds, in which a desk on SQLite reads nothing else."""

_MONTH = re.compile(r"(\d{4})-(\d{2})", re.ASCII)


def month_named(text: str) -> Period:
    """The period of a month, `2026-01`, in UTC. Raises BadInputError for what is none."""
    found = _MONTH.fullmatch(text)
    if not found or not 1 <= int(found[2]) <= 12 or not 1970 <= int(found[1]) <= 9998:
        raise BadInputError(f"{text!r} is no month: write it as year and month, such as 2026-01")
    return month_of(date(int(found[1]), int(found[2]), 1))


def month_of(day: date) -> Period:
    """The period of the month a day is in, in UTC."""
    after = date(day.year + day.month // 12, day.month % 12 + 1, 1)
    return _midnight(day.replace(day=1)), _midnight(after)


async def read_ledger(store: Store, period: Period) -> list[LedgerRow]:
    """All that was booked in a period, in sums that can be added to any other."""
    return await store.read(UsageLedger(*period))


def sums_by(rows: Iterable[LedgerRow], grouping: Grouping) -> dict[str | bytes, dict[Outcome, UsageSum]]:
    """Add up the ledger by what a grouping names, and in that by what became of the turn."""
    sums: dict[str | bytes, dict[Outcome, UsageSum]] = {}
    for row in rows:
        group = sums.setdefault(getattr(row, grouping), {})
        outcome: Outcome = row.outcome  # type: ignore[assignment]  # the statement knows these words only
        group[outcome] = group.get(outcome, UsageSum()) + usage_sum(row)
    return sums


async def sums_in(
    store: Store, workspace: str, grouping: Grouping, period: Period = ALWAYS
) -> dict[str | bytes, UsageSum]:
    """Add up what was booked in one workspace; a call counts where its session is, or its customer if that is gone.

    Read in steps, each customer whole in one of them: that lines are folded into totals meanwhile changes no sum.
    """
    sums: dict[str | bytes, UsageSum] = {}
    after = ""
    while rows := await store.read(PlacedUsage(after, AT_ONCE, *period)):
        for row in rows:
            if row.calls and row.workspace == workspace:
                key = getattr(row, grouping)
                sums[key] = sums.get(key, UsageSum()) + usage_sum(row)
        after = rows[-1].customer
    return sums


def day_of(row: LedgerRow) -> date:
    """The day, in UTC, a sum of the ledger was booked on."""
    return as_time(row.day * 86_400_000_000).date()


def whole(sums: Iterable[UsageSum]) -> UsageSum:
    """Add sums up."""
    return sum(sums, UsageSum())


def _midnight(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1_000_000
