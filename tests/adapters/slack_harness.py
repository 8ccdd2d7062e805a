"""Slack's harness: people in a simulated workspace, the real Bolt app between them and a real desk."""

import asyncio
import socket
import time
from contextlib import AsyncExitStack, asynccontextmanager

import uvicorn
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack.app import SlackApp
from adapters.slack.installs import OneWorkspace
from adapters.slack.web import http_app
from bots.assemble import open_desk
from core.words import word_named
from simulators.slack_service import SlackService
from simulators.slack_service.delivery import Envelope


class SlackHarness:
    """Direct messages, and threads in the channel `help`; words are said with `/desk`, in threads with `!`."""

    stream_after = 60.0
    timing = None
    grouped = frozenset()

    def __init__(self, settings):
        self._settings = settings
        self._service = AsyncExitStack()
        self._bot = AsyncExitStack()
        self._people = {}
        self._roots = {}
        self._handed_in = {}
        self._first_texts = {}

    async def __aenter__(self):
        self.slack = await self._service.enter_async_context(SlackService(timing=self.timing))
        self._channel = self.slack.channel("help")
        await self._start()
        return self

    async def __aexit__(self, *_):
        await self._bot.aclose()
        await self._service.aclose()

    async def _start(self):
        install = OneWorkspace(self.slack.bot_token, self.slack.api_url)
        await install.connect()
        self._app = app = await self._bot.enter_async_context(
            SlackApp(install, self.slack.api_url, stream_after=self.stream_after, grouped=self.grouped)
        )
        self._desk = await self._bot.enter_async_context(open_desk(self._settings, [app], serving=False))
        await self._bot.enter_async_context(app.serving(self._desk))
        await self._connect(app)

    async def _connect(self, app):
        client = AsyncWebClient(self.slack.bot_token, base_url=self.slack.api_url)
        handler = AsyncSocketModeHandler(app.bolt, self.slack.app_token, web_client=client)
        await handler.connect_async()
        self._bot.push_async_callback(handler.close_async)

    async def restart(self):
        await self._bot.aclose()
        self._bot = AsyncExitStack()
        await self._start()

    async def say(self, text, *, user="alice", where=None):
        return await self._said(self._write(text, user, where))

    async def command(self, word, *args, user="alice", where=None):
        words = " ".join((word, *args))
        # An unknown word after `!` is a message like any other.
        if where is not None and word_named(word):
            return await self._said(self._write(f"!{words}", user, where))
        envelope = self._person(user).slash("/desk", words, None if where is None else self._channel)
        return await self._done(envelope.payload["trigger_id"], envelope)

    async def react(self, message, name, *, user="alice", where=None, removed=False):
        person = self._person(user)
        (person.unreact if removed else person.react)(self._found(message), name)
        return await self._newest_event()

    async def edit(self, message, text, *, user="alice", where=None):
        return await self._change(message, user, lambda person, found: person.edit(found, text))

    async def delete(self, message, *, user="alice", where=None):
        return await self._change(message, user, lambda person, found: person.delete(found))

    async def redeliver(self, id_):
        for envelope in self._handed_in[id_]:
            self.slack._send(Envelope(envelope.kind, envelope.payload))
        await self._quiet()

    def sees(self, user="alice", where=None):
        from tests.adapters.conftest import Seen

        person = self._person(user)
        direct = where is None  # where nobody else reads, every answer is for the asker alone
        channel, thread = (person.im, None) if direct else (self._channel, self._roots.get(where))
        shown = self.slack.seen_by(person, channel)
        bot = self.slack.install.user
        return [
            Seen(one.ts, _words(one), direct or one.ephemeral, self._is_changed(one))
            for one in shown
            if one.user == bot and (direct or one.thread_ts == thread or (one.ephemeral and not one.thread_ts))
        ]

    def _is_changed(self, shown):
        return shown.edited and _words(shown) != self._first_texts.get(shown.ts)

    def _person(self, name):
        if name not in self._people:
            self._people[name] = person = self.slack.person(name)
            person.join(self._channel)
        return self._people[name]

    async def _change(self, message, user, change):
        person, found = self._person(user), self._found(message)
        # Slack lets nobody change what somebody else wrote.
        if found.user not in (person.id, self.slack.install.user):
            return ""
        change(person, found)
        return await self._newest_event()

    def _write(self, text, user, where):
        person = self._person(user)
        if where is None:
            return person.dm(text)
        root = self._roots.get(where)
        message = person.say(self._channel, f"{self.slack.mention} {text}", thread=root)
        self._roots.setdefault(where, message.ts)
        return message

    def _found(self, ts):
        channels = self.slack.world.channels.values()
        return next(channel.messages[ts] for channel in channels if ts in channel.messages)

    async def _said(self, message):
        envelopes = [each for each in self.slack.envelopes if each.payload.get("event", {}).get("ts") == message.ts]
        return await self._done(message.ts, *envelopes)

    async def _newest_event(self):
        envelope = self.slack.envelopes[-1]
        return await self._done(envelope.payload["event_id"], envelope)

    async def _done(self, id_, *envelopes):
        self._handed_in[id_] = envelopes
        await self._quiet()
        return id_

    async def _quiet(self):
        await self.slack.settled()
        await self._desk.drain()
        await self.slack.settled()
        for channel in self.slack.world.channels.values():
            for person in self._people.values():
                for one in self.slack.seen_by(person, channel):
                    self._first_texts.setdefault(one.ts, _words(one))


class SlackHttpHarness(SlackHarness):
    """The same, with signed requests over HTTP."""

    _seconds = 0

    async def _connect(self, app):
        self._url = await self._bot.enter_async_context(served(http_app(app, [self.slack.signing_secret])))
        self.slack.deliver_to(f"{self._url}/slack/events")

    async def redeliver(self, id_):
        # Slack signs what it sends again under another second; to the byte the same, it would not reach the desk.
        self._seconds += 1
        self.slack.world.clock = lambda: time.time() + self._seconds
        self.slack.deliver_to(f"{self._url}/slack/events")
        await super().redeliver(id_)


@asynccontextmanager
async def served(app):
    """Serve an ASGI app on a free port of this machine; its address."""
    # Who connects before the server runs waits in the socket's queue.
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = _Server(uvicorn.Config(app, lifespan="off", log_config=None, access_log=False))
        running = asyncio.create_task(server.serve(sockets=[listening]))
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.over.set()
            await running


class _Server(uvicorn.Server):
    """One that ends when it is told to, not at its next look at the clock."""

    def __init__(self, config):
        super().__init__(config)
        self.over = asyncio.Event()

    async def main_loop(self):
        await self.on_tick(0)
        await self.over.wait()


def _words(shown):
    """The words of a message without its buttons."""
    lines = shown.text.splitlines()
    return "\n".join(line for line in lines if not (shown.buttons and line.startswith("[") and line.endswith("]")))
