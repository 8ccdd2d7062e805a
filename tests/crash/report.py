"""The summary: a line for each count, what came of the run, and how to run it again."""

import textwrap
from collections import Counter
from typing import TYPE_CHECKING

from tests.crash.check import COUNTS

if TYPE_CHECKING:
    from tests.crash.bench import Bench

SHOWN = 5
_INDENT = " " * 8


def report(bench: "Bench", *, seconds: float) -> str:
    """Everything a reader needs, and the first few of each kind of damage."""
    lines = []
    for name, meaning in COUNTS.items():
        found = bench.damage.found[name]
        lines.append(f"{len(found):6}  {name}: {meaning}")
        lines += [f"{_INDENT}- {sentence}" for sentence in found[:SHOWN]]
    said, talks = len(bench.truth.said), len(bench.story.talks)
    kills = bench.deaths.total()
    lines.append(f"{said:6}  events said in {talks} conversations, {len(bench.truth.written)} lines came out")
    lines.append(
        f"{kills:6}  kills in {seconds:.1f} s, {kills / seconds:.1f} a second, and {bench.stops} times SIGTERM"
    )
    lines += _listed(bench.deaths) + _listed(bench.late) + _listed(bench.house.tally())
    return "\n".join([*lines, f"{_INDENT}again: {_again(bench)}"])


def _listed(counted: Counter[str]) -> list[str]:
    text = ", ".join(f"{times} {what}" for what, times in counted.most_common())
    return textwrap.wrap(text, 118, initial_indent=_INDENT, subsequent_indent=_INDENT)


def _again(bench: "Bench") -> str:
    options = bench.options
    words = [f"--kills {options.kills} --seed {options.seed}"]
    words += [f"--platform {options.platform}"] if options.platform != "terminal" else []
    words += [f"--store {options.store}"] if options.store else []
    words += ["--hasty"] if options.hasty else []
    words += [f"--at {options.at!r}"] if options.at else []
    words += [f"--stops {options.stops}"] if options.stops is not None else []
    words += [f"--workers {options.workers} --events {options.events}"] if options.workers > 1 else []
    words += [f"--broken {options.broken}"] if options.broken else []
    return f"python -m tests.crash.bench {' '.join(words)}"
