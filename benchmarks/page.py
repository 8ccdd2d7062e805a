"""The pages the benches write their tables into."""

import sys
from pathlib import Path

_PAGE = Path(__file__).parents[1] / "docs" / "bench.md"


def tell(name: str, table: str, *, page: Path = _PAGE, write: bool | None = None) -> None:
    """Print a bench's table; with `--write` put it in its place on the page too."""
    print(table)
    if "--write" in sys.argv if write is None else write:
        put(name, table, page)


def put(name: str, text: str, page: Path) -> None:
    """Put a text between the marks of its name on a page."""
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    head, _, rest = page.read_text().partition(begin)
    page.write_text(f"{head}{begin}\n{text}\n{end}{rest.partition(end)[2]}")
