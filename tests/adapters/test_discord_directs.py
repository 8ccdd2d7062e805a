"""A first direct message while nobody listens: Discord tells bots of no direct conversation by itself."""

import pytest

from adapters.discord.catch_up import CatchUp
from adapters.discord.directs import MINUTE, MOST_A_MINUTE, Directs
from core.config import Settings
from tests.adapters.discord_server import QUESTION, PlainHarness, Server

pytestmark = pytest.mark.usefixtures("hurried_discord")
OPENED = "I opened TKT-1001: “the printer burns” (priority normal)."


@pytest.fixture
async def server(tmp_path):
    async with PlainHarness(Settings(store=f"sqlite:///{tmp_path}/desk.db", model="offline")) as harness:
        yield Server(harness)


async def leave(server):
    await server.harness._bot.aclose()
    server.harness._bot = type(server.harness._bot)()


async def test_who_spoke_in_the_server_before_is_found(server):
    await server.ask("hello")
    await leave(server)
    server.alice.dm(QUESTION)
    await server.harness._start()
    await server.begins(lambda: server.texts(server.alice.im))
    assert server.texts(server.alice.im) == [OPENED]


async def test_who_only_said_a_command_there_is_found(server):
    server.alice.slash("desk", "whoami", channel=server.help)
    await server.quiet()
    await leave(server)
    server.alice.dm(QUESTION)
    await server.harness._start()
    await server.begins(lambda: OPENED in server.texts(server.alice.im))


async def test_who_was_answered_directly_is_found(server):
    thread = await server.ask("hello")
    server.alice.say(thread, "!history")
    await server.quiet()
    await leave(server)
    server.alice.dm(QUESTION)
    await server.harness._start()
    await server.begins(lambda: OPENED in server.texts(server.alice.im))


async def test_a_stranger_is_found_once_they_speak_in_the_server_and_is_answered_once(server):
    await leave(server)
    server.alice.dm(QUESTION)
    await server.harness._start()
    await server.quiet()
    assert server.texts(server.alice.im) == []
    await server.ask("are you there?")
    await server.begins(lambda: server.texts(server.alice.im))
    await server.quiet()
    assert server.texts(server.alice.im) == [OPENED]


async def test_who_did_not_speak_to_the_desk_is_not_met(server):
    server.alice.say(server.help, "hello everybody")
    await server.quiet()
    assert server.calls("POST /users/@me/channels") == []


async def test_one_is_met_once_and_few_in_a_minute():
    class Api:
        def __init__(self):
            self.opened = []

        async def call(self, method, path, *, body):
            self.opened.append(body["recipient_id"])
            return {"id": f"9{body['recipient_id']}"}

    class NeverListened:
        def missed(self, message):
            return False

    now, api = [0.0], Api()
    directs = Directs(api, CatchUp(api, NeverListened()), lambda: now[0])
    people = [str(number) for number in range(MOST_A_MINUTE + 5)]
    for person in (*people, *people):
        await directs.meet(person)
    assert api.opened == people[:MOST_A_MINUTE]
    now[0] += MINUTE
    for person in people:
        await directs.meet(person)
    assert api.opened == people
