"""Usage day by day: stacked bars in the terminal and as SVG, drawn by hand as there is no other chart here."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from xml.sax.saxutils import escape

from rich.console import Group, RenderableType
from rich.text import Text

from adapters.terminal.render import safe
from core.ledger import day_of
from core.queries.bill import LedgerRow
from core.usage import amount

COLOURS = ("#2563a8", "#c3a26b", "#5a9e7c", "#b07a9e", "#9aa5b1")
OTHERS = "others"
WIDE = 50
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 900, 380, 112, 20, 64, 62


@dataclass(frozen=True)
class Chart:
    """What was used on each day of a month, by who or what; `unit` is the currency, or tokens where all was free."""

    month: date
    unit: str
    kinds: tuple[str, ...]
    days: Mapping[date, Mapping[str, int]]

    @property
    def total(self) -> int:
        """All of the month."""
        return sum(sum(used.values()) for used in self.days.values())

    def said(self, value: int) -> str:
        """Write a value as people read it."""
        return f"{value:,}" if self.unit == "tokens" else amount(value)

    @property
    def title(self) -> str:
        """What the chart shows."""
        said = f"{self.said(self.total)} tokens" if self.unit == "tokens" else f"{self.unit} {self.said(self.total)}"
        return f"Usage in {self.month:%B %Y}: {said}"


def chart_of(rows: Iterable[tuple[str, LedgerRow]], month: date, *, currency: str) -> Chart:
    """Make the chart of a month from its ledger: the four that used most, and the others in one."""
    rows = list(rows)
    priced = any(row.cost_nano for _, row in rows)
    most: Counter[str] = Counter()
    for name, row in rows:
        most[name] += _value(row, priced=priced)
    kinds = [name for name, _ in most.most_common(len(COLOURS) - 1)]
    days: dict[date, Counter[str]] = {day: Counter() for day in _days_of(month)}
    for name, row in rows:
        days[day_of(row)][name if name in kinds else OTHERS] += _value(row, priced=priced)
    if len(most) > len(kinds):
        kinds.append(OTHERS)
    return Chart(month, currency if priced else "tokens", tuple(kinds), days)


def drawn_for_terminal(chart: Chart) -> RenderableType:
    """Draw a line for each day."""
    most = max(sum(used.values()) for used in chart.days.values())
    legend = Text("  ").join(
        Text.assemble(("■ ", COLOURS[number]), safe(kind)) for number, kind in enumerate(chart.kinds)
    )
    lines = [Text(f"{day:%a %d}  ") + _bar(chart, used, most) for day, used in chart.days.items()]
    return Group(Text(chart.title, style="bold"), *lines, legend)


def drawn_as_svg(chart: Chart) -> str:
    """Draw a bar for each day."""
    top = _round_up(max(sum(used.values()) for used in chart.days.values()))
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"'
    parts = [
        f'{head} font-family="system-ui, sans-serif" font-size="12" fill="#333">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        _text(LEFT, 32, chart.title, size=16),
        *_grid(chart, top),
        *_bars(chart, top),
        *_legend(chart.kinds),
    ]
    return "\n".join([*parts, "</svg>\n"])


def _value(row: LedgerRow, *, priced: bool) -> int:
    return row.cost_nano if priced else row.input_tokens + row.output_tokens


def _days_of(month: date) -> Sequence[date]:
    first = month.replace(day=1)
    days = (first + timedelta(days=number) for number in range(31))
    return [day for day in days if day.month == first.month]


# --- in the terminal --------------------------------------------------------------------------------------------------


def _bar(chart: Chart, used: Mapping[str, int], most: int) -> Text:
    bar, before, cells = Text(), 0, 0
    for number, kind in enumerate(chart.kinds):
        before += used.get(kind, 0)
        # Where a part begins and ends is rounded, not its length: so the parts add up to the bar.
        end = round(before * WIDE / (most or 1))
        bar.append("█" * (end - cells), style=COLOURS[number])
        cells = end
    if before and not cells:
        bar.append("▏", style=COLOURS[0])
    return bar.append(f" {chart.said(before)}" if before else "", style="dim")


# --- as SVG -----------------------------------------------------------------------------------------------------------


def _grid(chart: Chart, top: int) -> list[str]:
    parts = []
    for quarter in range(5):
        y = _y(top * quarter / 4, top)
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#e3e6ea"/>')
        parts.append(_text(LEFT - 8, y + 4, chart.said(top * quarter // 4), "end", size=11))
    return parts


def _bars(chart: Chart, top: int) -> list[str]:
    wide = (WIDTH - LEFT - RIGHT) / len(chart.days)
    parts = []
    for place, (day, used) in enumerate(chart.days.items()):
        x, below = LEFT + place * wide, 0
        parts.append(_text(x + wide / 2, HEIGHT - BOTTOM + 18, str(day.day), "middle", size=11))
        for number, kind in enumerate(chart.kinds):
            value = used.get(kind, 0)
            if value:
                y, high = _y(below + value, top), _y(below, top) - _y(below + value, top)
                said = escape(f"{day:%d %B}, {kind}: {chart.said(value)}")
                size = f'x="{x + wide * 0.12:.1f}" y="{y:.1f}" width="{wide * 0.76:.1f}" height="{high:.1f}"'
                parts.append(f'<rect {size} fill="{COLOURS[number]}"><title>{said}</title></rect>')
            below += value
    return parts


def _legend(kinds: Sequence[str]) -> list[str]:
    parts = []
    for number, kind in enumerate(kinds):
        x = LEFT + number * (WIDTH - LEFT - RIGHT) // len(COLOURS)
        parts.append(f'<rect x="{x}" y="{HEIGHT - 24}" width="11" height="11" rx="2" fill="{COLOURS[number]}"/>')
        parts.append(_text(x + 17, HEIGHT - 14, kind if len(kind) <= 22 else f"{kind[:21]}…"))
    return parts


def _round_up(most: int) -> int:
    """The next figure above that reads well: 1, 2, 4 or 8 times a power of ten."""
    power = 10 ** (len(str(most)) - 1)
    return next(step * power for step in (1, 2, 4, 8, 10) if step * power >= most) or 4


def _y(value: float, top: int) -> float:
    return HEIGHT - BOTTOM - value / top * (HEIGHT - TOP - BOTTOM)


def _text(x: float, y: float, text: str, anchor: str = "start", *, size: int = 12) -> str:
    # What XML cannot hold at all, such as a bell in a name, is left out.
    text = "".join(sign for sign in text if sign.isprintable())
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}">{escape(text)}</text>'
