import asyncio
import time

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError

from simulators.slack_service import SlackService, Timing
from tests.simulators.test_slack_service_web_api import refused

POST = "chat.postMessage"


@pytest.fixture
def post(client, alice):
    im = alice.im.id
    return lambda text="hi": client.chat_postMessage(channel=im, text=text)


def texts(slack, alice):
    return [shown.text for shown in slack.seen_by(alice, alice.im)]


async def test_a_rate_limit_says_how_long_to_wait_and_does_nothing(slack, post, alice):
    slack.faults.rate_limit(POST, retry_after=7, times=1)
    with pytest.raises(SlackApiError) as caught:
        await post()
    assert (caught.value.response.status_code, caught.value.response.headers["Retry-After"]) == (429, "7")
    await post("second")
    assert texts(slack, alice) == ["second"]


async def test_calls_are_kept_with_what_went_wrong(slack, post):
    slack.faults.rate_limit(POST, retry_after=0, times=1)
    with pytest.raises(SlackApiError):
        await post()
    await post("again")
    assert [(call.faults, call.args["text"]) for call in slack.calls(POST)] == [
        (("rate_limited",), "hi"),
        ((), "again"),
    ]


async def test_a_server_error_does_nothing(slack, post, alice):
    slack.faults.fail(POST, times=1)
    with pytest.raises(SlackApiError) as caught:
        await post()
    assert caught.value.response.status_code == 500
    assert texts(slack, alice) == []


async def test_a_cut_request_did_nothing_and_a_cut_answer_did_its_work(slack, post, alice):
    slack.faults.cut_request(POST, times=1)
    with pytest.raises(aiohttp.ClientError):
        await post("never")
    slack.faults.cut_answer(POST, times=1)
    with pytest.raises(aiohttp.ClientError):
        await post("silently")
    assert texts(slack, alice) == ["silently"]
    assert [call.ok for call in slack.calls(POST)] == [False, True]


async def test_any_error_can_be_had(slack, post):
    slack.faults.refuse(POST, "fatal_error", times=1)
    assert await refused(post()) == "fatal_error"
    await post()


async def test_an_answer_can_be_late(slack, post):
    slack.faults.delay(POST, seconds=0.01, times=1)
    start = time.perf_counter()
    await post()
    assert time.perf_counter() - start >= 0.01


async def test_chance_is_the_same_for_the_same_seed():
    async def struck():
        async with SlackService(seed=7) as slack:
            slack.faults.fail(POST, probability=0.3)
            return [bool(slack.faults.draw(POST, {})) for _ in range(50)]

    first = await struck()
    assert first == await struck()
    assert 5 < sum(first) < 25


async def test_a_rate_can_be_set_per_channel():
    now = [0.0]
    async with SlackService(clock=lambda: now[0]) as slack:
        slack.faults.at_most(POST, 1, seconds=1.0, per_channel=True)
        assert slack.faults.draw(POST, {"channel": "C1"}) == []
        assert slack.faults.draw(POST, {"channel": "C2"}) == []
        assert slack.faults.draw(POST, {"channel": "C1"})[0].seconds == 1.0
        now[0] = 1.5
        assert slack.faults.draw(POST, {"channel": "C1"}) == []


async def test_clearing_lets_everything_work_again(slack, post, alice):
    slack.faults.fail()
    slack.faults.at_most(POST, 0, seconds=60)
    slack.faults.clear()
    await post()
    assert texts(slack, alice) == ["hi"]


async def test_while_slack_is_away_calls_break_and_events_wait(slack, receiver, post, alice):
    slack.down()
    with pytest.raises(aiohttp.ClientError):
        await post()
    alice.dm("are you there?")
    await asyncio.sleep(0)
    assert len(slack.unacknowledged) == 1
    assert receiver.requests == []
    slack.up()
    await slack.settled()
    assert receiver.events[0]["text"] == "are you there?"
    await post()


async def test_settled_says_when_nothing_settles():
    async with SlackService(timing=Timing(acknowledge=60)) as slack:
        slack.person("Alice").dm("hi")
        with pytest.raises(TimeoutError):
            await slack.settled(timeout=0.01)
