import pytest
from slack_sdk.errors import SlackApiError

from simulators.slack_service import AppSetup, SlackService, Timing

BUTTON = {"type": "button", "action_id": "undo", "value": "1", "text": {"type": "plain_text", "text": "Undo"}}
METADATA = {"event_type": "key", "event_payload": {"key": "k1"}}


def section(text):
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


async def refused(call):
    with pytest.raises(SlackApiError) as caught:
        await call
    return caught.value.response["error"]


async def test_auth_test_names_the_team_and_the_bot(slack, client):
    answer = await client.auth_test()
    assert (answer["team"], answer["user_id"]) == ("Acme", slack.install.user)
    assert "chat:write" in answer.headers["X-OAuth-Scopes"]


async def test_a_wrong_token_is_refused(client):
    assert await refused(client.auth_test(token="xoxb-wrong")) == "invalid_auth"
    assert await refused(client.apps_connections_open(app_token="xoxb-wrong")) == "not_allowed_token_type"


async def test_no_token_and_an_unknown_method_are_named(client):
    assert await refused(client.api_call("chat.postMessage", json={"token": ""})) in ("not_authed", "invalid_auth")
    assert await refused(client.api_call("chat.dance")) == "unknown_method"


async def test_a_revoked_token_says_so(slack, client):
    slack.revoke_tokens()
    assert await refused(client.auth_test()) == "token_revoked"


async def test_a_missing_scope_names_what_is_needed_and_what_there_is(client, slack, alice):
    slack.install.scopes = frozenset({"im:read"})
    with pytest.raises(SlackApiError) as caught:
        await client.chat_postMessage(channel=alice.im.id, text="hi")
    assert caught.value.response["error"] == "missing_scope"
    assert caught.value.response["needed"] == "chat:write"
    assert caught.value.response["provided"] == "im:read"


async def test_an_address_needs_its_scope(slack, client, alice):
    assert (await client.users_info(user=alice.id))["user"]["profile"]["email"] == "alice@acme.example"
    slack.install.scopes -= {"users:read.email"}
    answer = await client.users_info(user=alice.id, include_locale=True)
    assert "email" not in answer["user"]["profile"]
    assert answer["user"]["locale"] == "en-US"


async def test_a_post_is_seen_and_read_back_with_its_metadata(slack, client, alice):
    sent = await client.chat_postMessage(channel=alice.im.id, text="hello", metadata=METADATA)
    assert [shown.text for shown in slack.seen_by(alice, alice.im)] == ["hello"]
    history = await client.conversations_history(channel=alice.im.id, include_all_metadata=True)
    assert (history["messages"][0]["ts"], history["messages"][0]["metadata"]) == (sent["ts"], METADATA)
    assert "metadata" not in (await client.conversations_history(channel=alice.im.id))["messages"][0]


async def test_timestamps_are_unique_and_rise(slack, client, alice):
    stamps = [(await client.chat_postMessage(channel=alice.im.id, text="x"))["ts"] for _ in range(5)]
    assert stamps == sorted(set(stamps))
    assert all(len(stamp.split(".")[1]) == 6 for stamp in stamps)


async def test_posting_where_one_may_not_is_refused(slack, client, alice, general):
    elsewhere = slack.channel("elsewhere", alice, app=False)
    hidden = slack.channel("hidden", alice, private=True, app=False)
    slack.archive(general)
    assert await refused(client.chat_postMessage(channel="C404", text="x")) == "channel_not_found"
    assert await refused(client.chat_postMessage(channel=elsewhere.id, text="x")) == "not_in_channel"
    assert await refused(client.chat_postMessage(channel=hidden.id, text="x")) == "channel_not_found"
    assert await refused(client.chat_postMessage(channel=general.id, text="x")) == "is_archived"


