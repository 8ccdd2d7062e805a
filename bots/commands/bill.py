"""The command that tells what was used, and what it cost."""

import argparse
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bots.commands.common import Options, from_store, reading_command, write

if TYPE_CHECKING:
    from bots.assemble import Records
    from bots.commands.common import Commands
    from bots.usage_chart import Chart

GROUPINGS = ("customer", "session", "ticket", "model")


def add(commands: "Commands") -> None:
    usage = reading_command(commands, "usage", "show what was used, and what it cost", _usage)
    usage.add_argument("--by", choices=GROUPINGS, default="customer", help="whose or what for (default: customer)")
    usage.add_argument("--month", metavar="YYYY-MM", help="of one month only, in UTC")
    usage.add_argument("--csv", action="store_true", help="write CSV: a line for each of them and what became of it")
    usage.add_argument("--chart", action="store_true", help="draw the days of the month (this one unless named)")
    usage.add_argument("--svg", metavar="FILE", help="draw them into a new file, as SVG")


def _usage(options: Options) -> int:
    if options.chart or options.svg:
        return _draw(options)
    from bots import ledger, tables

    found = from_store(lambda records: ledger.usage(records, options.by, month=options.month))
    if options.csv:
        print(ledger.csv_of(found, options.by), end="")
        return 0
    write(options, found, lambda groups: tables.usage(groups, options.by))
    return 0


def _draw(options: Options) -> int:
    from bots.exports import write_text
    from bots.usage_chart import drawn_as_svg, drawn_for_terminal

    chart = from_store(lambda records: _chart(records, options))
    if options.svg:
        write_text(options.svg, drawn_as_svg(chart))
    if options.chart:
        write(argparse.Namespace(json=False), chart, drawn_for_terminal)
    else:
        print(f"{chart.title}, drawn in {options.svg}.")
    return 0


async def _chart(records: "Records", options: Options) -> "Chart":
    from bots import ledger
    from bots.usage_chart import chart_of
    from core.clock import as_time
    from core.ledger import month_named

    month = options.month or f"{datetime.now(UTC):%Y-%m}"
    rows = await ledger.ledger_rows(records, month)
    names = await ledger.names_of(records, options.by)
    named = [(ledger.label_of(options.by, getattr(row, options.by), names), row) for row in rows]
    first = as_time(month_named(month)[0]).date()
    return chart_of(named, first, currency=records.settings.prices.currency)
