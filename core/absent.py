"""A platform whose client another process holds: its events are worked here, and what is said there is left to it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

from core.errors import PlatformError
from core.models import ConversationRef, Delivery, Progress, UserMessage
from core.ports import Notes


class Wants(Protocol):
    """Notes that a place is wanted beside a conversation; who speaks the platform opens it."""

    def __call__(self, notes: Notes, ref: ConversationRef, *, key: str, title: str) -> Awaitable[ConversationRef]:
        """Return what will be the place's ref, once the wish is durable."""
        ...


@dataclass(slots=True)
class AbsentPlatform:
    """A `core.ports.Platform` that can cut a text into pieces, want places if that is told how, and nothing else."""

    name: str
    split_text: Callable[[str], list[str]]
    wants: Wants | None = None
    repeats_by_key: bool = False
    names_devices: bool = False
    writes_directly: bool = False
    _notes: Notes | None = field(default=None, init=False)

    @property
    def opens_places(self) -> bool:
        """Whether a place that is wanted will be opened."""
        return self.wants is not None

    def remember_in(self, notes: Notes) -> None:
        """Note here what is wanted."""
        self._notes = notes

    def split(self, text: str) -> list[str]:
        """Cut a text as the platform needs it."""
        return self.split_text(text)

    async def post(self, delivery: Delivery) -> str:
        """Nothing is posted from here."""
        raise PlatformError(f"{self.name} is not spoken by this process")

    async def find(self, delivery: Delivery) -> str | None:
        """Nothing is looked for from here."""
        raise PlatformError(f"{self.name} is not spoken by this process")

    async def reaches(self, ref: ConversationRef) -> bool:
        """Reach nobody."""
        return False

    async def complete(self, message: UserMessage, *, first: bool) -> UserMessage:
        """Know nothing besides."""
        return message

    async def show(self, progress: Progress) -> None:
        """Show nothing."""

    async def open_beside(self, ref: ConversationRef, *, key: str, title: str) -> ConversationRef | None:
        """Want it opened by who speaks the platform; None where it has no such places."""
        if self.wants is None or self._notes is None:
            return None
        return await self.wants(self._notes, ref, key=key, title=title)

    async def link(self, ref: ConversationRef) -> str | None:
        """Know of no link."""
        return None
