"""The gateway as it is on the wire, without a library."""

import json
import zlib

import aiohttp
import pytest

from simulators.discord_service import AppSetup, DiscordService, Timing

ALL = (1 << 26) - 1
GUILDS, GUILD_MESSAGES, DIRECT_MESSAGES = 1, 1 << 9, 1 << 12


class Socket:
    """A client that says what it is told."""

    def __init__(self, wire, token):
        self.wire = wire
        self.token = token

    async def frame(self):
        return await self.wire.receive_json(timeout=5)

    async def event(self):
        frame = await self.frame()
        return frame["t"], frame["d"]

    async def code(self):
        while (message := await self.wire.receive(timeout=5)).type is aiohttp.WSMsgType.TEXT:
            pass
        assert message.type is aiohttp.WSMsgType.CLOSE
        return message.data

    async def send(self, op, data=None):
        await self.wire.send_json({"op": op, "d": data})

    async def identify(self, intents=ALL, **more):
        await self.frame()
        await self.send(2, {"token": self.token, "intents": intents, "properties": {}} | more)
        return self

    async def ready(self, intents=ALL, **more):
        await self.identify(intents, **more)
        return (await self.frame())["d"]

    async def resume(self, session, seq):
        await self.frame()
        await self.send(6, {"token": self.token, "session_id": session, "seq": seq})


@pytest.fixture
async def connect(discord):
    async with aiohttp.ClientSession() as session:

        async def connected(service=discord):
            return Socket(await session.ws_connect(service.gateway_url), service.token)

        yield connected


async def test_a_session_begins_with_ready_and_its_guilds(discord, connect):
    socket = await connect()
    ready = await socket.ready(shard=[0, 1])
    assert ready["guilds"] == [{"id": discord.acme.id, "unavailable": True}]
    assert ready["resume_gateway_url"].endswith("/resume")
    name, guild = await socket.event()
    assert (name, guild["id"], guild["unavailable"]) == ("GUILD_CREATE", discord.acme.id, False)
    await socket.send(1, 2)
    assert (await socket.frame())["op"] == 11
    assert discord.gateway.heartbeats == 1


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"token": "wrong"}, 4004),
        ({"shard": [2, 2]}, 4010),
        ({"intents": 1 << 40}, 4013),
    ],
)
async def test_a_wrong_identify_closes_the_socket(connect, asked, code):
    socket = await connect()
    await socket.identify(**asked)
    assert await socket.code() == code


async def test_who_has_used_up_the_sessions_of_a_day_is_refused(connect):
    async with DiscordService(app=AppSetup(starts=1)) as discord:
        await (await connect(discord)).ready()
        socket = await connect(discord)
        await socket.identify()
        assert await socket.code() == 4004


async def test_an_intent_that_is_switched_off_is_disallowed(connect):
    async with DiscordService(app=AppSetup(privileged=frozenset(["members"]))) as discord:
        socket = await connect(discord)
        await socket.identify(1 << 15)
        assert await socket.code() == 4014


async def test_what_is_no_frame_closes_the_socket(connect):
    for text, code in (("{", 4002), ('{"op": 3, "d": null}', 4003), ('{"op": 99, "d": null}', 4003)):
        socket = await connect()
        await socket.wire.send_str(text)
        assert await socket.code() == code
    for frame, code in (({"op": 99, "d": None}, 4001), ({"op": 8, "d": {}}, 4002), ({"op": 2, "d": None}, 4002)):
        socket = await connect()
        await socket.ready()
        await socket.wire.send_json(frame)
        assert await socket.code() == code


async def test_a_resumed_session_is_sent_what_it_missed(discord, connect, ann):
    first = await connect()
    ready = await first.ready(DIRECT_MESSAGES)
    discord.drop_sockets()
    await discord.until(lambda: discord.socket_count == 0)
    ann.dm("one")
    ann.dm("two")
    second = await connect()
    await second.resume(ready["session_id"], 1)
    events = [await second.event() for _ in range(3)]
    assert [(name, body.get("content")) for name, body in events] == [
        ("MESSAGE_CREATE", "one"),
        ("MESSAGE_CREATE", "two"),
        ("RESUMED", None),
    ]


async def test_a_resume_that_does_not_fit_is_refused(discord, connect):
    first = await connect()
    ready = await first.ready()
    ahead = await connect()
    await ahead.resume(ready["session_id"], 99)
    assert await ahead.code() == 4007
    discord.expire_sessions()
    late = await connect()
    await late.resume(ready["session_id"], 1)
    assert await late.frame() == {"op": 9, "d": False}


