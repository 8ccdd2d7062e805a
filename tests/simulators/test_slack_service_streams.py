import pytest

from tests.simulators.test_slack_service_web_api import METADATA, refused, section


@pytest.fixture
async def root(alice):
    return alice.dm("question")


@pytest.fixture
async def stream(client, root):
    answer = await client.chat_startStream(channel=root.channel, thread_ts=root.ts, markdown_text="Looking")
    return {"channel": root.channel, "ts": answer["ts"]}


async def test_a_stream_grows_and_ends_with_blocks_and_metadata(slack, client, alice, stream):
    await client.chat_appendStream(**stream, markdown_text=" and found")
    live = slack.seen_by(alice, alice.im)[-1]
    await client.chat_stopStream(**stream, markdown_text=".", blocks=[section("footer")], metadata=METADATA)
    shown = slack.seen_by(alice, alice.im)[-1]
    assert (live.text, live.streaming) == ("Looking and found", True)
    assert (shown.text, shown.streaming) == ("Looking and found.\nfooter", False)


async def test_metadata_is_absent_until_the_stop(client, root, stream):
    where = {"channel": root.channel, "ts": root.ts, "include_all_metadata": True}
    live = (await client.conversations_replies(**where))["messages"][-1]
    await client.chat_stopStream(**stream, metadata=METADATA)
    done = (await client.conversations_replies(**where))["messages"][-1]
    assert ("metadata" in live, live["streaming_state"]) == (False, "in_progress")
    assert (done["metadata"], done["streaming_state"]) == (METADATA, "completed")


async def test_a_live_stream_is_neither_updated_nor_deleted(client, stream):
    assert await refused(client.chat_update(**stream, text="x")) == "streaming_state_conflict"
    assert await refused(client.chat_delete(**stream)) == "cant_delete_message"
    await client.chat_stopStream(**stream)
    await client.chat_update(**stream, text="x")
    await client.chat_delete(**stream)


async def test_what_does_not_stream_takes_no_text(client, alice, stream):
    await client.chat_stopStream(**stream)
    assert await refused(client.chat_appendStream(**stream, markdown_text="x")) == "message_not_in_streaming_state"
    assert await refused(client.chat_stopStream(**stream)) == "message_not_in_streaming_state"


async def test_a_stream_belongs_in_a_thread_and_in_channels_to_a_recipient(client, alice, general):
    root = alice.say(general, "question")
    call = client.api_call("chat.startStream", json={"channel": alice.im.id})
    assert await refused(call) == "invalid_arguments"
    where = {"channel": general.id, "thread_ts": root.ts}
    assert await refused(client.chat_startStream(**where)) == "missing_recipient_user_id"
    assert await refused(client.chat_startStream(**where, recipient_user_id=alice.id)) == "missing_recipient_team_id"
    await client.chat_startStream(**where, recipient_user_id=alice.id, recipient_team_id=alice.user.team)


async def test_chunks_and_text_exclude_each_other_and_have_a_limit(slack, client, alice, stream):
    chunks = [{"type": "markdown_text", "text": "!"}]
    await client.chat_appendStream(**stream, chunks=chunks)
    both = client.chat_appendStream(**stream, chunks=chunks, markdown_text="x")
    assert await refused(both) == "cannot_provide_both_markdown_text_and_chunks"
    assert await refused(client.chat_appendStream(**stream, markdown_text="x" * 12_001)) == "msg_too_long"
    assert slack.seen_by(alice, alice.im)[-1].text == "Looking!"


async def test_a_workspace_may_not_know_streams(slack, client, root):
    slack.faults.forget_method("chat.startStream")
    assert await refused(client.chat_startStream(channel=root.channel, thread_ts=root.ts)) == "unknown_method"


async def test_the_session_is_processing_while_it_streams(slack, client, alice, stream):
    thread = next(iter(alice.im.messages))
    assert slack.shown_beside(alice.im, thread)["session"] == "processing"
    await client.chat_stopStream(**stream)
    assert slack.shown_beside(alice.im, thread)["session"] == "active"


async def test_a_stream_that_goes_on_too_long_is_ended(slack, client, stream):
    slack.expire_streams()
    assert await refused(client.chat_appendStream(**stream, markdown_text="x")) == "message_not_in_streaming_state"


async def test_the_stop_button_ends_the_streams_it_lists(slack, receiver, client, alice, stream):
    root = next(iter(alice.im.messages.values()))
    assert alice.stop(alice.im, root) == [stream["ts"]]
    await slack.settled()
    assert receiver.events[-1]["type"] == "agent_session_stopped"
    assert receiver.events[-1]["streaming_message_ts"] == [stream["ts"]]
    assert receiver.events[-1]["thread_ts"] == root.ts
    assert await refused(client.chat_stopStream(**stream)) == "message_not_in_streaming_state"
