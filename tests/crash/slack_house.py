"""The desk in Slack as the bench drives it: the public command line, on a workspace that the bench holds."""

import asyncio
import json
import os
import signal
import sys
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import adapters.slack.api
import adapters.slack.streams
from adapters.slack.api import SlackApi
from adapters.slack.app import SlackApp
from bots.cli import main
from core.models import Delivery, Progress
from tests.crash.check import Damage
from tests.crash.driver import Process, Program
from tests.crash.killer import Pace, Trap
from tests.crash.programs import House
from tests.crash.story import Manners
from tests.crash.truth import Line
from tests.crash.workspace import Workspace

NAMED = (
    *("accept", "finish", "post", "find", "MarkDelivery", "PutNote", "DropNote", "ClaimLane", "FreeLanes"),
    *("chat.postMessage", "chat.update", "chat.startStream", "chat.appendStream", "chat.stopStream", "replies"),
)
PACE = Pace(longest=0.5, farthest=300, named=NAMED, enough=0.8)
"""It takes longer to be there than the terminal, and makes more calls."""

MANNERS = Manners(own_threads=True, in_pieces=True, looks_before_others=False)
"""What only the asker sees in a channel cannot be found again after a crash: it is held, as the design says."""

WRITING = 0.01
"""Seconds that the desk takes to write a sentence, so that streams are begun before the answer is there."""


class SlackProcess(Process):
    """A desk that hears and speaks through Slack. Its pipe only says which event it is about to answer."""

    def __init__(self, program: Program, *, log: Path, workspace: Workspace) -> None:
        self._workspace = workspace
        super().__init__(program, log=log)

    def send(self, line: Line) -> None:
        self._workspace.send(line)

    def hear(self, seconds: float) -> list[Line]:
        if self.status is None:
            self._workspace.run(seconds, self.fileno())
            # What was announced is read before what was called: the desk spoke in this order.
            for piece in super().hear(0):
                self._workspace.sightings.announced(piece)
        return self._workspace.news()

    def end_input(self) -> None:
        """Slack never ends: wait until nothing happens any more, and ask the desk to leave."""
        self._workspace.run_until_quiet(10)
        self.signal(signal.SIGTERM)


@dataclass(frozen=True, slots=True)
class SlackHouse(House):
    """A store, and the workspace whose people it serves."""

    workspace: Workspace = field(kw_only=True)
    pace = PACE
    manners = MANNERS

    def start(self, program: Program) -> SlackProcess:
        self.workspace.desk_begins()
        return SlackProcess(program, log=self.log, workspace=self.workspace)

    def chat(self, trap: Trap) -> int:
        os.environ |= self.workspace.settings
        announce_pieces()
        watch_calls(trap)
        hurry(streams=self.workspace.desks % 2 == 1)
        # What it prints is for people; the pipe carries what it announces.
        http = ("--http", self.workspace.address) if self.workspace.address else ()
        with redirect_stdout(sys.stderr):
            return main(["-v", "slack", *http])

    def inspect(self, damage: Damage) -> None:
        self.workspace.sightings.check(damage)


def announce_pieces() -> None:
    """Let the desk say which event a piece is for, before it posts it."""
    post = SlackApp.post

    async def announced(app: SlackApp, delivery: Delivery) -> str:
        names = ("key", "kind", "to", "session", "turn", "text", "message")
        line = json.dumps({name: getattr(delivery, name) for name in names})
        os.write(1, line.encode() + b"\n")
        return await post(app, delivery)

    SlackApp.post = announced


def watch_calls(trap: Trap) -> None:
    """Let every call of Slack's Web API pass by the trap."""
    call = SlackApi.call

    async def watched(api: SlackApi, workspace: str, method: str, **arguments: Any) -> Any:
        trap.pass_by("before", method)
        answer = await call(api, workspace, method, **arguments)
        trap.pass_by("after", method)
        return answer

    SlackApi.call = watched


def hurry(*, streams: bool) -> None:
    """Stream every answer or none, with text that takes its time, and wait for no rate of Slack's."""
    show = SlackApp.show

    async def slow(app: SlackApp, progress: Progress) -> None:
        await show(app, progress)
        await asyncio.sleep(WRITING)

    SlackApp.show = slow
    SlackApp.__init__.__kwdefaults__ = {"stream_after": 0.0 if streams else 60.0}
    adapters.slack.api.BURST = adapters.slack.api.PER_SECOND = 1_000_000
    adapters.slack.streams.SECONDS_BETWEEN = WRITING / 2
