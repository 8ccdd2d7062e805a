"""Two plots beside each other as SVG, drawn by hand: no library for the one chart of a page."""

from dataclasses import dataclass
from math import log10
from xml.sax.saxutils import escape

COLOURS = ("#2563a8", "#9aa5b1", "#c3a26b", "#b07a9e")
WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 460, 300, 50, 50, 60


@dataclass(frozen=True)
class Bars:
    """Groups of bars: a value for each kind, group by group."""

    title: str
    groups: dict[str, dict[str, float]]


@dataclass(frozen=True)
class Lines:
    """A line for each kind over a logarithmic axis."""

    title: str
    lines: dict[str, dict[int, float]]


def draw(bars: Bars, lines: Lines) -> str:
    """Draw both, with one legend: the kinds are the same."""
    kinds = list(lines.lines)
    parts = [*_bars(bars, kinds), f'<g transform="translate({WIDTH + 20} 0)">', *_lines(lines, kinds), "</g>"]
    for number, kind in enumerate(kinds):
        x = LEFT + number * 210
        parts.append(f'<rect x="{x}" y="{HEIGHT - 18}" width="12" height="12" fill="{COLOURS[number]}"/>')
        parts.append(_text(x + 18, HEIGHT - 8, kind))
    whole = 2 * WIDTH + 20
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {whole} {HEIGHT}" width="{whole}" height="{HEIGHT}"'
    style = 'font-family="system-ui, sans-serif" font-size="12" fill="#333"'
    return "\n".join([f"{head} {style}>", f'<rect width="{whole}" height="{HEIGHT}" fill="#fff"/>', *parts, "</svg>\n"])


def _bars(bars: Bars, kinds: list[str]) -> list[str]:
    most = max(value for group in bars.groups.values() for value in group.values())
    wide = (WIDTH - LEFT - 20) / len(bars.groups)
    bar = wide * 0.8 / len(kinds)
    parts = _frame(bars.title, most)
    for place, (name, group) in enumerate(bars.groups.items()):
        x = LEFT + place * wide + wide * 0.1
        parts.append(_text(x + wide * 0.4, HEIGHT - BOTTOM + 18, name, "middle"))
        for number, kind in enumerate(kinds):
            y = _y(group.get(kind, 0.0), most)
            size = f'width="{bar - 2:.1f}" height="{HEIGHT - BOTTOM - y:.1f}"'
            parts.append(f'<rect x="{x + number * bar:.1f}" y="{y:.1f}" {size} fill="{COLOURS[number]}"/>')
            parts.append(_text(x + (number + 0.45) * bar, y - 4, f"{group.get(kind, 0.0):,.0f}", "middle", size=10))
    return parts


def _lines(lines: Lines, kinds: list[str]) -> list[str]:
    lengths = sorted({length for line in lines.lines.values() for length in line})
    first, last = log10(lengths[0]), log10(lengths[-1])
    most = max(value for line in lines.lines.values() for value in line.values())
    parts = _frame(lines.title, most)
    across = {n: LEFT + 10 + (log10(n) - first) / ((last - first) or 1) * (WIDTH - LEFT - 50) for n in lengths}
    parts += [_text(across[length], HEIGHT - BOTTOM + 18, f"{length:,}", "middle") for length in lengths]
    for number, kind in enumerate(kinds):
        points = " ".join(f"{across[n]:.1f},{_y(value, most):.1f}" for n, value in sorted(lines.lines[kind].items()))
        parts.append(f'<polyline points="{points}" fill="none" stroke="{COLOURS[number]}" stroke-width="2.5"/>')
    return parts


def _frame(title: str, most: float) -> list[str]:
    parts = [_text(LEFT, 24, title, size=14)]
    for share in (0.0, 0.5, 1.0):
        y = _y(most * share, most)
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - 10}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>')
        label = f"{most * share:,.0f}" if most >= 20 else f"{most * share:.2f}"
        parts.append(_text(LEFT - 6, y + 4, label, "end", size=10))
    return parts


def _y(value: float, most: float) -> float:
    return HEIGHT - BOTTOM - value / (most or 1) * (HEIGHT - TOP - BOTTOM)


def _text(x: float, y: float, text: str, anchor: str = "start", *, size: int = 12) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}">{escape(text)}</text>'
