"""Slack over HTTP: one path that Slack posts everything to, two that say how the desk is, and what else is served."""

import asyncio
import logging
from collections.abc import Sequence

from slack_bolt.request.async_request import AsyncBoltRequest
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from adapters.payloads import Json
from adapters.slack.app import SlackApp
from adapters.slack.guard import MAX_BODY, Guard, Head, NotSlackError, read_body
from adapters.slack.manifest import EVENTS_PATH

log = logging.getLogger(__name__)

READ_SECONDS = 10
"""How long a body may take to arrive; Slack itself waits three seconds for the answer."""


def http_app(slack: SlackApp, secrets: Sequence[str], also: Sequence[Route] = ()) -> Starlette:
    """Serve an entered SlackApp, to what one of the signing secrets has signed; beside it `also`, to everybody."""
    door = _Door(slack, Guard(secrets))
    return Starlette(
        routes=[
            Route(EVENTS_PATH, door.take, methods=["POST"]),
            Route("/health/live", door.live, methods=["GET"]),
            Route("/health/ready", door.ready, methods=["GET"]),
            *also,
        ]
    )


class _Door:
    """Answers what comes in over HTTP."""

    def __init__(self, slack: SlackApp, guard: Guard) -> None:
        self._slack = slack
        self._guard = guard

    async def take(self, request: Request) -> Response:
        """Hand on what Slack signed; whatever else comes is refused with a 4xx."""
        try:
            head = self._guard.read_head(request.headers)
            body = await _read(request)
            self._guard.verify(head, body)
            if self._guard.was_taken(head):
                return Response()
            return await self._hand_on(head, _as_bolt_reads_it(read_body(body, form=head.form)))
        except NotSlackError as error:
            log.info("a request is refused with %d: %s", error.status, error)
            return PlainTextResponse(f"{error}\n", error.status)

    async def live(self, _: Request) -> Response:
        """Say that the process answers."""
        return PlainTextResponse("live\n")

    async def ready(self, _: Request) -> Response:
        """Say whether events are taken."""
        return PlainTextResponse("ready\n") if self._slack.ready else PlainTextResponse("not ready\n", 503)

    async def _hand_on(self, head: Head, request: AsyncBoltRequest) -> Response:
        answer = await self._slack.bolt.async_dispatch(request)
        if answer.status >= 500:
            # Not durable, so not acknowledged: Slack sends it again, and by then the store may be back.
            return PlainTextResponse("not taken, send it again\n", 503)
        self._guard.remember(head)
        return Response(answer.body, answer.status, answer.first_headers())


async def _read(request: Request) -> bytes:
    """The body, and not a chunk more of it than is allowed."""
    body = bytearray()
    try:
        async with asyncio.timeout(READ_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > MAX_BODY:
                    raise NotSlackError(413, "the body is too big")
    except TimeoutError as error:
        raise NotSlackError(408, "the body did not come") from error
    except ClientDisconnect as error:
        raise NotSlackError(400, "the body was cut") from error
    return bytes(body)


def _as_bolt_reads_it(payload: Json) -> AsyncBoltRequest:
    """Give Bolt a verified payload as from a socket: it neither parses it again nor verifies what is no longer there.

    NotSlackError where Bolt cannot read it: it looks into the payload without asking what is there.
    """
    if not isinstance(payload.get("event", {}), dict):
        raise NotSlackError(400, "the event is no object")
    try:
        # No headers: they are not signed, and some of them would make Bolt skip what it does.
        return AsyncBoltRequest(body=payload, mode="socket_mode")
    except (AttributeError, TypeError, LookupError, RecursionError) as error:
        raise NotSlackError(400, "the body has another shape than Slack's") from error
