"""Slack over HTTP: what is let in, what is refused, and what is said of a desk that cannot take anything."""

import asyncio
import json
import time
from contextlib import AsyncExitStack
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest

from adapters.slack import guard, web
from adapters.slack.app import SlackApp
from adapters.slack.installs import OneWorkspace
from bots.assemble import open_desk
from core.config import Settings
from simulators.slack_service import SlackService, sign
from tests.adapters.slack_harness import served

PAYLOADS = Path(__file__).parent / "payloads" / "slack"
JSON, FORM = "application/json", "application/x-www-form-urlencoded"
NEW, OLD = "the new secret", "the old secret"


class Door:
    """A desk in a simulated workspace behind its HTTP door, and a hand that posts to it."""

    def __init__(self):
        self._parts = AsyncExitStack()
        self.accepted = []

    async def __aenter__(self):
        enter = self._parts.enter_async_context
        self.slack = await enter(SlackService())
        install = OneWorkspace(self.slack.bot_token, self.slack.api_url)
        await install.connect()
        self.app = await enter(SlackApp(install, self.slack.api_url))
        self.secrets = [self.slack.signing_secret, OLD]
        self.asgi = web.http_app(self.app, self.secrets)
        self.url = await enter(served(self.asgi))
        self._http = await enter(httpx.AsyncClient(base_url=self.url))
        return self

    async def __aexit__(self, *_):
        await self._parts.aclose()

    def desk(self):
        return open_desk(Settings(store="sqlite:///:memory:", model="offline"), [self.app], serving=False)

    async def serve(self):
        self._desk = await self._parts.enter_async_context(self.desk())
        await self._parts.enter_async_context(self.app.serving(self))

    async def accept(self, event):
        self.accepted.append(event)
        return await self._desk.accept(event)

    async def post(self, body, headers):
        answer = await self._http.post("/slack/events", content=body, headers=headers)
        return answer.status_code

    async def get(self, path):
        return (await self._http.get(path)).status_code

    def signed(self, body, *, kind=JSON, at=None, secret=None):
        stamp = str(int(time.time()) if at is None else at)
        return {
            "Content-Type": kind,
            "X-Slack-Request-Timestamp": stamp,
            "X-Slack-Signature": sign(secret or self.slack.signing_secret, stamp, body),
        }


@pytest.fixture
async def closed():
    async with Door() as door:
        yield door


@pytest.fixture
async def door(closed):
    await closed.serve()
    return closed


def event(name="message_direct"):
    return json.loads((PAYLOADS / f"{name}.json").read_text())


MESSAGE = json.dumps(event()).encode()
SLASH = urlencode(event("slash_desk")).encode()


# --- let in -----------------------------------------------------------------------------------------------------------


async def test_slack_finds_the_address_ours(door):
    assert await door.slack.verify_url(f"{door.url}/slack/events")


@pytest.mark.parametrize("kind", [JSON, f"{JSON}; charset=utf-8", "Application/JSON"])
async def test_a_signed_event_reaches_the_desk(door, kind):
    assert await door.post(MESSAGE, door.signed(MESSAGE, kind=kind)) == 200
    assert [each.text for each in door.accepted] == ["I cannot log in"]


async def test_a_slash_command_reaches_the_desk_as_a_form(door):
    assert await door.post(SLASH, door.signed(SLASH, kind=FORM)) == 200
    assert [each.name for each in door.accepted] == ["branch"]


async def test_a_press_reaches_the_desk_as_json_in_a_form(door):
    body = urlencode({"payload": json.dumps(event("button"))}).encode()
    assert await door.post(body, door.signed(body, kind=FORM)) == 200
    assert [each.name for each in door.accepted] == ["undo"]


async def test_what_means_nothing_to_us_is_acknowledged(door):
    body = json.dumps({"type": "event_callback", "event": {"type": "team_join"}}).encode()
    assert await door.post(body, door.signed(body)) == 200
    assert not door.accepted


async def test_slacks_check_of_the_certificate_is_acknowledged_when_it_is_signed(door):
    body = b"ssl_check=1&token=simulated-verification-token"
    assert await door.post(body, door.signed(body, kind=FORM)) == 200
    assert await door.post(body, {"Content-Type": FORM}) == 400
    assert not door.accepted


async def test_a_clock_that_is_four_minutes_off_is_close_enough(door):
    for seconds in (-240, 240):
        assert await door.post(MESSAGE, door.signed(MESSAGE, at=int(time.time()) + seconds)) == 200


