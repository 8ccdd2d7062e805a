import asyncio
import signal
import time
from contextlib import suppress
from dataclasses import replace

import pytest
from aiohttp import web

from adapters.discord.identifying import KEPT_BACK, Identifying, SessionsEndError, SessionsUsedUpError, check_left
from bots.discord_lives import Pauses
from simulators.discord_service import AppSetup, DiscordService
from tests.bots.command_line import PATIENCE
from tests.bots.discord_place import answers, settings_for
from tests.bots.processes import complaint_of, deskmate, ended, finished, line_of, running

READY = "Connected to Acme as @helper. Try: DM it, or /ticket-summary"
OPENED = "I opened TKT-1001: “no ink” (priority normal)."
STOP_SECONDS = 10.0
DAY = 24 * 60 * 60


async def until_answered(discord, person, count, channel=None):
    await discord.until(lambda: len(answers(discord, person, channel)) >= count, timeout=PATIENCE)
    await discord.settled()


# --- a day like any other ---------------------------------------------------------------------------------------------


async def test_the_bot_says_where_it_is_answers_and_leaves_when_told(tmp_path):
    async with DiscordService() as discord:
        alice, help_ = discord.person("Alice"), discord.channel("help")
        async with running(tmp_path, "discord", **settings_for(discord)) as bot:
            assert await line_of(bot) == READY
            alice.dm("open a ticket: no ink")
            await until_answered(discord, alice, 1)
            assert answers(discord, alice)[0].endswith(OPENED)
            alice.say(help_, f"{discord.mention} hello")
            await until_answered(discord, alice, 1, help_)
        assert len(discord.threads(help_)) == 1
        assert discord.socket_count == 0
        assert discord.commands.syncs == 1


async def test_the_operators_file_names_support_channels_and_staff(tmp_path):
    async with DiscordService() as discord:
        alice, bob, help_ = discord.person("Alice"), discord.person("Bob"), discord.channel("help")
        staff = f'[roles]\n"discord/{discord.acme.id}/{bob.id}" = "agent"'
        (tmp_path / "desk.toml").write_text(f'[discord]\nsupport = ["#help"]\n{staff}')
        async with running(tmp_path, "discord", **settings_for(discord)) as bot:
            assert await line_of(bot) == READY
            bob.say(help_, "the printer of room 3 is repaired")
            asked = alice.say(help_, "open a ticket: no ink")
            await until_answered(discord, alice, 1, help_)
        assert [thread.id for thread in discord.threads(help_)] == [asked.id]


async def test_a_bot_that_is_in_no_server_gives_the_link_that_invites_it(tmp_path):
    async with DiscordService() as discord:
        discord.app_leaves(discord.acme)
        async with running(tmp_path, "discord", **settings_for(discord)) as bot:
            said = await line_of(bot)
    assert said.startswith(
        "@helper is in no server yet: invite it with https://discord.com/oauth2/authorize?client_id="
    )
    assert discord.app.id in said


async def test_what_was_said_while_it_was_down_is_answered_once(tmp_path):
    async with DiscordService() as discord:
        alice, help_ = discord.person("Alice"), discord.channel("help")
        async with running(tmp_path, "discord", **settings_for(discord, DESK_DISCORD__SUPPORT="help")) as bot:
            await line_of(bot)
            alice.dm("hello")
            await until_answered(discord, alice, 1)
        alice.dm("open a ticket: no ink")
        alice.say(help_, "open a ticket: no paper")
        async with running(tmp_path, "discord", **settings_for(discord, DESK_DISCORD__SUPPORT="help")) as bot:
            assert await line_of(bot) == READY
            await until_answered(discord, alice, 2)
            await until_answered(discord, alice, 1, help_)
            alice.dm("hello")
            await until_answered(discord, alice, 3)
        assert [("I opened" in text) for text in answers(discord, alice)] == [False, True, False]
        assert len(answers(discord, alice, help_)) == 1
        assert discord.commands.syncs == 1


# --- told to leave in the middle --------------------------------------------------------------------------------------


async def test_told_to_leave_while_an_answer_goes_out_it_is_sent_before_the_end_and_once(tmp_path):
    async with DiscordService() as discord:
        alice, post = discord.person("Alice"), "POST /channels/{channel}/messages"
        discord.faults.rate_limit(post, retry_after=1.0, times=1)
        async with running(tmp_path, "discord", **settings_for(discord)) as bot:
            await line_of(bot)
            alice.dm("open a ticket: no ink")
            await discord.until(lambda: bool(discord.calls(post)), timeout=PATIENCE)
        assert len(answers(discord, alice)) == 1
        async with running(tmp_path, "discord", **settings_for(discord)) as bot:
            await line_of(bot)
            alice.dm("hello")
            await until_answered(discord, alice, 2)
        assert len(answers(discord, alice)) == 2


