import pytest

from simulators.discord_service import AppSetup, DiscordService, Permission

BUTTONS = [
    {
        "type": 1,
        "components": [
            {"type": 2, "style": 1, "label": "Undo", "custom_id": "undo"},
            {"type": 2, "style": 5, "label": "Docs", "url": "https://example.com"},
        ],
    }
]


@pytest.fixture
def post(rest, help_):
    return lambda content=None, **more: rest("POST", f"/channels/{help_.id}/messages", {"content": content} | more)


def texts(discord, person, channel):
    return [shown.text for shown in discord.seen_by(person, channel)]


async def code(call):
    return (await call)[1]["code"]


async def test_a_wrong_token_is_unauthorized(discord, rest):
    status, body = await rest("GET", "/users/@me", headers={"Authorization": "Bot wrong"})
    assert (status, body["code"]) == (401, 0)


async def test_what_is_no_route_is_not_found(rest):
    assert (await rest("GET", "/nonsense"))[0] == 404


async def test_a_repeated_nonce_gives_the_first_message_and_posts_none(discord, post, ann, help_):
    first = await post("once", nonce="n1", enforce_nonce=True)
    again = await post("once", nonce="n1", enforce_nonce=True)
    assert first[1]["id"] == again[1]["id"]
    assert texts(discord, ann, help_) == ["once"]
    await post("once", nonce="n1")
    assert texts(discord, ann, help_) == ["once", "once"]


async def test_a_nonce_whose_message_was_deleted_makes_no_new_one(discord, post, ann, help_):
    await post("once", nonce="n1", enforce_nonce=True)
    ann.delete(discord.seen_by(ann, help_)[0])
    assert await code(post("once", nonce="n1", enforce_nonce=True)) == 10008


async def test_a_nonce_is_forgotten_after_its_window(discord, post, now, ann, help_):
    await post("once", nonce="n1", enforce_nonce=True)
    now[0] += discord.world.timing.nonce_window + 1
    await post("twice", nonce="n1", enforce_nonce=True)
    assert texts(discord, ann, help_) == ["once", "twice"]


@pytest.mark.parametrize(
    "body",
    [
        {"content": "x" * 2001},
        {"content": "x", "nonce": "n" * 26},
        {"embeds": [{"title": "x" * 257}]},
        {"embeds": [{"description": "x" * 4097}]},
        {"embeds": [{"description": "x" * 4000}, {"description": "x" * 4000}]},
        {"content": "x", "components": [{"type": 1, "components": []}]},
        {"content": "x", "components": BUTTONS + BUTTONS},
        {"content": "x", "components": [{"type": 2}]},
        {"content": "x", "allowed_mentions": {"parse": ["users"], "users": ["1"]}},
        {"content": "x", "message_reference": {"message_id": "1"}},
    ],
)
async def test_what_is_too_long_or_malformed_is_an_invalid_form(post, body):
    status, answer = await post(**body)
    assert (status, answer["code"]) == (400, 50035)
    assert answer["errors"]


async def test_an_empty_message_is_refused(post):
    assert await code(post("  ")) == 50006


async def test_allowed_mentions_decide_who_is_called(discord, post, ann, help_):
    staff = discord.role("staff", mentionable=True)
    text = f"{ann.mention} <@&{staff.id}> @everyone"
    for allowed in (None, {"parse": []}, {"users": [ann.id]}, {"parse": ["users", "roles"]}):
        await post(text, **({} if allowed is None else {"allowed_mentions": allowed}))
    pings = [shown.pings for shown in discord.seen_by(ann, help_)]
    # @everyone takes a permission of its own.
    assert pings == [("@Ann", "@staff"), (), ("@Ann",), ("@Ann", "@staff")]
    assert discord.seen_by(ann, help_)[0].text == "@Ann @staff @everyone"


