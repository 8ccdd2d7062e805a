"""`python -m benchmarks.engines.worker ENGINE NAME PACE`: one worker process, until it is killed or its pipe closes."""

import os
import sys
import threading
from importlib import import_module
from typing import cast

from benchmarks.engines.engine import Engine, Pace
from benchmarks.engines.house import House

ENGINES = {
    "desk": ("by_desk", "POSTGRES"),
    "desk-sqlite": ("by_desk", "SQLITE"),
    "procrastinate": ("by_procrastinate", "ENGINE"),
    "dbos": ("by_dbos", "ENGINE"),
    "nats": ("by_nats", "ENGINE"),
    "redis": ("by_redis", "ENGINE"),
}
"""By the name it has on the command line: the module it is in, and its name there."""


def engine_named(name: str) -> Engine:
    """Import an engine: only then what it is made of has to be installed."""
    module, attribute = ENGINES[name]
    return cast(Engine, getattr(import_module(f"benchmarks.engines.{module}"), attribute))


def main() -> None:
    engine, worker, pace = engine_named(sys.argv[1]), sys.argv[2], cast(Pace, sys.argv[3])
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    print("ready", flush=True)
    # All begin at once: how long Python imports is nothing to compare. Unbuffered, so that no event is read with it.
    assert os.read(0, 3) == b"go\n"
    engine.work(House(), worker, pace)


def _end_with(parent: int) -> None:
    """Leave no worker behind when the bench is killed."""
    while os.getppid() == parent:
        threading.Event().wait(1)
    os._exit(0)


if __name__ == "__main__":
    main()
