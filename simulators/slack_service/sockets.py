"""Socket Mode: WebSockets of the app, each envelope to one of them."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Literal

from aiohttp import WSMsgType, web

from simulators.slack_service.delivery import Answer, Envelope
from simulators.slack_service.errors import NotAcknowledgedError, RefusedError
from simulators.slack_service.model import Json

MOST_CONNECTIONS = 10


@dataclass(frozen=True, slots=True, eq=False)
class Connection:
    """One WebSocket and the wire below it."""

    socket: web.WebSocketResponse
    wire: asyncio.Transport | None


class Sockets:
    """The open connections, and the envelopes that wait for an acknowledgement on them."""

    def __init__(self, app_id: str, tell: Callable[[], None]) -> None:
        self.host = ""
        self._app_id = app_id
        self._tell = tell
        self._tickets: set[str] = set()
        self._open: list[Connection] = []
        self._retiring: list[Connection] = []
        self._some_open = asyncio.Event()
        self._numbers = count(1)
        self._waiting: dict[str, tuple[Connection, asyncio.Future[Answer]]] = {}

    @property
    def count(self) -> int:
        """Give how many connections take envelopes."""
        return len(self._open)

    def ticket(self) -> str:
        """Give a URL that opens one connection, once."""
        if len(self._open) >= MOST_CONNECTIONS:
            raise RefusedError("too_many_websockets")
        ticket = f"ticket-{next(self._numbers)}"
        self._tickets.add(ticket)
        return f"ws://{self.host}/link/?ticket={ticket}&app_id={self._app_id}"

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Hold one connection until either side closes it."""
        ticket = request.query.get("ticket", "")
        if ticket not in self._tickets:
            return web.Response(status=403)
        self._tickets.discard(ticket)
        socket = web.WebSocketResponse(heartbeat=30)
        await socket.prepare(request)
        await socket.send_json(self._hello())
        connection = Connection(socket, request.transport)
        self._open.append(connection)
        self._note()
        try:
            await self._listen(socket)
        finally:
            self._leave(connection)
        return socket

    async def attempt(self, envelope: Envelope, seconds: float) -> Answer:
        """Send once, on the next connection in turn, and wait for the acknowledgement."""
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(seconds):
                connection = await self._next()
                self._waiting[envelope.envelope_id] = (connection, answer)
                await connection.socket.send_json(frame(envelope))
                return await answer
        except (TimeoutError, ConnectionError) as error:
            raise NotAcknowledgedError("timeout") from error
        finally:
            self._waiting.pop(envelope.envelope_id, None)

    async def disconnect(self, reason: Literal["warning", "refresh_requested", "link_disabled"]) -> None:
        """Tell every connection to go; after anything but a warning it gets no more envelopes."""
        for connection in list(self._open):
            if reason != "warning":
                self._open.remove(connection)
                self._retiring.append(connection)
            body = {"type": "disconnect", "reason": reason, "debug_info": {"host": "simulated"}}
            await connection.socket.send_json(body)
        self._note()

    def drop(self) -> None:
        """Cut every connection without a word."""
        for connection in [*self._open, *self._retiring]:
            if connection.wire is not None:
                connection.wire.abort()

    async def close(self) -> None:
        """Close every connection politely."""
        for connection in [*self._open, *self._retiring]:
            await connection.socket.close()

    async def _next(self) -> Connection:
        await self._some_open.wait()
        return self._open[next(self._numbers) % len(self._open)]

    async def _listen(self, socket: web.WebSocketResponse) -> None:
        async for message in socket:
            if message.type == WSMsgType.TEXT:
                self._acknowledge(message.data)

    def _acknowledge(self, text: str) -> None:
        try:
            body = json.loads(text)
        except ValueError:
            return
        _, answer = self._waiting.get(body.get("envelope_id", ""), (None, None))
        if answer is not None and not answer.done():
            answer.set_result(body.get("payload"))

    def _leave(self, connection: Connection) -> None:
        for group in (self._open, self._retiring):
            if connection in group:
                group.remove(connection)
        for holder, answer in self._waiting.values():
            if holder is connection and not answer.done():
                answer.set_exception(ConnectionResetError())
        self._note()

    def _note(self) -> None:
        if self._open:
            self._some_open.set()
        else:
            self._some_open.clear()
        self._tell()

    def _hello(self) -> Json:
        return {
            "type": "hello",
            "num_connections": len(self._open) + 1,
            "debug_info": {"host": "simulated", "build_number": 1, "approximate_connection_time": 18060},
            "connection_info": {"app_id": self._app_id},
        }


def frame(envelope: Envelope) -> Json:
    """Write an envelope as it travels; only events say whether they are a retry."""
    body: Json = {
        "envelope_id": envelope.envelope_id,
        "payload": envelope.payload,
        "type": envelope.kind,
        "accepts_response_payload": envelope.kind != "events_api",
    }
    if envelope.kind == "events_api":
        reason = envelope.reasons[-1] if envelope.attempts > 1 else ""
        body |= {"retry_attempt": envelope.attempts - 1, "retry_reason": reason}
    return body