async def test_text_has_its_limits(client, alice):
    im = alice.im.id
    sent = await client.chat_postMessage(channel=im, text="x" * 40_001)
    assert len(sent["message"]["text"]) == 40_000
    assert await refused(client.chat_postMessage(channel=im, markdown_text="x" * 12_001)) == "msg_too_long"
    assert await refused(client.chat_update(channel=im, ts=sent["ts"], text="x" * 4_001)) == "msg_too_long"
    assert await refused(client.api_call("chat.postMessage", json={"channel": im})) == "no_text"


@pytest.mark.parametrize(
    "blocks",
    [
        [section("x")] * 51,
        [section("x" * 3_001)],
        [section("")],
        [{"type": "section"}],
        [{"type": "unheard of"}],
        [{"type": "actions", "elements": []}],
        [{"type": "actions", "elements": [BUTTON, BUTTON]}],
        [{"type": "actions", "elements": [BUTTON | {"value": "x" * 2_001}]}],
        [{"type": "context", "elements": [{"type": "mrkdwn", "text": "x"}] * 11}],
        [{"type": "markdown", "text": "x" * 12_001}],
        [section("x") | {"block_id": "same"}] * 2,
    ],
)
async def test_blocks_over_a_limit_are_invalid(client, alice, blocks):
    assert await refused(client.chat_postMessage(channel=alice.im.id, text="x", blocks=blocks)) == "invalid_blocks"


async def test_forms_work_as_json_does(slack, client, alice):
    form = {"channel": alice.im.id, "text": "hi", "metadata": '{"event_type": "a", "event_payload": {}}'}
    await client.api_call("chat.postMessage", data=form)
    assert (
        await refused(client.api_call("chat.postMessage", data=form | {"metadata": "{"})) == "invalid_metadata_format"
    )
    assert [shown.text for shown in slack.seen_by(alice, alice.im)] == ["hi"]


async def test_metadata_needs_a_type_and_a_payload(client, alice):
    call = client.chat_postMessage(channel=alice.im.id, text="x", metadata={"event_type": "a"})
    assert await refused(call) == "invalid_metadata_format"


async def test_an_update_keeps_blocks_that_are_not_named(slack, client, alice):
    im = alice.im.id
    sent = await client.chat_postMessage(channel=im, text="x", blocks=[section("first")])
    await client.chat_update(channel=im, ts=sent["ts"], text="second")
    assert slack.seen_by(alice, alice.im)[0].text == "first"
    await client.chat_update(channel=im, ts=sent["ts"], text="third", blocks=[])
    shown = slack.seen_by(alice, alice.im)[0]
    assert (shown.text, shown.edited) == ("third", True)


async def test_only_own_messages_can_be_changed_or_deleted(client, alice):
    theirs = alice.dm("mine")
    im = alice.im.id
    assert await refused(client.chat_update(channel=im, ts=theirs.ts, text="x")) == "cant_update_message"
    assert await refused(client.chat_delete(channel=im, ts=theirs.ts)) == "cant_delete_message"
    assert await refused(client.chat_update(channel=im, ts="1.000000", text="x")) == "message_not_found"


async def test_a_reply_goes_to_the_root_and_only_a_broadcast_shows_in_the_channel(client, alice, general):
    root = alice.say(general, "question")
    first = await client.chat_postMessage(channel=general.id, thread_ts=root.ts, text="one")
    await client.chat_postMessage(channel=general.id, thread_ts=first["ts"], text="two", reply_broadcast=True)
    thread = (await client.conversations_replies(channel=general.id, ts=root.ts))["messages"]
    assert [message["text"] for message in thread] == ["question", "one", "two"]
    assert thread[0]["reply_count"] == 2
    history = (await client.conversations_history(channel=general.id))["messages"]
    assert [message["text"] for message in history] == ["two", "question"]


