import json

import pytest

from adapters.discord.permissions import NEEDED
from simulators.discord_service import AppSetup, DiscordService, Permission
from tests.bots.discord_place import settings_for
from tests.bots.processes import deskmate, finished, line_of, running


async def examined(folder, discord, **others):
    """What the doctor says of Discord: exit code, and what was found and is to be done by check."""
    given = settings_for(discord, **others)
    code, out, err = await finished(await deskmate(folder, "doctor", "--discord", "--json", **given))
    checks = [check for check in json.loads(out)["checks"] if check["check"].startswith("discord")]
    assert err == ""
    return code, [(check["check"], check["found"], check["do"]) for check in checks]


async def test_the_doctor_finds_nothing_wrong_with_an_app_that_is_set_up(tmp_path):
    async with DiscordService() as discord:
        discord.channel("help"), discord.channel("posts", forum=True)
        given = {"DESK_DISCORD__SUPPORT": "#help,posts"}
        async with running(tmp_path, "discord", **settings_for(discord, **given)) as bot:
            await line_of(bot)
        code, found = await examined(tmp_path, discord, **given)
    assert code == 0, found
    assert [f"{check}: {said}" for check, said, _ in found] == [
        f"discord: @helper, application helper ({discord.app.id})",
        "discord intents: message content is granted",
        f"discord invite: {invite(discord)}",
        "discord sessions: 999 of 1,000 that may begin in a day are left",
        "discord commands: all 10 are there",
        "discord servers: Acme: it may do all that is needed",
        "discord support: Acme #help: it may do all that is needed",
        "discord support: Acme #posts: it may do all that is needed",
    ]


def invite(discord):
    asked = f"client_id={discord.app.id}&scope=bot+applications.commands&permissions={NEEDED.value}"
    return f"https://discord.com/oauth2/authorize?{asked}"


async def test_the_doctor_names_the_channels_in_which_no_thread_may_be_opened(tmp_path):
    async with DiscordService() as discord:
        discord.channel("help")
        discord.forbid(discord.channel("random"), discord.app, Permission.CREATE_PUBLIC_THREADS)
        _, found = await examined(tmp_path, discord)
    (told,) = [one for one in found if "may open no thread" in one[1]]
    assert told[1].endswith("in #random") and "Create Public Threads" in told[2]


async def test_the_doctor_uses_up_no_session(tmp_path):
    async with DiscordService() as discord:
        await examined(tmp_path, discord)
        assert discord.gateway.identifies == 0


async def test_the_doctor_says_when_sessions_are_used_up(tmp_path):
    async with DiscordService(app=AppSetup(starts=40, reset_after=1_800_000)) as discord:
        code, found = await examined(tmp_path, discord)
    assert code == 1
    (sessions,) = [rest for check, *rest in found if check == "discord sessions"]
    assert sessions == [
        "40 of 40 that may begin in a day are left",
        "wait 30 minutes, and find out what starts the bot again and again",
    ]


async def test_the_doctor_names_what_is_missing_in_a_support_channel_and_where_to_grant_it(tmp_path):
    async with DiscordService() as discord:
        for channel in (discord.channel("help"), discord.channel("posts", forum=True)):
            discord.forbid(channel, discord.app, Permission.CREATE_PUBLIC_THREADS | Permission.READ_MESSAGE_HISTORY)
        code, found = await examined(tmp_path, discord, DESK_DISCORD__SUPPORT="help,posts,gone")
    assert code == 1
    history = (
        "Read Message History is missing: to read what was said while it was down, and find its own messages again"
    )
    assert [(said, do) for check, said, do in found if check == "discord support"] == [
        (
            f"Acme #help: Create Public Threads is missing: to open a thread below a question; {history}",
            "in the settings of #help in Acme, Permissions, allow it to the app",
        ),
        (f"Acme #posts: {history}", "in the settings of #posts in Acme, Permissions, allow it to the app"),
        (
            "no server has a channel or forum gone that the app is told of",
            "look at `support` under [discord] in desk.toml: names without #, or ids",
        ),
    ]


async def test_the_doctor_names_what_is_missing_in_a_server_and_gives_the_link_that_grants_it(tmp_path):
    async with DiscordService() as discord:
        everyone = discord.acme.roles[discord.acme.id]
        everyone.permissions &= ~int(Permission.CREATE_PRIVATE_THREADS)
        code, found = await examined(tmp_path, discord)
    assert code == 1
    (server,) = [rest for check, *rest in found if check == "discord servers"]
    assert server[0] == "Acme: Create Private Threads is missing: to open a thread for one person, for `/ask`"
    assert server[1].endswith(invite(discord))


async def test_the_doctor_says_where_to_switch_the_intent_on(tmp_path):
    async with DiscordService(app=AppSetup(privileged=frozenset())) as discord:
        code, found = await examined(tmp_path, discord)
        off, quiet = await examined(tmp_path, discord, DESK_DISCORD__CONTENT="no")
    assert (code, off) == (1, 0)
    (intents,) = [rest for check, *rest in found if check == "discord intents"]
    assert intents[0].startswith("message content is not granted: only mentions, direct messages")
    assert intents[1].startswith("turn on Message Content Intent at https://discord.com/developers/applications")
    assert ("discord intents", "message content is not asked for: `content` is off under [discord]", "") in quiet


async def test_the_doctor_says_which_commands_are_not_there(tmp_path):
    async with DiscordService() as discord:
        _, before = await examined(tmp_path, discord)
        async with running(tmp_path, "discord", **settings_for(discord)) as bot:
            await line_of(bot)
        registered = discord.commands.registered()
        discord.commands.overwrite("", [one for one in registered if one["name"] not in ("ask", "Summarise")])
        code, found = await examined(tmp_path, discord)
    assert ("discord commands", "none yet: the first start of `deskmate discord` tells Discord", "") in before
    assert ("discord commands", "missing: ask, Summarise", "start `deskmate discord` again") in found
    assert code == 1


async def test_the_doctor_says_that_the_app_is_in_no_server(tmp_path):
    async with DiscordService() as discord:
        discord.app_leaves(discord.acme)
        code, found = await examined(tmp_path, discord)
    assert code == 1
    assert found[-1] == ("discord servers", "the app is in none", f"invite it: {invite(discord)}")


@pytest.mark.parametrize(
    ("token", "said"),
    [("wrong", "DISCORD_TOKEN was refused: open your application"), ("", "DISCORD_TOKEN is not set: open your app")],
)
async def test_the_doctor_says_that_the_token_is_wrong(tmp_path, token, said):
    async with DiscordService() as discord:
        code, ((_, found, do),) = await examined(tmp_path, discord, DISCORD_TOKEN=token)
    assert (code, found) == (1, "the desk cannot serve there")
    assert do.startswith(said)


async def test_the_doctor_says_in_one_line_that_discord_is_away(tmp_path):
    async with DiscordService() as discord:
        discord.down()
        code, found = await examined(tmp_path, discord)
    away = "Discord cannot be reached: ServerDisconnectedError"
    assert (code, found) == (1, [("discord", "the desk cannot serve there", away)])
