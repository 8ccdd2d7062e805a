import pytest

from simulators.slack_service.__main__ import welcome
from simulators.slack_service.console import Console, line_of

BUTTON = {"type": "button", "action_id": "undo", "text": {"type": "plain_text", "text": "Undo"}}


@pytest.fixture
def console(slack):
    return Console(slack)


def said(slack):
    return [envelope.payload.get("event", envelope.payload) for envelope in slack.envelopes]


async def test_lines_are_done(slack, receiver, client, console):
    for line in ("alice: hello", "bob #general: @app hi", "alice /desk help", "alice home"):
        console.act(line)
    im = slack.world.channels[said(slack)[0]["channel"]]
    blocks = [{"type": "actions", "elements": [BUTTON]}]
    await client.chat_postMessage(channel=im.id, text="x", blocks=blocks)
    for line in ("alice press Undo", "alice react broom", "alice unreact broom"):
        console.act(line)
    await slack.settled()
    events = [event["type"] if "command" not in event else event["command"] for event in said(slack)]
    assert events == [
        "message",
        "message",
        "app_mention",
        "/desk",
        "app_home_opened",
        "message",
        "block_actions",
        "reaction_added",
        "reaction_removed",
    ]


@pytest.mark.parametrize("line", ["carol: hi", "alice dance", "alice press Undo", "alice react x"])
async def test_what_cannot_be_done_is_said(console, line):
    with pytest.raises(LookupError):
        console.act(line)


async def test_a_message_is_one_line_with_its_notes(slack, receiver, client, alice):
    await client.chat_postEphemeral(channel=alice.im.id, user=alice.id, text="psst")
    assert line_of(slack.seen_by(alice, alice.im)[0]) == "  helper (ephemeral): psst"


async def test_the_welcome_says_how_to_point_an_app_here(slack):
    for word in (slack.api_url, slack.bot_token, slack.app_token, slack.signing_secret):
        assert word in welcome(slack)
