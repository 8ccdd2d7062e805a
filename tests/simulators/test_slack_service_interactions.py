import pytest
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from simulators.slack_service import SlackService, Timing
from tests.simulators.test_slack_service_bolt import MODAL
from tests.simulators.test_slack_service_web_api import refused


@pytest.fixture
async def said(slack, receiver, alice):
    envelope = alice.slash("/desk", "help")
    await envelope.done.wait()
    return envelope.payload


@pytest.fixture
def hook(said, client):
    return AsyncWebhookClient(said["response_url"], session=client.session, retry_handlers=[])


async def test_a_response_url_takes_five_answers(slack, hook, alice):
    answers = [await hook.send(text=f"answer {number}") for number in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [404]
    assert "used_url" in answers[-1].body
    assert len(slack.seen_by(alice, alice.im)) == 5


async def test_a_response_url_ends_after_half_an_hour(receiver):
    now = [1_700_000_000.0]
    async with SlackService(timing=Timing.quick(), clock=lambda: now[0]) as slack:
        slack.deliver_to(receiver.url)
        said = slack.person("Alice").slash("/desk")
        await said.done.wait()
        hook = AsyncWebhookClient(said.payload["response_url"], retry_handlers=[])
        now[0] += 30 * 60 + 1
        assert "expired_url" in (await hook.send(text="late")).body


async def test_an_answer_may_replace_or_delete_what_was_pressed(slack, receiver, client, alice):
    button = {"type": "button", "action_id": "x", "text": {"type": "plain_text", "text": "X"}}
    blocks = [{"type": "actions", "elements": [button]}]
    await client.chat_postEphemeral(channel=alice.im.id, user=alice.id, text="sure?", blocks=blocks)
    pressed = alice.press(slack.seen_by(alice, alice.im)[0], "X")
    assert "message" not in pressed.payload
    assert pressed.payload["container"]["is_ephemeral"] is True
    hook = AsyncWebhookClient(pressed.payload["response_url"], session=client.session)
    await hook.send(text="done", replace_original=True)
    assert [shown.text for shown in slack.seen_by(alice, alice.im)] == ["done"]
    await hook.send(delete_original=True)
    assert slack.seen_by(alice, alice.im) == []


async def test_a_command_has_no_thread(said):
    assert (said["command"], said["text"], said["channel_name"]) == ("/desk", "help", "directmessage")
    assert "thread_ts" not in said


async def test_a_trigger_opens_one_form_within_three_seconds(receiver):
    now = [1_700_000_000.0]
    async with SlackService(timing=Timing.quick(), clock=lambda: now[0]) as slack:
        client = AsyncWebClient(slack.bot_token, slack.api_url)
        slack.deliver_to(receiver.url)
        alice = slack.person("Alice")
        first, second = alice.slash("/desk").payload["trigger_id"], alice.slash("/desk").payload["trigger_id"]
        await client.views_open(trigger_id=first, view=MODAL)
        now[0] += 4
        assert await refused(client.views_open(trigger_id=first, view=MODAL)) == "exchanged_trigger_id"
        assert await refused(client.views_open(trigger_id=second, view=MODAL)) == "expired_trigger_id"
        assert await refused(client.views_open(trigger_id="x", view=MODAL)) == "invalid_trigger_id"


async def test_a_form_is_updated_and_closed(client, said, alice):
    opened = await client.views_open(trigger_id=said["trigger_id"], view=MODAL)
    other = MODAL | {"title": {"type": "plain_text", "text": "Changed"}}
    await client.views_update(view_id=opened["view"]["id"], view=other)
    assert alice.modal.body["title"]["text"] == "Changed"
    assert alice.close_modal() is None
    assert alice.modal is None
    too_long = MODAL | {"title": {"type": "plain_text", "text": "x" * 25}}
    assert await refused(client.views_open(trigger_id="x", view=too_long)) == "invalid_arguments"


async def test_markup_is_shown_as_readers_see_it(slack, client, alice, bob, general):
    text = f"<@{bob.id}> see <https://example.com|the page> &lt;!channel&gt; <!here>"
    await client.chat_postMessage(channel=general.id, text=text)
    shown = slack.seen_by(alice, general)[0]
    assert shown.text == "@bob see the page <!channel> @here"
    assert shown.pings == (f"@{bob.id}", "!here")


async def test_consent_leads_back_to_the_app_with_a_code(slack, client, alice):
    url = slack.api_url.replace("/api/", "/oauth/v2/authorize?state=s1&redirect_uri=http://127.0.0.1:9/back")
    async with client.session.get(url, allow_redirects=False) as response:
        location = response.headers["Location"]
    assert location.startswith("http://127.0.0.1:9/back?code=")
    assert location.endswith("&state=s1")
