"""What was used, as the commands show it: groups of the ledger with their names, and what becomes of them as a file."""

import csv
import io
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from bots.assemble import Records
from bots.reading import note_reading_of
from core.customers import open_customer
from core.errors import ErasedError
from core.ledger import ALWAYS, OUTCOMES, Grouping, Outcome, Period, month_named, read_ledger, sums_by, whole
from core.queries.bill import LedgerRow
from core.queries.people import CustomerRow, Customers, SessionRow, Sessions
from core.queries.tickets import TicketRow, Tickets
from core.sealed import ERASED
from core.transcript import readable_id
from core.usage import UsageSum, amount, money
from core.wording import safe_cell

Values = dict[str, Any]
Names = Mapping[str | bytes, Values]
ALL = 1_000_000_000
COUNTED = (
    "calls", "requests", "input_tokens", "cached_tokens", "output_tokens", "reasoning_tokens", "cost_nano", "unpriced",
    "estimated",
)  # fmt: skip
"""What is added up, in the order of a CSV file's columns."""


async def usage(records: Records, grouping: Grouping, *, month: str | None = None) -> list[Values]:
    """A value for each group that used anything, and in it one for each `outcome` of its turns."""
    rows = await ledger_rows(records, month)
    names = await names_of(records, grouping)
    return [_group(grouping, key, sums, names, records) for key, sums in sums_by(rows, grouping).items()]


async def ledger_rows(records: Records, month: str | None) -> list[LedgerRow]:
    """All of the ledger, or of a month of it; the audit log keeps that it was read."""
    await note_reading_of(records, "usage_list")
    period: Period = ALWAYS if month is None else month_named(month)
    return await read_ledger(records.store, period)


async def names_of(records: Records, grouping: Grouping) -> Names:
    """What the keys of a grouping stand for; one that is not there is gone from the store."""
    if grouping == "customer":
        return {row.id: _customer(row, records) for row in await records.store.read(Customers())}
    if grouping == "session":
        sessions = await records.store.read(Sessions(ALL))
        return {row.id: _session(row, records) for row in sessions}
    if grouping == "ticket":
        tickets = await records.store.read(Tickets(ALL))
        return {row.id: _ticket(row) for row in tickets}
    return {}


def label_of(grouping: Grouping, key: str | bytes, names: Names) -> str:
    """What people call a group."""
    return str(names.get(key, {}).get("label") or _bare(key) or f"(no {grouping})")


def csv_of(found: list[Values], grouping: Grouping) -> str:
    """A line for each group and outcome, so that a column adds up to what was booked."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow((grouping, "label", "outcome", *COUNTED, "cost", "currency"))
    for group in found:
        for outcome, used in group["outcomes"].items():
            cost = (used["amount"], group["currency"])
            named = (safe_cell(group[grouping]), safe_cell(group["label"]), outcome)
            writer.writerow((*named, *(used[name] for name in COUNTED), *cost))
    return file.getvalue()


def _group(
    grouping: Grouping, key: str | bytes, sums: Mapping[Outcome, UsageSum], names: Names, records: Records
) -> Values:
    total, prices = whole(sums.values()), records.settings.prices
    return {
        grouping: _bare(key),
        **names.get(key, {}),
        "label": label_of(grouping, key, names),
        **_counted(total),
        "total_tokens": total.usage.total_tokens,
        "currency": prices.currency,
        "cost": money(total, prices),
        "outcomes": {outcome: _counted(sums[outcome]) for outcome in OUTCOMES if outcome in sums},
    }


def _counted(total: UsageSum) -> Values:
    counted = {"calls": total.calls, "unpriced": total.unpriced, "estimated": total.estimated}
    return counted | asdict(total.usage) | {"amount": amount(total.usage.cost_nano).replace(",", "")}


def _customer(row: CustomerRow, records: Records) -> Values:
    try:
        customer = open_customer(row, records.sealer)
    except ErasedError:
        return {"label": ERASED, "name": ERASED, "tier": ""}
    return {"label": customer.name, "name": customer.name, "tier": customer.tier}


def _session(row: SessionRow, records: Records) -> Values:
    name = readable_id(row, records.sealer)
    return {"label": name, "session": name, "owner": row.owner}


def _ticket(row: TicketRow) -> Values:
    name = f"TKT-{row.number}"
    return {"label": f"{name} ({row.workspace})", "ticket": name, "workspace": row.workspace}


def _bare(key: str | bytes) -> str:
    return key.hex() if isinstance(key, bytes) else key
