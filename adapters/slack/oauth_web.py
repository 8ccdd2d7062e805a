"""The two pages of an install: one that leads to Slack's consent page, one that Slack leads back to."""

import html
import logging

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from adapters.slack.app import SlackApp
from adapters.slack.manifest import INSTALL_PATH, REDIRECT_PATH
from adapters.slack.oauth import STATE_SECONDS, Client, NotInstalledError, States, consent_url, exchange
from adapters.slack.workspaces import Install, ManyWorkspaces
from core.errors import DeskError

log = logging.getLogger(__name__)

COOKIE = "deskmate_install"
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    # The address of this page has the code in it.
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title></head>
<body><h1>{title}</h1><p>{text}</p>{more}</body>
</html>
"""
# Beside this page, whatever a proxy puts before its path.
_START_AGAIN = f'<p><a href="{INSTALL_PATH.rpartition("/")[2]}">Start again</a></p>'


def oauth_routes(client: Client, workspaces: ManyWorkspaces, app: SlackApp) -> list[Route]:
    """Serve an install from its beginning to its end."""
    desk = _Reception(client, workspaces, app)
    return [
        Route(INSTALL_PATH, desk.begin, methods=["GET"]),
        Route(REDIRECT_PATH, desk.end, methods=["GET"]),
    ]


class _Reception:
    """Receives who wants to install the app."""

    def __init__(self, client: Client, workspaces: ManyWorkspaces, app: SlackApp) -> None:
        self._client = client
        self._states = States(client.secret)
        self._workspaces = workspaces
        self._app = app

    async def begin(self, request: Request) -> Response:
        """Lead to Slack; the browser keeps the state, so that nobody can be made to end what somebody else began."""
        state = self._states.new()
        plain = "plain" in request.query_params
        answer = RedirectResponse(consent_url(self._client, state, plain=plain), 302, headers=_HEADERS)
        answer.set_cookie(
            COOKIE, state, max_age=STATE_SECONDS, secure=self._is_secure(request), httponly=True, samesite="lax"
        )
        return answer

    async def end(self, request: Request) -> Response:
        """Install the app where Slack says, or say why not."""
        try:
            return _page(200, **_welcome(await self._install(request)))
        except NotInstalledError as error:
            log.info("an install ended with %d: %s", error.status, error)
            return _page(error.status, title="Not installed", text=str(error), more=_START_AGAIN)
        except DeskError as error:
            log.error("an install could not be finished: %s", error)
            text = "Something is away just now, Slack or this desk. Nothing was installed. Please try again in a while."
            return _page(503, title="Not installed", text=text, more=_START_AGAIN)

    async def _install(self, request: Request) -> Install:
        given = request.query_params
        if "error" in given:
            raise NotInstalledError(403, "You did not allow it, or your workspace does not. Nothing was installed.")
        self._states.use(given.get("state", ""), held=request.cookies.get(COOKIE, ""))
        if not given.get("code"):
            raise NotInstalledError(400, "Slack sent no code along. Nothing was installed. Please start again.")
        install = await exchange(self._client, given["code"])
        await self._workspaces.add(install)
        self._app.begin_at(install.us)
        return install

    def _is_secure(self, request: Request) -> bool:
        return (self._client.public_url or str(request.url)).startswith("https:")


def _welcome(install: Install) -> dict[str, str]:
    return {
        "title": f"Installed in {install.workspace}",
        "text": "Open Slack and write the app a direct message, or invite it to a channel and mention it there.",
    }


def _page(status: int, *, title: str, text: str, more: str = "") -> Response:
    page = _PAGE.format(title=html.escape(title), text=html.escape(text), more=more)
    answer = HTMLResponse(page, status, headers=_HEADERS)
    answer.delete_cookie(COOKIE)
    return answer
