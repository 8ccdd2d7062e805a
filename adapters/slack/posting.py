"""Pieces of the desk's replies on their way to Slack, each once.

Slack takes no idempotency key, so that each message carries its key as metadata, and is looked for by it.
https://docs.slack.dev/messaging/message-metadata
"""

import logging

from adapters.payloads import Json
from adapters.slack import render
from adapters.slack.api import SlackApi
from adapters.slack.files import Files, without_file
from adapters.slack.history import messages_since
from adapters.slack.removing import Removing
from adapters.slack.streams import Streams, asked
from core.errors import RejectedError, UnknownOutcomeError
from core.models import Delivery

log = logging.getLogger(__name__)


class Posting:
    """Posts, changes and looks up the desk's messages."""

    def __init__(self, api: SlackApi, streams: Streams, removing: Removing, files: Files) -> None:
        """Nothing is opened here."""
        self._api = api
        self._streams = streams
        self._removing = removing
        self._files = files

    async def post(self, delivery: Delivery, bot: str) -> str:
        """Post, retract or restore a piece; the ts of its message. Raises as `core.ports.Platform.post` does."""
        workspace = delivery.ref.workspace
        if delivery.removes and delivery.message and await self._removing.remove(delivery.ref, delivery.message):
            return delivery.message
        if delivery.kind != "reply":
            return await self._update(render.update(delivery), workspace)
        if delivery.private and not delivery.ref.direct:
            said = await self._api.say(workspace, "chat.postEphemeral", **render.ephemeral(delivery))
            return str(said.get("message_ts", ""))
        if delivery.file is not None:
            if shared := await self._files.post(delivery, delivery.file):
                return shared
            delivery = without_file(delivery, delivery.file)
        shown = await self._streams.take(asked(delivery.ref, delivery.to), delivery.ref, bot)
        if shown is None:
            said = await self._api.say(workspace, "chat.postMessage", **render.post(delivery))
            return str(said["ts"])
        return await self._in_place_of(shown, delivery)

    async def find(self, delivery: Delivery, bot: str) -> str | None:
        """Look a piece up whose outcome is unknown, as `core.ports.Platform.find` says."""
        if delivery.kind != "reply":
            # To put the same text in the same place once more does no harm.
            return None
        if delivery.private and not delivery.ref.direct:
            raise UnknownOutcomeError("a message that only one person sees is in no history")
        if delivery.file is not None and (shared := await self._files.find(delivery)):
            return shared
        if await self._streams.is_noted(asked(delivery.ref, delivery.to)):
            return None
        async for message in messages_since(self._api, delivery):
            if message.get("user") == bot and render.key_of(message) == delivery.key:
                return str(message["ts"])
        return None

    async def _in_place_of(self, shown: str, delivery: Delivery) -> str:
        """Put the whole answer where its beginning was streamed; to do it twice does no harm."""
        changed = {**render.post(delivery), "ts": shown}
        for name in ("thread_ts", "unfurl_links", "unfurl_media"):
            changed.pop(name, None)
        try:
            await self._update(changed, delivery.ref.workspace)
        except RejectedError as error:
            log.info("the stream of %s is gone, its answer is posted anew: %s", delivery.to, error)
            # Before it is posted: from then on it is found by its key.
            await self._streams.forget(asked(delivery.ref, delivery.to))
            said = await self._api.say(delivery.ref.workspace, "chat.postMessage", **render.post(delivery))
            return str(said["ts"])
        await self._streams.forget(asked(delivery.ref, delivery.to))
        return shown

    async def _update(self, arguments: Json, workspace: str) -> str:
        changed = await self._api.say(workspace, "chat.update", **arguments)
        return str(changed.get("ts", arguments["ts"]))
