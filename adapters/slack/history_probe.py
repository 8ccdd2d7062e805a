"""Trying what the token may read, and how often: Slack tells neither before it is asked.

Apps that are not in Slack's Marketplace and not of the workspace itself get one such call a minute.
https://docs.slack.dev/apis/web-api/rate-limits
"""

from collections.abc import Iterable
from dataclasses import dataclass

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack.catch_up import HEARD
from core.ports import Notes

METHODS = ("conversations.history", "conversations.replies")
TYPES = {
    "im:history": "direct messages",
    "mpim:history": "group direct messages",
    "channels:history": "public channels",
    "groups:history": "private channels",
}
"""Each type of channel by the scope it is read with."""
TRIED = 5
"""Conversations that are tried at most."""


@dataclass(frozen=True, slots=True)
class Probed:
    """What became of the calls of a method: how many were answered, why others were refused, and the wait Slack wants.

    `wait` is None where two calls at once were answered.
    """

    method: str
    answered: int
    refused: frozenset[str]
    wait: int | None


async def heard_of(notes: Notes, workspace: str) -> list[tuple[str, str]]:
    """Some channels of a workspace the desk last heard of, each with the ts of a message: direct ones first."""
    newest: dict[str, str] = {}
    for mark, ts in sorted((await notes.all(HEARD)).items()):
        team, _, place = mark.partition("/")
        channel, _, thread = place.partition("/")
        if team == workspace:
            newest[channel] = thread or ts
    return sorted(newest.items(), key=lambda one: (not one[0].startswith("D"), one))[:TRIED]


async def probe(token: str, base_url: str, method: str, places: Iterable[tuple[str, str]]) -> Probed:
    """Try a method in some channels, in the first one twice; an empty place is not tried."""
    client = AsyncWebClient(token, base_url=base_url, retry_handlers=[])
    answered, refused, wait = 0, set[str](), None
    tried = list(places)
    for channel, ts in tried[:1] + tried:
        given = {"channel": channel, "limit": 1} | ({"ts": ts} if method == METHODS[1] else {})
        try:
            await client.api_call(method, params=given)
            answered += 1
        except SlackApiError as error:
            if error.response.status_code == 429:
                wait = int(error.response.headers.get("Retry-After", 60))
                break
            said = error.response.data if isinstance(error.response.data, dict) else {}
            refused.add(str(said.get("needed") or said.get("error")))
        except (aiohttp.ClientError, TimeoutError) as error:
            refused.add(type(error).__name__)
    return Probed(method, answered, frozenset(refused), wait)
