import asyncio
import json

import pytest
from aiohttp import ClientSession, WSMsgType, web
from slack_sdk.web.async_client import AsyncWebClient

from simulators.slack_service import SlackService, Timing, sign


def retries(receiver):
    return [(headers.get("X-Slack-Retry-Num"), headers.get("X-Slack-Retry-Reason")) for headers, _ in receiver.requests]


async def test_an_error_is_tried_again_until_it_is_acknowledged(slack, receiver, alice):
    receiver.answers = [web.Response(status=500), web.Response(status=500)]
    alice.dm("hi")
    await slack.settled()
    assert retries(receiver) == [(None, None), ("1", "http_error"), ("2", "http_error")]
    assert slack.unacknowledged == []
    assert len({json.loads(body)["event_id"] for _, body in receiver.requests}) == 1


async def test_four_attempts_are_the_end(slack, receiver, alice):
    receiver.answers = [web.Response(status=500) for _ in range(9)]
    alice.dm("hi")
    await slack.settled()
    assert len(receiver.requests) == 4
    assert [envelope.state for envelope in slack.unacknowledged] == ["lost"]


async def test_an_app_may_ask_for_no_more_retries(slack, receiver, alice):
    receiver.answers = [web.Response(status=500, headers={"X-Slack-No-Retry": "1"})]
    alice.dm("hi")
    await slack.settled()
    assert len(receiver.requests) == 1


async def test_a_late_answer_counts_as_none(receiver):
    async with SlackService(timing=Timing(acknowledge=0.03, retries=(0.0,))) as slack:
        slack.deliver_to(receiver.url)
        late = asyncio.Event()
        receiver.answers = [late]
        slack.person("Alice").dm("hi")
        await slack.settled()
        late.set()
        assert retries(receiver) == [(None, None), ("1", "http_timeout")]


async def test_nobody_listening_is_a_failed_connection(slack, alice):
    slack.deliver_to("http://127.0.0.1:9/")
    alice.dm("hi")
    await slack.settled()
    assert set(slack.unacknowledged[0].reasons) == {"connection_failed"}


async def test_events_may_come_twice_with_the_same_id(slack, receiver, alice):
    slack.faults.duplicate_events(1.0)
    alice.dm("hi")
    await slack.settled()
    assert retries(receiver) == [(None, None), ("1", "http_timeout")]
    assert receiver.events[0] == receiver.events[1]


async def test_a_url_proves_itself_by_the_challenge(slack, receiver):
    receiver.answers = [lambda body: web.Response(text=body["challenge"])]
    assert await slack.verify_url(receiver.url)


async def test_a_url_without_the_challenge_is_not_verified(slack, receiver):
    assert not await slack.verify_url(receiver.url)


async def test_a_signature_is_over_version_time_and_raw_body():
    # The sample of Slack's own documentation.
    body = (
        b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
        b"&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
        b"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
        b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
    )
    expected = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
    assert sign("8f742231b10e8888abcd99yyyzzz85a5", "1531420618", body) == expected


@pytest.fixture
async def session():
    async with ClientSession() as session:
        yield session


@pytest.fixture
def connect(slack, client, session):
    async def connect():
        answer = await client.apps_connections_open(app_token=slack.app_token)
        socket = await session.ws_connect(answer["url"])
        hello = await socket.receive_json()
        assert hello["type"] == "hello"
        return socket

    return connect


async def test_a_socket_says_hello_and_carries_events_until_acknowledged(slack, alice, connect):
    socket = await connect()
    alice.dm("hi")
    first = await socket.receive_json()
    assert (first["type"], first["retry_attempt"], first["accepts_response_payload"]) == ("events_api", 0, False)
    assert first["payload"]["event"]["text"] == "hi"
    assert len(slack.unacknowledged) == 1
    await socket.send_json({"envelope_id": first["envelope_id"]})
    await slack.settled()
    assert slack.unacknowledged == []
    await socket.close()


async def test_each_envelope_goes_to_one_of_the_sockets(slack, alice, connect):
    sockets = [await connect(), await connect()]
    await slack.until(lambda: slack.socket_count == 2)
    alice.dm("one")
    alice.dm("two")
    texts = set()
    for socket in sockets:
        body = await socket.receive_json()
        texts.add(body["payload"]["event"]["text"])
        await socket.send_json({"envelope_id": body["envelope_id"]})
    assert texts == {"one", "two"}
    for socket in sockets:
        await socket.close()


async def test_what_a_dead_socket_held_goes_to_the_next(slack, alice, connect):
    first = await connect()
    alice.dm("hi")
    await first.receive_json()
    await first.close()
    second = await connect()
    body = await second.receive_json()
    assert (body["payload"]["event"]["text"], body["retry_attempt"]) == ("hi", 1)
    await second.close()


async def test_an_unanswered_envelope_is_sent_again_with_its_count():
    async with SlackService(timing=Timing(acknowledge=0.03, retries=(0.0, 0.0))) as slack, ClientSession() as session:
        alice = slack.person("Alice")
        client = AsyncWebClient(base_url=slack.api_url, session=session)
        opened = await client.apps_connections_open(app_token=slack.app_token)
        socket = await session.ws_connect(opened["url"])
        await socket.receive_json()
        alice.dm("hi")
        first, second = await socket.receive_json(), await socket.receive_json()
        assert first["payload"] == second["payload"]
        assert (second["retry_attempt"], second["retry_reason"]) == (1, "timeout")
        await socket.close()


async def test_events_wait_for_a_socket(slack, alice, connect):
    alice.dm("hi")
    socket = await connect()
    assert (await socket.receive_json())["payload"]["event"]["text"] == "hi"
    await socket.close()


async def test_a_disconnect_names_its_reason_and_only_a_warning_keeps_the_socket(slack, connect):
    socket = await connect()
    await slack.disconnect("warning")
    assert (await socket.receive_json())["reason"] == "warning"
    assert slack.socket_count == 1
    await slack.disconnect("refresh_requested")
    assert (await socket.receive_json())["type"] == "disconnect"
    assert slack.socket_count == 0
    await socket.close()


async def test_a_dropped_socket_ends_without_a_word(slack, connect):
    socket = await connect()
    slack.drop_sockets()
    assert (await socket.receive()).type in (WSMsgType.CLOSED, WSMsgType.ERROR)
    await slack.until(lambda: slack.socket_count == 0)


async def test_a_ticket_opens_one_connection(slack, client, session):
    url = (await client.apps_connections_open(app_token=slack.app_token))["url"]
    first = await session.ws_connect(url)
    async with session.get(url.replace("ws:", "http:")) as response:
        assert response.status == 403
    await first.close()


async def test_pings_are_answered(connect):
    socket = await connect()
    await socket.ping(b"sdk-ping-pong:1")
    await socket.send_str("not json")
    await socket.close()
