"""What the demos on Slack and on Discord share: a simulated place, and the real bot as a process each day."""

import asyncio
import contextlib
import os
import sys
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from rich import box
from rich.console import Console
from rich.panel import Panel
from rich.text import Text

from adapters.terminal.render import safe
from bots.demo_drawing import Drawing
from bots.demo_stage import DemoError

FAILED = 1
PATIENCE = 60.0
INVOICE = "INV-2041"
WIDTH = 80


@dataclass(frozen=True, slots=True)
class OnScreen:
    """A message as somebody sees it, with what stands beside the name, and whether it is indented."""

    author: str
    text: str
    mark: str = ""
    indented: bool = False


class Simulated(Protocol):
    """A platform of the simulators'."""

    async def until(self, condition: Callable[[], bool], *, timeout: float | None) -> None: ...  # noqa: ASYNC109

    async def settled(self, *, timeout: float) -> None: ...  # noqa: ASYNC109


class Place(ABC):
    """A simulated place, and how it looks on the screen."""

    command: str
    """What starts the bot there: `deskmate COMMAND`."""

    def __init__(self, service: Simulated, folder: Path, console: Console) -> None:
        self.drawing = Drawing(console)
        self._service = service
        self._folder = folder
        self._console = console

    @abstractmethod
    def settings(self) -> dict[str, str]:
        """What aims the bot at the simulated platform."""

    @contextlib.asynccontextmanager
    async def day(self, title: str, about: str) -> AsyncIterator[None]:
        """Run the bot for a day."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bots.cli", self.command),
            cwd=self._folder,
            env=self._environment(),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            line = await asyncio.wait_for(process.stdout.readline(), PATIENCE) if process.stdout else b""
            ready = line.decode().strip()
            if not ready:
                raise DemoError("the bot did not start")
            self.drawing.title(title, f"Process {process.pid}: {ready}. {about}")
            yield
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            await process.wait()

    async def change(self, act: Callable[[], object], seen: Callable[[], dict[str, str]]) -> str:
        """Let somebody do something, wait for what changes among the messages they see; the id of the last change."""
        before = seen()

        def changed() -> list[str]:
            return [id_ for id_, text in seen().items() if before.get(id_) != text]

        act()
        await self._service.until(lambda: bool(changed()), timeout=PATIENCE)
        await self._service.settled(timeout=PATIENCE)
        return changed()[-1]

    def draw(self, title: str, messages: Iterable[OnScreen]) -> None:
        """Draw what somebody sees."""
        lines = Text()
        for message in messages:
            lines.append_text(_lines(message))
        self._console.print(Panel(lines, title=title, box=box.ROUNDED, width=WIDTH))

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG", "LC_ALL", "VIRTUAL_ENV")}
        return (
            kept
            | {
                "HOME": str(self._folder),
                "PYTHONPATH": os.pathsep.join(map(str, sys.path)),
                "DESK_MODEL": "offline",
                "DESK_STORE": f"sqlite:///{self._folder}/desk.db",
            }
            | self.settings()
        )


def play(tell: Callable[[Path, Console], Coroutine[Any, Any, None]], *, page: str) -> int:
    """Play a demo in a folder of its own and return its exit code: 1 where the desk did something else than it tells.

    `page` has the real thing.
    """
    started = time.monotonic()
    try:
        with tempfile.TemporaryDirectory(prefix="deskmate-demo-", ignore_cleanup_errors=True) as folder:
            asyncio.run(tell(Path(folder), Console(highlight=False)))
    except (DemoError, OSError, TimeoutError) as error:
        print(f"deskmate demo: {error or 'the bot did not answer in time'}", file=sys.stderr)
        return FAILED
    print(f"\nThat was all, in {time.monotonic() - started:.0f} s. {page} has the real thing.")
    return 0


def _lines(message: OnScreen) -> Text:
    indent = "    " if message.indented else ""
    line = Text(f"{indent}{message.author}{message.mark}\n", style="bold")
    for words in safe(message.text).splitlines():
        line.append(f"{indent}  {words}\n", style="not bold")
    return line
