"""The desk on Discord as the bench drives it: the public command line, on a server that the bench holds."""

import asyncio
import importlib
import json
import os
import re
import signal
import sqlite3
import sys
from collections import Counter
from contextlib import closing, redirect_stdout
from dataclasses import dataclass, field
from typing import Any

from discord.http import HTTPClient, Route

import adapters.discord.catch_up
import adapters.discord.door
import adapters.discord.hearing
import adapters.discord.identifying
import adapters.discord.showing
import bots.discord_lives
from adapters.discord.app import DiscordApp
from adapters.discord.hearing import Hearing
from adapters.discord.showing import asked
from bots.cli import main
from core.desk import Desk
from core.events import event_name
from core.models import Accepted, Delivery, Event, Progress
from core.text import clean
from tests.crash.check import Damage
from tests.crash.driver import Process, Program
from tests.crash.guild import Guild
from tests.crash.killer import Pace, Trap
from tests.crash.programs import House
from tests.crash.story import Manners
from tests.crash.truth import Line

SENDS = ("POST /channels/messages", "PATCH /channels/messages", "POST /channels/messages/threads")
NAMED = (
    *("accept", "finish", "post", "find", "MarkDelivery", "PutNote", "DropNote", "ClaimLane", "FreeLanes"),
    *(*SENDS, "/threads", "GET /channels/messages", "PUT /channels/thread-members", "/callback"),
    *("/webhooks/messages/@original", "GET /guilds/threads/active"),
)
PACE = Pace(longest=0.6, farthest=300, named=NAMED, enough=1.5)
"""It takes longer to be there than the terminal, and makes more calls."""

MANNERS = Manners(in_pieces=True, asks=True, apart=True, looks_there=("whoami", "usage"))
"""Of what only the asker sees one piece can be given twice; what follows it is held, as the design says."""

WRITING = 0.01
"""Seconds that the desk takes to write a sentence, so that streams are begun before the answer is there."""


class DiscordProcess(Process):
    """A desk that hears and speaks through Discord. Its pipe only says what it takes in, and is about to answer."""

    def __init__(self, program: Program, *, house: "DiscordHouse") -> None:
        self._guild = house.guild
        super().__init__(program, log=house.log)

    def send(self, line: Line) -> None:
        self._guild.send(line)

    def hear(self, seconds: float) -> list[Line]:
        if self.status is None:
            self._guild.run(seconds, self.fileno())
            # What was announced is read before what was called: the desk spoke in this order.
            for said in super().hear(0):
                self._guild.heard(said)
        return self._guild.news()

    def end_input(self) -> None:
        """Discord never ends: wait until nothing happens any more, and ask the desk to leave."""
        self._guild.run_until_quiet(10)
        self.signal(signal.SIGTERM)


@dataclass(frozen=True, slots=True)
class DiscordHouse(House):
    """A store, and the server whose people it serves."""

    guild: Guild = field(kw_only=True)
    pace = PACE
    manners = MANNERS

    def start(self, program: Program) -> DiscordProcess:
        self.guild.desk_died(self.has_event)
        self.guild.desk_begins()
        return DiscordProcess(program, house=self)

    def chat(self, trap: Trap) -> int:
        os.environ |= self.guild.settings
        os.environ["DESK_DISCORD__STREAM_AFTER"] = "0" if self.guild.desks % 2 else "60"
        announce()
        tell_what_comes()
        watch_calls(trap)
        hurry()
        if self.guild.desks % 3 == 0:
            adapters.discord.catch_up.KEEP_SECONDS = 0.1
        # What it prints is for people; the pipe carries what it announces.
        with redirect_stdout(sys.stderr):
            return main(["-v", "discord"])

    def inspect(self, damage: Damage) -> None:
        self.guild.sightings.check(damage)
        self.guild.check_threads(damage)

    def tally(self) -> Counter[str]:
        return self.guild.tally()

    def has_event(self, key: str) -> bool:
        """Whether a desk that is no more has an event, by its key."""
        path = self.store.removeprefix("sqlite:///")
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as store:
            return store.execute("SELECT 1 FROM inbox WHERE key = ?", (bytes.fromhex(key),)).fetchone() is not None


