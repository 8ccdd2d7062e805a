"""`deskmate serve`: Slack and Discord, one process, one desk."""

import json

import pytest

from simulators.discord_service import DiscordService
from simulators.slack_service import SlackService
from tests.bots import discord_place, test_slackbot
from tests.bots.command_line import PATIENCE
from tests.bots.discord_place import answers
from tests.bots.processes import complaint_of, deskmate, finished, line_of, running


def settings_for(slack, discord, **others):
    return test_slackbot.settings_for(slack) | discord_place.settings_for(discord) | others


async def until_slack_answers(slack, person, count=1):
    await slack.until(lambda: said_on_slack(slack, person) >= count, timeout=PATIENCE)
    await slack.settled()


def said_on_slack(slack, person):
    return sum(one.user == slack.install.user for one in slack.seen_by(person, person.im))


async def until_discord_answers(discord, person, count=1):
    await discord.until(lambda: len(answers(discord, person)) >= count, timeout=PATIENCE)
    await discord.settled()


async def test_one_desk_serves_people_on_both_platforms(tmp_path):
    async with SlackService() as slack, DiscordService() as discord:
        alice, bob = slack.person("alice"), discord.person("Bob")
        async with running(tmp_path, "serve", **settings_for(slack, discord)) as bot:
            assert await line_of(bot) == "Serving on Slack and on Discord."
            assert {await line_of(bot), await line_of(bot)} == {
                "Slack: Connected to Acme as @helper. Try: DM it, or /ticket-summary",
                "Discord: Connected to Acme as @helper. Try: DM it, or /ticket-summary",
            }
            alice.dm("open a ticket: no ink")
            bob.dm("open a ticket: no paper")
            await until_slack_answers(slack, alice)
            await until_discord_answers(discord, bob)
        _, out, _ = await finished(await deskmate(tmp_path, "tickets", "list", "--json"))
    assert {ticket["subject"] for ticket in json.loads(out)} == {"no ink", "no paper"}


async def test_only_what_is_set_up_is_served_and_the_rest_is_named(tmp_path):
    async with DiscordService() as discord, running(tmp_path, "serve", **discord_place.settings_for(discord)) as bot:
        assert await line_of(bot) == "Serving on Discord; not on Slack, where SLACK_BOT_TOKEN is not set."
        assert (await line_of(bot)).startswith("Connected to Acme as @helper.")


async def test_what_is_not_set_up_for_discord_is_named_too(tmp_path):
    async with SlackService() as slack, running(tmp_path, "serve", **test_slackbot.settings_for(slack)) as bot:
        assert await line_of(bot) == "Serving on Slack; not on Discord, where DISCORD_TOKEN is not set."
        assert (await line_of(bot)).startswith("Connected to Acme as @helper.")


@pytest.mark.parametrize(
    ("given", "args", "said"),
    [
        ({}, (), "no platform is set up: set SLACK_BOT_TOKEN and SLACK_APP_TOKEN for Slack, DISCORD_TOKEN for Discord"),
        ({"DISCORD_TOKEN": "t"}, ("--http", "127.0.0.1:3000"), "--http is for Slack, and SLACK_BOT_TOKEN is not set"),
        ({"DISCORD_TOKEN": "t", "SLACK_APP_TOKEN": "xapp-1"}, (), "SLACK_BOT_TOKEN is not set: install the app"),
    ],
)
async def test_what_is_set_up_by_half_or_not_at_all_stops_the_start(tmp_path, given, args, said):
    code, out, err = await finished(await deskmate(tmp_path, "serve", *args, DESK_MODEL="offline", **given))
    assert (code, out) == (1, "")
    assert err.startswith(f"deskmate: {said}")


async def test_while_slack_is_down_discord_is_served(tmp_path):
    async with SlackService() as slack, DiscordService() as discord:
        alice, bob = slack.person("alice"), discord.person("Bob")
        slack.down()
        async with running(tmp_path, "serve", **settings_for(slack, discord)) as bot:
            assert await line_of(bot) == "Serving on Slack and on Discord."
            assert (await line_of(bot)).startswith("Discord: Connected")
            bob.dm("open a ticket: no paper")
            await until_discord_answers(discord, bob)
            slack.up()
            assert (await line_of(bot)).startswith("Slack: Connected")
            alice.dm("open a ticket: no ink")
            await until_slack_answers(slack, alice)


async def test_while_discord_is_down_slack_is_served(tmp_path):
    async with SlackService() as slack, DiscordService() as discord:
        alice, bob = slack.person("alice"), discord.person("Bob")
        discord.down()
        async with running(tmp_path, "serve", **settings_for(slack, discord)) as bot:
            assert await line_of(bot) == "Serving on Slack and on Discord."
            assert (await line_of(bot)).startswith("Slack: Connected")
            alice.dm("open a ticket: no ink")
            await until_slack_answers(slack, alice)
            discord.up()
            assert (await line_of(bot)).startswith("Discord: Connected")
            bob.dm("open a ticket: no paper")
            await until_discord_answers(discord, bob)


async def test_a_wrong_token_stops_the_start_of_both(tmp_path):
    async with SlackService() as slack, DiscordService() as discord:
        given = settings_for(slack, discord, DISCORD_TOKEN="wrong")
        code, _, err = await finished(await deskmate(tmp_path, "serve", **given))
    assert code == 1
    assert err.splitlines()[-1].startswith("deskmate: DISCORD_TOKEN was refused")


async def test_a_token_that_is_taken_back_later_leaves_the_other_platform_as_it_is(tmp_path):
    async with SlackService() as slack, DiscordService() as discord:
        alice = slack.person("alice")
        async with running(tmp_path, "serve", **settings_for(slack, discord)) as bot:
            for _ in range(3):
                await line_of(bot)
            discord.close_sockets(4004)
            await complaint_of(bot, "Discord is not served any more: DISCORD_TOKEN was refused")
            alice.dm("open a ticket: no ink")
            await until_slack_answers(slack, alice)
