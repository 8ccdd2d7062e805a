"""What goes wrong between the desk and Discord, and what people see of it: every answer, once, in order."""

import asyncio

import discord as library
import pytest

from core.config import Settings
from simulators.discord_service import Permission
from tests.adapters.discord_harness import DiscordHarness
from tests.adapters.discord_server import QUESTION, PlainHarness, Server, StreamingHarness

pytestmark = pytest.mark.usefixtures("hurried_discord")
OPENED = "I opened TKT-1001: “the printer burns” (priority normal)."
SEND = "POST /channels/{channel}/messages"
BELOW = "POST /channels/{channel}/messages/{message}/threads"
ALONE = "POST /channels/{channel}/threads"
ACKNOWLEDGE = "POST /interactions/{interaction}/{token}/callback"
FOLLOW_UP = "POST /webhooks/{app}/{token}"
FIRST = "PATCH /webhooks/{app}/{token}/messages/{message}"


@pytest.fixture(params=[DiscordHarness])
async def harness(request, tmp_path):
    settings = Settings(store=f"sqlite:///{tmp_path}/desk.db", model="offline")
    async with request.param(settings) as harness:
        yield harness


@pytest.fixture
async def server(harness):
    return Server(harness)


plain = pytest.mark.parametrize("harness", [PlainHarness], indirect=True)
streaming = pytest.mark.parametrize("harness", [StreamingHarness], indirect=True)


@pytest.fixture
def old_nonces(monkeypatch):
    """Let no nonce count any more: what is sent again is there twice."""
    monkeypatch.setattr("adapters.discord.posting.NONCE_SECONDS", 0.0)
    monkeypatch.setattr("adapters.discord.showing.NONCE_SECONDS", 0.0)


# --- calls that fail --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [
        lambda faults: faults.rate_limit(SEND, retry_after=0.01, times=2),
        lambda faults: faults.fail(SEND, times=2),
        lambda faults: faults.cut_request(SEND, times=2),
        lambda faults: faults.cut_answer(SEND, times=2),
    ],
    ids=["429", "500", "cut before", "accepted, then cut"],
)
async def test_an_answer_is_there_once_whatever_became_of_the_first_tries(server, fault):
    fault(server.discord.faults)
    server.alice.dm(QUESTION)
    await server.quiet()
    assert server.texts(server.alice.im) == [OPENED]


async def test_when_the_nonce_counts_no_more_the_answer_is_found_in_the_channel(server, old_nonces):
    server.discord.faults.cut_answer(SEND, times=1)
    server.alice.dm(QUESTION)
    await server.quiet()
    assert server.texts(server.alice.im) == [OPENED]
    assert len(server.calls(SEND)) == 1


async def test_a_thread_is_opened_once_whatever_became_of_the_first_tries(server):
    server.discord.faults.cut_answer(BELOW, times=3)
    thread = await server.ask()
    assert server.texts(thread) == [OPENED]
    assert server.discord.threads(server.help) == [thread]


async def test_a_thread_that_is_there_already_is_the_one(server, gate):
    message = server.mention()
    server.discord.faults.refuse(BELOW, 160004, times=1)
    server.alice.open_thread(server.help, "mine", message=message)
    gate.set()
    await server.quiet()
    assert server.texts(server.discord.threads(server.help)[0]) == [OPENED]


async def test_a_private_thread_whose_making_was_cut_is_found_again(server):
    server.discord.faults.cut_answer(ALONE, times=1)
    server.alice.slash("ask", channel=server.help, question=QUESTION)
    await server.quiet()
    (thread,) = server.discord.threads(server.help)
    assert server.texts(thread) == [f"Asked: {QUESTION}", OPENED]


async def test_a_private_thread_whose_making_failed_is_made_once(server):
    server.discord.faults.fail(ALONE, times=1)
    server.alice.slash("ask", channel=server.help, question=QUESTION)
    await server.quiet()
    assert len(server.discord.threads(server.help)) == 1