def announce() -> None:
    """Let the desk say which event a piece is for, before it posts it; and what it takes in, before and after."""
    post, accept = DiscordApp.post, Desk.accept

    async def announced(app: DiscordApp, delivery: Delivery) -> str:
        names = ("key", "kind", "to", "session", "turn", "text", "message")
        tell({"type": "piece", "asked": asked(delivery.ref, delivery.to)} | {n: getattr(delivery, n) for n in names})
        return await post(app, delivery)

    async def taken(desk: Desk, event: Event) -> Accepted:
        key = desk._kit.sealer.lookup("event", event_name(clean(event)))
        tell({"type": "offered", "event": event.id, "key": key.hex()})
        accepted = await accept(desk, event)
        tell({"type": "taken", "event": event.id, "as": accepted.value})
        return accepted

    DiscordApp.post, Desk.accept = announced, taken


def tell_what_comes() -> None:
    """Let the desk say which frames reached it, and in which session all that it missed was read."""
    take, catch_up, read_missed = Hearing.take, Hearing._catch_up, Hearing._read_missed

    def say_what_is_read(hearing: Hearing) -> None:
        left = not hearing._parts.catch_up.is_done
        tell({"type": "reads", "session": hearing._session_of(""), "left": left})

    def taken(hearing: Hearing, frame: Line) -> None:
        take(hearing, frame)
        if hearing._parts.door.desk is not None and frame.get("s"):
            guild = (frame.get("d") or {}).get("guild_id") or ""
            tell({"type": "came", "session": hearing._session_of(guild), "number": frame["s"]})
        if frame.get("t") == "GUILD_CREATE":
            say_what_is_read(hearing)

    async def caught_up(hearing: Hearing) -> None:
        await catch_up(hearing)
        say_what_is_read(hearing)

    def reads(hearing: Hearing) -> None:
        say_what_is_read(hearing)
        read_missed(hearing)

    Hearing.take, Hearing._catch_up, Hearing._read_missed = taken, caught_up, reads


def tell(line: Line) -> None:
    """Say something to the bench."""
    os.write(1, json.dumps(line).encode() + b"\n")


def watch_calls(trap: Trap) -> None:
    """Let every call of Discord's API pass by the trap."""
    request = HTTPClient.request

    async def watched(http: HTTPClient, route: Route, **rest: Any) -> Any:
        call = f"{route.method} {re.sub(r'/{[^}]*}', '', route.path)}"
        trap.pass_by("before", call)
        answer = await request(http, route, **rest)
        trap.pass_by("after", call)
        return answer

    HTTPClient.request = watched


class Quick:
    """asyncio, but for the library's pauses."""

    def __getattr__(self, name: str) -> Any:
        return getattr(asyncio, name)

    @staticmethod
    async def sleep(*_: object) -> None:
        await asyncio.sleep(0.002)


def hurry() -> None:
    """Write text that takes its time, and wait neither for Discord's rates nor between two sessions."""
    show = DiscordApp.show

    async def slow(app: DiscordApp, progress: Progress) -> None:
        await show(app, progress)
        await asyncio.sleep(WRITING)

    DiscordApp.show = slow
    adapters.discord.identifying.FIRST_PAUSE = 0.0
    for name in ("http", "shard", "client"):
        importlib.import_module(f"discord.{name}").asyncio = Quick()
    adapters.discord.showing.SECONDS_BETWEEN = WRITING / 2
    adapters.discord.hearing.CATCH_UP_PAUSE = adapters.discord.door.PAUSE_SECONDS = 0.05
    bots.discord_lives.FIRST_PAUSE = bots.discord_lives.BETWEEN_SESSIONS = 0.05