async def test_a_thread_that_never_was_is_refused_and_a_deleted_root_still_opens(client, alice, general):
    root = alice.say(general, "gone soon")
    alice.delete(root)
    await client.chat_postMessage(channel=general.id, thread_ts=root.ts, text="late")
    call = client.chat_postMessage(channel=general.id, thread_ts="1.000000", text="x")
    assert await refused(call) == "invalid_thread_ts"
    assert await refused(client.conversations_replies(channel=general.id, ts="1.000000")) == "thread_not_found"


async def test_history_is_paged_and_bounded(client, alice):
    sent = [alice.dm(f"m{number}") for number in range(5)]
    im = alice.im.id
    first = await client.conversations_history(channel=im, limit=2)
    rest = await client.conversations_history(channel=im, limit=9, cursor=first["response_metadata"]["next_cursor"])
    assert [message["text"] for message in first["messages"]] == ["m4", "m3"]
    assert [message["text"] for message in rest["messages"]] == ["m2", "m1", "m0"]
    assert (first["has_more"], rest["has_more"]) == (True, False)
    newer = await client.conversations_history(channel=im, oldest=sent[3].ts)
    assert [message["text"] for message in newer["messages"]] == ["m4"]
    both = await client.conversations_history(channel=im, oldest=sent[3].ts, latest=sent[4].ts, inclusive=True)
    assert len(both["messages"]) == 2


async def test_a_whisper_is_seen_by_one_and_kept_nowhere(slack, client, alice, bob, general):
    await client.chat_postEphemeral(channel=general.id, user=alice.id, text="psst")
    assert [shown.ephemeral for shown in slack.seen_by(alice, general)] == [True]
    assert slack.seen_by(bob, general) == []
    assert (await client.conversations_history(channel=general.id))["messages"] == []
    carol = slack.person("Carol")
    call = client.chat_postEphemeral(channel=general.id, user=carol.id, text="x")
    assert await refused(call) == "user_not_in_channel"


async def test_reactions_are_put_on_once_and_taken_off_once(slack, client, alice, general):
    message = alice.say(general, "hi")
    where = {"channel": general.id, "timestamp": message.ts, "name": "eyes"}
    await client.reactions_add(**where)
    assert await refused(client.reactions_add(**where)) == "already_reacted"
    assert slack.seen_by(alice, general)[0].reactions == ("eyes",)
    assert (await client.reactions_get(channel=general.id, timestamp=message.ts))["message"]["reactions"][0][
        "count"
    ] == 1
    await client.reactions_remove(**where)
    assert await refused(client.reactions_remove(**where)) == "no_reaction"
    assert await refused(client.reactions_add(**where | {"name": "no such!"})) == "invalid_name"


async def test_channels_are_listed_as_far_as_the_app_may_know(slack, client, alice, general):
    slack.channel("hidden", alice, private=True, app=False)
    alice.dm("hi")
    types = "public_channel,private_channel,im"
    found = (await client.conversations_list(types=types))["channels"]
    assert {channel["id"] for channel in found} == {general.id, alice.im.id}
    assert (await client.conversations_info(channel=alice.im.id))["channel"]["user"] == alice.id
    assert alice.id in (await client.conversations_members(channel=general.id))["members"]
    assert [channel["id"] for channel in (await client.users_conversations())["channels"]] == [general.id]
    assert (await client.conversations_open(users=[alice.id]))["channel"]["id"] == alice.im.id


async def test_agent_surfaces_show_status_title_prompts_and_session(slack, client, alice):
    root = alice.dm("hi")
    where = {"channel_id": alice.im.id, "thread_ts": root.ts}
    await client.assistant_threads_setStatus(**where, status="is looking...")
    await client.assistant_threads_setTitle(**where, title="A question")
    await client.assistant_threads_setSuggestedPrompts(**where, prompts=[{"title": "Help", "message": "help"}])
    await client.agents_sessions_setStatus(**where, status="processing")
    shown = slack.shown_beside(alice.im, root)
    assert (shown["status"], shown["title"], shown["session"]) == ("is looking...", "A question", "processing")
    five = [{"title": "a", "message": "b"}] * 5
    assert await refused(client.assistant_threads_setSuggestedPrompts(**where, prompts=five)) == "invalid_arguments"
    assert await refused(client.agents_sessions_setStatus(**where, status="asleep")) == "invalid_arguments"
    await client.chat_postMessage(channel=alice.im.id, thread_ts=root.ts, text="found")
    assert slack.shown_beside(alice.im, root)["status"] == ""


