"""Answers to interactions: said to be thought about at once, then given to the person alone, while the token lives.

The first private answer takes the place of "thinking", which does no harm twice. Each further one is a message of its
own, which nothing finds again: it is never sent twice. Tokens are kept sealed for their fifteen minutes, so that a desk
that starts anew can still answer. https://docs.discord.com/developers/interactions/receiving-and-responding
"""

import asyncio
import logging
import time
from dataclasses import asdict, dataclass, field
from typing import Literal

from adapters.discord.api import (
    DEAD_TOKEN,
    UNKNOWN_INTERACTION,
    UNKNOWN_MESSAGE,
    UNKNOWN_WEBHOOK,
    DiscordApi,
    RefusedCallError,
)
from adapters.discord.render import EPHEMERAL, private, said_as
from adapters.payloads import Json, text_in
from core.errors import DeskError, PlatformError, UnknownOutcomeError
from core.models import Delivery
from core.ports import Notes

log = logging.getLogger(__name__)

INTERACTION = "interaction"
TOKEN_SECONDS = 15 * 60 - 5.0
KEPT_SECONDS = 20 * 60.0
"""A token that is dead still tells that an answer may have been given with it."""
TIDY_SECONDS = 5 * 60.0
ACKNOWLEDGED_WITHIN = 5.0

Style = Literal["thinking", "quiet", "told"]
"""What is shown at first: that we think, nothing (below a button), or all there is to say."""

SEE = "See <#{channel}>."
"""What takes the place of "thinking" where the answer stands in another channel."""

_SAY, _THINK, _QUIET, _ASK = 4, 5, 6, 9
_GONE = {UNKNOWN_WEBHOOK, DEAD_TOKEN, UNKNOWN_INTERACTION}


@dataclass(slots=True)
class Asked:
    """An interaction, and where it was; `first` is the key of what took the place of "thinking"."""

    id: str
    application: str
    token: str
    style: Style
    channel: str
    at: float
    first: str | None = None
    settled: bool = False


@dataclass(slots=True)
class _Known:
    asked: Asked
    acknowledged: asyncio.Event = field(default_factory=asyncio.Event)


