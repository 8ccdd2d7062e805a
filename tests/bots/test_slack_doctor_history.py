"""What `deskmate doctor --slack` says of catching up, of a workspace where the desk was spoken to."""

import json

import pytest

from core.config import Settings
from tests.adapters.slack_harness import SlackHarness
from tests.bots.processes import deskmate, finished
from tests.bots.test_slackbot import settings_for


@pytest.fixture
async def house(tmp_path):
    async with SlackHarness(Settings(store=f"sqlite:///{tmp_path}/desk.db", model="offline")) as house:
        yield house


async def spoken_to(house):
    alice = house.slack.person("alice")
    help_ = house.slack.channel("general", alice)
    alice.dm("hello")
    alice.say(help_, f"{house.slack.mention} hello")
    await house._quiet()
    await house._bot.aclose()


async def found(house, folder):
    _, out, _ = await finished(await deskmate(folder, "doctor", "--slack", "--json", **settings_for(house.slack)))
    return [check["found"] for check in json.loads(out)["checks"] if check["check"] == "slack history"]


async def test_the_doctor_tries_both_ways_to_read_where_the_desk_was_spoken_to(house, tmp_path):
    await spoken_to(house)
    assert await found(house, tmp_path) == [
        "the token reads direct messages, group direct messages, public channels, private channels",
        "conversations.history: takes several calls at once",
        "conversations.replies: takes several calls at once",
    ]


async def test_the_doctor_says_where_slack_allows_one_call_a_minute(house, tmp_path):
    await spoken_to(house)
    house.slack.faults.at_most("conversations.history", 1, seconds=60)
    _, history, replies = await found(house, tmp_path)
    assert history.startswith("conversations.history: Slack wants 60 s between calls: catching up reads one")
    assert replies == "conversations.replies: takes several calls at once"


async def test_the_doctor_names_the_type_of_channel_that_may_not_be_read(house, tmp_path):
    await spoken_to(house)
    house.slack.install.scopes -= {"channels:history"}
    types, history, _ = await found(house, tmp_path)
    assert types.endswith("private channels; not public channels (channels:history is missing)")
    assert history.startswith("conversations.history, was refused (channels:history)")


async def test_where_nobody_spoke_to_the_desk_the_doctor_says_that_it_did_not_try(house, tmp_path):
    await house._bot.aclose()
    assert (await found(house, tmp_path))[1] == "not tried: the desk knows no conversation there yet"
