"""Bolt, as far as it is used: it reads what Slack sends and answers its handshakes. What is meant, the app takes."""

import logging
import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.middleware.async_middleware import AsyncMiddleware
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse

from adapters.payloads import Json

log = logging.getLogger(__name__)

Take = Callable[[Json, str], Awaitable[BoltResponse]]
"""Takes a payload, and the workspace whose install it was sent to."""


def bolt_app(take: Take) -> AsyncApp:
    """Make a Bolt app that hands everything to `take`, and holds no token."""
    with _unseen("SLACK_CLIENT_ID", "SLACK_CLIENT_SECRET", "SLACK_BOT_TOKEN"):
        app = _Bolt(
            name="deskmate",
            logger=_quiet_log(),
            # Ahead of all that Bolt would look up for listeners: there are none.
            before_authorize=_Taking(take),
            authorize=_authorize,
            # What an app says itself is told apart in translate.py, where it is tested with all else.
            ignoring_self_events_enabled=False,
            # What comes over HTTP was verified in guard.py, on its raw bytes.
            request_verification_enabled=False,
        )
    return app


class _Bolt(AsyncApp):
    """Bolt that makes no client of the Web API for each event: a fifth of what it does, and nobody uses it."""

    def _init_context(self, req: AsyncBoltRequest) -> None:
        req.context["logger"] = self.logger


class _Taking(AsyncMiddleware):
    """Ends each request but Bolt's own handshakes. A function in its place would be given arguments by name, for which
    Bolt takes the payload apart: it raises on a malformed one.
    """

    def __init__(self, take: Take) -> None:
        self._take = take

    async def async_process(
        self, *, req: AsyncBoltRequest, resp: BoltResponse, next: Callable[[], Awaitable[BoltResponse]]
    ) -> BoltResponse:
        if req.body.get("type") == "url_verification":
            return await next()
        # Of a message in a shared channel the workspace it was sent to, not the one its writer is of.
        team = req.context.team_id
        return await self._take(req.body, team if isinstance(team, str) else "")


async def _authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
    """Bolt wants to be told whose token to use, and comes here for nothing: all ends before."""
    return AuthorizeResult(enterprise_id=enterprise_id, team_id=team_id)


@contextmanager
def _unseen(*names: str) -> Iterator[None]:
    """Keep variables from Bolt: it would set up installs of its own, in files, from those it reads by itself."""
    held = {name: os.environ.pop(name) for name in names if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(held)


def _quiet_log() -> logging.Logger:
    """Let Bolt tell of errors only: it warns of listeners we do without."""
    quiet = log.getChild("bolt")
    quiet.setLevel(logging.ERROR)
    return quiet
