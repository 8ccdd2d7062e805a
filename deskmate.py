"""The face for library users: sessions for anyone's Runner, and a support desk without `await`."""

import asyncio
import threading
import uuid
from collections.abc import Coroutine
from concurrent.futures import Future
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, TypeVar

from adapters.storage.sessions import open_session
from adapters.terminal.translate import checked_name, ref_of
from bots.assemble import open_desk
from bots.settings import read_settings
from core.config import Settings
from core.desk import Desk
from core.errors import BadInputError, StoreError
from core.models import Command, ConversationRef, Delivery, Item, Profile, Progress, UserMessage
from core.ports import Notes

__all__ = ["CustomerSession", "SupportSession", "open_session"]

ValueT = TypeVar("ValueT")
Known = Literal["new", "returning"]


class SupportSession:
    """A support desk on one file, in plain calls; it is closed by `close`, or by leaving its `with` block.

    Its model is what the settings say (`DESK_MODEL`, `OPENAI_API_KEY`), the offline stand-in where they say nothing.
    Errors are `core.errors.DeskError`.
    """

    def __init__(self, db_path: str | Path = "support_sessions.db") -> None:
        """Open the desk in a file, made where there is none. Raises StoreError where that cannot be."""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="support-session", daemon=True)
        self._thread.start()
        self._parts = AsyncExitStack()
        self._desktop = _Desktop()
        settings = read_settings().model_copy(update={"store": f"sqlite:///{Path(db_path)}", "keyring": None})
        try:
            self._desk = self._do(self._open(settings))
        except BaseException:
            self._end()
            raise

    def __enter__(self) -> Self:
        """The desk is open already."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the desk."""
        self.close()

    def run_turn(self, customer_id: str, customer_name: str, tier: str, message: str) -> Known:
        """Say something as a customer and print the answer; returns whether the customer is new or returning."""
        known: Known = "returning" if self._do(self._desk.knows(_ref(customer_id))) else "new"
        said = UserMessage(self._desktop.next_id(), _ref(customer_id), message, Profile(customer_name, tier))
        answers = self._do(self._hand_in(said))
        print(f"{customer_name} ({known} customer): {message}")
        for answer in answers:
            print(f"Deskmate: {answer}")
        return known

    def get_session(self, customer_id: str) -> "CustomerSession":
        """A customer's conversation, to look at."""
        return CustomerSession(self, customer_id)

    def get_session_length(self, customer_id: str) -> int:
        """How many history items the customer's conversation has now."""
        return len(self.get_session(customer_id).get_items())

    def undo_last_turn(self, customer_id: str) -> str:
        """Take back the customer's last turn with what it did; returns what the desk says of it."""
        return self._say(customer_id, "undo")

    def clear_session(self, customer_id: str) -> str:
        """Delete the customer's conversation for good; returns what the desk says of it."""
        return self._say(customer_id, "clear", "confirm")

    def close(self) -> None:
        """Stop the desk and close its file. To close twice is no error."""
        if self._thread.is_alive():
            self._do(self._parts.aclose())
            self._end()

    def _items(self, customer_id: str) -> list[Item]:
        return self._do(self._desk.items_at(_ref(customer_id)))

    def _say(self, customer_id: str, word: str, *args: str) -> str:
        said = Command(self._desktop.next_id(), _ref(customer_id), word, args)
        return "\n".join(self._do(self._hand_in(said)))

    async def _hand_in(self, event: UserMessage | Command) -> list[str]:
        self._desktop.posted.clear()
        await self._desk.accept(event)
        await self._desk.drain()
        return [delivery.text for delivery in self._desktop.posted if delivery.text]

    async def _open(self, settings: Settings) -> Desk:
        try:
            return await self._parts.enter_async_context(open_desk(settings, [self._desktop], serving=False))
        except StoreError as error:
            # The store names the setting; here the caller gave a path.
            raise type(error)(str(error).replace("DESK_STORE", "db_path")) from error

    def _do(self, work: Coroutine[Any, Any, ValueT]) -> ValueT:
        if self._loop.is_closed():
            work.close()
            raise BadInputError("this SupportSession is closed: open a new one on the same file")
        future: Future[ValueT] = asyncio.run_coroutine_threadsafe(work, self._loop)
        return future.result()

    def _end(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class CustomerSession:
    """A customer's conversation as it stands, in plain calls."""

    def __init__(self, desk: SupportSession, customer_id: str) -> None:
        """Made by `SupportSession.get_session`."""
        self._desk = desk
        self.customer_id = checked_name("customer_id", customer_id)

    def get_items(self) -> list[Item]:
        """All its history items, in the Agents SDK's format, oldest first."""
        return self._desk._items(self.customer_id)  # noqa: SLF001 - the two are one face


class _Desktop:
    """The platform of these plain calls: what the desk posts is kept until the call takes it."""

    name = "terminal"
    repeats_by_key = True
    names_devices = False
    opens_places = False
    writes_directly = False

    def __init__(self) -> None:
        self.posted: list[Delivery] = []

    def next_id(self) -> str:
        return uuid.uuid4().hex

    def remember_in(self, notes: Notes) -> None:
        return None

    def split(self, text: str) -> list[str]:
        return [text]

    async def post(self, delivery: Delivery) -> str:
        self.posted.append(delivery)
        return delivery.key

    async def find(self, delivery: Delivery) -> str | None:
        return None

    async def complete(self, message: UserMessage, *, first: bool) -> UserMessage:
        return message

    async def show(self, progress: Progress) -> None:
        return None

    async def reaches(self, ref: ConversationRef) -> bool:
        return True

    async def link(self, ref: ConversationRef) -> str | None:
        return None

    async def open_beside(self, ref: ConversationRef, *, key: str, title: str) -> ConversationRef | None:
        return None


def _ref(customer_id: str) -> ConversationRef:
    return ref_of(checked_name("customer_id", customer_id))