async def test_both_secrets_are_good_while_the_secret_is_rotated(door):
    for secret in door.secrets:
        assert await door.post(MESSAGE, door.signed(MESSAGE, secret=secret)) == 200


async def test_a_secret_that_is_neither_is_refused(door):
    assert await door.post(MESSAGE, door.signed(MESSAGE, secret=NEW)) == 401
    assert not door.accepted


async def test_without_a_secret_nothing_is_let_in(door):
    async with served(web.http_app(door.app, [])) as url, httpx.AsyncClient(base_url=url) as http:
        answer = await http.post("/slack/events", content=MESSAGE, headers=door.signed(MESSAGE))
    assert answer.status_code == 401
    assert not door.accepted


# --- refused ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("missing", ["Content-Type", "X-Slack-Request-Timestamp", "X-Slack-Signature"])
async def test_a_request_without_one_of_its_headers_is_refused(door, missing):
    headers = door.signed(MESSAGE)
    del headers[missing]
    assert await door.post(MESSAGE, headers) == 400
    assert not door.accepted


@pytest.mark.parametrize("doubled", ["Content-Type", "X-Slack-Request-Timestamp", "X-Slack-Signature"])
async def test_a_request_with_one_of_its_headers_twice_is_refused(door, doubled):
    headers = door.signed(MESSAGE)
    assert await door.post(MESSAGE, [*headers.items(), (doubled, headers[doubled])]) == 400
    assert not door.accepted


@pytest.mark.parametrize("stamp", ["", "soon", "-5", "1e9", "1780000000.5", "٣", "0x10", "9" * 400])
async def test_a_timestamp_that_is_no_number_is_refused(door, stamp):
    headers = {**door.signed(MESSAGE), "X-Slack-Request-Timestamp": stamp.encode()}
    assert await door.post(MESSAGE, headers) == 400
    assert not door.accepted


@pytest.mark.parametrize("seconds", [-301, 302])
async def test_a_request_of_more_than_five_minutes_ago_or_ahead_is_refused(door, seconds):
    assert await door.post(MESSAGE, door.signed(MESSAGE, at=int(time.time()) + seconds)) == 401
    assert not door.accepted


@pytest.mark.parametrize("signature", ["v0=", "v0=0", "no signature", "ü".encode(), b"\xff\xfe", "v0=" + "0" * 64])
async def test_a_signature_that_is_not_slacks_is_refused(door, signature):
    assert await door.post(MESSAGE, {**door.signed(MESSAGE), "X-Slack-Signature": signature}) == 401
    assert not door.accepted


async def test_a_body_that_was_changed_on_the_way_is_refused(door):
    assert await door.post(MESSAGE.replace(b"cannot", b"can"), door.signed(MESSAGE)) == 401
    assert not door.accepted


async def test_a_signature_is_good_for_its_own_second_alone(door):
    headers = door.signed(MESSAGE) | {"X-Slack-Request-Timestamp": str(int(time.time()) - 10)}
    assert await door.post(MESSAGE, headers) == 401
    assert not door.accepted


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "multipart/form-data; boundary=x", "json"])
async def test_another_content_type_is_refused(door, kind):
    assert await door.post(MESSAGE, door.signed(MESSAGE, kind=kind)) == 415
    assert not door.accepted


UNREADABLE = {
    "nothing": (b"", JSON),
    "a list": (b"[]", JSON),
    "a word": (b'"event_callback"', JSON),
    "null": (b"null", JSON),
    "half of it": (MESSAGE[:-20], JSON),
    "a form that says it is JSON": (SLASH, JSON),
    "JSON that says it is a form": (MESSAGE, FORM),
    "not UTF-8": (b'{"type": "\xff"}', JSON),
    "UTF-16": (MESSAGE.decode().encode("utf-16"), JSON),
    "nested too deep": (b'{"a":' * 5_000 + b"1" + b"}" * 5_000, JSON),
    "a number too long": (b'{"a":' + b"9" * 5_000 + b"}", JSON),
    "an event that is none": (b'{"type": "event_callback", "event": 5}', JSON),
    "authorizations that are none": (b'{"type": "event_callback", "authorizations": [5]}', JSON),
    "a form without fields": (b"", FORM),
    "a form that is not UTF-8": (b"command=%2Fdesk&text=%FF", FORM),
    "a field twice": (b"command=%2Fdesk&text=undo&text=clear", FORM),
    "too many fields": (b"&".join(b"a%d=1" % number for number in range(200)), FORM),
    "a payload that is a list": (b"payload=[]", FORM),
    "a payload that is cut": (b"payload=%7B%22type", FORM),
}


