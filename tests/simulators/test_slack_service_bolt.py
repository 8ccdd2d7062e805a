"""A real Bolt app against the service, once over Socket Mode and once over signed HTTP."""

import logging

import pytest
from aiohttp import web
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse

UNDO = {"type": "button", "action_id": "undo", "value": "turn-1", "text": {"type": "plain_text", "text": "Undo"}}
MODAL = {
    "type": "modal",
    "callback_id": "form",
    "title": {"type": "plain_text", "text": "Ticket"},
    "blocks": [
        {
            "type": "input",
            "block_id": "b",
            "label": {"type": "plain_text", "text": "Subject"},
            "element": {"type": "plain_text_input", "action_id": "subject"},
        }
    ],
}


@pytest.fixture
def bolt(slack, client):
    app = AsyncApp(
        client=client,
        signing_secret=slack.signing_secret,
        logger=logging.getLogger("bolt"),
        raise_error_for_unhandled_request=True,
    )

    @app.error
    async def acknowledge_the_rest():
        # Bolt answers 404 to what no listener takes, and the service delivers it again.
        return BoltResponse(status=200)

    return app


@pytest.fixture(params=["socket", "http"])
async def app(request, slack, bolt):
    if request.param == "socket":
        handler = AsyncSocketModeHandler(bolt, slack.app_token, ping_interval=0.01)
        await handler.connect_async()
        await slack.until(lambda: slack.socket_count == 1)
        yield bolt
        await handler.close_async()
        return
    runner = web.AppRunner(http_app(bolt), access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    assert await slack.verify_url(url)
    slack.deliver_to(url)
    yield bolt
    await slack.settled()
    await runner.cleanup()


def http_app(bolt):
    async def handle(request):
        body = (await request.read()).decode()
        answer = await bolt.async_dispatch(AsyncBoltRequest(body=body, headers=dict(request.headers)))
        headers = {name: values[0] for name, values in answer.headers.items() if name.lower() != "content-type"}
        kind = answer.first_headers().get("content-type", "text/plain").split(";")[0]
        return web.Response(status=answer.status, text=answer.body, content_type=kind, headers=headers)

    app = web.Application()
    app.router.add_post("/", handle)
    return app


@pytest.fixture
def seen(slack, alice):
    async def seen(count):
        await slack.until(lambda: len(slack.seen_by(alice, alice.im)) >= count)
        await slack.settled()
        return slack.seen_by(alice, alice.im)

    return seen


async def test_a_message_is_answered(slack, app, alice, seen):
    @app.message("hello")
    async def answer(message, say):
        await say("hi there", thread_ts=message["ts"])

    question = alice.dm("hello")
    shown = (await seen(2))[1]
    assert (shown.author, shown.text, shown.thread_ts) == ("helper", "hi there", question.ts)


async def test_a_press_is_acknowledged_and_answered_by_its_response_url(slack, client, app, alice, seen):
    @app.action("undo")
    async def undo(ack, respond, action):
        await ack()
        await respond(f"took back {action['value']}", replace_original=False)

    await client.chat_postMessage(
        channel=alice.im.id, text="x", blocks=[{"type": "actions", "block_id": "row", "elements": [UNDO]}]
    )
    alice.press(slack.seen_by(alice, alice.im)[0], "Undo")
    shown = (await seen(2))[1]
    assert (shown.text, shown.ephemeral) == ("took back turn-1", True)
    action = slack.envelopes[-1].payload["actions"][0]
    assert (action["block_id"], action["value"]) == ("row", "turn-1")


async def test_a_forged_value_arrives_as_it_was_forged(slack, client, app, alice, seen):
    @app.action("undo")
    async def undo(ack, say, action):
        await ack()
        await say(action["value"])

    sent = await client.chat_postMessage(channel=alice.im.id, text="no buttons")
    message = alice.im.messages[sent["ts"]]
    with pytest.raises(LookupError):
        alice.press(message, "undo")
    alice.press(message, "undo", value="somebody else's")
    assert (await seen(2))[1].text == "somebody else's"


async def test_a_command_is_answered_in_its_acknowledgement(slack, app, alice, seen):
    @app.command("/desk")
    async def desk(ack, command):
        await ack(f"{command['channel_name']}: {command['text']}")

    alice.slash("/desk", "help")
    shown = (await seen(1))[0]
    assert (shown.text, shown.ephemeral) == ("directmessage: help", True)


async def test_a_command_may_be_answered_for_all(slack, app, alice, bob, general):
    @app.command("/desk")
    async def desk(ack):
        await ack({"response_type": "in_channel", "text": "for all"})

    await alice.slash("/desk", channel=general).done.wait()
    assert [shown.text for shown in slack.seen_by(bob, general)] == ["for all"]


async def test_a_shortcut_opens_a_form_and_the_form_comes_back(slack, app, alice, seen):
    @app.shortcut("create_ticket")
    async def create(ack, body, client):
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=MODAL)

    @app.view("form")
    async def form(ack, body, view, client):
        await ack()
        await client.chat_postMessage(channel=body["user"]["id"], text=view["state"]["values"]["b"]["subject"]["value"])

    alice.shortcut(alice.dm("it broke"), "create_ticket")
    await slack.until(lambda: alice.modal is not None)
    await alice.submit(subject="Printer").done.wait()
    assert alice.modal is None
    assert (await seen(2))[1].text == "Printer"


async def test_a_form_with_errors_stays_open(slack, app, alice):
    @app.global_shortcut("create_ticket")
    async def create(ack, body, client):
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=MODAL)

    @app.view("form")
    async def form(ack):
        await ack({"response_action": "errors", "errors": {"b": "Too short."}})

    alice.global_shortcut("create_ticket")
    await slack.until(lambda: alice.modal is not None)
    sent = alice.submit(subject="P")
    await sent.done.wait()
    assert sent.answer["errors"] == {"b": "Too short."}
    assert alice.modal is not None


async def test_app_home_is_published_and_its_buttons_work(slack, app, alice, seen):
    @app.event("app_home_opened")
    async def home(event, client):
        view = {"type": "home", "blocks": [{"type": "actions", "elements": [UNDO]}]}
        await client.views_publish(user_id=event["user"], view=view)

    @app.action("undo")
    async def undo(ack, body, client):
        await ack()
        await client.chat_postMessage(channel=body["user"]["id"], text="from home")

    alice.open_home()
    await slack.until(lambda: alice.home == "[Undo]")
    alice.press_home("undo")
    assert (await seen(1))[0].text == "from home"


async def test_nobody_answering_a_command_is_shown_to_whoever_said_it(slack, alice, receiver):
    receiver.answers = [web.Response(status=500)]
    said = alice.slash("/desk", "help")
    await said.done.wait()
    assert (said.state, said.attempts) == ("lost", 1)
    assert slack.seen_by(alice, alice.im)[0].text == '/desk failed with the error "operation_timeout"'


async def test_sockets_are_changed_without_losing_anything(slack, bolt, alice, seen):
    @bolt.message()
    async def answer(say):
        await say("yes")

    handler = AsyncSocketModeHandler(bolt, slack.app_token, ping_interval=0.01)
    await handler.connect_async()
    await slack.until(lambda: slack.socket_count == 1)
    await slack.disconnect("refresh_requested")
    alice.dm("still there?")
    assert (await seen(2))[1].text == "yes"
    await handler.close_async()
