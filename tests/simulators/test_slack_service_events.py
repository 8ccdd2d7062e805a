import pytest
from slack_sdk.signature import SignatureVerifier

from simulators.slack_service import AppSetup, SlackService, Timing


@pytest.fixture
def heard(slack, receiver):
    async def heard():
        await slack.settled()
        return receiver.events

    return heard


def kinds(events):
    return [event.get("subtype", event["type"]) for event in events]


async def test_a_direct_message_arrives_signed_with_its_envelope(slack, receiver, heard, alice):
    message = alice.dm("a < b & https://example.com/")
    await heard()
    headers, body = receiver.requests[0]
    verifier = SignatureVerifier(slack.signing_secret)
    assert verifier.is_valid_request(body, dict(headers))
    event = receiver.events[0]
    assert (event["channel_type"], event["user"], event["ts"]) == ("im", alice.id, message.ts)
    assert event["text"] == "a &lt; b &amp; <https://example.com/>"


async def test_a_mention_comes_as_two_events_with_two_ids(slack, heard, alice, general):
    alice.say(general, f"{slack.mention} help")
    assert kinds(await heard()) == ["message", "app_mention"]
    first, second = slack.envelopes
    assert first.payload["event_id"] != second.payload["event_id"]
    assert first.payload["event"]["ts"] == second.payload["event"]["ts"]


async def test_a_reply_also_changes_its_root(heard, alice, general):
    root = alice.say(general, "root")
    alice.say(general, "reply", thread=root)
    events = await heard()
    assert kinds(events) == ["message", "message", "message_changed"]
    assert events[2]["message"]["reply_count"] == 1
    assert events[2]["message"]["text"] == events[2]["previous_message"]["text"] == "root"


async def test_a_link_unfurls_in_a_second_event(heard, alice):
    alice.dm("see https://example.com/x")
    events = await heard()
    assert kinds(events) == ["message", "message_changed"]
    assert events[1]["message"]["attachments"][0]["from_url"] == "https://example.com/x"
    assert "edited" not in events[1]["message"]


async def test_an_edit_carries_both_texts_and_its_time(heard, alice):
    message = alice.dm("before")
    alice.edit(message, "after")
    change = (await heard())[1]
    assert (change["previous_message"]["text"], change["message"]["text"]) == ("before", "after")
    assert change["message"]["edited"]["user"] == alice.id
    assert change["message"]["ts"] == message.ts


async def test_a_language_is_detected_without_an_edit(slack, heard, alice):
    slack.detect_language(alice.dm("Guten Tag"))
    change = (await heard())[1]
    assert change["message"]["language"]["locale"] == "de"
    assert "edited" not in change["message"]


async def test_a_deletion_names_what_was_deleted(heard, alice):
    message = alice.dm("oops")
    alice.delete(message)
    event = (await heard())[1]
    assert (event["subtype"], event["deleted_ts"]) == ("message_deleted", message.ts)
    assert event["previous_message"]["text"] == "oops"


async def test_a_deleted_root_with_replies_becomes_a_tombstone(slack, heard, client, alice, general):
    root = alice.say(general, "root")
    alice.say(general, "reply", thread=root)
    alice.delete(root)
    event = (await heard())[-1]
    assert (event["subtype"], event["message"]["subtype"]) == ("message_changed", "tombstone")
    assert (event["message"]["user"], event["message"]["ts"]) == ("USLACKBOT", root.ts)
    assert event["previous_message"]["text"] == "root"
    assert slack.seen_by(alice, general)[0].deleted
    thread = await client.conversations_replies(channel=general.id, ts=root.ts)
    assert [message["text"] for message in thread["messages"]] == ["This message was deleted.", "reply"]


async def test_the_apps_own_posts_and_updates_come_back_to_it(slack, heard, client, alice):
    sent = await client.chat_postMessage(channel=alice.im.id, text="hi")
    await client.chat_update(channel=alice.im.id, ts=sent["ts"], text="ho")
    events = await heard()
    assert kinds(events) == ["message", "message_changed"]
    assert events[0]["bot_id"] == events[1]["message"]["bot_id"] == slack.install.bot_id
    assert events[0]["app_id"] == slack.world.app.id


async def test_reactions_on_off_and_on_are_three_events(heard, alice, general):
    message = alice.say(general, "hi")
    alice.react(message, "broom")
    alice.unreact(message, "broom")
    alice.react(message, "broom")
    events = await heard()
    assert kinds(events)[1:] == ["reaction_added", "reaction_removed", "reaction_added"]
    assert events[1]["item"] == {"type": "message", "channel": general.id, "ts": message.ts}


async def test_other_bots_speak_in_both_ways(slack, heard, alice):
    bot = slack.other_bot("Pager")
    channel = slack.channel("alerts", alice, bot)
    bot.say(channel, "on fire")
    bot.webhook(channel, "still on fire")
    events = await heard()
    assert (events[0]["bot_id"], events[0]["user"]) == (bot.user.bot_id, bot.id)
    assert (events[1]["subtype"], "user" in events[1]) == ("bot_message", False)


async def test_a_file_comes_with_name_type_and_size(heard, alice):
    alice.share_file(alice.im, "log.txt", "my log", size=7, mimetype="text/plain")
    event = (await heard())[0]
    file = event["files"][0]
    assert (event["subtype"], event["text"]) == ("file_share", "my log")
    assert (file["name"], file["mimetype"], file["size"]) == ("log.txt", "text/plain", 7)


async def test_people_of_a_shared_channel_keep_their_team(slack, heard, alice):
    globex = slack.team("Globex")
    carol = slack.person("Carol", team=globex)
    channel = slack.channel("partners", alice, carol, shared_with=globex)
    carol.say(channel, f"{slack.mention} hello")
    event = (await heard())[0]
    assert (event["user_team"], event["source_team"]) == (globex.id, globex.id)
    assert slack.envelopes[0].payload["team_id"] == slack.acme.id
    assert slack.envelopes[0].payload["is_ext_shared_channel"] is True


async def test_opening_the_app_and_losing_it_are_told(slack, heard, alice, general):
    alice.open_home()
    alice.open_home("messages")
    slack.remove_app(general)
    alice.say(general, "unheard")
    slack.uninstall()
    alice.dm("unheard too")
    events = await heard()
    assert kinds(events) == [
        "app_home_opened",
        "app_home_opened",
        "member_left_channel",
        "tokens_revoked",
        "app_uninstalled",
    ]
    assert [event.get("tab") for event in events[:2]] == ["home", "messages"]


async def test_group_dms_are_announced_as_such(slack, heard, alice, bob):
    alice.say(slack.group_dm(alice, bob), f"{slack.mention} hi")
    events = await heard()
    assert (events[0]["channel_type"], kinds(events)) == ("mpim", ["message", "app_mention"])


async def test_only_what_is_subscribed_to_is_sent():
    setup = AppSetup(events=frozenset({"app_mention", "message.im"}))
    async with SlackService(app=setup, timing=Timing.quick()) as slack:
        alice = slack.person("Alice")
        general = slack.channel("general", alice)
        slack.deliver_to("http://127.0.0.1:9/")
        alice.react(alice.say(general, f"{slack.mention} hi"), "eyes")
        alice.dm("hi")
        assert [envelope.payload["event"]["type"] for envelope in slack.envelopes] == ["app_mention", "message"]