async def test_two_who_ask_the_same_at_once_get_two_threads_of_their_own(server):
    server.discord.faults.cut_answer(ALONE, times=2)
    for person in (server.alice, server.bob):
        person.slash("ask", channel=server.help, question=QUESTION)
    await server.quiet()
    first, second = server.discord.threads(server.help)
    members = [set(thread.thread_members) - {server.discord.app.id} for thread in (first, second)]
    assert sorted(members, key=str) == sorted([{server.alice.id}, {server.bob.id}], key=str)


async def test_what_follows_an_answer_to_a_command_is_never_sent_twice(server):
    thread = await server.ask()
    server.discord.faults.cut_answer(FOLLOW_UP, times=1)
    server.bob.press(server.ours(thread)[0], "Undo")
    await server.quiet()
    assert len(server.calls(FOLLOW_UP)) == 1
    assert len([one for one in server.ours(thread, server.bob) if one.ephemeral]) == 1


async def test_a_follow_up_that_met_a_server_error_may_be_there_and_is_held(server):
    thread = await server.ask()
    server.discord.faults.fail(FOLLOW_UP, times=3)
    server.bob.press(server.ours(thread)[0], "Undo")
    await server.quiet()
    assert len(server.discord.calls(FOLLOW_UP)) == 1


async def test_a_follow_up_that_was_refused_for_its_rate_goes_out_again(server):
    thread = await server.ask()
    server.discord.faults.rate_limit(FOLLOW_UP, retry_after=0.01, times=2)
    server.bob.press(server.ours(thread)[0], "Undo")
    await server.quiet()
    assert [call.status for call in server.discord.calls(FOLLOW_UP)] == [429, 429, 200]
    assert len([one for one in server.ours(thread, server.bob) if one.ephemeral]) == 1


async def test_the_first_answer_to_a_command_may_be_given_twice_without_harm(server):
    thread = await server.ask()
    server.discord.faults.cut_answer(FIRST, times=2)
    server.alice.slash("desk", "tickets", channel=thread)
    await server.quiet()
    assert len(server.texts(thread)) == 2
    assert "burns (open, priority normal)" in server.texts(thread)[-1]


@streaming
async def test_a_stream_whose_beginning_was_cut_is_the_one_the_answer_ends_in(server):
    server.discord.faults.cut_answer(SEND, times=1)
    server.alice.dm(QUESTION)
    await server.quiet()
    assert server.texts(server.alice.im) == [OPENED]


@streaming
async def test_under_load_with_duplicates_limits_and_cuts_every_message_has_one_answer(server):
    faults = server.discord.faults
    faults.duplicate_events(0.2)
    for route in (SEND, BELOW, "PATCH /channels/{channel}/messages/{message}"):
        faults.rate_limit(route, retry_after=0.01, probability=0.1)
        faults.cut_answer(route, probability=0.1)
        faults.fail(route, probability=0.05)
    people = [server.discord.person(f"person {number}") for number in range(8)]
    roots = {}
    for number in range(3):
        for person in people:
            person.dm(f"open a ticket: direct {number} of {person.name}")
            roots[person.id, number] = server.mention(f"open a ticket: shared {number} of {person.name}", person=person)
    await server.quiet()
    for person in people:
        answers = server.texts(person.im, person)
        assert [f"direct {number} of {person.name}" in answers[number] for number in range(3)] == [True] * 3
        assert len(answers) == 3
    threads = server.discord.threads(server.help)
    assert sorted(thread.id for thread in threads) == sorted(message.id for message in roots.values())
    assert [len(server.ours(thread)) for thread in threads] == [1] * len(threads)


# --- the gateway ------------------------------------------------------------------------------------------------------


async def test_what_was_said_while_a_socket_was_cut_is_answered_after_a_resume(server):
    server.discord.drop_sockets()
    server.alice.dm(QUESTION)
    await server.discord.until(lambda: server.discord.gateway.resumes == 1)
    await server.quiet()
    assert server.texts(server.alice.im) == [OPENED]
    assert server.discord.gateway.identifies == 1


