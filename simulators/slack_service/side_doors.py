"""The addresses beside the Web API: response URLs and the consent page."""

import json
from urllib.parse import urlencode

from aiohttp import web

from simulators.slack_service.errors import RefusedError
from simulators.slack_service.interactivity import Interactivity
from simulators.slack_service.world import World


class SideDoors:
    """Answers what is not `/api/METHOD`."""

    def __init__(self, world: World, interactivity: Interactivity) -> None:
        self._world = world
        self._interactivity = interactivity

    async def respond(self, request: web.Request) -> web.StreamResponse:
        """Take a later answer to a command or a press."""
        try:
            body = json.loads(await request.read())
        except ValueError:
            return web.json_response({"ok": False, "error": "invalid_payload"}, status=400)
        try:
            self._interactivity.respond(request.match_info["key"], body)
        except RefusedError as error:
            return web.json_response(error.answer(), status=404)
        return web.Response(text="ok")

    async def authorize(self, request: web.Request) -> web.StreamResponse:
        """Consent at once, as the first person of the team in `team`, and go back to the app with a code."""
        team = request.query.get("team") or next(iter(self._world.teams))
        person = next((user.id for user in self._world.users.values() if user.team == team and not user.bot_id), "")
        code = self._world.ids.new("code.")
        self._world.codes[code] = (team, person)
        back = {"code": code, "state": request.query.get("state", "")}
        raise web.HTTPFound(f"{request.query.get('redirect_uri', '/')}?{urlencode(back)}")
