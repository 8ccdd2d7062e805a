"""What a desk knows of one that was killed: what that wrote down at once, and nothing it meant to write down later."""

import asyncio

import pytest

from adapters.discord.app import DiscordApp
from adapters.discord.catch_up import CatchUp
from core.config import Settings
from core.desk import Desk
from tests.adapters.discord_server import QUESTION, PlainHarness, Server, StreamingHarness, SupportHarness

pytestmark = pytest.mark.usefixtures("hurried_discord")
OPENED = "I opened TKT-1001: “the printer burns” (priority normal)."


@pytest.fixture
def _killed(monkeypatch):
    async def keep(_):
        """Write nothing down: who is killed does not get to it."""

    monkeypatch.setattr(CatchUp, "keep", keep)


killed = pytest.mark.usefixtures("_killed")
support = pytest.mark.parametrize("harness", [SupportHarness], indirect=True)


@pytest.fixture(params=[PlainHarness])
async def harness(request, tmp_path):
    settings = Settings(store=f"sqlite:///{tmp_path}/desk.db", model="offline")
    async with request.param(settings) as harness:
        yield harness


@pytest.fixture
async def server(harness):
    return Server(harness)


async def say_meanwhile(server, place, text=QUESTION):
    """Write where no desk listens, and let the next one begin."""
    await server.harness._bot.aclose()
    server.alice.say(place, text)
    server.harness._bot = type(server.harness._bot)()
    await server.harness._start()


@killed
async def test_who_wrote_directly_once_is_read_again(server):
    server.alice.dm("hello")
    await server.quiet()
    await say_meanwhile(server, server.alice.im)
    await server.begins(lambda: server.texts(server.alice.im)[1:] == [OPENED])


@killed
async def test_a_thread_in_which_only_the_desk_wrote_is_read_again(server):
    thread = await server.ask("hello")
    await say_meanwhile(server, thread)
    await server.begins(lambda: server.texts(thread)[1:] == [OPENED])


@killed
async def test_a_private_thread_in_which_only_the_desk_wrote_is_read_again(server):
    server.alice.slash("ask", channel=server.help, question="hello")
    await server.quiet()
    (thread,) = server.discord.threads(server.help)
    await say_meanwhile(server, thread)
    await server.begins(lambda: server.texts(thread)[2:] == [OPENED])


@killed
async def test_who_only_said_a_word_directly_is_read_again(server):
    server.alice.slash("desk", "whoami")
    await server.quiet()
    await say_meanwhile(server, server.alice.im)
    await server.begins(lambda: server.texts(server.alice.im)[1:] == [OPENED])


@killed
@support
async def test_a_support_channel_in_which_nobody_wrote_is_read_again(server):
    await server.quiet()
    await say_meanwhile(server, server.help)
    await server.begins(lambda: [server.texts(one) for one in server.discord.threads(server.help)] == [[OPENED]])


@support
async def test_what_was_not_taken_in_is_read_again_though_something_later_was(server, monkeypatch):
    accept = Desk.accept

    async def all_but_the_first(desk, event):
        if event.text == QUESTION:
            await asyncio.Event().wait()
        return await accept(desk, event)

    monkeypatch.setattr(Desk, "accept", all_but_the_first)
    first = server.alice.say(server.help, QUESTION)
    second = server.bob.say(server.help, "my invoice number is INV-1")
    channels = server.discord.world.channels
    await server.begins(lambda: second.id in channels and server.texts(channels[second.id]))
    monkeypatch.setattr(Desk, "accept", accept)
    await server.harness.restart()
    await server.begins(lambda: first.id in channels and server.texts(channels[first.id]) == [OPENED])


@pytest.mark.parametrize("harness", [StreamingHarness], indirect=True)
async def test_a_streamed_answer_that_is_posted_again_stays_one(server, monkeypatch):
    posted, post = [], DiscordApp.post

    async def noted(app, delivery):
        posted.append((delivery, await post(app, delivery)))
        return posted[-1][1]

    monkeypatch.setattr(DiscordApp, "post", noted)
    server.alice.dm(QUESTION)
    await server.quiet()
    ((delivery, message),) = posted
    assert await post(server.harness.app, delivery) == message
    assert server.texts(server.alice.im) == [OPENED]