async def test_told_to_leave_in_the_middle_of_a_turn_it_leaves_in_time_and_answers_after_the_restart(tmp_path):
    async with DiscordService() as discord, silent_model() as (address, asked):
        alice = discord.person("Alice")
        model = {"DESK_MODEL": "m", "OPENAI_API_KEY": "k", "OPENAI_BASE_URL": address}
        bot = await deskmate(tmp_path, "discord", **settings_for(discord) | model)
        try:
            await line_of(bot)
            alice.dm("open a ticket: no ink")
            async with asyncio.timeout(PATIENCE):
                await asked.wait()
            told = time.monotonic()
            bot.send_signal(signal.SIGTERM)
            code, _, err = await finished(bot)
        finally:
            await ended(bot)
        assert code == 0, err
        assert time.monotonic() - told < STOP_SECONDS
        assert answers(discord, alice) == []
        async with running(tmp_path, "discord", **settings_for(discord)) as bot:
            await until_answered(discord, alice, 1)
        assert len(answers(discord, alice)) == 1
        assert answers(discord, alice)[0].endswith(OPENED)


class silent_model:  # noqa: N801 - used as a function is
    """A model's service that never answers: its address, and whether it was asked."""

    async def __aenter__(self):
        self._asked, self._over = asyncio.Event(), asyncio.Event()
        app = web.Application()
        app.router.add_post("/{any:.*}", self._say_nothing)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{self._runner.addresses[0][1]}/v1", self._asked

    async def __aexit__(self, *_):
        self._over.set()
        await self._runner.cleanup()

    async def _say_nothing(self, _):
        self._asked.set()
        await self._over.wait()
        return web.Response(status=400)


# --- what is set wrongly ----------------------------------------------------------------------------------------------


async def test_a_bot_without_a_model_does_not_serve_people_by_accident(tmp_path):
    async with DiscordService() as discord:
        code, out, err = await finished(await deskmate(tmp_path, "discord", **settings_for(discord, DESK_MODEL="")))
    assert (code, out) == (1, "")
    assert err == "deskmate: no model is set: set OPENAI_API_KEY, or DESK_MODEL=offline to serve with the stand-in\n"


@pytest.mark.parametrize(("token", "said"), [("wrong", "was refused"), ("", "is not set")])
async def test_a_missing_or_wrong_token_stops_the_start_and_says_where_to_make_it(tmp_path, token, said):
    async with DiscordService() as discord:
        done = await finished(await deskmate(tmp_path, "discord", **settings_for(discord, DISCORD_TOKEN=token)))
    code, out, err = done
    assert (code, out) == (1, "")
    (complaint,) = [line for line in err.splitlines() if not line.startswith("Key made at ")]
    assert complaint.startswith(f"deskmate: DISCORD_TOKEN {said}: open your application at https://discord.com/")


async def test_a_token_that_is_taken_back_while_the_bot_runs_stops_it_with_one_line(tmp_path):
    async with DiscordService() as discord:
        bot = await deskmate(tmp_path, "discord", **settings_for(discord))
        await line_of(bot)
        discord.close_sockets(4004)
        code, _, err = await finished(bot)
    assert code == 1
    assert [line for line in err.splitlines() if "DISCORD_TOKEN was refused" in line] == err.splitlines()[-1:]


async def test_without_the_intent_to_read_messages_it_says_where_to_grant_it_and_serves_without(tmp_path):
    async with DiscordService(app=AppSetup(privileged=frozenset())) as discord:
        alice, help_ = discord.person("Alice"), discord.channel("help")
        async with running(tmp_path, "discord", **settings_for(discord)) as bot:
            said = await complaint_of(bot, "Message Content Intent")
            assert "https://discord.com/developers/applications, your application, Bot" in said
            assert await line_of(bot) == READY
            alice.say(help_, f"{discord.mention} open a ticket: no ink")
            await until_answered(discord, alice, 1, help_)
    assert discord.gateway.identifies == 1


async def test_a_bot_that_is_told_to_do_without_content_does_not_ask_for_it(tmp_path):
    async with DiscordService(app=AppSetup(privileged=frozenset())) as discord:
        bot = await deskmate(tmp_path, "discord", **settings_for(discord, DESK_DISCORD__CONTENT="no"))
        try:
            assert await line_of(bot) == READY
            bot.send_signal(signal.SIGTERM)
            code, _, err = await finished(bot)
        finally:
            await ended(bot)
    assert code == 0
    assert "Message Content Intent" not in err


# --- what goes wrong --------------------------------------------------------------------------------------------------


