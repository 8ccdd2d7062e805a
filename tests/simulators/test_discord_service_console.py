import pytest

from simulators.discord_service.__main__ import welcome
from simulators.discord_service.console import Console, line_of
from tests.simulators.test_discord_service_rest import BUTTONS


@pytest.fixture
def console(discord):
    return Console(discord)


@pytest.fixture
def alice(console):
    return console._people["alice"]


async def test_lines_are_done(discord, rest, console, alice):
    discord.commands.overwrite("", [{"name": "desk", "description": "The desk"}])
    for line in ("alice: hello", "bob #general: @app hi", "alice /desk"):
        console.act(line)
    await rest("POST", f"/channels/{alice.im.id}/messages", {"content": "x", "components": BUTTONS})
    for line in ("alice press Undo", "alice react 🧹", "alice unreact 🧹"):
        console.act(line)
    assert [shown.text for shown in discord.seen_by(alice, alice.im)] == ["hello", "x"]
    assert [each.data.get("name") or each.data["custom_id"] for each in discord.interactions] == ["desk", "undo"]


@pytest.mark.parametrize("line", ["carol: hi", "alice dance", "alice press Undo", "alice react x", "bob #no: hi"])
async def test_what_cannot_be_done_is_said(console, line):
    with pytest.raises(LookupError):
        console.act(line)


async def test_a_message_is_one_line_with_its_notes(discord, rest, console, alice):
    await rest("POST", f"/channels/{alice.im.id}/messages", {"content": "sure?", "components": BUTTONS})
    alice.pin(discord.seen_by(alice, alice.im)[0])
    assert line_of(discord.seen_by(alice, alice.im)[0]) == "  helper (pinned): sure? [Undo] [Docs]"


async def test_the_welcome_says_how_to_point_an_app_here(discord):
    for word in (discord.api_base, discord.gateway_url, discord.token):
        assert word in welcome(discord)
