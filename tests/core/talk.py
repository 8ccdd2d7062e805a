"""A desk to talk to in tests: the real one on a store in memory, and a platform that keeps what was posted."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

from agents import Model

from adapters.sealing import MasterKey, open_sealer
from adapters.storage import open_store
from core.config import Settings, check_settings
from core.desk import Desk
from core.models import (
    Accepted,
    Command,
    ConversationRef,
    Delivery,
    MessageDeleted,
    MessageEdited,
    Profile,
    Progress,
    Reaction,
    UserMessage,
)
from core.offline import OfflineModel
from core.ports import Notes, Platform, Sealer, Store

PARTS = "stand_in", "spans"


@dataclass
class Street:
    """A platform in memory. What it was asked to post stands in `posted`, in order; `shown` keeps the progress."""

    name: str = "terminal"
    repeats_by_key: bool = True
    names_devices: bool = False
    opens_places: bool = False
    writes_directly: bool = False
    limit: int = 100_000
    knows: Callable[[UserMessage, bool], UserMessage] = lambda message, first: message
    posted: list[Delivery] = field(default_factory=list)
    shown: list[Progress] = field(default_factory=list)

    def remember_in(self, notes: Notes) -> None:
        self.notes = notes

    def split(self, text: str) -> list[str]:
        return [text[at : at + self.limit] for at in range(0, len(text), self.limit)] or [text]

    async def post(self, delivery: Delivery) -> str:
        self.posted.append(delivery)
        return delivery.key if self.repeats_by_key else f"m-{delivery.key}"

    async def find(self, delivery: Delivery) -> str | None:
        found = [posted for posted in self.posted if posted.key == delivery.key]
        return f"m-{delivery.key}" if found else None

    async def complete(self, message: UserMessage, *, first: bool) -> UserMessage:
        return self.knows(message, first)

    async def show(self, progress: Progress) -> None:
        self.shown.append(progress)

    async def reaches(self, ref: ConversationRef) -> bool:
        return True

    async def link(self, ref: ConversationRef) -> str | None:
        return None

    async def open_beside(self, ref: ConversationRef, *, key: str, title: str) -> ConversationRef | None:
        return replace(ref, channel=key, thread=key) if self.opens_places else None


def place(user: str, *, channel: str | None = None, thread: str | None = None) -> ConversationRef:
    """Where a user writes: their own DM, or a channel that others read."""
    if channel is None:
        return ConversationRef("terminal", "local", f"dm-{user}", user)
    return ConversationRef("terminal", "local", channel, user, thread=thread, direct=False)


@dataclass
class Talk:
    """People talking to a desk: each call waits until the desk is quiet and returns the texts it posted meanwhile."""

    desk: Desk
    street: Street
    store: Store
    sealer: Sealer
    settings: Settings
    ids: Any = field(default_factory=lambda: count(1))

    async def say(
        self, user: str, text: str, *, id_: str | None = None, tier: str | None = None, **where: Any
    ) -> list[str]:
        message = UserMessage(id_ or self.next_id(), place(user, **where), text, Profile(user.title(), tier))
        return await self.hand_in(message)

    async def command(self, user: str, name: str, *args: str, message: str | None = None, **where: Any) -> list[str]:
        return await self.hand_in(Command(self.next_id(), place(user, **where), name, args, message=message))

    async def react(self, user: str, message: str, name: str, *, removed: bool = False, **where: Any) -> list[str]:
        return await self.hand_in(Reaction(self.next_id(), place(user, **where), message, name, removed))

    async def edit(self, user: str, message: str, text: str, **where: Any) -> list[str]:
        return await self.hand_in(MessageEdited(self.next_id(), place(user, **where), message, text))

    async def delete(self, user: str, message: str, **where: Any) -> list[str]:
        return await self.hand_in(MessageDeleted(self.next_id(), place(user, **where), message))

    async def hand_in(self, event: Any) -> list[str]:
        before = len(self.street.posted)
        assert await self.desk.accept(event) is Accepted.NEW
        await self.desk.drain()
        return [delivery.text for delivery in self.street.posted[before:]]

    @asynccontextmanager
    async def with_desk(self, *platforms: Platform, model: Model | None = None) -> AsyncIterator[Desk]:
        """A second desk on the same store."""
        desk = Desk(
            settings=self.settings,
            store=self.store,
            sealer=self.sealer,
            model=model or OfflineModel(),
            platforms=platforms,
        )
        async with desk:
            yield desk

    def next_id(self) -> str:
        return f"m{next(self.ids)}"

    @property
    def last(self) -> Delivery:
        return self.street.posted[-1]


@asynccontextmanager
async def open_talk(
    model: Model | None = None,
    *,
    platform: Platform | None = None,
    more: Sequence[Platform] = (),
    store: Store | None = None,
    **given: Any,
) -> AsyncIterator[Talk]:
    """Open a desk on a store in memory (or on one given), with the offline model unless another is given.

    What else is given are settings, or the desk's own `PARTS`.
    """
    parts = {name: given.pop(name) for name in PARTS if name in given}
    checked = check_settings(given)
    street = platform or Street()
    master = MasterKey(bytes(32))
    async with open_store("memory:") as own, open_sealer(":memory:", master, fresh=True) as sealer:
        used = store or own
        desk = Desk(
            settings=checked,
            store=used,
            sealer=sealer,
            model=model or OfflineModel(),
            platforms=[street, *more],
            **parts,
        )
        async with desk:
            yield Talk(desk, street, used, sealer, checked)  # type: ignore[arg-type]  # a Street unless told otherwise