class Interactions:
    """Knows the interactions that may still be answered."""

    def __init__(self, api: DiscordApi) -> None:
        """Nothing is opened here."""
        self._api = api
        self._notes: Notes | None = None
        self._known: dict[str, _Known] = {}

    def remember_in(self, notes: Notes) -> None:
        """Use these notes from now on."""
        self._notes = notes

    def begin(self, asked: Asked) -> None:
        """Know an interaction, before the desk does: its answer may be there at once."""
        self._known.setdefault(asked.id, _Known(asked))

    def forget(self, id_: str) -> None:
        """Know nothing of one that the desk did not take."""
        self._known.pop(id_, None)

    async def keep(self, id_: str) -> None:
        """Keep what is needed to answer after a restart."""
        if self._notes and id_ in self._known:
            await self._notes.put(INTERACTION, id_, asdict(self._known[id_].asked))

    async def knows(self, id_: str) -> bool:
        """Whether this was an interaction, also one from before a restart."""
        return await self._asked(id_) is not None

    async def ask(self, asked: Asked, form: Json) -> None:
        """Show a form in answer to an interaction; what is filled in comes as another one. Never raises."""
        path = "/interactions/{webhook_id}/{webhook_token}/callback"
        try:
            body = {"type": _ASK, "data": form}
            await self._api.call("POST", path, body=body, webhook_id=asked.id, webhook_token=asked.token)
        except PlatformError as error:
            log.info("the form for interaction %s is not shown: %s", asked.id, error)

    async def acknowledge(self, id_: str, text: str = "") -> None:
        """Tell Discord that it arrived; `text` where that is all there is to say. Best effort: never raises."""
        known = self._known[id_]
        kind = {"thinking": _THINK, "quiet": _QUIET, "told": _SAY}[known.asked.style]
        data = private(said_as(text)) if text else {"flags": EPHEMERAL}
        body = {"type": kind} | ({} if kind == _QUIET else {"data": data})
        path = "/interactions/{webhook_id}/{webhook_token}/callback"
        try:
            await self._api.call("POST", path, body=body, webhook_id=id_, webhook_token=known.asked.token)
        except PlatformError as error:
            # Acknowledged already (40060), or too late (10062): what there is to say goes another way where it has to.
            log.info("interaction %s is not acknowledged: %s", id_, error)
        finally:
            known.acknowledged.set()

    async def say(self, delivery: Delivery, body: Json) -> str | None:
        """Give a private answer to what a delivery answers; its message's id, None where there is no way any more."""
        asked = await self._asked(delivery.to)
        if asked is None or time.time() - asked.at > TOKEN_SECONDS:
            return None
        try:
            if asked.style == "thinking" and asked.first in (None, delivery.key) and not asked.settled:
                return await self._say_first(asked, delivery.key, body)
            return await self._follow_up(asked, body)
        except RefusedCallError as error:
            if error.code not in _GONE:
                raise
            log.info("interaction %s cannot be answered any more: %s", asked.id, error)
            return None

    async def is_repeatable(self, delivery: Delivery) -> bool:
        """Whether a private answer may be given once more without harm. Raises UnknownOutcomeError where not.

        False where it was never for an interaction.
        """
        asked = await self._asked(delivery.to)
        if asked is None:
            return False
        if asked.style == "thinking" and asked.first in (None, delivery.key):
            return True
        raise UnknownOutcomeError("what follows an answer to an interaction is found nowhere")

    async def settle(self, id_: str, channel: str | None, *, why: str = "") -> None:
        """End what says that we think, as the answer stands in this channel as a message of its own. Never raises.

        `why` is what there is to say where that is not where it was to be expected.
        """
        known = self._known.get(id_)
        asked = known.asked if known else await self._asked(id_)
        if asked is None or asked.style != "thinking" or asked.first or asked.settled:
            return
        asked.settled = True
        if known:
            await self._wait_for(known)
        try:
            elsewhere = channel is not None and channel != asked.channel
            said = why or (SEE.format(channel=channel) if elsewhere else "")
            await self._change(asked, said_as(said) if said else None)
        except PlatformError as error:
            log.info("interaction %s still says that we think: %s", id_, error)

    async def tidy_on(self) -> None:
        """Forget, again and again, what nobody can answer any more."""
        while True:
            try:
                await self.tidy()
            except DeskError as error:
                log.warning("old interactions are not forgotten yet: %s", error)
            await asyncio.sleep(TIDY_SECONDS)

    async def tidy(self) -> None:
        """Forget the interactions nobody can answer any more."""
        noted = await self._notes.all(INTERACTION) if self._notes else {}
        for id_, value in noted.items():
            if self._notes and value["at"] < time.time() - KEPT_SECONDS:
                await self._notes.drop(INTERACTION, id_)
        old = [id_ for id_, known in self._known.items() if known.asked.at < time.time() - KEPT_SECONDS]
        for id_ in old:
            del self._known[id_]

    async def _say_first(self, asked: Asked, key: str, body: Json) -> str:
        if asked.first is None:
            asked.first = key
            await self._keep(asked)
        try:
            return text_in(await self._change(asked, body), "id")
        except RefusedCallError as error:
            if error.code != UNKNOWN_MESSAGE:
                raise
            # The person sent "thinking" away: from here on nothing is found again.
            asked.first = f"not {key}"
            await self._keep(asked)
            return await self._follow_up(asked, body)

    async def _follow_up(self, asked: Asked, body: Json) -> str:
        path = "/webhooks/{webhook_id}/{webhook_token}"
        said = await self._api.call(
            "POST", path, body=private(body), once=True, webhook_id=asked.application, webhook_token=asked.token
        )
        return text_in(said, "id")

    async def _change(self, asked: Asked, body: Json | None) -> Json:
        path = "/webhooks/{webhook_id}/{webhook_token}/messages/@original"
        method = "PATCH" if body else "DELETE"
        changed = await self._api.call(method, path, body=body, webhook_id=asked.application, webhook_token=asked.token)
        return changed if isinstance(changed, dict) else {}

    async def _asked(self, id_: str) -> Asked | None:
        known = self._known.get(id_)
        if known is not None:
            await self._wait_for(known)
            return known.asked
        noted = await self._notes.get(INTERACTION, id_) if self._notes else None
        return Asked(**noted) if isinstance(noted, dict) else None

    async def _wait_for(self, known: _Known) -> None:
        """Let what is being acknowledged be acknowledged: before that Discord takes no answer."""
        try:
            async with asyncio.timeout(ACKNOWLEDGED_WITHIN):
                await known.acknowledged.wait()
        except TimeoutError:
            log.info("interaction %s is not acknowledged yet", known.asked.id)

    async def _keep(self, asked: Asked) -> None:
        if self._notes:
            await self._notes.put(INTERACTION, asked.id, asdict(asked))
