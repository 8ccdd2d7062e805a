"""The demo on Discord: two days in a simulated server, the real bot in a process of its own each day.

`make demo-discord`. Nothing leaves this machine: Discord is `simulators/discord_service`, on loopback.
"""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from rich.console import Console

from bots.demo_place import INVOICE, PATIENCE, OnScreen, Place, play
from simulators.discord_service import AppSetup, Channel, DiscordService, Person, Shown

UNDO = "↩"


class Server(Place):
    """The simulated server; in its channel `help` all is for the desk."""

    command = "discord"

    def __init__(self, discord: DiscordService, folder: Path, console: Console) -> None:
        super().__init__(discord, folder, console)
        self.discord = discord

    def settings(self) -> dict[str, str]:
        return {
            "DISCORD_TOKEN": self.discord.token,
            "DISCORD_API_BASE": self.discord.api_base,
            "DISCORD_GATEWAY": self.discord.gateway_url,
            "DESK_DISCORD__SUPPORT": "help",
        }

    async def after(self, act: Callable[[], object], person: Person, channel: Channel) -> Shown:
        """Let somebody do something, wait for what the bot posts or changes in a place and its threads, and give it."""

        def ours() -> list[Shown]:
            places = [channel, *self.discord.threads(channel)]
            seen = [one for place in places for one in self.discord.seen_by(person, place)]
            return [one for one in seen if one.user == self.discord.app.id]

        def said() -> dict[str, str]:
            return {one.id: one.text for one in ours() if one.text and not one.loading}

        id_ = await self.change(act, said)
        await self.discord.until(lambda: not any(one.loading for one in ours()), timeout=PATIENCE)
        return next(one for one in ours() if one.id == id_)

    def show(self, person: Person, channel: Channel, *, since: int = 0) -> None:
        """Draw what somebody sees in a channel, threads below the messages they began with."""
        name = f"#{channel.name}" if channel.name else "Deskmate, direct message"
        self.draw(f"{name}, as {person.name} sees it", self._seen(person, channel, since))

    def _seen(self, person: Person, channel: Channel, since: int) -> Iterator[OnScreen]:
        for one in self.discord.seen_by(person, channel):
            if int(one.id) > since:
                yield _on_screen(one)
            thread = self.discord.world.channels.get(one.thread or "")
            if thread is not None:
                yield OnScreen(f"Thread: {thread.name}", "", indented=True)
                # It begins with a copy of the message it hangs on, which has no words of its own.
                yield from (_on_screen(said, True) for said in self.discord.seen_by(person, thread) if said.text)


async def tell(place: Server) -> None:
    """Play both days. Raises DemoError where the desk does something else than the demo tells."""
    alice, bob = place.discord.person("Alice"), place.discord.person("Bob")
    help_ = place.discord.channel("help")
    await _first_day(place, alice)
    await _second_day(place, alice, bob, help_)


async def _first_day(place: Server, alice: Person) -> None:
    asked = f"Hello! My invoice number is {INVOICE}. Please open a ticket: the printer prints blank pages"
    async with place.day("Day 1: Alice writes a direct message", "An empty store."):
        answer = await place.after(lambda: alice.dm(asked), alice, alice.im)
        place.show(alice, alice.im)
        place.drawing.proves("A ticket is opened", "by asking for it.", holds="TKT-1001" in answer.text)


async def _second_day(place: Server, alice: Person, bob: Person, help_: Channel) -> None:
    async with place.day("Day 2: she returns", "Yesterday's process is gone, with all it had in memory."):
        seen = int(place.discord.seen_by(alice, alice.im)[-1].id)
        answer = await place.after(lambda: alice.dm("What was my invoice number?"), alice, alice.im)
        place.drawing.proves("It remembers her", "over the restart.", holds=INVOICE in answer.text)
        slip = await place.after(lambda: alice.dm("Open a ticket: teh scaner is jamed"), alice, alice.im)
        gone = await place.after(lambda: alice.react(slip, UNDO), alice, alice.im)
        place.drawing.proves("A reaction takes the slip back", "ticket and all.", holds="withdrawn" in gone.text)
        summary = await place.after(lambda: alice.slash("ticket-summary", channel=alice.im), alice, alice.im)
        place.show(alice, alice.im, since=seen)
        place.drawing.proves("/ticket-summary", "tells where her ticket stands.", holds="TKT-1001" in summary.text)
        await _in_the_channel(place, bob, help_)


async def _in_the_channel(place: Server, bob: Person, help_: Channel) -> None:
    answer = await place.after(lambda: bob.say(help_, "what was my invoice number?"), bob, help_)
    place.show(bob, help_)
    in_thread = answer.channel != help_.id
    place.drawing.proves("A thread is opened", "below what Bob asked in the support channel.", holds=in_thread)
    place.drawing.proves("Bob sees nothing of hers", "not here, and not anywhere.", holds=INVOICE not in answer.text)


def _on_screen(one: Shown, indented: bool = False) -> OnScreen:
    mark = " (only you see this)" if one.ephemeral else " (edited)" if one.edited else ""
    return OnScreen(one.author, one.text, mark, indented)


async def _play(folder: Path, console: Console) -> None:
    async with DiscordService(app=AppSetup(name="deskmate")) as discord:
        await tell(Server(discord, folder, console))


def main() -> int:
    """Play the demo and return its exit code."""
    return play(_play, page="docs/discord.md")


if __name__ == "__main__":
    sys.exit(main())
