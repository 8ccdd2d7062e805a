"""A branch opens as a thread of its own, beside the one it comes from."""

import pytest

from adapters.discord.app import DiscordApp
from adapters.discord.wanting import WANTED
from bots.absent import absent_platforms
from core.config import Settings
from core.errors import RejectedError
from core.models import ConversationRef, Delivery
from simulators.discord_service import Permission
from tests.adapters.discord_server import PlainHarness, Server, SupportHarness

pytestmark = pytest.mark.usefixtures("hurried_discord")
ALONE = "POST /channels/{channel}/threads"


@pytest.fixture(params=[PlainHarness])
async def harness(request, tmp_path):
    settings = Settings(store=f"sqlite:///{tmp_path}/desk.db", model="offline")
    async with request.param(settings) as harness:
        yield harness


@pytest.fixture
async def server(harness):
    return Server(harness)


async def branched(server, thread):
    server.alice.say(thread, "!branch cheaper")
    await server.quiet()
    server.alice.press(server.ours(thread)[-1], "Open as a thread")
    await server.quiet()
    return next(one for one in server.discord.threads(server.help) if "cheaper" in one.name)


async def test_the_button_opens_a_thread_that_starts_from_the_turn(server):
    thread = await server.ask("my invoice number is INV-1")
    there = await branched(server, thread)
    assert "This is branch cheaper, from turn 1 of #" in server.texts(there)[0]
    server.alice.say(there, "what is my invoice number?")
    await server.quiet()
    assert "INV-1" in server.texts(there)[-1]
    server.alice.say(thread, "!history")
    await server.quiet()
    assert "what is my invoice number?" not in server.texts(server.alice.im)[-1]


@pytest.mark.parametrize("cut", [True, False])
async def test_it_is_opened_once_also_where_the_answer_of_the_call_is_lost(server, cut):
    thread = await server.ask("my invoice number is INV-1")
    if cut:
        server.discord.faults.cut_answer(ALONE, times=1)
    server.discord.faults.duplicate_events(1.0)
    server.mention("!branch cheaper thread", channel=thread)
    await server.quiet()
    there = [one for one in server.discord.threads(server.help) if "cheaper" in one.name]
    assert len(there) == 1
    assert len(server.texts(there[0])) == 1


async def test_after_a_restart_each_thread_keeps_to_its_own_line(server):
    thread = await server.ask("my invoice number is INV-1")
    there = await branched(server, thread)
    await server.harness.restart()
    server.alice.say(there, "my order number is ORD-2")
    server.alice.say(thread, "hello")
    await server.quiet()
    for place, known in ((there, True), (thread, False)):
        server.alice.slash("desk", "history", channel=place)
        await server.quiet()
        assert ("ORD-2" in server.texts(place)[-1]) is known


async def test_a_branch_of_a_private_thread_is_private(server):
    server.alice.slash("ask", channel=server.help, question="my invoice number is INV-1")
    await server.quiet()
    (thread,) = server.discord.threads(server.help)
    there = await branched(server, thread)
    assert there.type == thread.type
    assert server.bob.id not in there.thread_members


async def test_where_no_thread_may_be_opened_that_is_said_and_nothing_is_branched(server):
    thread = await server.ask("my invoice number is INV-1")
    server.discord.forbid(server.help, server.discord.app, Permission.CREATE_PUBLIC_THREADS)
    server.mention("!branch cheaper thread", channel=thread)
    await server.quiet()
    assert "I may not open a thread here" in server.texts(server.alice.im)[-1]
    server.alice.slash("desk", "branches", channel=thread)
    await server.quiet()
    assert "cheaper" not in server.texts(thread)[-1]


@pytest.mark.parametrize("harness", [SupportHarness], indirect=True)
async def test_beside_a_post_of_a_forum_there_is_no_thread(server):
    post = server.alice.post(server.discord.channel("posts", forum=True), "No ink", "my invoice number is INV-1")
    await server.quiet()
    server.alice.say(post, "!branch cheaper thread")
    await server.quiet()
    assert "I can open no thread beside this conversation" in server.texts(server.alice.im)[-1]


@pytest.fixture
def _worked_elsewhere(server, monkeypatch):
    """What a process without a client does, which wants the thread and knows of no link."""
    absent = next(one for one in absent_platforms([]) if one.name == "discord")
    absent.remember_in(server.harness.app._parts.notes)

    async def open_beside(_, ref, *, key, title):
        return await absent.open_beside(ref, key=key, title=title)

    async def link(_, ref):
        return await absent.link(ref)

    monkeypatch.setattr(DiscordApp, "open_beside", open_beside)
    monkeypatch.setattr(DiscordApp, "link", link)


elsewhere = pytest.mark.usefixtures("_worked_elsewhere")


@elsewhere
@pytest.mark.parametrize("cut", [True, False])
async def test_a_thread_that_a_process_wants_which_speaks_no_discord_is_opened_once(server, cut):
    thread = await server.ask("my invoice number is INV-1")
    if cut:
        server.discord.faults.cut_answer(ALONE, times=1)
    there = await branched(server, thread)
    assert "This is branch cheaper, from turn 1" in server.texts(there)[0]
    assert server.texts(thread)[-1].startswith("Branch cheaper goes on in a thread of its own. This one")
    server.alice.say(there, "what is my invoice number?")
    await server.quiet()
    assert "INV-1" in server.texts(there)[-1]
    assert len([one for one in server.discord.threads(server.help) if "cheaper" in one.name]) == 1
    assert await server.harness.app._parts.notes.all(WANTED) == {}


@elsewhere
async def test_where_a_wanted_thread_may_not_be_opened_that_is_said_where_the_branch_comes_from(server):
    thread = await server.ask("my invoice number is INV-1")
    server.discord.forbid(server.help, server.discord.app, Permission.CREATE_PUBLIC_THREADS)
    server.alice.say(thread, "!branch cheaper thread")
    await server.quiet()
    told = "I could open no thread for cheaper (branch) here: say `switch cheaper` to go on with it in this place."
    assert server.texts(thread).count(told) == 1
    server.alice.say(thread, "!switch cheaper")
    await server.quiet()
    assert "You are on branch cheaper now" in server.texts(thread)[-1]


async def test_a_place_that_nobody_wanted_is_left_alone(server):
    with pytest.raises(RejectedError):
        ref = ConversationRef("discord", server.discord.acme.id, "1234", server.alice.id, "1234", direct=False)
        await server.harness.app.post(Delivery("k1", "reply", ref, "m1", "s", None, "hello"))
    assert server.discord.threads(server.help) == []
