import asyncio
import json

import pytest
from aiohttp import ClientSession, web
from slack_sdk.web.async_client import AsyncWebClient

from simulators.slack_service import SlackService, Timing


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