async def test_app_home_is_published_for_one_person(client, alice, bob):
    view = {"type": "home", "blocks": [section("No tickets.")]}
    published = await client.views_publish(user_id=alice.id, view=view)
    assert (alice.home, bob.home) == ("No tickets.", "")
    stale = client.views_publish(user_id=alice.id, view=view, hash="stale")
    assert await refused(stale) == "hash_conflict"
    assert published["view"]["type"] == "home"


async def test_permalinks_bots_team_users_and_files_are_described(slack, client, alice, general):
    root = alice.say(general, "root")
    reply = alice.say(general, "reply", thread=root)
    link = (await client.chat_getPermalink(channel=general.id, message_ts=reply.ts))["permalink"]
    assert link.endswith(f"/archives/{general.id}/p{reply.ts.replace('.', '')}?thread_ts={root.ts}&cid={general.id}")
    assert (await client.bots_info(bot=slack.install.bot_id))["bot"]["user_id"] == slack.install.user
    assert (await client.team_info())["team"]["domain"] == "acme"
    assert alice.id in {member["id"] for member in (await client.users_list())["members"]}
    file = alice.share_file(general, "log.txt").files[0]
    assert (await client.files_info(file=file["id"]))["file"]["name"] == "log.txt"


# slack_sdk still uses aiohttp's old helper.
@pytest.mark.filterwarnings("ignore:BasicAuth is deprecated")
async def test_oauth_installs_the_app_in_another_team(slack, client):
    globex = slack.team("Globex")
    carol = slack.person("Carol", team=globex)
    app = {"client_id": slack.world.app.client_id, "client_secret": slack.world.app.client_secret}
    code = slack.consent(globex, carol)
    answer = await client.oauth_v2_access(**app, code=code)
    assert (answer["team"]["name"], answer["authed_user"]["id"]) == ("Globex", carol.id)
    assert (await client.auth_test(token=answer["access_token"]))["team"] == "Globex"
    assert await refused(client.oauth_v2_access(**app, code=code)) == "invalid_code"
    wrong = client.oauth_v2_access(**app | {"client_secret": "x"}, code=code)
    assert await refused(wrong) == "bad_client_secret"


async def test_one_teams_token_does_not_see_anothers_channels(slack, client):
    globex = slack.team("Globex", installed=True)
    carol = slack.person("Carol", team=globex)
    assert await refused(client.chat_postMessage(channel=carol.im.id, text="x")) == "channel_not_found"


async def test_an_app_is_set_up_as_wanted():
    setup = AppSetup(name="deskbot", scopes=frozenset({"chat:write"}))
    async with SlackService(app=setup, timing=Timing.quick()) as slack:
        assert slack.world.users[slack.install.user].name == "deskbot"
        assert slack.install.scopes == {"chat:write"}


async def test_user_groups_are_listed_with_their_members_unless_disabled(slack, client):
    alice = slack.person("alice")
    helpers, gone = slack.group("Helpers", alice), slack.group("Gone")
    gone.disabled = True
    (shown,) = (await client.usergroups_list(include_users=True))["usergroups"]
    assert (shown["id"], shown["handle"], shown["users"]) == (helpers.id, "helpers", [alice.id])
    assert (await client.usergroups_users_list(usergroup=helpers.id))["users"] == [alice.id]
    with pytest.raises(SlackApiError, match="no_such_subteam"):
        await client.usergroups_users_list(usergroup=gone.id)
