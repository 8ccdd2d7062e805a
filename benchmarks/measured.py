"""What was measured for docs/scaling.md, kept beside the benches: the page's tables are written from it alone."""

import json
from pathlib import Path
from typing import Any

FILE = Path(__file__).parent / "measured.json"
PAGE = Path(__file__).parents[1] / "docs" / "scaling.md"


def kept(part: str) -> Any:
    """What was kept under a name; an empty dict where nothing was."""
    return json.loads(FILE.read_text()).get(part, {}) if FILE.exists() else {}


def keep(part: str, found: Any) -> None:
    """Keep what was found under a name; the other parts stay."""
    every = json.loads(FILE.read_text()) if FILE.exists() else {}
    FILE.write_text(json.dumps(every | {part: found}, indent=2, sort_keys=True) + "\n")
