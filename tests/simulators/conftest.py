import asyncio
import json
import time
import warnings
from contextlib import AsyncExitStack

import pytest
from aiohttp import ClientSession, web
from slack_sdk.web.async_client import AsyncWebClient
from yarl import URL

from simulators.discord_service import DiscordService
from simulators.slack_service import SlackService, Timing

with warnings.catch_warnings():
    # The library imports `audioop`, deprecated since Python 3.11.
    warnings.simplefilter("ignore", DeprecationWarning)
    import discord  # noqa: F401


@pytest.fixture
async def slack():
    async with SlackService(timing=Timing.quick()) as service:
        yield service


@pytest.fixture
async def client(slack):
    async with ClientSession() as session:
        # No retry handlers: what a test breaks stays broken.
        yield AsyncWebClient(slack.bot_token, slack.api_url, session=session, retry_handlers=[])


@pytest.fixture
def alice(slack):
    return slack.person("Alice")


@pytest.fixture
def bob(slack):
    return slack.person("Bob")


@pytest.fixture
def general(slack, alice, bob):
    return slack.channel("general", alice, bob)


class Receiver:
    """An app's request URL that keeps what it got and answers what it is told."""

    def __init__(self):
        self.requests = []
        self.answers = []
        self.url = ""

    async def handle(self, request):
        body = await request.read()
        self.requests.append((request.headers, body))
        answer = self.answers.pop(0) if self.answers else web.Response()
        if isinstance(answer, asyncio.Event):
            await answer.wait()
            return web.Response()
        return answer(json.loads(body)) if callable(answer) else answer

    @property
    def events(self):
        return [json.loads(body)["event"] for _, body in self.requests]


@pytest.fixture
async def receiver(slack):
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/slack/events", receiver.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
    slack.deliver_to(receiver.url)
    yield receiver
    await runner.cleanup()


@pytest.fixture
def now():
    """The time on the service's clock, in a list so that a test can move it."""
    return [time.time()]


@pytest.fixture
async def discord(now):
    async with DiscordService(clock=lambda: now[0]) as service:
        yield service


@pytest.fixture
def lib(discord, monkeypatch):
    """The real discord.py, pointed at the service."""
    monkeypatch.setattr("discord.http.Route.BASE", discord.api_base)
    monkeypatch.setattr("discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY", URL(discord.gateway_url))


@pytest.fixture
async def start(discord, lib):
    """Start a client on the service; it is stopped after the test."""
    running = []
    async with AsyncExitStack() as clients:

        async def started(client):
            await clients.enter_async_context(client)
            await client.login(discord.token)
            running.append(asyncio.create_task(client.connect()))
            await client.wait_until_ready()
            return client

        yield started
    await asyncio.gather(*running, return_exceptions=True)


@pytest.fixture
async def rest(discord):
    """Call the REST API without a library: gives status and body."""
    async with ClientSession(headers={"Authorization": f"Bot {discord.token}"}) as session:

        async def call(method, path, body=None, **options):
            async with session.request(method, discord.api_base + path, json=body, **options) as response:
                kind = response.content_type
                return response.status, await response.json() if kind == "application/json" else await response.text()

        yield call


@pytest.fixture
def ann(discord):
    return discord.person("Ann")


@pytest.fixture
def ben(discord):
    return discord.person("Ben")


@pytest.fixture
def help_(discord):
    return discord.channel("help")
