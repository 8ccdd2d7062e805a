"""What was said while nobody listened: where it is found, and that what comes live does not overtake it."""

import time

import pytest

from adapters.discord.catch_up import PAGE, PAGES, CatchUp
from adapters.discord.listening import Listening
from adapters.discord.refs import Room, snowflake_at, snowflake_seconds
from core.config import Settings
from tests.adapters.discord_server import QUESTION, PlainHarness, Server, SupportHarness

pytestmark = pytest.mark.usefixtures("hurried_discord")
OPENED = "I opened TKT-1001: “the printer burns” (priority normal)."


@pytest.fixture(params=[SupportHarness])
async def harness(request, tmp_path):
    settings = Settings(store=f"sqlite:///{tmp_path}/desk.db", model="offline")
    async with request.param(settings) as harness:
        yield harness


@pytest.fixture
async def server(harness):
    return Server(harness)


plain = pytest.mark.parametrize("harness", [PlainHarness], indirect=True)


async def leave(server):
    await server.harness._bot.aclose()
    server.harness._bot = type(server.harness._bot)()


async def come_back(server, answered):
    await server.harness._start()
    await server.begins(answered)
    await server.quiet()


async def test_the_first_question_ever_in_a_support_channel_is_found_after_a_restart(server):
    await leave(server)
    message = server.alice.say(server.help, QUESTION)
    await come_back(server, lambda: server.discord.threads(server.help))
    assert server.texts(server.discord.world.channels[message.id]) == [OPENED]


@plain
async def test_a_mention_in_a_channel_nobody_was_heard_in_is_found_after_a_restart(server):
    await leave(server)
    server.alice.say(server.help, "not for the desk")
    message = server.mention()
    await come_back(server, lambda: server.discord.threads(server.help))
    assert [thread.id for thread in server.discord.threads(server.help)] == [message.id]


@plain
async def test_a_mention_in_somebody_elses_new_thread_is_found_after_a_restart(server):
    await leave(server)
    thread = server.alice.open_thread(server.help, "ours")
    server.mention(channel=thread)
    await come_back(server, lambda: server.texts(thread))
    assert server.texts(thread) == [OPENED]


async def test_a_support_channel_and_a_post_made_while_nobody_listened_are_read(server):
    await leave(server)
    forum = server.discord.channel("posts", forum=True)
    post = server.alice.post(forum, "No ink", QUESTION)
    await come_back(server, lambda: server.texts(post))
    assert server.texts(post) == [OPENED]


async def test_what_was_said_before_the_first_start_of_all_is_left_alone(tmp_path):
    settings = Settings(store=f"sqlite:///{tmp_path}/desk.db", model="offline")

    class Late(SupportHarness):
        async def _start(self):
            self.person("alice").say(self.channel, QUESTION)
            await super()._start()

    async with Late(settings) as harness:
        await harness.quiet()
        assert harness.discord.threads(harness.channel) == []


@plain
async def test_what_comes_live_waits_for_what_was_missed_in_its_conversation(server):
    server.alice.dm("hello")
    thread = await server.ask("hello")
    server.discord.expire_sessions()
    server.discord.drop_sockets()
    for place in (server.alice.im, thread):
        for number in range(5):
            server.alice.say(place, f"open a ticket: missed {number}")
    await server.discord.until(lambda: server.discord.gateway.identifies == 2)
    for place in (server.alice.im, thread):
        server.alice.say(place, "open a ticket: live")
    for place in (server.alice.im, thread):
        await server.begins(lambda place=place: len(server.texts(place)) == 7)
        said = [f"missed {number}" for number in range(5)] + ["live"]
        assert [word in answer for word, answer in zip(said, server.texts(place)[1:], strict=True)] == [True] * 6
    await server.quiet()


@plain
async def test_where_what_was_missed_cannot_be_read_nobody_waits_for_it(server):
    server.alice.dm("hello")
    await server.quiet()
    server.discord.faults.refuse("GET /channels/{channel}/messages", 50001)
    server.discord.expire_sessions()
    server.discord.drop_sockets()
    await server.discord.until(lambda: server.discord.gateway.identifies == 2)
    server.alice.dm(QUESTION)
    await server.begins(lambda: len(server.texts(server.alice.im)) == 2)
    await server.quiet()
    assert server.texts(server.alice.im)[-1] == OPENED


async def test_what_is_read_again_is_neither_too_old_nor_too_much():
    asked, taken = [], []

    class Api:
        async def call(self, method, path, *, query, channel_id):
            asked.append(int(query["after"]))
            return [{"id": str(int(query["after"]) + number + 1)} for number in range(query["limit"])]

    async def take(message, guild):
        taken.append(int(message["id"]))

    catch_up = CatchUp(Api(), Listening())
    catch_up.heard(Room("1", "channel", "9"), snowflake_at(time.time() - 30 * 86_400))
    catch_up.begin()
    assert await catch_up.read(take) == PAGES * PAGE == 500
    assert time.time() - snowflake_seconds(str(asked[0])) < 7 * 86_400 + 60
    assert taken == sorted(taken) and len(asked) == PAGES


@plain
async def test_what_was_said_where_the_client_knows_of_no_channel_waits_until_discord_tells(server, monkeypatch):
    asked = server.alice.open_thread(server.help, "ours")
    await server.quiet()
    monkeypatch.setattr(server.harness.app._parts.rooms._client, "get_channel", lambda _: None)
    server.discord.faults.fail("GET /channels/{channel}", times=12)
    server.mention(channel=asked)
    await server.begins(lambda: server.texts(asked))
    await server.quiet()
    assert server.texts(asked) == [OPENED]
