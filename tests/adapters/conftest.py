"""The harnesses of the platform suite: what a person does on a platform, and what they then see there.

A harness speaks the platform's own payloads to its real app and a real desk. A new platform adds a line to HARNESSES.
"""

import asyncio
import itertools
import json
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from typing import Protocol

import pytest

from adapters.terminal.app import JsonLines
from bots.assemble import open_desk
from core.agent import SupportAgent
from core.config import Settings
from core.models import Command, ConversationRef, UserMessage
from tests.adapters.discord_harness import DiscordHarness
from tests.adapters.discord_server import hurry
from tests.adapters.slack_harness import SlackHarness, SlackHttpHarness
from tests.adapters.slack_town import Town
from tests.core.talk import Street


@dataclass(frozen=True)
class Seen:
    """One message of the desk's as it stands now: `taken_back` says that another text stands in its place."""

    key: str
    text: str
    private: bool = False
    taken_back: bool = False


class Harness(Protocol):
    """What a person can do on a platform. `where` is None for a direct conversation, else a shared thread's name.

    Everything is finished when a call returns. `say` returns the id of the message; all others that of their event.
    """

    async def say(self, text: str, *, user: str = "alice", where: str | None = None) -> str: ...

    async def command(self, word: str, *args: str, user: str = "alice", where: str | None = None) -> str: ...

    async def react(
        self, message: str, name: str, *, user: str = "alice", where: str | None = None, removed: bool = False
    ) -> str: ...

    async def edit(self, message: str, text: str, *, user: str = "alice", where: str | None = None) -> str: ...

    async def delete(self, message: str, *, user: str = "alice", where: str | None = None) -> str: ...

    async def redeliver(self, id_: str) -> None:
        """Hand in once more what was handed in under this id."""

    async def restart(self) -> None:
        """End the desk, and start another one on the same store."""

    def sees(self, user: str = "alice", where: str | None = None) -> list[Seen]:
        """What a person sees in a place of what the desk posted there, oldest first."""


class TerminalHarness:
    """The terminal's lines of JSON, without the pipes."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.refused: list[str] = []
        self._parts = AsyncExitStack()
        self._ids = (f"id{number}" for number in itertools.count(1))
        self._payloads: dict[str, dict] = {}
        self._places: dict[str, tuple[str, str | None]] = {}
        self._seen: dict[str, tuple[str, str | None, Seen]] = {}

    async def __aenter__(self):
        self._lines: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._answers: asyncio.Queue[dict] = asyncio.Queue()
        app = JsonLines(iter_queue(self._lines), self)
        self._desk = await self._parts.enter_async_context(open_desk(self._settings, [app], serving=False))
        self._run = asyncio.create_task(app.run(self._desk))
        return self

    async def __aexit__(self, *_):
        self._lines.put_nowait(None)
        await self._run
        await self._parts.aclose()

    async def restart(self):
        await self.__aexit__()
        await self.__aenter__()

    async def say(self, text, *, user="alice", where=None):
        return await self._hand_in(user, where, type="message", text=text)

    async def command(self, word, *args, user="alice", where=None):
        return await self._hand_in(user, where, type="command", command=word, args=list(args))

    async def react(self, message, name, *, user="alice", where=None, removed=False):
        target = "key" if message in self._seen else "message"
        fields = {target: message, "name": name, "removed": removed}
        return await self._hand_in(user, where, type="reaction", **fields)

    async def edit(self, message, text, *, user="alice", where=None):
        return await self._hand_in(user, where, type="edit", message=message, text=text)

    async def delete(self, message, *, user="alice", where=None):
        return await self._hand_in(user, where, type="delete", message=message)

    async def redeliver(self, id_):
        assert (await self._write(self._payloads[id_]))["type"] == "duplicate"

    def sees(self, user="alice", where=None):
        shown = [seen for by, place, seen in self._seen.values() if place == where and user in (by, where and user)]
        whose = {seen.key: by for by, _, seen in self._seen.values()}
        return [seen for seen in shown if whose[seen.key] == user or not seen.private]

    async def _hand_in(self, user, where, **fields):
        id_ = next(self._ids)
        self._places[id_] = (user, where)
        place = {} if where is None else {"channel": "help", "thread": where}
        self._payloads[id_] = {"id": id_, "user": user, **place, **fields}
        answer = await self._write(self._payloads[id_])
        if answer == {"type": "refused", "id": id_}:
            self.refused.append(id_)
        else:
            assert answer == {"type": "accepted", "id": id_}
        return id_

    async def _write(self, payload):
        self._lines.put_nowait(json.dumps(payload).encode())
        answer = await self._answers.get()
        await self._desk.drain()
        return answer

    # What the app sees of it: the sink of its lines.

    def send(self, line):
        self._answers.put_nowait(json.loads(line))

    async def write(self, line):
        self._show(**json.loads(line))

    async def flush(self):
        pass

    async def gone(self):
        await asyncio.Event().wait()

    def _show(self, *, type, key, text, to=None, private=False, **_):
        if type == "reply":
            self._seen[key] = (*self._places[to], Seen(key, text, private))
        else:
            user, where, seen = self._seen[key]
            self._seen[key] = (user, where, replace(seen, text=text, taken_back=type == "retract"))


async def iter_queue(queue):
    while (line := await queue.get()) is not None:
        yield line


HARNESSES = {
    "terminal": TerminalHarness,
    "slack": SlackHarness,
    "slack-http": SlackHttpHarness,
    "discord": DiscordHarness,
}


@pytest.fixture(autouse=True)
def unpaced(monkeypatch):
    """Let Slack's channels take all at once: to wait for them proves nothing here."""
    monkeypatch.setattr("adapters.slack.api.PER_SECOND", 1_000_000)


