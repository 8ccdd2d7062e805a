"""A conversation's messages, read again: what was posted there, from what it answers on."""

import re
from collections.abc import AsyncIterator

from adapters.payloads import Json
from adapters.slack.api import SlackApi
from core.models import Delivery

PAGES = 5
"""Pages of 200 messages that are looked through for a piece."""

_STAMP = re.compile(r"\d+\.\d{6}")


async def messages_since(api: SlackApi, delivery: Delivery) -> AsyncIterator[Json]:
    """The messages of a piece's conversation with their metadata, from what the piece answers on."""
    ref = delivery.ref
    method = "conversations.replies" if ref.thread else "conversations.history"
    cursor = None
    for _ in range(PAGES):
        page = await api.call(
            ref.workspace,
            method,
            channel=ref.channel,
            ts=ref.thread,
            # A thread is given oldest first, and may be long.
            oldest=_asked_at(delivery.to),
            include_all_metadata=True,
            limit=200,
            cursor=cursor,
        )
        for message in page.get("messages", []):
            yield message
        cursor = page.get("response_metadata", {}).get("next_cursor")
        if not cursor:
            return


def _asked_at(to: str) -> str | None:
    """The ts of the message or edit that is answered, where the event is known by one."""
    stamp = to.rpartition("+")[2]
    return stamp if _STAMP.fullmatch(stamp) else None
