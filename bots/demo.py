"""`deskmate demo`: two days of a support desk in under a minute, offline, each in a process of its own."""

import asyncio
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console

from bots.demo_drawing import Drawing
from bots.demo_stage import DemoError, Stage
from bots.demo_story import tell

FAILED, INTERRUPTED = 1, 130


def main() -> int:
    """Play the demo and return its exit code: 1 where the desk did something else than the demo tells."""
    drawing = Drawing(Console(highlight=False))
    started = time.monotonic()
    try:
        with tempfile.TemporaryDirectory(prefix="deskmate-demo-", ignore_cleanup_errors=True) as folder:
            asyncio.run(tell(Stage(Path(folder)), drawing))
    except (DemoError, OSError) as error:
        print(f"deskmate demo: {error}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print("deskmate demo: interrupted", file=sys.stderr)
        return INTERRUPTED
    drawing.goodbye(time.monotonic() - started)
    return 0


if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):
        getattr(stream, "reconfigure", lambda **_: None)(errors="replace")
    sys.exit(main())
