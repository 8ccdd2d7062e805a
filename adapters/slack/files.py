"""Files that go out with a piece: uploaded, noted, then shared with the piece's text, each once.

A message that shows a file has no metadata of ours, and Slack may share it only after it has answered. So the file's id
is noted before it is shared, and asked for afterwards. https://docs.slack.dev/messaging/working-with-files
"""

import asyncio
import json
import logging
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from typing import Literal

from adapters.payloads import Json, object_in, objects_in, text_in
from adapters.slack.api import MissingScopeError, RefusedCallError, SlackApi
from adapters.slack.history import messages_since
from adapters.slack.markdown import mrkdwn
from core.errors import PlatformError, UnknownOutcomeError
from core.models import Delivery, TextFile
from core.ports import Notes

log = logging.getLogger(__name__)

FILE = "file"
LOOKS = (0.0, 0.5, 1.0, 2.0)
"""The pauses before each look for where a file is shared: mostly that is told at once."""
SETTLE_SECONDS = 60.0
"""How long Slack may take to show a file it has taken; afterwards nobody can tell whether it ever will."""
DAYS = 30
"""How long it is known which file a piece has that was never finished."""

_SHOWN_FOR = 3_600.0
_DAY = 86_400
_GONE = ("file_not_found", "file_deleted")


@dataclass(frozen=True, slots=True)
class _Sent:
    """A file that Slack has the bytes of, and when that or what came next was noted.

    `taken` says whether Slack has taken it to be shared, which it does once; `ts` is the message that shows it.
    """

    id: str
    at: float
    taken: Literal["no", "perhaps", "surely"] = "no"
    ts: str | None = None