async def test_a_reply_calls_its_author_only_if_allowed(discord, post, ann, help_):
    asked = ann.say(help_, "?")
    reply = {"message_reference": {"message_id": asked.id}}
    await post("loud", **reply)
    await post("quiet", **reply, allowed_mentions={"parse": [], "replied_user": False})
    assert [shown.pings for shown in discord.seen_by(ann, help_)[1:]] == [("@Ann",), ()]


async def test_history_is_read_in_all_directions(rest, ann, help_):
    ids = [ann.say(help_, str(number)).id for number in range(10)]

    async def read(**query):
        _, body = await rest("GET", f"/channels/{help_.id}/messages", params=query)
        return [message["content"] for message in body]

    assert await read(limit=3) == ["9", "8", "7"]
    assert await read(limit=2, before=ids[5]) == ["4", "3"]
    assert await read(limit=2, after=ids[5]) == ["7", "6"]
    assert await read(limit=3, around=ids[5]) == ["6", "5", "4"]
    assert await code(rest("GET", f"/channels/{help_.id}/messages", params={"limit": 101})) == 50035


async def test_what_is_not_there_is_unknown(discord, rest, help_, ann):
    discord.leave(ann)
    assert await code(rest("GET", "/channels/1")) == 10003
    assert await code(rest("GET", f"/channels/{help_.id}/messages/1")) == 10008
    assert await code(rest("GET", f"/guilds/{discord.acme.id}/members/{ann.id}")) == 10007
    assert await code(rest("GET", "/guilds/1")) == 10004
    assert await code(rest("GET", "/users/1")) == 10013


async def test_words_are_blank_without_the_content_intent():
    async with DiscordService(app=AppSetup(privileged=frozenset())) as discord:
        ann = discord.person("Ann")
        channel = discord.channel("help")
        ann.say(channel, "secret", files={"a.txt": b"a"})
        ann.say(channel, f"for {discord.mention}")
        context = discord._rest._base
        shown = [context.shown(message) for message in channel.messages.values()]
    assert [(each["content"], each["attachments"]) for each in shown] == [("", []), (f"for {discord.mention}", [])]


async def test_permissions_of_a_channel_are_kept(discord, rest, post, ann, help_):
    message = ann.say(help_, "hi")
    discord.forbid(help_, discord.app, Permission.SEND_MESSAGES)
    assert await code(post("hi")) == 50013
    discord.permit(help_, discord.app, Permission.SEND_MESSAGES)
    discord.forbid(help_, discord.app, Permission.MANAGE_MESSAGES)
    assert await code(rest("DELETE", f"/channels/{help_.id}/messages/{message.id}")) == 50013
    discord.forbid(help_, discord.acme, Permission.VIEW_CHANNEL)
    assert await code(rest("GET", f"/channels/{help_.id}")) == 50001
    assert discord.seen_by(ann, help_) == []


async def test_messages_are_changed_and_deleted_by_their_author(discord, rest, post, ann, help_):
    theirs = ann.say(help_, "hers")
    own = (await post("mine"))[1]["id"]
    path = f"/channels/{help_.id}/messages"
    assert await code(rest("PATCH", f"{path}/{theirs.id}", {"content": "x"})) == 50005
    await rest("PATCH", f"{path}/{theirs.id}", {"flags": 4})
    await rest("PATCH", f"{path}/{own}", {"content": "changed", "components": BUTTONS})
    assert [(each.text, each.suppressed, each.edited) for each in discord.seen_by(ann, help_)] == [
        ("hers", True, False),
        ("changed", False, True),
    ]
    assert await code(rest("POST", f"{path}/bulk-delete", {"messages": [own]})) == 50016
    await rest("POST", f"{path}/bulk-delete", {"messages": [own, theirs.id]})
    assert texts(discord, ann, help_) == []


async def test_files_are_kept_and_can_be_fetched(discord, rest, ann, help_):
    message = ann.say(help_, files={"log.txt": b"it broke"})
    _, body = await rest("GET", f"/channels/{help_.id}/messages/{message.id}")
    assert body["attachments"][0]["filename"] == "log.txt"
    path = body["attachments"][0]["url"].removeprefix(discord.world.base_url)
    assert discord.world.files[path] == b"it broke"


