"""`python -m benchmarks.engines [ENGINE ...] [--scale 0.1] [--write]`: the desk's lanes beside engines, in one run."""

import argparse
import asyncio
import sys
from pathlib import Path

READY = "benchmarks/engines/README.md tells how to set up a .venv of its own, once"

try:
    import asyncpg

    from benchmarks.engines.engine import Pace
    from benchmarks.engines.house import House
    from benchmarks.engines.report import table_of
    from benchmarks.engines.scenes import Figures, figures_of
    from benchmarks.engines.worker import ENGINES
    from benchmarks.page import tell
except ImportError as error:
    sys.exit(f"{error}: the comparison needs packages that are not the desk's ({READY})")

PAGE = Path(__file__).parents[2] / "docs" / "decisions" / "0001-lanes-in-the-database.md"
PACES: tuple[Pace, ...] = ("default", "short")


async def compare(names: list[str], house: House, *, scale: float) -> list[Figures]:
    """Put engine after engine through the scenes, as it comes and with its shortest settings."""
    figures = []
    for name in names:
        for pace in PACES:
            print(f"{name}, {pace} ...", file=sys.stderr, flush=True)
            figures.append(await figures_of(name, pace, house, scale=scale))
            print(figures[-1], file=sys.stderr, flush=True)
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.engines", description=__doc__)
    parser.add_argument("engines", nargs="*", metavar="ENGINE", help=f"of {', '.join(ENGINES)}; all of them")
    parser.add_argument("--scale", type=float, default=1.0, help="less of everything: to see that it runs")
    parser.add_argument("--write", action="store_true", help="write the table into the decision record")
    options = parser.parse_args()
    try:
        figures = asyncio.run(compare(options.engines or list(ENGINES), House(), scale=options.scale))
    except (OSError, asyncpg.PostgresError) as error:
        sys.exit(f"a server does not answer ({error}): {READY}")
    tell("engines", table_of(figures), page=PAGE, write=options.write)


if __name__ == "__main__":
    main()