async def test_a_polite_goodbye_ends_the_session(discord, connect):
    socket = await connect()
    await socket.ready()
    await socket.wire.close(code=1000)
    await discord.until(lambda: discord.socket_count == 0)
    assert discord.gateway.sessions == {}


async def test_only_what_was_subscribed_to_is_sent(discord, connect, ann, help_):
    socket = await connect()
    await socket.ready(GUILD_MESSAGES)
    message = ann.say(help_, "secret")
    ann.react(message, "👍")
    ann.dm("hello")
    ann.type(help_)
    ann.edit(message, f"for {discord.mention}")
    assert [(name, body["content"]) for name, body in [await socket.event(), await socket.event()]] == [
        ("MESSAGE_CREATE", ""),
        ("MESSAGE_UPDATE", f"for {discord.mention}"),
    ]


async def test_a_reaction_tells_who_and_whose_only_when_it_comes(connect, ann, ben, help_):
    socket = await connect()
    await socket.ready(1 << 10)
    message = ann.say(help_, "hi")
    ben.react(message, "👍")
    ben.unreact(message, "👍")
    (_, added), (_, removed) = await socket.event(), await socket.event()
    assert (added["member"]["user"]["id"], added["message_author_id"]) == (ben.id, ann.id)
    assert "member" not in removed
    assert "message_author_id" not in removed


async def test_each_shard_hears_of_its_own_guilds(discord, connect):
    shard = (int(discord.acme.id) >> 22) % 2
    sockets = [await connect() for _ in range(2)]
    ready = [await socket.ready(GUILDS, shard=[number, 2]) for number, socket in enumerate(sockets)]
    assert [len(each["guilds"]) for each in ready] == [shard == 0, shard == 1]
    assert discord.socket_count == 2


async def test_the_wire_is_compressed_as_asked(discord):
    async with aiohttp.ClientSession() as session:
        wire = await session.ws_connect(f"{discord.gateway_url}?compress=zlib-stream")
        packed = (await wire.receive(timeout=5)).data
    assert packed.endswith(b"\x00\x00\xff\xff")
    assert json.loads(zlib.decompressobj().decompress(packed))["op"] == 10


async def test_a_socket_without_a_heart_is_closed(connect):
    async with DiscordService(timing=Timing(heartbeat=0.01)) as discord:
        socket = await connect(discord)
        assert await socket.code() == 4009
        assert discord.gateway.missed_heartbeats == 1


async def test_what_goes_wrong_on_the_wire(discord, connect, ann):
    socket = await connect()
    await socket.ready(DIRECT_MESSAGES)
    discord.reconnect()
    discord.invalidate_sessions(resumable=True)
    discord.send_raw("nonsense")
    assert await socket.frame() == {"op": 7, "d": None}
    assert await socket.frame() == {"op": 9, "d": True}
    assert (await socket.wire.receive(timeout=5)).data == "nonsense"
    discord.faults.duplicate_events(1)
    ann.dm("hi")
    assert await socket.frame() == await socket.frame()
    discord.faults.ignore_heartbeats = True
    await socket.send(1)
    await discord.until(lambda: discord.gateway.heartbeats == 1)
    discord.close_sockets(4000)
    assert await socket.code() == 4000


async def test_members_are_given_on_demand(discord, connect, ann):
    socket = await connect()
    await socket.ready(0)
    await socket.send(8, {"guild_id": discord.acme.id, "query": "an", "limit": 0, "nonce": "n"})
    name, body = await socket.event()
    assert (name, [member["user"]["id"] for member in body["members"]]) == ("GUILD_MEMBERS_CHUNK", [ann.id])


async def test_comings_and_goings_are_told(discord, connect, help_):
    socket = await connect()
    await socket.ready(GUILDS | 1 << 1 | GUILD_MESSAGES)
    await socket.event()
    ann = discord.person("Ann", welcome=help_)
    discord.leave(ann)
    discord.app_leaves(discord.guild("Globex"))
    discord.outage(discord.acme)
    discord.outage(discord.acme, over=True)
    discord.delete_channel(help_)
    names = [(await socket.event())[0] for _ in range(8)]
    assert names == [
        "GUILD_MEMBER_ADD",
        "MESSAGE_CREATE",
        "GUILD_MEMBER_REMOVE",
        "GUILD_CREATE",
        "GUILD_DELETE",
        "GUILD_DELETE",
        "GUILD_CREATE",
        "CHANNEL_DELETE",
    ]
    await discord.settled()
