import pytest

from simulators.discord_service import Permission
from tests.simulators.test_discord_service_rest import code, texts

MODERATING = Permission.MANAGE_THREADS


@pytest.fixture
def asked(ann, help_):
    return ann.say(help_, "it is broken")


@pytest.fixture
def open_(rest, help_, asked):
    return lambda name="broken": rest("POST", f"/channels/{help_.id}/messages/{asked.id}/threads", {"name": name})


@pytest.fixture
async def thread(discord, open_, help_):
    await open_()
    return discord.threads(help_)[0]


async def test_a_thread_takes_the_id_of_its_message_and_there_is_only_one(discord, open_, ann, help_, asked):
    _, body = await open_()
    assert (body["id"], body["parent_id"], body["thread_metadata"]["archived"]) == (asked.id, help_.id, False)
    assert discord.seen_by(ann, help_)[0].thread == asked.id
    assert await code(open_()) == 160004


@pytest.mark.parametrize("name", ["", "x" * 101])
async def test_a_thread_has_a_name_of_1_to_100_characters(open_, name):
    assert await code(open_(name)) == 50035


async def test_writing_in_an_archived_thread_opens_it(discord, rest, thread, ann):
    path = f"/channels/{thread.id}"
    await rest("PATCH", path, {"archived": True})
    assert thread.archived
    _, message = await rest("POST", f"{path}/messages", {"content": "still there?"})
    assert not thread.archived
    await rest("PATCH", path, {"archived": True})
    assert await code(rest("PATCH", f"{path}/messages/{message['id']}", {"content": "x"})) == 50083
    assert await code(rest("PATCH", path, {"name": "x"})) == 50083
    ann.say(thread, "I am")
    assert not thread.archived
    assert texts(discord, ann, thread) == ["", "still there?", "I am"]


async def test_a_locked_thread_is_for_moderators(discord, rest, thread, help_, ann):
    ann.archive(thread, locked=True)
    assert (await rest("POST", f"/channels/{thread.id}/messages", {"content": "x"}))[0] == 200
    discord.forbid(help_, discord.app, MODERATING)
    status, body = await rest("POST", f"/channels/{thread.id}/messages", {"content": "x"})
    assert (status, body["code"]) == (403, 160005)
    assert await code(rest("PATCH", f"/channels/{thread.id}", {"locked": False})) == 50013


async def test_a_private_thread_is_seen_by_its_members(discord, rest, ann, ben, help_):
    _, body = await rest("POST", f"/channels/{help_.id}/threads", {"name": "secret", "type": 12})
    thread = discord.threads(help_)[0]
    await rest("POST", f"/channels/{thread.id}/messages", {"content": "psst"})
    await rest("PUT", f"/channels/{thread.id}/thread-members/{ann.id}")
    assert (texts(discord, ann, thread), texts(discord, ben, thread)) == (["psst"], [])
    _, members = await rest("GET", f"/channels/{thread.id}/thread-members")
    assert [member["user_id"] for member in members] == [discord.app.id, ann.id]
    await rest("DELETE", f"/channels/{thread.id}/thread-members/{ann.id}")
    assert texts(discord, ann, thread) == []


async def test_a_hidden_private_thread_is_unknown_to_the_app_until_it_is_invited(discord, rest, ann, help_):
    discord.forbid(help_, discord.app, MODERATING)
    thread = ann.open_thread(help_, "secret", private=True)
    assert await code(rest("GET", f"/channels/{thread.id}")) == 50001
    ann.invite(thread, discord.app)
    assert (await rest("GET", f"/channels/{thread.id}"))[0] == 200
    ann.remove(thread, discord.app)
    assert await code(rest("GET", f"/channels/{thread.id}")) == 50001


async def test_a_thread_without_a_message_is_announced_in_the_channel(discord, ann, help_):
    ann.open_thread(help_, "aside")
    notice = discord.seen_by(ann, help_)[0]
    assert (notice.type, notice.text) == (18, "aside")


async def test_a_post_in_a_forum_begins_with_its_message(discord, rest, ann):
    forum = discord.channel("support", forum=True, tags=("bug",))
    said = {"name": "No ink", "message": {"content": "help"}, "applied_tags": [forum.tags[0]["id"]]}
    _, body = await rest("POST", f"/channels/{forum.id}/threads", said)
    assert (body["id"], body["message"]["content"]) == (body["message"]["id"], "help")
    assert texts(discord, ann, discord.threads(forum)[0]) == ["help"]
    assert await code(rest("POST", f"/channels/{forum.id}/threads", {"name": "x"})) == 50035
    assert await code(rest("POST", f"/channels/{forum.id}/messages", {"content": "x"})) == 50008
    assert await code(rest("POST", f"/channels/{forum.id}/threads", {"name": "x", "message": {"content": ""}})) == 50006
    assert len(discord.threads(forum)) == 1


async def test_threads_are_listed_by_whether_they_are_archived(discord, rest, thread, help_):
    _, active = await rest("GET", f"/guilds/{discord.acme.id}/threads/active")
    await rest("PATCH", f"/channels/{thread.id}", {"archived": True})
    _, archived = await rest("GET", f"/channels/{help_.id}/threads/archived/public")
    assert [each["id"] for each in active["threads"]] == [each["id"] for each in archived["threads"]] == [thread.id]


async def test_a_deleted_thread_or_channel_is_unknown(discord, rest, ann, thread, help_):
    ann.delete_thread(thread)
    assert await code(rest("GET", f"/channels/{thread.id}")) == 10003
    discord.delete_channel(help_)
    assert await code(rest("GET", f"/channels/{help_.id}")) == 10003
    assert discord.seen_by(ann, help_) == []
