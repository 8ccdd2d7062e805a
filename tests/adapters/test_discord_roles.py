"""Who is staff on Discord: by name, or by a role of the server; nobody else."""

import pytest

from core.config import Settings
from tests.adapters.discord_server import QUESTION, Server
from tests.adapters.discord_staff import StaffHarness

pytestmark = pytest.mark.usefixtures("hurried_discord")
UNDO = "↩"


@pytest.fixture
async def server(tmp_path):
    settings = Settings(store=f"sqlite:///{tmp_path}/desk.db", model="offline")
    async with StaffHarness(settings) as harness:
        yield Server(harness)


@pytest.mark.parametrize(("name", "opened"), [("mo", 0), ("ada", 0), ("bob", 1), ("alice", 1)])
async def test_a_message_of_staff_in_a_support_channel_opens_nothing(server, name, opened):
    server.harness.person(name).say(server.help, "the printer of room 3 is repaired")
    await server.quiet()
    assert len(server.discord.threads(server.help)) == opened


async def test_a_role_lets_somebody_undo_what_others_said_and_bring_it_back(server):
    thread = await server.ask()
    answer, mo = server.ours(thread)[0], server.harness.person("mo")
    mo.react(answer, UNDO)
    await server.quiet()
    assert "Taken back" in server.texts(thread)[0]
    mo.unreact(answer, UNDO)
    await server.quiet()
    assert "I opened TKT-1001" in server.texts(thread)[0]


@pytest.mark.parametrize("way", ["react", "press", "command"])
async def test_without_a_role_nobody_undoes_what_others_said(server, way):
    thread = await server.ask()
    answer, bob = server.ours(thread)[0], server.harness.person("bob")
    if way == "react":
        bob.react(answer, UNDO)
    elif way == "press":
        bob.press(answer, "Undo")
    else:
        bob.slash("desk", "undo", channel=thread)
    await server.quiet()
    assert server.ours(thread)[0].text.startswith("I opened TKT-1001")


@pytest.mark.parametrize("way", ["press", "command", "word"])
async def test_a_role_counts_on_every_way(server, way):
    thread = await server.ask()
    answer, mo = server.ours(thread)[0], server.harness.person("mo")
    if way == "press":
        mo.press(answer, "Undo")
    elif way == "command":
        mo.slash("desk-staff", "undo", channel=thread)
    else:
        server.mention("!undo", person=mo, channel=thread)
    await server.quiet()
    assert "Taken back" in server.texts(thread)[0]


async def test_a_role_that_was_taken_away_counts_no_more(server):
    thread = await server.ask(QUESTION)
    mo = server.harness.person("mo")
    server.discord.acme.members[mo.id].roles = ()
    mo.react(server.ours(thread)[0], UNDO)
    await server.quiet()
    assert server.texts(thread)[0].startswith("I opened TKT-1001")
