"""The page the benches write their tables into."""

import sys
from pathlib import Path

_PAGE = Path(__file__).parents[1] / "docs" / "bench.md"


def tell(name: str, table: str) -> None:
    """Print a bench's table; with `--write` put it in its place on the page too."""
    print(table)
    if "--write" in sys.argv:
        begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
        head, _, rest = _PAGE.read_text().partition(begin)
        _PAGE.write_text(f"{head}{begin}\n{table}\n{end}{rest.partition(end)[2]}")