async def test_what_was_said_before_a_refused_resume_is_read_again(server):
    server.alice.dm("hello")
    thread = await server.ask()
    server.discord.expire_sessions()
    server.discord.drop_sockets()
    server.alice.dm("my invoice number is INV-1")
    server.alice.say(thread, "my order number is ORD-2")
    await server.discord.until(lambda: server.discord.gateway.identifies == 2)
    await server.begins(lambda: len(server.texts(server.alice.im)) == 2 and len(server.texts(thread)) == 2)
    await server.quiet()
    assert (len(server.texts(server.alice.im)), len(server.texts(thread))) == (2, 2)


async def test_twenty_messages_while_the_desk_was_down_are_all_answered_once(server):
    server.alice.dm("hello")
    thread = await server.ask("hello")
    await server.harness._bot.aclose()
    for number in range(10):
        server.alice.dm(f"open a ticket: direct {number}")
        server.alice.say(thread, f"open a ticket: shared {number}")
    server.harness._bot = type(server.harness._bot)()
    await server.harness._start()
    await server.begins(lambda: len(server.texts(server.alice.im)) == 11 and len(server.texts(thread)) == 11)
    await server.quiet()
    for place, name in ((server.alice.im, "direct"), (thread, "shared")):
        answers = server.texts(place)[1:]
        assert [f"{name} {number}" in answers[number] for number in range(10)] == [True] * 10


async def test_where_nothing_was_heard_before_we_start_at_the_newest(server):
    await server.harness._bot.aclose()
    server.alice.dm(QUESTION)
    server.harness._bot = type(server.harness._bot)()
    await server.harness._start()
    await server.quiet()
    assert server.texts(server.alice.im) == []


async def test_everything_that_comes_twice_is_done_once(server):
    server.discord.faults.duplicate_events(1.0)
    thread = await server.ask("my invoice number is INV-1")
    server.alice.say(thread, QUESTION)
    await server.quiet()
    server.alice.slash("desk", "undo", channel=thread)
    await server.quiet()
    assert len(server.texts(thread)) == 2
    server.alice.slash("desk", "history", channel=thread)
    await server.quiet()
    assert "INV-1" in server.texts(thread)[-1]


async def test_a_reaction_that_comes_twice_is_one(server):
    thread = await server.ask()
    server.discord.faults.duplicate_events(1.0)
    server.alice.react(server.ours(thread)[0], "🔀")
    await server.quiet()
    assert len(server.ours(thread)) == 2


async def test_a_malformed_frame_ends_a_client_and_the_next_one_goes_on(server):
    server.discord.send_raw("nonsense")
    await asyncio.wait({server.harness.running})
    assert server.harness.running.exception() is not None
    server.alice.dm(QUESTION)
    await server.harness.connect()
    server.alice.dm("hello")
    await server.begins(lambda: server.texts(server.alice.im))
    await server.quiet()
    assert "Hello" in "".join(server.texts(server.alice.im))


async def test_a_token_that_is_refused_ends_the_client(server):
    server.harness.running.cancel()
    await asyncio.wait({server.harness.running})
    server.harness.app._token = "another"
    with pytest.raises(library.LoginFailure):
        await server.harness.app.run()


async def test_when_discord_was_away_answers_go_out_once(server, gate):
    server.alice.dm(QUESTION)
    await server.discord.settled()
    await server.harness.app.settled()
    server.discord.down()
    gate.set()
    await asyncio.wait({asyncio.ensure_future(server.harness.desk._workers.idle())})
    server.discord.up()
    await server.quiet()
    assert server.texts(server.alice.im) == [OPENED]


# --- interactions -----------------------------------------------------------------------------------------------------


async def test_an_interaction_that_was_acknowledged_already_is_answered(server):
    thread = await server.ask()
    server.discord.faults.cut_answer(ACKNOWLEDGE, times=1)
    server.discord.faults.duplicate_events(1.0)
    server.alice.slash("desk", "tickets", channel=thread)
    await server.quiet()
    assert len(server.texts(thread)) == 2