async def test_malformed_frames_end_no_bot_and_use_up_no_sessions(tmp_path):
    async with DiscordService() as discord:
        alice = discord.person("Alice")
        async with running(tmp_path, "discord", **settings_for(discord)) as bot:
            await line_of(bot)
            alice.dm("hello")
            await until_answered(discord, alice, 1)
            for frame in ("nonsense", {"op": 0, "s": 9, "t": "GUILD_CREATE", "d": "nonsense"}, "[]", {"op": 10}):
                discord.send_raw(frame)
            await complaint_of(bot, "the connection to Discord broke; trying again in")
            alice.dm("open a ticket: no ink")
            await until_answered(discord, alice, 2)
        assert len(answers(discord, alice)) == 2
        assert discord.gateway.identifies == 2


async def test_a_start_while_discord_is_down_waits_and_says_so(tmp_path):
    async with DiscordService() as discord:
        discord.down()
        async with running(tmp_path, "discord", **settings_for(discord)) as bot:
            await complaint_of(bot, "Discord cannot be reached: ServerDisconnectedError; trying again in 1 s")
            discord.up()
            assert await line_of(bot) == READY


async def test_what_is_said_while_discord_is_down_is_answered_once_when_it_is_back(tmp_path):
    async with DiscordService() as discord:
        alice = discord.person("Alice")
        async with running(tmp_path, "discord", **settings_for(discord)) as bot:
            await line_of(bot)
            alice.dm("hello")
            await until_answered(discord, alice, 1)
            discord.down()
            alice.dm("open a ticket: no ink")
            await complaint_of(bot, "the connection to Discord was lost; trying again in")
            await complaint_of(bot, "Discord cannot be reached: ServerDisconnectedError; trying again in 1 s")
            discord.expire_sessions()
            discord.up()
            await complaint_of(bot, "connected to Discord again")
            await until_answered(discord, alice, 2)
            alice.dm("hello")
            await until_answered(discord, alice, 3)
        assert len(answers(discord, alice)) == 3


@pytest.mark.parametrize("lived", [0.0, 1.0, 30.0, 299.0, 300.0, 301.0])
def test_however_long_sessions_last_a_day_has_fewer_than_three_hundred(lived):
    pauses, passed, identifies = Pauses(), 0.0, 0
    while passed < DAY:
        identifies += 1
        passed += lived + pauses.after(lived, identified=True)
    assert identifies < 300


@pytest.mark.parametrize("lasts", [0.0, 4.0, 60.0, 299.0, 301.0])
def test_also_where_discord_refuses_each_session_a_day_has_fewer_than_a_thousand(lasts):
    passed = [0.0]
    identifying, pauses, begun = Identifying(lambda: passed[0]), Pauses(), 0
    while passed[0] < DAY:
        began, initial = passed[0], True
        with suppress(SessionsEndError):
            while passed[0] < DAY:
                passed[0] += identifying.pause(0, initial=initial) + lasts
                begun, initial = begun + 1, False
        passed[0] += pauses.after(passed[0] - began, identified=True)
    assert begun < 1000


async def test_a_client_whose_sessions_are_refused_again_and_again_waits_longer_each_time():
    identifying = Identifying(lambda: 1000.0)
    assert [identifying.pause(0, initial=False) for _ in range(3)] == [5.0, 10.0, 20.0]
    with pytest.raises(SessionsEndError):
        identifying.pause(0, initial=False)
    assert identifying.pause(0, initial=True) == 0.0


async def test_a_bot_that_is_started_again_and_again_leaves_the_last_sessions_alone(tmp_path):
    async with DiscordService(app=AppSetup(starts=KEPT_BACK + 2, reset_after=200)) as discord:
        for _ in range(2):
            async with running(tmp_path, "discord", **settings_for(discord)) as bot:
                assert await line_of(bot) == READY
        async with running(tmp_path, "discord", **settings_for(discord)) as bot:
            said = "of the 52 sessions a day that Discord allows 50 are left, and the bot leaves them alone"
            assert "trying again in 1 s" in await complaint_of(bot, said)
            await complaint_of(bot, said)
            assert discord.gateway.identifies == 2
            # The day is over.
            discord.world.setup = replace(discord.world.setup, starts=1000)
            assert await line_of(bot) == READY


def test_each_shard_needs_a_session_that_is_left():
    limit = {"total": 1000, "remaining": KEPT_BACK + 4, "reset_after": 60_000}
    check_left(limit, 4)
    with pytest.raises(SessionsUsedUpError) as refused:
        check_left(limit, 5)
    assert refused.value.seconds == 60.0


def test_while_discord_is_away_it_is_tried_every_minute():
    pauses = Pauses()
    assert [pauses.after(0.1, identified=False) for _ in range(8)] == [1, 2, 4, 8, 16, 32, 60, 60]


def test_a_session_that_ran_well_is_followed_by_another_at_once():
    pauses = Pauses()
    longest = [pauses.after(1.0, identified=True) for _ in range(12)][-1]
    assert (longest, pauses.after(3600.0, identified=True)) == (300.0, 1.0)


def test_two_sessions_never_begin_within_five_seconds():
    assert Pauses().after(0.5, identified=True) == 4.5
