"""Cursors: the number of things already shown, as an opaque word."""

import base64
from collections.abc import Sequence
from typing import TypeVar

from simulators.slack_service.arguments import Arguments
from simulators.slack_service.errors import RefusedError

T = TypeVar("T")
MOST = 999


def page(args: Arguments, things: Sequence[T], *, default: int) -> tuple[list[T], str]:
    """Give one page and the cursor of the next, empty at the end."""
    limit = args.number("limit", default)
    if not 1 <= limit <= MOST + 1:
        raise RefusedError("invalid_limit")
    start = _position(args.text("cursor"))
    end = start + min(limit, MOST)
    cursor = base64.b64encode(f"next:{end}".encode()).decode() if end < len(things) else ""
    return list(things[start:end]), cursor


def _position(cursor: str) -> int:
    if not cursor:
        return 0
    try:
        return int(base64.b64decode(cursor).decode().removeprefix("next:"))
    except ValueError as error:
        raise RefusedError("invalid_cursor") from error
