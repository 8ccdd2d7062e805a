"""How Slack is called: paces, limits, and what each failure means."""

import pytest

from adapters.slack import api
from adapters.slack.api import SlackApi
from core.errors import PlatformError, RejectedError, UnknownOutcomeError
from simulators.slack_service import SlackService


@pytest.fixture
async def slack():
    async with SlackService() as slack:
        yield slack


@pytest.fixture
async def calls(slack):
    async def token_of(_):
        return slack.bot_token

    async with SlackApi(slack.api_url, token_of) as calls:
        yield calls


@pytest.fixture
def pauses(monkeypatch):
    """Seconds that were slept, without waiting for them."""
    slept = []

    async def pause(seconds):
        if seconds:
            slept.append(seconds)

    monkeypatch.setattr(api.asyncio, "sleep", pause)
    return slept


@pytest.fixture
async def alice(slack):
    return slack.person("alice")


async def post(calls, person):
    return await calls.say("T", "chat.postMessage", channel=person.im.id, text="hello")


async def test_a_rate_limit_is_waited_for_as_long_and_as_often_as_slack_says(slack, calls, alice, pauses):
    slack.faults.rate_limit("chat.postMessage", retry_after=7, times=2)
    assert (await post(calls, alice))["ok"]
    assert pauses == [7.0, 7.0]


async def test_a_channel_is_not_posted_to_faster_than_it_takes(slack, calls, alice, pauses, monkeypatch):
    # So slow that the time the posts take themselves is nothing beside it.
    monkeypatch.setattr(api, "PER_SECOND", 0.001)
    for _ in range(api.BURST + 2):
        await post(calls, alice)
    first, second = pauses
    assert 500 < first <= 1000
    assert 1500 < second <= 2000


async def test_one_channel_does_not_wait_for_another(slack, calls, alice, pauses, monkeypatch):
    monkeypatch.setattr(api, "PER_SECOND", 1.0)
    for person in (alice, slack.person("bob")):
        for _ in range(api.BURST):
            await post(calls, person)
    assert pauses == []


@pytest.mark.parametrize("error", ["is_archived", "channel_not_found", "msg_too_long"])
async def test_a_refusal_for_good_is_not_tried_again(slack, calls, alice, error):
    slack.faults.refuse("chat.postMessage", error)
    with pytest.raises(RejectedError, match=error):
        await post(calls, alice)
    assert len(slack.calls("chat.postMessage")) == 1


@pytest.mark.parametrize("error", ["token_revoked", "missing_scope"])
async def test_what_an_operator_can_mend_is_tried_again_later(slack, calls, alice, error):
    slack.faults.refuse("chat.postMessage", error)
    with pytest.raises(PlatformError) as raised:
        await post(calls, alice)
    assert not isinstance(raised.value, RejectedError | UnknownOutcomeError)


@pytest.mark.parametrize("fault", ["fail", "cut_answer"])
async def test_a_call_that_was_cut_may_have_happened(slack, calls, alice, fault):
    getattr(slack.faults, fault)("chat.postMessage")
    with pytest.raises(UnknownOutcomeError):
        await post(calls, alice)
    assert len(slack.calls("chat.postMessage")) == 1


async def test_where_slack_cannot_be_reached_nothing_has_happened():
    async def token_of(_):
        return "xoxb-1"

    async with SlackApi("http://127.0.0.1:9/api/", token_of) as calls:
        with pytest.raises(PlatformError) as raised:
            await calls.call("T", "auth.test")
    assert type(raised.value) is PlatformError
