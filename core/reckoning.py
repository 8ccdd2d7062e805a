"""Supervisors add up what was used in their workspace: the word `usage by`."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast, get_args

from core.access import Subject, reading_line
from core.audit import short
from core.call import Call, Result
from core.customers import open_customer
from core.errors import BadInputError, ErasedError
from core.ledger import ALWAYS, Grouping, Period, month_named, sums_in, whole
from core.linked import others_of
from core.models import TextFile
from core.noted import check_unread, reader_in, show
from core.queries.people import CustomerById, SessionById
from core.queries.tickets import TicketById
from core.sealed import ERASED
from core.text import first_words
from core.transcript import readable_id
from core.usage import UsageSum, amount
from core.wording import count, safe_cell

MOST_LINES = 20
"""Groups that have a line of their own; all others share one."""
LONGEST_LABEL = 40
HOW = (
    "Say it like this: `usage by customer`, or by `session`, `ticket` or `model`; "
    "`usage by customer 2026-01` is of one month, and `csv` behind it all makes it a file."
)
AS_FILE = "csv"
TOKENS = ("requests", "input_tokens", "cached_tokens", "output_tokens", "reasoning_tokens")
ELSEWHERE = "(known elsewhere)"
"""What somebody is called who is booked under who they are in another workspace."""

Row = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Wanted:
    """By what is added up, of which time, and whether a file is wanted."""

    grouping: Grouping
    period: Period
    file: bool


async def usage_by(call: Call) -> Result:
    """Show what was used in the asker's workspace, in groups that come to the same whole."""
    wanted = _wanted(call.args)
    if wanted.file:
        check_unread(call)
    sums = await sums_in(call.kit.store, call.ref.workspace, wanted.grouping, wanted.period)
    title = f"Used in this workspace, by {', '.join(call.args).lower()}"
    line = await reading_line(
        call.kit.sealer, reader_in(call), "usage_list", Subject(more={"asked": " ".join(call.args)})
    )
    if wanted.file:
        file = TextFile("deskmate-usage.csv", await _csv(call, wanted.grouping, sums))
        await show(call, f"{title}: {count(len(sums), 'line')}.", stays=True, file=file)
    else:
        table = f":\n{await _table(call, wanted.grouping, sums)}" if sums else ": nothing."
        await show(call, f"{title}{table}")
    return [line]


def _wanted(args: Sequence[str]) -> _Wanted:
    grouping, *rest = map(str.lower, args or ("",))
    month = [word for word in rest if word != AS_FILE]
    if grouping not in get_args(Grouping) or len(month) > 1 or len(rest) - len(month) > 1:
        raise BadInputError(reply=HOW)
    try:
        period = month_named(month[0]) if month else ALWAYS
    except BadInputError as error:
        raise BadInputError(reply=HOW) from error
    return _Wanted(cast(Grouping, grouping), period, AS_FILE in rest)


async def _csv(call: Call, grouping: Grouping, sums: Mapping[str | bytes, UsageSum]) -> str:
    """A line for each group, so that a column adds up to what was booked."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow((grouping, "calls", *TOKENS, "cost_nano", "unpriced", "estimated", "currency"))
    for key, used in sums.items():
        tokens = [getattr(used.usage, name) for name in TOKENS]
        money = (used.usage.cost_nano, used.unpriced, used.estimated, call.kit.settings.prices.currency)
        writer.writerow((safe_cell(await _label(call, grouping, key)), used.calls, *tokens, *money))
    return file.getvalue()


async def _table(call: Call, grouping: Grouping, sums: Mapping[str | bytes, UsageSum]) -> str:
    """The largest groups, the rest in one line, and the whole."""
    by_size = sorted(sums.items(), key=lambda one: (-one[1].usage.cost_nano, -one[1].usage.total_tokens, one[0]))
    shown, rest = by_size[:MOST_LINES], [used for _, used in by_size[MOST_LINES:]]
    total = whole(sums.values())
    rows: list[Row] = [(grouping.title(), "Calls", "Tokens in", "Tokens out", call.kit.settings.prices.currency)]
    rows += [_row(await _label(call, grouping, key), used) for key, used in shown]
    rows += [_row(count(len(rest), "other"), whole(rest))] if rest else []
    rows += [_row("Total", total)]
    unpriced = f"\nAmong them {count(total.unpriced, 'call')} without a price." if total.unpriced else ""
    return f"```\n{_aligned(rows)}\n```{unpriced}"


def _row(label: str, used: UsageSum) -> Row:
    usage = used.usage
    figures = (f"{used.calls:,}", f"{usage.input_tokens:,}", f"{usage.output_tokens:,}", amount(usage.cost_nano))
    return (first_words(label, LONGEST_LABEL), *figures)


def _aligned(rows: Sequence[Row]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for label, *figures in rows:
        cells = [figure.rjust(width) for figure, width in zip(figures, widths[1:], strict=True)]
        lines.append("  ".join([label.ljust(widths[0]), *cells]))
    return "\n".join(lines)


async def _label(call: Call, grouping: Grouping, key: str | bytes) -> str:
    """What people call a group; a backtick in a name would end the block the table stands in."""
    if not key:
        return f"(no {grouping})"
    if isinstance(key, bytes):
        label = await _session_label(call, key)
    elif grouping == "model":
        label = key
    else:
        label = await (_customer_label(call, key) if grouping == "customer" else _ticket_label(call, key))
    return label.replace("`", "'")


async def _customer_label(call: Call, key: str) -> str:
    """A customer's name here: who is booked under another workspace's customer is called as they are in this one."""
    store, sealer = call.kit.store, call.kit.sealer
    try:
        booked = [open_customer(row, sealer) for row in await store.read(CustomerById(key))]
    except ErasedError:
        return ERASED
    everyone = [*booked, *[other for one in booked for other in await others_of(store, sealer, one)]]
    return next((one.name for one in everyone if one.workspace == call.ref.workspace), ELSEWHERE)


async def _session_label(call: Call, key: bytes) -> str:
    rows = await call.kit.store.read(SessionById(key))
    return readable_id(rows[0], call.kit.sealer) if rows else short(key)


async def _ticket_label(call: Call, key: str) -> str:
    rows = await call.kit.store.read(TicketById(key))
    here = [row for row in rows if row.workspace == call.ref.workspace]
    return f"TKT-{here[0].number}" if here else ELSEWHERE if rows else "(deleted ticket)"
