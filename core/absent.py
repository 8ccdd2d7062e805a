"""A platform whose client another process holds: its events are worked here, and what is said there is left to it."""

from collections.abc import Callable
from dataclasses import dataclass

from core.errors import PlatformError
from core.models import ConversationRef, Delivery, Progress, UserMessage
from core.ports import Notes


@dataclass(frozen=True, slots=True)
class AbsentPlatform:
    """A `core.ports.Platform` that can cut a text into pieces, and nothing else."""

    name: str
    split_text: Callable[[str], list[str]]
    repeats_by_key: bool = False
    names_devices: bool = False
    opens_places: bool = False

    def remember_in(self, notes: Notes) -> None:
        """Remember nothing."""

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
        """Open nothing."""
        return None

    async def link(self, ref: ConversationRef) -> str | None:
        """Know of no link."""
        return None
