"""The table of a comparison."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.engines.scenes import Figures

HEAD = (
    "| | settings | start, idle p50 / p99 | start, load p50 / p99 | backlog drained | takeover after kill -9 "
    "| out of order | overlaps | doubled | lost |"
)


def table_of(figures: "Sequence[Figures]") -> str:
    """Write the figures, one line for each engine and pace."""
    return "\n".join([HEAD, "|" + "---|" * 10, *map(_row, figures)])


def _row(one: "Figures") -> str:
    damage = one.damage
    cells = [
        one.engine,
        one.pace,
        f"{one.idle[0]:,.0f} / {one.idle[1]:,.0f} ms",
        f"{one.load[0]:,.0f} / {one.load[1]:,.0f} ms",
        "not in 180 s" if one.drained is None else f"{one.drained:.1f} s",
        "not in 100 s" if one.takeover is None else f"{one.takeover:.1f} s",
        *(f"{count}" for count in (damage.disorder, damage.overlaps, damage.doubled, damage.lost)),
    ]
    return f"| {' | '.join(cells)} |"