async def test_reactions_are_put_on_and_taken_off(discord, rest, ann, help_):
    message = ann.say(help_, "hi")
    path = f"/channels/{help_.id}/messages/{message.id}/reactions"
    ann.react(message, "👍")
    for emoji in ("👍", "%F0%9F%91%8E"):
        await rest("PUT", f"{path}/{emoji}/@me")
    assert discord.seen_by(ann, help_)[0].reactions == ("👍", "👎")
    _, users = await rest("GET", f"{path}/👍")
    assert [user["id"] for user in users] == [ann.id, discord.app.id]
    await rest("DELETE", f"{path}/👎/@me")
    await rest("DELETE", f"{path}/👍/{ann.id}")
    assert message.reactions == {"👍": [discord.app.id]}
    await rest("DELETE", path)
    assert message.reactions == {}
    assert await code(rest("PUT", f"{path}/nonsense/@me")) == 10014


async def test_a_closed_door_takes_no_direct_messages(discord, rest, ann):
    _, channel = await rest("POST", "/users/@me/channels", {"recipient_id": ann.id})
    path = f"/channels/{channel['id']}/messages"
    assert (await rest("POST", path, {"content": "hi"}))[0] == 200
    discord.close_dms(ann)
    assert await code(rest("POST", path, {"content": "hi"})) == 50007
    discord.close_dms(ann, closed=False)
    discord.leave(ann)
    assert await code(rest("POST", path, {"content": "hi"})) == 50007
    assert texts(discord, ann, ann.im) == ["hi"]


async def test_commands_keep_their_ids_and_syncs_are_counted(discord, rest):
    path = f"/applications/{discord.app.id}/commands"
    _, first = await rest("PUT", path, [{"name": "desk", "description": "The desk"}])
    _, second = await rest("PUT", path, [{"name": "desk", "description": "Changed"}])
    assert first[0]["id"] == second[0]["id"]
    assert (await rest("GET", path))[1] == second
    assert discord.commands.syncs == 2
    assert await code(rest("PUT", path, [{"name": "Desk", "description": "x"}])) == 50035


async def test_the_gateways_address_comes_with_the_starts_left(discord, rest):
    _, body = await rest("GET", "/gateway/bot")
    assert body["url"] == discord.gateway_url
    assert body["session_start_limit"]["remaining"] == 1000


async def test_the_guilds_of_the_app_are_listed_with_what_it_may_do_there(discord, rest):
    globex = discord.guild("Globex")
    discord.guild("Initech", app=False)
    _, mine = await rest("GET", "/users/@me/guilds")
    assert [guild["name"] for guild in mine] == ["Acme", "Globex"]
    assert int(mine[0]["permissions"]) & Permission.MANAGE_THREADS
    _, later = await rest("GET", "/users/@me/guilds", params={"after": globex.id})
    assert later == []


async def test_members_are_listed_if_the_app_may_know_them(discord, rest, ann):
    path = f"/guilds/{discord.acme.id}/members"
    _, members = await rest("GET", path, params={"limit": 100})
    assert {discord.app.id, ann.id} < {member["user"]["id"] for member in members}
    _, later = await rest("GET", path, params={"limit": 100, "after": ann.id})
    assert later == []


async def test_others_in_the_channel_are_told_apart(discord, rest, ann, help_):
    pager = discord.other_bot("Pager")
    pager.say(help_, "beep")
    pager.webhook(help_, "news", name="Feed")
    _, body = await rest("GET", f"/channels/{help_.id}/messages")
    assert [(each["author"]["username"], "webhook_id" in each) for each in body] == [("Feed", True), ("pager", False)]
    with pytest.raises(ValueError, match="2000"):
        ann.say(help_, "x" * 2001)
    assert len(discord.person("Rich", nitro=True).say(help_, "x" * 4000).content) == 4000
