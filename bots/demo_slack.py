"""The demo in Slack: two days in a simulated workspace, the real bot in a process of its own each day.

`make demo-slack`. Nothing leaves this machine: Slack is `simulators/slack_service`, on loopback.
"""

import asyncio
import contextlib
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from rich import box
from rich.console import Console
from rich.panel import Panel
from rich.text import Text

from adapters.terminal.render import safe
from bots.demo_drawing import Drawing
from bots.demo_stage import DemoError
from simulators.slack_service import AppSetup, Channel, Person, Shown, SlackService

FAILED = 1
PATIENCE = 60.0
INVOICE = "INV-2041"


class Workspace:
    """The simulated workspace, and how it looks on the screen."""

    def __init__(self, slack: SlackService, folder: Path, console: Console) -> None:
        self.slack = slack
        self.drawing = Drawing(console)
        self._folder = folder
        self._console = console

    @contextlib.asynccontextmanager
    async def day(self, title: str, about: str) -> AsyncIterator[None]:
        """Run `deskmate slack` for a day."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bots.cli", "slack"),
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

    async def after(self, act: Callable[[], object], person: Person, channel: Channel) -> Shown:
        """Let somebody do something, wait for what the bot posts or changes, and give it back."""
        before = {one.ts: one.text for one in self._ours(person, channel)}

        def changed() -> list[Shown]:
            return [one for one in self._ours(person, channel) if before.get(one.ts) != one.text]

        act()
        await self.slack.until(lambda: bool(changed()), timeout=PATIENCE)
        await self.slack.settled(timeout=PATIENCE)
        return changed()[-1]

    def show(self, person: Person, channel: Channel, *, since: str = "") -> None:
        """Draw what somebody sees in a channel, threads indented."""
        lines = Text()
        for one in self.slack.seen_by(person, channel):
            if one.ts > since:
                lines.append_text(_line(one))
        name = f"#{channel.name}" if channel.name else "Deskmate, direct message"
        self._console.print(Panel(lines, title=f"{name}, as {person.user.name} sees it", box=box.ROUNDED, width=80))

    def _ours(self, person: Person, channel: Channel) -> list[Shown]:
        bot = self.slack.install.user
        return [one for one in self.slack.seen_by(person, channel) if one.user == bot]

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG", "LC_ALL", "VIRTUAL_ENV")}
        return kept | {
            "HOME": str(self._folder),
            "PYTHONPATH": os.pathsep.join(map(str, sys.path)),
            "DESK_MODEL": "offline",
            "DESK_STORE": f"sqlite:///{self._folder}/desk.db",
            "SLACK_API_URL": self.slack.api_url,
            "SLACK_BOT_TOKEN": self.slack.bot_token,
            "SLACK_APP_TOKEN": self.slack.app_token,
        }


async def tell(place: Workspace) -> None:
    """Play both days. Raises DemoError where the desk does something else than the demo tells."""
    alice, bob = place.slack.person("alice"), place.slack.person("bob")
    help_ = place.slack.channel("help", alice, bob)
    await _first_day(place, alice)
    await _second_day(place, alice, bob, help_)


async def _first_day(place: Workspace, alice: Person) -> None:
    asked = f"Hello! My invoice number is {INVOICE}. Please open a ticket: the printer prints blank pages"
    async with place.day("Day 1: Alice writes a direct message", "An empty store."):
        answer = await place.after(lambda: alice.dm(asked), alice, alice.im)
        place.show(alice, alice.im)
        place.drawing.proves("A ticket is opened", "in the thread of her message.", holds="TKT-1001" in answer.text)


async def _second_day(place: Workspace, alice: Person, bob: Person, help_: Channel) -> None:
    async with place.day("Day 2: she returns", "Yesterday's process is gone, with all it had in memory."):
        seen = place.slack.seen_by(alice, alice.im)[-1].ts
        answer = await place.after(lambda: alice.dm("What was my invoice number?"), alice, alice.im)
        place.drawing.proves("It remembers her", "over the restart.", holds=INVOICE in answer.text)
        slip = await place.after(lambda: alice.dm("Open a ticket: teh scaner is jamed"), alice, alice.im)
        gone = await place.after(lambda: alice.react(slip, "leftwards_arrow_with_hook"), alice, alice.im)
        place.drawing.proves("A reaction takes the slip back", "ticket and all.", holds="withdrawn" in gone.text)
        summary = await place.after(lambda: alice.slash("/ticket-summary"), alice, alice.im)
        place.show(alice, alice.im, since=seen)
        place.drawing.proves("/ticket-summary", "tells where her ticket stands.", holds="TKT-1001" in summary.text)
        await _in_the_channel(place, bob, help_)


async def _in_the_channel(place: Workspace, bob: Person, help_: Channel) -> None:
    asked = f"{place.slack.mention} what was my invoice number?"
    answer = await place.after(lambda: bob.say(help_, asked), bob, help_)
    place.show(bob, help_)
    place.drawing.proves("Bob sees nothing of hers", "not here, and not anywhere.", holds=INVOICE not in answer.text)


def _line(one: Shown) -> Text:
    in_thread = one.thread_ts is not None and one.thread_ts != one.ts
    indent = "    " if in_thread else ""
    marks = " (only you see this)" if one.ephemeral else " (edited)" if one.edited else ""
    line = Text(f"{indent}{one.author}{marks}\n", style="bold")
    for words in safe(one.text).splitlines():
        line.append(f"{indent}  {words}\n", style="not bold")
    return line


async def _play() -> None:
    with tempfile.TemporaryDirectory(prefix="deskmate-demo-", ignore_cleanup_errors=True) as folder:
        async with SlackService(app=AppSetup(name="deskmate")) as slack:
            await tell(Workspace(slack, Path(folder), Console(highlight=False)))


def main() -> int:
    """Play the demo and return its exit code: 1 where the desk did something else than the demo tells."""
    started = time.monotonic()
    try:
        asyncio.run(_play())
    except (DemoError, OSError, TimeoutError) as error:
        print(f"deskmate demo: {error or 'the bot did not answer in time'}", file=sys.stderr)
        return FAILED
    print(f"\nThat was all, in {time.monotonic() - started:.0f} s. docs/slack.md has the real thing.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