async def test_an_interaction_that_came_too_late_is_answered_directly(server):
    thread = await server.ask()
    server.discord.faults.refuse(ACKNOWLEDGE, 10062, times=1)
    server.alice.slash("desk", "tickets", channel=thread)
    await server.quiet()
    assert "burns (open, priority normal)" in server.texts(server.alice.im)[-1]


async def test_a_token_that_is_dead_is_not_used_any_more(server, monkeypatch):
    thread = await server.ask()
    monkeypatch.setattr("adapters.discord.interactions.TOKEN_SECONDS", 0.0)
    server.alice.slash("desk", "tickets", channel=thread)
    await server.quiet()
    assert "burns (open, priority normal)" in server.texts(server.alice.im)[-1]
    assert server.calls(FIRST) == []


async def test_what_the_desk_did_not_take_is_not_acknowledged(server, monkeypatch):
    desk = server.harness.desk
    monkeypatch.setattr(desk, "_open", False)
    act = server.alice.slash("desk", "tickets", channel=server.help)
    await server.discord.settled()
    assert not act.answer
    monkeypatch.setattr(desk, "_open", True)
    await act.done.wait()
    await server.quiet()


async def test_thinking_that_the_person_sent_away_does_not_keep_the_answer_back(server):
    thread = await server.ask()
    server.discord.faults.refuse(FIRST, 10008, times=1)
    server.alice.slash("desk", "tickets", channel=thread)
    await server.quiet()
    assert "burns (open, priority normal)" in server.texts(thread)[-1]


# --- places that are closed -------------------------------------------------------------------------------------------


async def test_a_thread_archived_in_mid_turn_is_taken_out_again(server, gate):
    gate.set()
    thread = await server.ask()
    gate.clear()
    server.alice.say(thread, "my invoice number is INV-1")
    await server.discord.settled()
    await server.harness.app.settled()
    server.alice.archive(thread)
    gate.set()
    await server.quiet()
    assert len(server.texts(thread)) == 2


async def test_in_a_thread_that_is_locked_or_deleted_nothing_waits_for_ever(server, gate, caplog):
    gate.set()
    locked, gone = await server.ask(), await server.ask("open a ticket: no ink")
    gate.clear()
    for thread in (locked, gone):
        server.alice.say(thread, "hello")
    await server.discord.settled()
    await server.harness.app.settled()
    moderator = server.discord.person("Mo", roles=(server.discord.role("mods", Permission.MANAGE_THREADS),))
    server.discord.forbid(server.help, server.discord.app, Permission.MANAGE_THREADS)
    moderator.archive(locked, locked=True)
    moderator.delete_thread(gone)
    gate.set()
    await server.quiet()
    assert server.harness.desk._deliveries.is_idle
    assert "refused" in caplog.text


async def test_where_a_permission_is_missing_the_log_names_it_and_all_else_goes_on(server, caplog):
    server.discord.forbid(server.help, server.discord.app, Permission.CREATE_PUBLIC_THREADS)
    other = server.discord.channel("other")
    server.mention()
    message = server.mention("hello", channel=other)
    await server.quiet()
    assert "Create Public Threads" in caplog.text
    assert server.texts(server.discord.world.channels[message.id])


@plain
async def test_a_thread_that_could_not_be_opened_is_not_counted_as_open(server):
    server.discord.forbid(server.help, server.discord.app, Permission.CREATE_PUBLIC_THREADS)
    for _ in range(3):
        server.mention()
    await server.quiet()
    server.discord.permit(server.help, server.discord.app, Permission.CREATE_PUBLIC_THREADS)
    assert server.texts(await server.ask())


async def test_who_left_the_server_keeps_nobody_waiting(server, gate):
    server.mention()
    await server.discord.settled()
    await server.harness.app.settled()
    server.discord.leave(server.alice)
    gate.set()
    await server.quiet()
    assert server.harness.desk._deliveries.is_idle
