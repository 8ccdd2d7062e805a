"""What the app does on Discord beside what every platform does."""

import asyncio
import gc
import weakref
from dataclasses import replace
from itertools import pairwise

import pytest

from adapters.discord import showing
from adapters.discord.client import FRAMES_AT_ONCE, unhurried
from adapters.discord.pressing import TOO_FAST
from core.config import Settings
from tests.adapters.discord_server import (
    QUESTION,
    BlindHarness,
    PlainHarness,
    Server,
    SlowHarness,
    StreamingHarness,
    SupportHarness,
)

pytestmark = pytest.mark.usefixtures("hurried_discord")
OPENED = "I opened TKT-1001: “the printer burns” (priority normal)."
support = pytest.mark.parametrize("harness", [SupportHarness], indirect=True)
blind = pytest.mark.parametrize("harness", [BlindHarness], indirect=True)
streaming = pytest.mark.parametrize("harness", [StreamingHarness], indirect=True)
slow = pytest.mark.parametrize("harness", [SlowHarness], indirect=True)
SEND = "POST /channels/{channel}/messages"


@pytest.fixture(params=[PlainHarness])
async def harness(request, tmp_path):
    pace = {"customer": {"messages_a_minute": request.param.messages_a_minute}}
    settings = Settings(store=f"sqlite:///{tmp_path}/desk.db", model="offline", pace=pace)
    async with request.param(settings) as harness:
        yield harness


@pytest.fixture
async def server(harness):
    return Server(harness)


# --- conversations ----------------------------------------------------------------------------------------------------


async def test_a_mention_opens_a_thread_on_the_message_and_is_answered_there(server):
    thread = await server.ask()
    assert thread.parent == server.help.id
    assert thread.name == QUESTION[:60]
    assert server.texts(thread) == [OPENED]
    assert server.texts(server.help) == []


async def test_in_a_channel_that_is_not_for_support_only_a_mention_counts(server):
    server.alice.say(server.help, QUESTION)
    await server.quiet()
    assert server.discord.threads(server.help) == []


@support
async def test_a_message_in_a_support_channel_opens_a_thread(server):
    message = server.alice.say(server.help, QUESTION)
    await server.quiet()
    assert server.texts(server.discord.world.channels[message.id]) == [OPENED]


@support
async def test_a_post_in_a_support_forum_is_a_session(server):
    forum = server.discord.channel("posts", forum=True)
    post = server.alice.post(forum, "No ink", QUESTION)
    await server.quiet()
    server.alice.say(post, "my invoice number is INV-1")
    await server.quiet()
    assert server.texts(post)[0] == OPENED
    assert len(server.texts(post)) == 2


async def test_a_thread_is_the_conversation(server):
    thread = await server.ask("my invoice number is INV-2041")
    server.alice.say(thread, "what was my invoice number?")
    await server.quiet()
    assert "INV-2041" in server.texts(thread)[-1]


async def test_who_did_not_speak_in_a_thread_before_is_not_answered_there_unasked(server):
    thread = await server.ask()
    server.bob.say(thread, "good luck!")
    await server.quiet()
    assert len(server.texts(thread)) == 1


async def test_other_bots_and_webhooks_are_not_answered(server):
    bot = server.discord.other_bot("Build")
    bot.say(server.help, f"{server.discord.mention} hello")
    bot.webhook(server.help, f"{server.discord.mention} hello")
    await server.quiet()
    assert server.discord.threads(server.help) == []


async def test_a_question_that_is_asked_is_answered_in_a_thread_of_ones_own(server):
    server.alice.slash("ask", channel=server.help, question=QUESTION)
    await server.quiet()
    (thread,) = server.discord.threads(server.help)
    assert server.texts(thread) == [f"Asked: {QUESTION}", OPENED]
    assert set(thread.thread_members) == {server.alice.id, server.discord.app.id}
    assert server.discord.seen_by(server.bob, thread) == []
    assert [one.text for one in server.ours(server.help)] == [f"See #{thread.name}."]


async def test_what_was_asked_in_private_goes_on_in_its_thread_after_a_restart(server):
    server.alice.slash("ask", channel=server.help, question="my invoice number is INV-2041")
    await server.quiet()
    await server.harness.restart()
    (thread,) = server.discord.threads(server.help)
    server.alice.say(thread, "what was my invoice number?")
    await server.quiet()
    assert "INV-2041" in server.texts(thread)[-1]


async def test_nobody_has_more_than_three_threads_open(server):
    for number in range(4):
        server.mention(f"open a ticket: thing {number}")
        await server.quiet()
    assert len(server.discord.threads(server.help)) == 3
    await server.begins(lambda: server.texts(server.alice.im))
    assert "3 conversations open" in server.texts(server.alice.im)[-1]