@pytest.mark.parametrize(("body", "kind"), UNREADABLE.values(), ids=UNREADABLE)
async def test_a_body_that_cannot_be_read_is_refused(door, body, kind):
    assert await door.post(body, door.signed(body, kind=kind)) == 400
    assert not door.accepted


async def test_a_body_of_more_than_a_megabyte_is_refused(door):
    body = b'{"text": "' + b"a" * guard.MAX_BODY + b'"}'
    assert await door.post(body, door.signed(body)) == 413


async def test_of_a_body_that_does_not_say_its_size_no_more_than_a_megabyte_is_read(door):
    chunk, asked = b"a" * 2**16, []

    async def receive():
        asked.append(chunk)
        return {"type": "http.request", "body": chunk, "more_body": True}

    assert await call(door.asgi, door.signed(b""), receive) == 413
    assert len(asked) == guard.MAX_BODY // len(chunk) + 1


async def test_a_body_that_is_cut_is_refused(door):
    async def receive():
        return {"type": "http.disconnect"}

    assert await call(door.asgi, door.signed(b""), receive) == 400


async def test_a_body_that_never_comes_is_not_waited_for(door, monkeypatch):
    monkeypatch.setattr(web, "READ_SECONDS", 0)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(door.asgi), base_url="http://desk") as http:
        answer = await http.post("/slack/events", content=never(), headers=door.signed(b""))
    assert answer.status_code == 408


async def test_other_paths_and_methods_are_not_there(door):
    assert await door.get("/slack/events") == 405
    assert await door.get("/") == 404


# --- seen before ------------------------------------------------------------------------------------------------------


async def test_a_request_that_is_played_again_is_refused(door):
    headers = door.signed(MESSAGE)
    assert [await door.post(MESSAGE, headers) for _ in range(3)] == [200, 409, 409]
    assert len(door.accepted) == 1


async def test_slacks_own_retry_within_the_second_is_acknowledged_and_not_taken_again(door):
    headers = door.signed(MESSAGE)
    assert await door.post(MESSAGE, headers) == 200
    again = headers | {"X-Slack-Retry-Num": "1", "X-Slack-Retry-Reason": "http_timeout"}
    assert await door.post(MESSAGE, again) == 200
    assert len(door.accepted) == 1


async def test_slacks_retry_under_a_new_signature_is_left_to_the_desk(door):
    now = int(time.time())
    for at in (now - 3, now):
        assert await door.post(MESSAGE, door.signed(MESSAGE, at=at)) == 200
    assert len(door.accepted) == 2


async def test_what_could_not_be_kept_is_taken_when_the_same_bytes_come_again(closed):
    headers = closed.signed(MESSAGE)
    async with closed.desk() as stopped:
        pass
    async with closed.app.serving(stopped):
        assert await closed.post(MESSAGE, headers) == 503
    await closed.serve()
    assert await closed.post(MESSAGE, headers) == 200
    assert len(closed.accepted) == 1


def test_signatures_are_forgotten_when_their_time_is_over():
    now = 1_780_000_000.0
    remembering = guard.Guard(["secret"], clock=lambda: now)
    for second in range(3_000):
        now = 1_780_000_000.0 + second
        remembering.remember(guard.Head(str(int(now)), f"v0={second}", form=False, again=False))
    assert len(remembering._taken) == guard.MAX_AGE + 1


# --- how it is --------------------------------------------------------------------------------------------------------


async def test_it_lives_before_it_is_ready(closed):
    assert (await closed.get("/health/live"), await closed.get("/health/ready")) == (200, 503)


async def test_it_is_ready_while_a_desk_takes_events(closed):
    async with closed.desk() as desk, closed.app.serving(desk):
        assert await closed.get("/health/ready") == 200
    assert await closed.get("/health/ready") == 503


async def test_without_a_desk_slack_is_asked_to_send_it_again(closed):
    assert await closed.post(MESSAGE, closed.signed(MESSAGE)) == 503


async def never():
    yield b"{"
    await asyncio.Event().wait()


async def call(app, headers, receive):
    """Post without a client in between, with a body of one's own; the status."""
    sent = []

    async def send(message):
        sent.append(message)

    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": "POST", "path": "/slack/events", "query_string": b"", "headers": raw}
    await app(scope, receive, send)
    return sent[0]["status"]