@pytest.fixture
def settings(tmp_path):
    return Settings(store=f"sqlite:///{tmp_path}/desk.db", model="offline")


@pytest.fixture(params=HARNESSES)
async def platform(request, settings):
    async with HARNESSES[request.param](settings) as harness:
        yield harness
    assert not getattr(harness, "refused", None)


@pytest.fixture(params=HARNESSES)
async def slow_platform(request, tmp_path):
    """A platform of a desk that takes three messages a minute of each person, and two commands."""
    pace = {"customer": {"messages_a_minute": 3, "commands_a_minute": 2}}
    settings = Settings(store=f"sqlite:///{tmp_path}/desk.db", model="offline", pace=pace)
    async with HARNESSES[request.param](settings) as harness:
        yield harness


@pytest.fixture
async def code(settings):
    """The code of somebody who opened a ticket on another platform of the desk, before the one that is tried."""
    street, ref = Street("elsewhere"), ConversationRef("elsewhere", "E1", "dm", "zoe")
    async with open_desk(settings, [street], serving=False) as desk:
        for event in (UserMessage("1", ref, "open a ticket: no ink"), Command("2", ref, "link")):
            await desk.accept(event)
            await desk.drain()
    return street.posted[-1].text.split("`")[1].removeprefix("link ")


@pytest.fixture
def hurried(monkeypatch):
    """Let nothing on Slack wait for a clock."""
    monkeypatch.setattr("adapters.slack.api.BURST", 1_000_000)
    monkeypatch.setattr("adapters.slack.api.PER_SECOND", 1_000_000)
    monkeypatch.setattr("adapters.slack.streams.SECONDS_BETWEEN", 0.0)
    monkeypatch.setattr("core.posting.FIRST_PAUSE", 0.005)
    monkeypatch.setattr("core.posting.LONGEST_PAUSE", 0.02)
    monkeypatch.setattr("core.desk.STOP_SECONDS", 0.1)


@pytest.fixture
def hurried_discord(monkeypatch):
    """Let nothing on Discord wait for a clock."""
    hurry(monkeypatch)


@pytest.fixture
async def town(harness):
    return Town(harness)


@pytest.fixture
async def gate(monkeypatch):
    """Keeps every answer from being written until it is set."""
    gate, answer = asyncio.Event(), SupportAgent.answer

    async def held(*args, **rest):
        await gate.wait()
        return await answer(*args, **rest)

    monkeypatch.setattr(SupportAgent, "answer", held)
    return gate


@pytest.fixture
async def half_way(harness, monkeypatch):
    """Keeps every answer that has begun to show from going on until it is set."""
    half_way, show = asyncio.Event(), harness._app.show

    async def held(progress):
        await show(progress)
        if progress.text:
            await half_way.wait()

    monkeypatch.setattr(harness._app, "show", held)
    return half_way


@pytest.fixture
async def steps(harness, monkeypatch):
    """Lets every answer that shows go on by one piece for each release."""
    steps, show = asyncio.Semaphore(0), harness._app.show

    async def held(progress):
        await show(progress)
        if progress.text:
            await steps.acquire()

    monkeypatch.setattr(harness._app, "show", held)
    return steps
