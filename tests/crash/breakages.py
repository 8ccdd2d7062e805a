"""The desk with one of its mechanisms broken on purpose: the bench must then find damage, or it proves nothing.

Each breaks the commits on their way to the store, or a platform, in the bench's own process.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from adapters.discord import render
from adapters.discord.app import DiscordApp
from adapters.discord.catch_up import CatchUp
from adapters.discord.thread import Thread
from adapters.discord.threads import Threads
from adapters.slack.app import SlackApp
from adapters.slack.begun import STREAM
from core.desk import Desk
from core.errors import UnknownOutcomeError
from core.models import Delivery
from core.ports import Outcome, Store
from core.records.guards import LaneIs, OutletIs
from core.records.lanes import AddEvent
from core.records.log import PutNote
from core.records.outbox import AddDelivery, ClaimOutlet
from core.records.record import Record


def _accept_all(record: Record) -> Record | None:
    """No dedupe: every event looks as if it was never seen."""
    return replace(record, key=os.urandom(16)) if isinstance(record, AddEvent) else record


def _sent_before_it_is_posted(record: Record) -> Record | None:
    """An outbox that believes in posting before it tried."""
    return replace(record, status="sent") if isinstance(record, AddDelivery) else record


def _no_fence(record: Record) -> Record | None:
    """Commits of a lane's holder are taken whoever holds it now."""
    return None if isinstance(record, LaneIs) else record


def _streams_not_noted(record: Record) -> Record | None:
    """A platform that remembers nothing of the streams it began."""
    return replace(record, kind="nothing") if isinstance(record, PutNote) and record.kind == STREAM else record


def _outlets_for_all(record: Record) -> Record | None:
    """Everybody holds every outlet, and posts what he finds there."""
    if isinstance(record, OutletIs):
        return None
    return replace(record, worker="anybody") if isinstance(record, ClaimOutlet) else record


ALTERATIONS: dict[str, Callable[[Record], Record | None]] = {
    "dedupe": _accept_all,
    "outbox": _sent_before_it_is_posted,
    "fence": _no_fence,
    "streams": _streams_not_noted,
    "outlet": _outlets_for_all,
}


def _find_nothing() -> None:
    """Platforms that look for nothing: whatever may have been posted is posted again, and no nonce tells Discord so."""

    async def find(_: object, __: Delivery) -> str | None:
        return None

    post = render.post
    render.post = lambda delivery: post(delivery) | {"enforce_nonce": False}
    SlackApp.find = DiscordApp.find = find


def _read_nothing() -> None:
    """A catch-up that believes in having read before it tried."""

    async def read(catch_up: CatchUp, _: object) -> int:
        for channel in list(catch_up._unread):
            catch_up._is_read(channel)
            catch_up._let_on(channel)
        return 0

    CatchUp.read = read


def _make_twice() -> None:
    """The answer to each making of a private thread is lost, and nobody looks for what was made."""
    make, made = Threads._make, set()

    async def lost(threads: Threads, thread: Thread) -> Thread:
        known = await make(threads, thread)
        if thread.conversation in made:
            return known
        made.add(thread.conversation)
        raise UnknownOutcomeError("the answer was lost")

    async def nothing(*_: object) -> None:
        return None

    Threads._make, Threads._left_behind = lost, nothing


PATCHES: dict[str, Callable[[], None]] = {"find": _find_nothing, "catch-up": _read_nothing, "threads": _make_twice}
BREAKAGES = (*ALTERATIONS, *PATCHES)


class AlteredStore:
    """A store that gets other commits than the desk wrote."""

    def __init__(self, store: Store, alter: Callable[[Record], Record | None]) -> None:
        self._store = store
        self._alter = alter

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def write(self, batch: Sequence[Sequence[Record]]) -> list[Outcome]:
        altered = [[self._alter(record) for record in commit] for commit in batch]
        return await self._store.write([tuple(record for record in commit if record) for commit in altered])


def break_desk(name: str) -> None:
    """Break the mechanism of this name in every Desk that this process makes."""
    if name in PATCHES:
        PATCHES[name]()
        return
    make, alter = Desk.__init__, ALTERATIONS[name]

    def init(self: Desk, *, store: Store, **rest: Any) -> None:
        make(self, store=AlteredStore(store, alter), **rest)

    Desk.__init__ = init
