import re

import pytest

from adapters.discord.client import DeskClient
from adapters.discord.identifying import Identifying
from bots.discord_settings import VARIABLES, read_discord_settings
from bots.discordbot import DiscordPart, options_of
from bots.settings import read_settings
from core.errors import ConfigError
from core.models import ConversationRef
from core.words import WORDS
from tests.bots.command_line import ROOT

HOME = {"HOME": "/h"}


def options(folder, toml="", **environ):
    (folder / "desk.toml").write_text(toml)
    return options_of(read_settings(HOME | environ, folder))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "DISCORD_TOKEN is not set: open your application at https://discord.com/developers/applications"),
        ({"DISCORD_TOKEN": "Bot planted"}, "DISCORD_TOKEN has a blank in it: give the token alone, without `Bot`"),
        ({"DISCORD_API_BASE": "discord.test"}, "DISCORD_API_BASE is 'discord.test': it has to begin with https://"),
        ({"DISCORD_GATEWAY": "https://d.test"}, "DISCORD_GATEWAY is 'https://d.test': it has to begin with wss://"),
        ({"DISCORD_SHARDS": "4/4"}, "DISCORD_SHARDS is '4/4': write those served here and how many there are"),
        ({"DISCORD_SHARDS": "0,0/4"}, "DISCORD_SHARDS is '0,0/4': write those served here and how many there are"),
        ({"DISCORD_SHARDS": "0,1"}, "DISCORD_SHARDS is '0,1': write those served here and how many there are"),
    ],
)
def test_a_wrong_setting_is_named_with_what_is_allowed(tmp_path, given, said):
    token = {} if given == {} else {"DISCORD_TOKEN": "planted"}
    with pytest.raises(ConfigError) as refused:
        read_discord_settings(token | given, tmp_path)
    assert str(refused.value).startswith(said)
    assert "planted" not in str(refused.value)


def test_the_token_is_read_from_dotenv_and_shown_by_nothing(tmp_path):
    (tmp_path / ".env").write_text("DISCORD_TOKEN= planted \nDISCORD_API_BASE=http://127.0.0.1:1/api/v10/\n")
    given = read_discord_settings({}, tmp_path)
    assert (given.token, given.api_base, given.gateway) == ("planted", "http://127.0.0.1:1/api/v10", None)
    assert "planted" not in repr(given)


def test_the_section_of_the_operators_file_says_how_the_bot_behaves(tmp_path):
    toml = '[discord]\nsupport = ["#help", "1234"]\ncontent = false\nstream_after = 2'
    chosen = options(tmp_path, toml, DESK_DISCORD__OPEN_THREADS="5")
    assert (chosen.support, chosen.content) == (frozenset({"#help", "1234"}), False)
    assert (chosen.open_threads, chosen.stream_after) == (5, 2.0)


def test_a_list_of_support_channels_can_stand_in_the_environment(tmp_path):
    assert options(tmp_path, DESK_DISCORD__SUPPORT="help, posts").support == {"help", "posts"}


def test_staff_is_who_may_do_more_than_a_customer(tmp_path):
    roles = '[roles]\n"discord/1/2" = "agent"\n"discord/1/3" = "customer"\n"discord/1/4" = "admin"'
    is_staff = options(tmp_path, roles).is_staff
    people = {user: is_staff(ConversationRef("discord", "1", "5", user)) for user in "234"}
    assert people == {"2": True, "3": False, "4": True}


def test_staff_is_who_has_a_role_that_may_do_more(tmp_path):
    is_staff = options(tmp_path, '[roles]\n"discord/1/@9" = "agent"\n"discord/1/@8" = "customer"').is_staff
    people = {group: is_staff(ConversationRef("discord", "1", "5", "2", groups=(group,))) for group in "789"}
    assert people == {"7": False, "8": False, "9": True}


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        ("[discord]\nsuport = ['help']", "discord.suport in .*desk.toml: no such setting"),
        (
            "[discord]\nopen_threads = -1",
            "discord.open_threads in .*desk.toml: .* greater than or equal to 0, found -1",
        ),
        ("discord = 3", "discord in .*desk.toml: Input should be a valid dictionary"),
    ],
)
def test_a_wrong_line_of_the_section_stops_the_start_and_is_named(tmp_path, toml, said):
    with pytest.raises(ConfigError) as refused:
        options(tmp_path, toml)
    assert re.match(said, str(refused.value))


def test_every_variable_has_a_line_in_the_example():
    lines = (ROOT / ".env.example").read_text()
    assert [name for name in VARIABLES if f"# {name}=" not in lines] == []


async def test_a_process_takes_the_shards_it_is_told(tmp_path):
    given = read_discord_settings({"DISCORD_TOKEN": "planted", "DISCORD_SHARDS": "0, 2/4"}, tmp_path)
    assert (given.shards, given.shard_count) == ((0, 2), 4)
    app = DiscordPart(read_settings(HOME, tmp_path), given).app
    client = DeskClient(app, WORDS, app._aim, identifying=Identifying(), content=True)
    assert (client.shard_ids, client.shard_count) == ([0, 2], 4)
