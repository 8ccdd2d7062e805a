import time

import aiohttp
import pytest

from simulators.discord_service import DiscordService
from tests.simulators.test_discord_service_rest import code, texts

POST = "POST /channels/{channel}/messages"


@pytest.fixture
def post(rest, help_):
    return lambda text="hi": rest("POST", f"/channels/{help_.id}/messages", {"content": text})


async def test_a_rate_limit_says_how_long_to_wait_and_does_nothing(discord, post, ann, help_):
    discord.faults.rate_limit(POST, retry_after=7, times=1, everywhere=True)
    status, body = await post()
    assert (status, body["retry_after"], body["global"]) == (429, 7, True)
    await post("second")
    assert texts(discord, ann, help_) == ["second"]
    assert [(call.status, call.faults, call.ok) for call in discord.calls(POST)] == [
        (429, ("rate_limited",), False),
        (200, (), True),
    ]


async def test_a_rate_is_counted_by_channel_and_told_in_headers(discord, now, help_):
    other = discord.channel("other")
    discord.faults.at_most(POST, 2, seconds=5)
    headers = {"Authorization": f"Bot {discord.token}"}
    async with aiohttp.ClientSession(headers=headers) as session:

        async def post(channel):
            url = f"{discord.api_base}/channels/{channel.id}/messages"
            async with session.post(url, json={"content": "x"}) as response:
                return response.status, response.headers["X-RateLimit-Remaining"], response.headers.get("Retry-After")

        assert [await post(help_) for _ in range(3)] == [(200, "1", None), (200, "0", None), (429, "0", "5")]
        assert (await post(other))[0] == 200
        now[0] += 5.1
        assert (await post(help_))[0] == 200


async def test_a_server_error_does_nothing(discord, post, ann, help_):
    discord.faults.fail(POST, times=1)
    assert (await post())[0] == 500
    assert texts(discord, ann, help_) == []


async def test_a_cut_request_did_nothing_and_a_cut_answer_did_its_work(discord, post, ann, help_):
    discord.faults.cut_request(POST, times=1)
    with pytest.raises(aiohttp.ClientError):
        await post("never")
    discord.faults.cut_answer("POST *", times=1)
    with pytest.raises(aiohttp.ClientError):
        await post("silently")
    assert texts(discord, ann, help_) == ["silently"]


async def test_any_error_can_be_had(discord, post):
    discord.faults.refuse(POST, 50001, times=1)
    assert await code(post()) == 50001
    assert (await post())[0] == 200


async def test_an_answer_can_be_late(discord, post):
    discord.faults.delay(POST, seconds=0.01, times=1)
    start = time.perf_counter()
    await post()
    assert time.perf_counter() - start >= 0.01


async def test_an_answer_can_be_late_although_the_work_is_done(discord, post):
    discord.faults.delay(POST, seconds=0.01, times=1, done_first=True)
    await post()
    await discord.settled()
    assert discord.under_way == []


async def test_chance_is_the_same_for_the_same_seed():
    def struck():
        faults = DiscordService(seed=7).faults
        faults.fail(POST, probability=0.3)
        return [bool(faults.struck(POST)) for _ in range(50)]

    first = struck()
    assert first == struck()
    assert 5 < sum(first) < 25


async def test_a_fault_can_be_for_one_channel(discord, post, rest, help_):
    discord.faults.fail(f"* /channels/{help_.id}/*")
    assert (await post())[0] == 500
    assert (await rest("GET", "/users/@me"))[0] == 200


async def test_clearing_lets_everything_work_again(discord, post):
    discord.faults.fail()
    discord.faults.at_most("*", 0, seconds=60)
    discord.faults.ignore_heartbeats = True
    discord.faults.clear()
    assert (await post())[0] == 200
    assert not discord.faults.ignore_heartbeats


async def test_while_discord_is_away_calls_break(discord, post, ann, help_):
    discord.down()
    with pytest.raises(aiohttp.ClientError):
        await post()
    discord.up()
    await post()
    assert texts(discord, ann, help_) == ["hi"]
