"""The gateway: sockets say hello, identify or resume, and beat."""

import asyncio
import json
from collections.abc import Callable, Iterator

from aiohttp import WSMsgType, web

from simulators.discord_service import intents
from simulators.discord_service.faults import Faults
from simulators.discord_service.model import Json
from simulators.discord_service.sessions import Session
from simulators.discord_service.shapes import guild_json, member_json, user_json
from simulators.discord_service.sockets import Link
from simulators.discord_service.world import World

NOT_IDENTIFIED, ALREADY_IDENTIFIED, WRONG_TOKEN = 4003, 4005, 4004
UNKNOWN_OPCODE, NOT_JSON, WRONG_SEQ, TIMED_OUT, WRONG_SHARD = 4001, 4002, 4007, 4009, 4010
WRONG_INTENTS, DISALLOWED_INTENTS = 4013, 4014
BEATS_MISSED = 1.5


class Gateway:
    """Holds the app's sessions and their sockets."""

    def __init__(self, world: World, faults: Faults, tell: Callable[[], None]) -> None:
        self._world = world
        self._faults = faults
        self._tell = tell
        self._links: dict[Link, Session | None] = {}
        self.sessions: dict[str, Session] = {}
        self.received: list[Json] = []
        self.identifies = 0
        self.resumes = 0
        self.heartbeats = 0
        self.missed_heartbeats = 0

    @property
    def count(self) -> int:
        """Give how many sockets have a session."""
        return sum(1 for session in self._links.values() if session)

    @property
    def quiet(self) -> bool:
        """Tell whether everything is written."""
        return all(link.unwritten == 0 for link in self._links)

    @property
    def links(self) -> list[Link]:
        """Give the open sockets."""
        return list(self._links)

    def listening(self, guild: str) -> Iterator[Session]:
        """Give the sessions that hear of a guild, or of direct messages when it is empty."""
        return (session for session in self.sessions.values() if session.covers(guild))

    def forget_sessions(self) -> None:
        """Forget every session: what resumes has to identify again."""
        self.sessions.clear()

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Hold one socket until either side closes it."""
        socket = web.WebSocketResponse(max_msg_size=4096 * 4)
        await socket.prepare(request)
        link = Link(socket, request, self._tell)
        self._links[link] = None
        link.send({"op": 10, "d": {"heartbeat_interval": self._world.timing.heartbeat * 1000, "_trace": []}})
        writing = asyncio.create_task(link.write())
        try:
            await self._listen(link, socket)
        finally:
            writing.cancel()
            self._leave(link, socket.close_code)
        return socket

    async def _listen(self, link: Link, socket: web.WebSocketResponse) -> None:
        loop = asyncio.get_running_loop()
        patience = self._world.timing.heartbeat * BEATS_MISSED
        watch = loop.call_later(patience, self._time_out, link)
        try:
            async for message in socket:
                if message.type != WSMsgType.TEXT:
                    continue
                frame = parsed(message.data)
                if frame is not None and frame.get("op") == 1:
                    watch.cancel()
                    watch = loop.call_later(patience, self._time_out, link)
                self._receive(link, frame)
        finally:
            watch.cancel()

    def _receive(self, link: Link, frame: Json | None) -> None:
        if frame is None:
            link.close(NOT_JSON)
            return
        self.received.append(frame)
        act = {1: self._beat, 2: self._identify, 6: self._resume}.get(frame["op"], self._other)
        try:
            act(link, frame)
        except (AttributeError, LookupError, TypeError, ValueError):
            # What a frame must carry is missing or of another kind.
            link.close(NOT_JSON)
        self._tell()

    def _beat(self, link: Link, frame: Json) -> None:
        self.heartbeats += 1
        if not self._faults.ignore_heartbeats:
            link.send({"op": 11})

    def _identify(self, link: Link, frame: Json) -> None:
        asked = frame["d"]
        code = self._reason_against(link, asked)
        if code:
            link.close(code)
            return
        self.identifies += 1
        session = Session(f"session-{self.identifies}", asked["intents"], tuple(asked.get("shard", (0, 1))), link=link)
        self.sessions[session.id] = session
        self._links[link] = session
        self._welcome(session)

    def _reason_against(self, link: Link, asked: Json) -> int:
        shard, count = asked.get("shard", (0, 1))
        if self._links[link]:
            return ALREADY_IDENTIFIED
        if asked["token"] != self._world.setup.token or self.identifies >= self._world.setup.starts:
            return WRONG_TOKEN
        if not 0 <= shard < count:
            return WRONG_SHARD
        if asked["intents"] & ~intents.KNOWN:
            return WRONG_INTENTS
        return DISALLOWED_INTENTS if intents.switched_off(asked["intents"], self._world.setup.privileged) else 0

    def _welcome(self, session: Session) -> None:
        """Say READY, and hand over guild by guild."""
        world = self._world
        guilds = [each for each in world.guilds.values() if world.app.id in each.members and session.covers(each.id)]
        ready: Json = {
            "v": 10,
            "user": user_json(world.app),
            "guilds": [{"id": guild.id, "unavailable": True} for guild in guilds],
            "session_id": session.id,
            "resume_gateway_url": f"{world.base_url.replace('http', 'ws')}/resume",
            "shard": list(session.shard),
            "application": {"id": world.app.id, "flags": 1 << 18 | 1 << 19},
        }
        session.dispatch("READY", ready)
        for guild in guilds:
            if session.intents & intents.Intent.GUILDS:
                session.dispatch("GUILD_CREATE", guild_json(world, guild) | {"unavailable": False})

    def _resume(self, link: Link, frame: Json) -> None:
        asked = frame["d"]
        session = self.sessions.get(asked["session_id"])
        if asked["token"] != self._world.setup.token:
            link.close(WRONG_TOKEN)
        elif session is None:
            link.send({"op": 9, "d": False})
        elif asked["seq"] is None or asked["seq"] > session.seq:
            link.close(WRONG_SEQ)
        else:
            self.resumes += 1
            if session.link:
                session.link.close(ALREADY_IDENTIFIED)
            session.link = link
            self._links[link] = session
            session.replay(asked["seq"])
            session.dispatch("RESUMED", {"_trace": []})

    def _other(self, link: Link, frame: Json) -> None:
        session = self._links.get(link)
        if session is None:
            link.close(NOT_IDENTIFIED)
        elif frame["op"] == 8:
            session.dispatch("GUILD_MEMBERS_CHUNK", members_chunk(self._world, frame["d"]))
        elif frame["op"] not in (3, 4):
            link.close(UNKNOWN_OPCODE)

    def _time_out(self, link: Link) -> None:
        self.missed_heartbeats += 1
        link.close(TIMED_OUT)

    def _leave(self, link: Link, code: int | None) -> None:
        session = self._links.pop(link, None)
        if session and session.link is link:
            session.link = None
            # A client that closes with one of these says that it will not come back.
            if code in (1000, 1001):
                self.sessions.pop(session.id, None)
        self._tell()


def members_chunk(world: World, asked: Json) -> Json:
    """Give the members asked for with opcode 8, in one piece."""
    guild = world.guilds[str(asked["guild_id"])]
    wanted = [str(user) for user in asked.get("user_ids") or []]
    prefix = (asked.get("query") or "").lower()
    members = [each for each in guild.members.values() if not wanted or each.user in wanted]
    members = [each for each in members if world.users[each.user].name.lower().startswith(prefix)]
    missing = [user for user in wanted if user not in guild.members]
    body: Json = {"guild_id": guild.id, "members": [member_json(world, each) for each in members]}
    body |= {"chunk_index": 0, "chunk_count": 1, "not_found": missing}
    return body | ({"nonce": asked["nonce"]} if asked.get("nonce") else {})


def parsed(text: str) -> Json | None:
    """Read a frame; None when it is not one."""
    try:
        frame = json.loads(text)
    except ValueError:
        return None
    return frame if isinstance(frame, dict) and isinstance(frame.get("op"), int) else None
