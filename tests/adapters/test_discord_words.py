"""How the desk's words are said on Discord: commands, menus and buttons."""

import json

import pytest

from adapters.discord.words import STAFF_WORDS
from core.config import Settings
from core.words import WORDS
from tests.adapters.discord_server import QUESTION, PlainHarness, Server

pytestmark = pytest.mark.usefixtures("hurried_discord")
OPENED = "I opened TKT-1001: “the printer burns” (priority normal)."


@pytest.fixture
async def harness(tmp_path):
    settings = Settings(store=f"sqlite:///{tmp_path}/desk.db", model="offline")
    async with PlainHarness(settings) as harness:
        yield harness


@pytest.fixture
async def server(harness):
    return Server(harness)


# --- words ------------------------------------------------------------------------------------------------------------


async def test_a_word_that_answers_privately_in_a_thread_without_a_command_answers_directly(server):
    thread = await server.ask()
    server.alice.say(thread, "!tickets")
    await server.quiet()
    assert "burns (open, priority normal)" in server.texts(server.alice.im)[-1]
    assert server.texts(thread) == [OPENED]


async def test_who_takes_no_direct_messages_gets_one_neutral_line(server):
    thread = await server.ask()
    server.discord.close_dms(server.alice)
    server.alice.say(thread, "!tickets")
    await server.quiet()
    (line,) = server.texts(thread)[1:]
    assert "in private" in line
    assert "TKT" not in line


async def test_a_command_is_acknowledged_for_the_asker_alone_and_answered_once(server):
    thread = await server.ask()
    act = server.alice.slash("desk", "tickets", channel=thread)
    await server.quiet()
    assert act.answer["data"]["flags"] & 64
    assert "burns (open, priority normal)" in server.texts(thread)[-1]
    assert server.texts(thread, server.bob) == [OPENED]


@pytest.mark.parametrize("word", ["undo", "helpful", "not-helpful", "stop", "branch", "mute", "retry"])
async def test_no_command_goes_on_thinking(server, word):
    thread = await server.ask()
    server.alice.slash("desk", word, channel=thread)
    await server.quiet()
    assert not any(one.loading for one in server.discord.seen_by(server.alice, thread))


async def test_a_word_in_a_channel_means_the_only_conversation_there_is(server):
    thread = await server.ask()
    server.alice.slash("desk", "undo", channel=server.help)
    await server.quiet()
    assert server.texts(thread)[0].startswith("Taken back.")


async def test_a_word_in_a_channel_that_could_mean_several_conversations_lets_pick(server):
    first, second = await server.ask(), await server.ask("open a ticket: no ink")
    server.alice.slash("desk", "undo", channel=server.help)
    await server.quiet()
    (asked,) = server.ours(server.help)
    assert asked.ephemeral
    server.alice.press(asked, next(one.label for one in asked.buttons if "burns" in one.label))
    await server.quiet()
    assert server.texts(first)[0].startswith("Taken back.")
    assert "I opened TKT-1002" in server.texts(second)[0]


async def test_an_answer_to_a_command_in_a_channel_says_what_it_is_about(server):
    thread = await server.ask()
    server.alice.slash("ticket-summary", channel=server.help)
    await server.quiet()
    assert server.texts(server.help)[0].startswith(f"About: {QUESTION} (#{thread.name})")


async def test_a_menu_takes_back_from_a_message_on(server):
    thread = await server.ask()
    (answer,) = server.ours(thread)
    server.alice.menu("Undo from here", answer)
    await server.quiet()
    assert server.texts(thread)[0].startswith("Taken back.")


async def test_a_menu_makes_a_ticket_of_a_message(server):
    message = server.alice.say(server.help, "the printer burns")
    await server.quiet()
    server.alice.menu("Create ticket", message)
    await server.quiet()
    assert server.texts(server.discord.world.channels[message.id]) == [OPENED]


async def test_tickets_and_branches_are_offered(server):
    thread = await server.ask()
    server.alice.slash("desk", "branch", channel=thread, name="what-if")
    await server.quiet()
    tickets = server.alice.autocomplete("desk", "ticket", "ticket", typed="print", channel=thread)
    branches = server.alice.autocomplete("desk", "switch", "name", typed="", channel=thread)
    await tickets.done.wait()
    await branches.done.wait()
    assert tickets.choices == ["TKT-1001: the printer burns"]
    assert set(branches.choices) == {"main", "what-if"}


async def test_every_word_is_a_command_and_staff_words_are_among_them(server):
    registered = {command["name"]: command for command in server.discord.commands.registered()}
    spoken = {option["name"].replace("-", " ") for option in registered["desk"]["options"]}
    assert {word.name.replace("-", " ") for word in WORDS if word.needs == "own"} == {
        *spoken,
        "ticket summary",
        "link",
        "unlink",
    }
    assert {word.name for word in WORDS if word.needs != "own"} < set(STAFF_WORDS)
    staff = {option["name"] for option in registered["desk-staff"]["options"]}
    assert staff == {name.replace(" ", "-") for name in STAFF_WORDS}
    assert registered["desk"]["contexts"] == [0, 1]
    assert registered["desk-staff"]["contexts"] == [0]
    assert registered["desk-staff"]["default_member_permissions"] == 1 << 34


async def test_commands_are_told_only_when_they_changed(server):
    assert server.discord.commands.syncs == 1
    await server.harness.restart()
    assert server.discord.commands.syncs == 1


# --- buttons ----------------------------------------------------------------------------------------------------------


async def test_buttons_work_after_a_restart(server):
    thread = await server.ask()
    await server.harness.restart()
    server.alice.press(server.ours(thread)[0], "Undo")
    await server.quiet()
    assert server.texts(thread)[0].startswith("Taken back.")


async def test_below_an_answer_stand_five_buttons_and_none_below_a_word(server):
    thread = await server.ask()
    assert [one.label for one in server.ours(thread)[0].buttons] == [
        "Undo",
        "Retry",
        "Summary",
        "Helpful",
        "Not helpful",
    ]
    server.alice.say(thread, "!undo")
    await server.quiet()
    assert not server.ours(thread)[0].buttons


async def test_the_button_for_a_summary_works_after_a_restart_and_answers_the_asker_alone(server):
    thread = await server.ask()
    await server.harness.restart()
    server.alice.press(server.ours(thread)[0], "Summary")
    await server.quiet()
    answer, summary = server.ours(thread)
    assert answer.text == OPENED
    assert summary.ephemeral and "the printer burns" in summary.text


async def test_a_button_of_somebody_elses_answer_is_refused_privately(server):
    thread = await server.ask()
    server.bob.press(server.ours(thread)[0], "Undo")
    await server.quiet()
    assert server.texts(thread) == [OPENED]
    (refusal,) = [one for one in server.ours(thread, server.bob) if one.ephemeral]
    assert refusal.text


async def test_a_forged_button_reaches_nobody_elses_conversation(server):
    await server.ask("my invoice number is INV-2041")
    other = await server.ask("hello", person=server.bob)
    mark = json.dumps({"c": "history", "a": ["in:" + "0" * 12]})
    server.bob.press(server.ours(other, server.bob)[0], custom_id=f"desk:0#{mark}")
    await server.quiet()
    shown = server.texts(other, server.bob) + server.texts(server.bob.im, server.bob)
    assert "INV-2041" not in "".join(shown)