async def test_an_archived_thread_is_not_open(server):
    threads = [await server.ask(f"open a ticket: thing {number}") for number in range(3)]
    server.alice.archive(threads[0])
    await server.quiet()
    assert server.texts(await server.ask("open a ticket: one more"))


@slow
async def test_a_mention_that_is_too_many_opens_no_thread(server):
    for number in range(4):
        server.mention(f"open a ticket: thing {number}")
    await server.quiet()
    threads = server.discord.threads(server.help)
    assert [server.texts(thread) for thread in threads if "more than 1 message a minute" in server.texts(thread)[0]]
    assert len(threads) == 2


@slow
async def test_a_question_that_is_too_many_opens_no_thread_and_nobody_waits_for_its_answer(server):
    for number in range(4):
        server.alice.slash("ask", channel=server.help, question=f"open a ticket: thing {number}")
        await server.quiet()
    assert len(server.discord.threads(server.help)) == 2
    assert not any(one.loading for one in server.discord.seen_by(server.alice, server.help))
    assert len([text for text in server.texts(server.help) if text == TOO_FAST]) == 2


async def test_files_and_stickers_are_noted_and_not_read(server):
    thread = await server.ask()
    server.alice.say(thread, "", files={"error.log": b"secret words"})
    server.alice.send_sticker(thread, "Burning printer")
    await server.quiet()
    assert len(server.texts(thread)) == 3
    assert "secret words" not in "".join(server.texts(thread))


async def test_resolving_archives_the_thread_and_writing_reopens_it(server):
    thread = await server.ask()
    server.alice.say(thread, "resolve TKT-1001")
    await server.quiet()
    assert thread.archived
    server.alice.say(thread, "hello")
    await server.quiet()
    assert not thread.archived
    assert len(server.texts(thread)) == 3


async def test_what_lies_in_the_archive_comes_out_when_it_is_changed(server):
    thread = await server.ask()
    server.alice.archive(thread)
    server.alice.slash("desk", "undo", channel=thread)
    await server.quiet()
    assert server.texts(thread)[0].startswith("Taken back.")


async def test_a_message_that_is_gone_when_it_is_to_be_changed_keeps_nobody_waiting(server):
    thread = await server.ask()
    server.discord.faults.refuse("PATCH /channels/{channel}/messages/{message}", 10008, times=1)
    server.alice.say(thread, "!undo")
    await server.quiet()
    server.alice.say(thread, QUESTION)
    await server.quiet()
    assert "I opened TKT-1002" in server.texts(thread)[-1]


async def test_when_a_moderator_takes_all_reactions_off_nothing_is_brought_back(server):
    thread = await server.ask()
    (answer,) = server.ours(thread)
    server.alice.react(answer, "↩")
    await server.quiet()
    server.discord.person("Mo", roles=(server.discord.role("mods", manage()),)).clear_reactions(answer)
    await server.quiet()
    assert server.texts(thread)[0].startswith("Taken back.")
    assert not server.discord.world.channels[thread.id].messages[answer.id].reactions


# --- without the intent to read messages ------------------------------------------------------------------------------


@blind
async def test_without_the_intent_mentions_direct_messages_and_commands_work(server):
    thread = await server.ask()
    assert server.texts(thread)[0].startswith(OPENED)
    assert "Reply to this message or mention me" in server.texts(thread)[0]
    server.alice.dm("hello")
    await server.quiet()
    assert server.texts(server.alice.im) == ["Hello, alice. What can I do for you?"]


@blind
async def test_what_cannot_be_read_is_said_so_once(server):
    thread = await server.ask()
    server.alice.say(thread, "and now it smokes")
    server.alice.say(thread, "a lot")
    await server.quiet()
    assert sum("I cannot read this here" in text for text in server.texts(thread)) == 1
    assert server.harness.app.content_missing


# --- how it is said ---------------------------------------------------------------------------------------------------


async def test_a_mention_of_everyone_in_an_answer_pings_nobody(server):
    thread = await server.ask("open a ticket: @everyone look")
    (answer,) = server.ours(thread)
    assert answer.pings == ()
    assert "@everyone" not in answer.text
    assert answer.suppressed


async def test_four_thousand_characters_are_read(server):
    nitro = server.discord.person("Nina", nitro=True)
    nitro.dm("a" * 3_990 + " the end")
    await server.quiet()
    assert len(server.texts(nitro.im, nitro)) >= 1
    assert "Something went wrong" not in server.texts(nitro.im, nitro)[0]


async def test_every_send_names_its_mentions(server):
    await server.ask()
    server.alice.slash("ask", channel=server.help, question=QUESTION)
    await server.quiet()
    said = server.calls(SEND) + server.calls("PATCH *messages*")
    assert said
    assert all(call.args["allowed_mentions"]["parse"] == [] and call.args["flags"] & 4 for call in said)


