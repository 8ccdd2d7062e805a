"""Where the app may open no thread: the conversation stands in the channel, and people are told who can mend it."""

import pytest

from core.config import Settings
from simulators.discord_service import Permission
from tests.adapters.discord_server import QUESTION, PlainHarness, Server, StreamingHarness

pytestmark = pytest.mark.usefixtures("hurried_discord")
OPENED = "I opened TKT-1001: “the printer burns” (priority normal)."


@pytest.fixture(params=[PlainHarness])
async def harness(request, tmp_path):
    settings = Settings(store=f"sqlite:///{tmp_path}/desk.db", model="offline")
    async with request.param(settings) as harness:
        server = Server(harness)
        for permission in (Permission.CREATE_PUBLIC_THREADS, Permission.CREATE_PRIVATE_THREADS):
            server.discord.forbid(server.help, server.discord.app, permission)
        yield harness


@pytest.fixture
async def server(harness):
    return Server(harness)


async def ask(server, text=QUESTION):
    message = server.mention(text)
    await server.quiet()
    return message


@pytest.mark.parametrize("harness", [PlainHarness, StreamingHarness], indirect=True)
async def test_the_answer_stands_in_the_channel_and_the_person_is_told_where_to_grant_it(server):
    message = await ask(server)
    told, answer = server.ours(server.help)
    assert "Create Public Threads" in told.text
    assert answer.text == OPENED
    assert server.harness.found(answer.id).reference["message_id"] == message.id
    assert server.texts(server.alice.im) == []


async def test_who_replies_there_goes_on_in_the_same_conversation(server):
    await ask(server, "my invoice number is INV-1")
    answer = server.ours(server.help)[-1]
    server.alice.say(server.help, "what is my invoice number?", reply_to=server.harness.found(answer.id))
    await server.quiet()
    assert "INV-1" in server.texts(server.help)[-1]
    assert len(server.ours(server.help)) == 3


async def test_it_is_said_once_for_a_conversation(server):
    await ask(server)
    answer = server.ours(server.help)[-1]
    server.alice.say(server.help, "hello", reply_to=server.harness.found(answer.id))
    await server.quiet()
    assert sum("Create Public Threads" in text for text in server.texts(server.help)) == 1


async def test_a_reaction_on_the_answer_takes_it_back(server):
    await ask(server)
    server.alice.react(server.ours(server.help)[-1], "↩")
    await server.quiet()
    assert "Taken back" in server.texts(server.help)[-1]


async def test_after_a_restart_the_conversation_still_stands_in_the_channel(server):
    await ask(server)
    answer = server.ours(server.help)[-1]
    await server.harness.restart()
    server.alice.say(server.help, "hello", reply_to=server.harness.found(answer.id))
    await server.quiet()
    assert len(server.ours(server.help)) == 3
    assert server.discord.threads(server.help) == []


async def test_where_no_private_thread_may_be_opened_the_answer_comes_directly(server):
    server.alice.slash("ask", channel=server.help, question=QUESTION)
    await server.quiet()
    assert server.texts(server.alice.im) == [OPENED]
    (told,) = server.ours(server.help)
    assert told.ephemeral and "Create Private Threads" in told.text


async def test_once_it_is_granted_threads_open_again(server):
    await ask(server)
    server.discord.permit(server.help, server.discord.app, Permission.CREATE_PUBLIC_THREADS)
    message = await ask(server)
    assert [thread.id for thread in server.discord.threads(server.help)] == [message.id]
