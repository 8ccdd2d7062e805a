"""A Web API call's arguments, whether they came as a form, as JSON or in the query."""

import json
from typing import Any

from aiohttp import web

from simulators.slack_service.errors import RefusedError
from simulators.slack_service.model import Json


async def read_arguments(request: web.Request) -> Json:
    """Collect the arguments; JSON wins over the query."""
    args: Json = dict(request.query)
    if request.content_type == "application/json":
        try:
            body = json.loads(await request.read() or b"{}")
        except ValueError as error:
            raise RefusedError("invalid_json") from error
        if not isinstance(body, dict):
            raise RefusedError("json_not_object")
        return args | body
    form = await request.post()
    return args | {name: value for name, value in form.items() if isinstance(value, str)}


async def read_file(request: web.Request) -> bytes:
    """Read the bytes of an upload: raw, or the first file of a form."""
    if not request.content_type.startswith("multipart/"):
        return await request.read()
    form = await request.post()
    return next((field.file.read() for field in form.values() if isinstance(field, web.FileField)), b"")


class Arguments:
    """Typed access. A form carries `true`, `3` and JSON as text; here they come out the same as from JSON."""

    def __init__(self, given: Json) -> None:
        self.given = given

    def __contains__(self, name: str) -> bool:
        return self.given.get(name) is not None

    def text(self, name: str) -> str:
        """Give a string, empty when missing."""
        value = self.given.get(name)
        return "" if value is None else str(value)

    def required(self, name: str) -> str:
        """Give a string that must be there."""
        value = self.text(name)
        if not value:
            raise RefusedError("invalid_arguments", f"missing required field: {name}")
        return value

    def flag(self, name: str, *, default: bool = False) -> bool:
        """Give a yes or no."""
        return self.text(name).lower() in ("true", "1") if name in self else default

    def number(self, name: str, default: int) -> int:
        """Give a whole number."""
        try:
            return int(self.text(name) or default)
        except ValueError as error:
            raise RefusedError("invalid_arguments", f"must be an integer: {name}") from error

    def objects(self, name: str, error: str) -> list[Json]:
        """Give a list of JSON objects; `error` is what Slack calls a wrong one."""
        value = self._json(name, error) or []
        if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
            raise RefusedError(error)
        return value

    def object(self, name: str, error: str) -> Json:
        """Give one JSON object, empty when missing."""
        value = self._json(name, error) or {}
        if not isinstance(value, dict):
            raise RefusedError(error)
        return value

    def _json(self, name: str, error: str) -> Any:  # noqa: ANN401 - any JSON
        value = self.given.get(name)
        if not isinstance(value, str) or not value:
            return value
        try:
            return json.loads(value)
        except ValueError as wrong:
            raise RefusedError(error) from wrong