@streaming
async def test_a_long_answer_grows_and_ends_whole(server):
    server.alice.dm(QUESTION)
    await server.quiet()
    (answer,) = server.ours(server.alice.im)
    assert answer.text == OPENED
    assert server.calls("POST /channels/{channel}/typing")


async def test_a_moderator_who_deletes_our_answer_redacts_it(server):
    thread = await server.ask("my invoice number is INV-2041")
    moderator = server.discord.person("Mo", roles=(server.discord.role("mods", manage()),))
    moderator.delete(server.discord.world.channels[thread.id].messages[server.ours(thread)[0].id])
    server.alice.slash("desk", "history", channel=thread)
    await server.quiet()
    assert "removed by a moderator" in server.texts(thread)[-1]


def manage():
    from simulators.discord_service import Permission

    return Permission.MANAGE_MESSAGES


async def test_what_we_remove_ourselves_is_no_moderators_doing(server):
    thread = await server.ask("my invoice number is INV-2041")
    message = server.ours(thread)[0].id
    await server.harness.app._parts.removing.remove(thread.id, message)
    server.alice.slash("desk", "history", channel=thread)
    await server.quiet()
    assert "removed by a moderator" not in server.texts(thread)[-1]


async def test_all_that_is_kept_of_a_person_comes_as_a_file(server):
    server.alice.dm("my invoice number is INV-2041")
    server.alice.slash("desk", "export")
    await server.quiet()
    (sent,) = [one for one in server.ours(server.alice.im) if one.files]
    (path,) = [path for path in server.discord.world.files if path.endswith(sent.files[0])]
    assert b"INV-2041" in server.discord.world.files[path]


@streaming
async def test_a_reaction_on_an_answer_in_the_making_stops_it(server, monkeypatch):
    show = server.harness.app.show

    async def held(progress):
        await show(progress)
        if progress.text:
            await server.begins(lambda: server.ours(server.alice.im))
            server.alice.react(server.ours(server.alice.im)[0], "🛑")
            await asyncio.Event().wait()

    monkeypatch.setattr(server.harness.app, "show", held)
    server.alice.dm("hello")
    await server.quiet()
    assert [text.endswith("(stopped)") for text in server.texts(server.alice.im)] == [True]


async def test_what_was_said_in_a_thread_before_is_read_along(server):
    thread = server.alice.open_thread(server.help, "printers")
    server.bob.say(thread, "the printer of room 3 burns")
    server.mention("open a ticket: what bob said", channel=thread)
    await server.quiet()
    ref = server.harness.app._parts.rooms.at(thread.id, server.discord.acme.id).ref(server.alice.id)
    (asked, *_) = await server.harness.desk.items_at(ref)
    assert "(read along, bob said:) the printer of room 3 burns" in asked["content"]


@pytest.mark.parametrize("shards", [{}, {"shards": (0,), "shard_count": 1}])
async def test_the_gateways_own_address_is_never_used(server, shards):
    server.harness._aim = replace(server.harness._aim, **shards)
    # What Discord names as its gateway, and in READY for a resume, from here on.
    server.discord.world.base_url = "http://gateway.invalid"
    await server.harness.restart()
    server.discord.drop_sockets()
    await server.discord.until(lambda: server.discord.gateway.resumes == 1)
    server.alice.dm("hello")
    await server.quiet()
    assert len(server.texts(server.alice.im)) == 1


async def test_of_many_threads_in_the_archive_the_oldest_are_forgotten_and_go_on_all_the_same(server, monkeypatch):
    monkeypatch.setattr("adapters.discord.threads.KEPT", 2)
    threads = []
    for number in range(5):
        threads.append(await server.ask(f"my invoice number is INV-{number}"))
        server.alice.archive(threads[-1])
        await server.quiet()
    await server.harness.restart()
    assert len(server.harness.app._parts.threads._threads) <= 3
    server.alice.say(threads[0], "what is my invoice number?")
    await server.quiet()
    assert "INV-0" in server.texts(threads[0])[-1]


async def test_what_was_shown_is_gone_at_once_when_the_answer_is_there(server, monkeypatch):
    tasks, end = [], showing._end

    async def noted(shown):
        tasks.extend(map(weakref.ref, shown.tasks))
        await end(shown)

    monkeypatch.setattr(showing, "_end", noted)
    gc.disable()
    try:
        server.alice.dm("hello")
        await server.quiet()
        assert [task() for task in tasks] == [None, None]
    finally:
        gc.enable()


async def test_frames_that_come_together_let_others_have_their_turn():
    frames, seen = list(range(100)), []

    class Socket:
        async def receive(self, timeout=None):
            return frames.pop(0)

    async def read(socket):
        while frames:
            await socket.receive()

    reading = asyncio.create_task(read(unhurried(Socket())))
    while not reading.done():
        seen.append(len(frames))
        await asyncio.sleep(0)
    assert max(before - later for before, later in pairwise(seen)) <= FRAMES_AT_ONCE
