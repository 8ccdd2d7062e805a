"""How the demo looks: a title for each day, a panel for each thing said with its answer, what it shows, a table."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from rich import box
from rich.console import Console, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from adapters.terminal.render import safe
from bots.demo_stage import DemoError, Person

_DESK = "green"
_WIDTH = 80
_READING_SECONDS = 0.25


class Drawing:
    """Draws on a console; where nobody watches (no terminal) it does not wait for anybody to read."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._width = min(console.width, _WIDTH)

    def title(self, text: str, about: str) -> None:
        self._print()
        self._print(Panel(Text(about), title=f"[bold]{text}[/]", title_align="left", box=box.HEAVY, style="blue"))

    def plug(self, text: str) -> None:
        """The plug is pulled."""
        self._print(Panel(text, box=box.HEAVY, style="red"))

    @contextmanager
    def waiting(self, doing: str) -> Iterator[None]:
        with self._console.status(Text(doing, style="dim")):
            yield

    def said(self, person: Person, text: str, answer: str, *, place: str = "", how: str = "") -> None:
        """What somebody said, and what the desk answered; `place` says where, `how` where the answer stands."""
        lines = Table.grid(padding=(0, 1))
        lines.add_column(style=f"bold {person.colour}", width=max(len(person.name), 5))
        lines.add_column(overflow="fold")
        lines.add_row(person.name, Text(safe(text)))
        if answer:
            lines.add_row(Text("Desk", style=f"bold {_DESK}"), _answer(answer, how))
        title = f"[{person.colour}]{place}[/]" if place else None
        self._print(Panel(lines, title=title, title_align="left", box=box.ROUNDED, border_style=person.colour))
        if self._console.is_terminal:
            time.sleep(_READING_SECONDS)

    def proves(self, what: str, why: str, *, holds: bool) -> None:
        """Say what was just shown and why it matters; DemoError where it was not."""
        if not holds:
            raise DemoError(f"this should hold and does not: {what}")
        line = Table.grid(padding=(0, 1))
        line.add_row(Text("  ✓", style=f"bold {_DESK}"), Text.assemble((f"{what}: ", "bold"), (why, "")))
        self._print(line)

    def table(self, names: Sequence[str], facts: Mapping[str, Sequence[str | int]]) -> None:
        """A line for each fact, a column for each person."""
        table = Table(box=box.SIMPLE_HEAD, header_style="bold", padding=(0, 2))
        table.add_column("")
        for name in names:
            table.add_column(name, justify="right")
        for fact, values in facts.items():
            table.add_row(fact, *(f"{value:,}" if isinstance(value, int) else safe(value) for value in values))
        self._print(table)

    def goodbye(self, seconds: float) -> None:
        self._print()
        line = f"All of it held, in {seconds:.0f} seconds. Now you: [bold]make chat[/], and say [bold]/help[/]."
        self._print(Panel(line, box=box.HEAVY, style=_DESK))

    def _print(self, what: RenderableType = "") -> None:
        self._console.print(what, width=self._width)


def _answer(answer: str, how: str) -> Text:
    said = Text(safe(answer))
    return Text.assemble((f"({how}) ", "dim italic"), said) if how else said
