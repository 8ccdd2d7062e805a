import json

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError

from tests.simulators.test_slack_service_web_api import refused


async def announced(client, content=b"hello", name="notes.txt"):
    return await client.files_getUploadURLExternal(filename=name, length=len(content))


async def uploaded(client, content=b"hello"):
    place = await announced(client, content)
    async with client.session.post(place["upload_url"], data=content) as answer:
        assert answer.status == 200
    return place["file_id"]


async def complete(client, id_, channel, **more):
    return await client.files_completeUploadExternal(files=[{"id": id_, "title": "Notes"}], channel_id=channel, **more)


async def test_a_file_is_seen_with_its_words_once_it_is_completed(slack, client, alice):
    id_ = await uploaded(client)
    assert slack.seen_by(alice, alice.im) == []
    answer = await complete(client, id_, alice.im.id, initial_comment="my notes")
    assert answer["files"] == [{"id": id_, "title": "Notes"}]
    (shown,) = slack.seen_by(alice, alice.im)
    assert (shown.text, shown.files, shown.user) == ("my notes", ("notes.txt",), slack.install.user)
    assert slack.content_of(shown) == [b"hello"]


async def test_a_file_says_where_it_is_shared(slack, client, alice, general):
    root = alice.say(general, "root")
    ids = [await uploaded(client), await uploaded(client)]
    await complete(client, ids[0], alice.im.id)
    await complete(client, ids[1], general.id, thread_ts=root.ts)
    direct, shared = [(await client.files_info(file=id_))["file"]["shares"] for id_ in ids]
    assert direct["private"][alice.im.id][0]["ts"] == slack.seen_by(alice, alice.im)[0].ts
    assert shared["public"][general.id][0]["thread_ts"] == root.ts


async def test_a_shared_file_stands_in_the_history_and_comes_as_an_event(slack, client, alice):
    id_ = await uploaded(client)
    await complete(client, id_, alice.im.id)
    (message,) = (await client.conversations_history(channel=alice.im.id))["messages"]
    assert (message["subtype"], message["files"][0]["id"]) == ("file_share", id_)
    assert slack.envelopes[-1].payload["event"]["files"][0]["id"] == id_


async def test_the_sdks_own_upload_works(slack, client, alice):
    await client.files_upload_v2(channel=alice.im.id, content="hello", filename="notes.txt", initial_comment="hi")
    (shown,) = slack.seen_by(alice, alice.im)
    assert slack.content_of(shown) == [b"hello"]


async def test_bytes_may_come_as_a_form(slack, client, alice):
    place = await announced(client)
    form = aiohttp.FormData()
    form.add_field("filename", b"hello", filename="notes.txt")
    async with client.session.post(place["upload_url"], data=form) as answer:
        assert answer.status == 200
    await complete(client, place["file_id"], alice.im.id)
    assert slack.content_of(slack.seen_by(alice, alice.im)[0]) == [b"hello"]


async def test_a_file_without_a_channel_is_there_and_seen_by_nobody(slack, client, alice):
    id_ = await uploaded(client)
    await client.files_completeUploadExternal(files=[{"id": id_}])
    assert (await client.files_info(file=id_))["file"]["shares"] == {}
    assert slack.seen_by(alice, alice.im) == []


async def test_a_file_is_completed_once_and_only_with_its_bytes(client, alice):
    place = await announced(client)
    assert await refused(complete(client, place["file_id"], alice.im.id)) == "file_not_found"
    assert await refused(client.files_info(file=place["file_id"])) == "file_not_found"
    id_ = await uploaded(client)
    await complete(client, id_, alice.im.id)
    assert await refused(complete(client, id_, alice.im.id)) == "file_not_found"


async def test_an_empty_file_one_too_large_and_one_for_nobody_are_refused(client, slack, alice):
    assert await refused(client.files_getUploadURLExternal(filename="x", length=0)) == "missing_argument"
    large = client.files_getUploadURLExternal(filename="x", length=2**30 + 1)
    assert await refused(large) == "file_upload_size_restricted"
    id_ = await uploaded(client)
    assert await refused(complete(client, id_, "C404")) == "channel_not_found"
    elsewhere = slack.channel("elsewhere", alice, app=False)
    assert await refused(complete(client, id_, elsewhere.id)) == "not_in_channel"
    assert await refused(complete(client, id_, alice.im.id, thread_ts="1.000000")) == "invalid_thread_ts"


async def test_files_need_their_scopes(client, slack):
    slack.install.scopes -= {"files:write", "files:read"}
    with pytest.raises(SlackApiError) as caught:
        await announced(client)
    assert caught.value.response["needed"] == "files:write"
    assert await refused(client.files_info(file="F1")) == "missing_scope"


@pytest.mark.parametrize(("content", "path", "status"), [(b"hell", "", 400), (b"hello", "x", 404)])
async def test_bytes_that_were_not_announced_are_refused(client, content, path, status):
    place = await announced(client)
    async with client.session.post(place["upload_url"] + path, data=content) as answer:
        assert answer.status == status


async def test_the_bytes_meet_the_same_faults_as_calls(slack, client, alice):
    place = await announced(client)
    slack.faults.rate_limit("upload", retry_after=3, times=1)
    async with client.session.post(place["upload_url"], data=b"hello") as answer:
        assert (answer.status, answer.headers["Retry-After"]) == (429, "3")
    slack.faults.cut_answer("upload", times=1)
    with pytest.raises(aiohttp.ClientError):
        await client.session.post(place["upload_url"], data=b"hello")
    await complete(client, place["file_id"], alice.im.id)
    assert [(call.ok, call.faults) for call in slack.calls("upload")] == [
        (False, ("rate_limited",)),
        (True, ("cut_after",)),
    ]


async def test_files_that_are_held_up_appear_when_they_are_let_through(slack, client, alice):
    slack.hold_files()
    id_ = await uploaded(client)
    await complete(client, id_, alice.im.id)
    assert (await client.files_info(file=id_))["file"]["shares"] == {}
    later = await client.chat_postMessage(channel=alice.im.id, text="meanwhile")
    slack.let_files_through()
    seen = slack.seen_by(alice, alice.im)
    assert [one.files for one in seen] == [(), ("notes.txt",)]
    assert seen[0].ts == later["ts"]


async def test_what_was_never_completed_may_be_thrown_away(slack, client, alice):
    id_ = await uploaded(client)
    slack.forget_uploads()
    assert await refused(complete(client, id_, alice.im.id)) == "file_not_found"


async def test_the_files_of_a_call_are_read_from_json(client, alice):
    files = json.dumps("F1")
    wrong = client.api_call("files.completeUploadExternal", data={"files": files, "channel_id": alice.im.id})
    assert await refused(wrong) == "invalid_arguments"
