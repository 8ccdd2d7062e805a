"""The demo in Slack: two days in a simulated workspace, the real bot in a process of its own each day.

`make demo-slack`. Nothing leaves this machine: Slack is `simulators/slack_service`, on loopback.
"""

import sys
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from bots.demo_place import INVOICE, OnScreen, Place, play
from simulators.slack_service import AppSetup, Channel, Person, Shown, SlackService


class Workspace(Place):
    """The simulated workspace."""

    command = "slack"

    def __init__(self, slack: SlackService, folder: Path, console: Console) -> None:
        super().__init__(slack, folder, console)
        self.slack = slack

    def settings(self) -> dict[str, str]:
        return {
            "SLACK_API_URL": self.slack.api_url,
            "SLACK_BOT_TOKEN": self.slack.bot_token,
            "SLACK_APP_TOKEN": self.slack.app_token,
        }

    async def after(self, act: Callable[[], object], person: Person, channel: Channel) -> Shown:
        """Let somebody do something, wait for what the bot posts or changes, and give it back."""

        def ours() -> dict[str, Shown]:
            bot = self.slack.install.user
            return {one.ts: one for one in self.slack.seen_by(person, channel) if one.user == bot}

        ts = await self.change(act, lambda: {ts: one.text for ts, one in ours().items()})
        return ours()[ts]

    def show(self, person: Person, channel: Channel, *, since: str = "") -> None:
        """Draw what somebody sees in a channel, threads indented."""
        name = f"#{channel.name}" if channel.name else "Deskmate, direct message"
        seen = [one for one in self.slack.seen_by(person, channel) if one.ts > since]
        self.draw(f"{name}, as {person.user.name} sees it", map(_on_screen, seen))


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


def _on_screen(one: Shown) -> OnScreen:
    in_thread = one.thread_ts is not None and one.thread_ts != one.ts
    mark = " (only you see this)" if one.ephemeral else " (edited)" if one.edited else ""
    return OnScreen(one.author, one.text, mark, in_thread)


async def _play(folder: Path, console: Console) -> None:
    async with SlackService(app=AppSetup(name="deskmate")) as slack:
        await tell(Workspace(slack, folder, console))


def main() -> int:
    """Play the demo and return its exit code."""
    return play(_play, page="docs/slack.md")


if __name__ == "__main__":
    sys.exit(main())