class Files:
    """Shares files in the conversations of pieces, and knows afterwards where."""

    def __init__(self, api: SlackApi) -> None:
        """Nothing is opened here."""
        self._api = api
        self._notes: Notes | None = None

    def remember_in(self, notes: Notes) -> None:
        """Use these notes from now on."""
        self._notes = notes

    async def post(self, delivery: Delivery, file: TextFile) -> str | None:
        """Share a file with the piece's text; the ts of the message, None where Slack does not take the file.

        Raises as `core.ports.Platform.post` does.
        """
        noted = await self._noted(delivery)
        try:
            sent = noted or await self._upload(delivery, file)
            await self._complete(delivery, file, sent)
        except (RefusedCallError, MissingScopeError) as error:
            if noted is None:
                log.error("the file of piece %s cannot be sent: %s. See `deskmate doctor --slack`", delivery.key, error)
                await self._forget(delivery)
                return None
            # It may have been taken before, and Slack takes each file once.
            raise await self._unseen(delivery, replace(noted, taken="perhaps")) from error
        shown = await self._soon_shown(delivery, sent)
        if shown is None:
            raise await self._unseen(delivery, replace(sent, taken="surely"))
        return shown

    async def find(self, delivery: Delivery) -> str | None:
        """The ts of the message that shows a piece's file; None where there is none, and to post it adds none.

        Raises UnknownOutcomeError where that cannot be told any more, PlatformError where it cannot be told yet.
        """
        sent = await self._noted(delivery)
        if sent is None or sent.ts is not None:
            return sent.ts if sent else None
        found = await self._described(delivery, sent)
        ts = _shared_at(found or {}, delivery.ref.channel) or await self._in_history(delivery, sent)
        if ts is not None:
            return await self._shown(delivery, sent, ts)
        if sent.taken == "no":
            return None
        if time.time() - sent.at < SETTLE_SECONDS:
            raise PlatformError(f"file {sent.id} is not shown yet")
        await self._forget(delivery)
        if found is None and sent.taken == "perhaps":
            return None
        raise UnknownOutcomeError(f"Slack does not say whether file {sent.id} is shown")

    async def tidy(self) -> None:
        """Forget files that are shown, and those of pieces that nobody asks for any more.

        Not at once: until it is written down that a piece is posted, it is found by its note.
        """
        if self._notes is None:
            return
        for key, noted in (await self._notes.all(FILE)).items():
            if noted["at"] < time.time() - (_SHOWN_FOR if noted["ts"] else DAYS * _DAY):
                await self._notes.drop(FILE, key)

    async def _upload(self, delivery: Delivery, file: TextFile) -> _Sent:
        """Give Slack the bytes. One that is not shared afterwards is seen by nobody, and Slack throws it away."""
        await self.tidy()
        workspace, content = delivery.ref.workspace, file.content.encode()
        place = await self._api.call(workspace, "files.getUploadURLExternal", filename=file.name, length=len(content))
        await self._api.upload(text_in(place, "upload_url"), content)
        return await self._keep(delivery, _Sent(text_in(place, "file_id"), time.time()))

    async def _complete(self, delivery: Delivery, file: TextFile, sent: _Sent) -> None:
        await self._api.call(
            delivery.ref.workspace,
            "files.completeUploadExternal",
            files=json.dumps([{"id": sent.id, "title": file.name}]),
            channel_id=delivery.ref.channel,
            thread_ts=delivery.ref.thread,
            initial_comment=mrkdwn(delivery.text),
        )

    async def _soon_shown(self, delivery: Delivery, sent: _Sent) -> str | None:
        """The ts of the message that shows a file Slack has just taken; None where it is not told soon."""
        for pause in LOOKS:
            await asyncio.sleep(pause)
            with suppress(PlatformError):
                found = await self._described(delivery, sent)
                if not found:
                    return None
                if ts := _shared_at(found, delivery.ref.channel):
                    return await self._shown(delivery, sent, ts)
        return None

    async def _described(self, delivery: Delivery, sent: _Sent) -> Json | None:
        """What Slack tells of a file: nothing where it may not tell us, None where there is no such file."""
        try:
            return object_in(await self._api.call(delivery.ref.workspace, "files.info", file=sent.id), "file")
        except RefusedCallError as error:
            return None if error.said in _GONE else {}
        except MissingScopeError:
            return {}

    async def _in_history(self, delivery: Delivery, sent: _Sent) -> str | None:
        """The ts of the message with a file in it: it may stand there before Slack tells so of the file."""
        async for message in messages_since(self._api, delivery):
            if any(file.get("id") == sent.id for file in objects_in(message, "files")):
                return text_in(message, "ts")
        return None

    async def _unseen(self, delivery: Delivery, sent: _Sent) -> UnknownOutcomeError:
        """Note that Slack may have taken a file and does not show it; the error that says so."""
        await self._keep(delivery, replace(sent, at=time.time()))
        return UnknownOutcomeError(f"file {sent.id} is not shown yet")

    async def _shown(self, delivery: Delivery, sent: _Sent, ts: str) -> str:
        # It rides with the line that says the piece is posted: what is lost of it is found out again.
        if self._notes:
            await self._notes.ride(FILE, delivery.key, asdict(replace(sent, ts=ts, at=time.time())))
        return ts

    async def _noted(self, delivery: Delivery) -> _Sent | None:
        noted = await self._notes.get(FILE, delivery.key) if self._notes else None
        return _Sent(**noted) if isinstance(noted, dict) else None

    async def _keep(self, delivery: Delivery, sent: _Sent) -> _Sent:
        if self._notes:
            await self._notes.put(FILE, delivery.key, asdict(sent))
        return sent

    async def _forget(self, delivery: Delivery) -> None:
        if self._notes:
            await self._notes.drop(FILE, delivery.key)


def without_file(delivery: Delivery, file: TextFile) -> Delivery:
    """The piece alone, saying that its file is missing and whom to ask."""
    missing = f"I could not send the file {file.name} here. Please ask those who run this desk: its log says why."
    return replace(delivery, text=f"{delivery.text}\n\n{missing}", file=None)


def _shared_at(file: Json, channel: str) -> str | None:
    return next(_shares(object_in(file, "shares"), channel), None)


def _shares(shares: Json, channel: str) -> Iterator[str]:
    for kind in ("public", "private"):
        for share in objects_in(object_in(shares, kind), channel):
            yield text_in(share, "ts")
