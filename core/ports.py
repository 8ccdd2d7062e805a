"""What the outside implements for the core: a store, a sealer, platforms."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal, NamedTuple, Protocol, TypeVar

from core.errors import RefusedError
from core.models import ConversationRef, Delivery, Place, Progress, Usage, UserMessage
from core.queries.people import StandOf, StandRow
from core.queries.query import Query
from core.records.record import Commit, Rows

RowT = TypeVar("RowT")

Outcome = tuple[Rows, ...] | RefusedError
"""What became of one commit: the rows of its returning records in order, or why the store refused it."""


class Writes(Protocol):
    """Writes batches of commits: a store, or what adds something to a batch on its way to one."""

    async def write(self, batch: Sequence[Commit]) -> list[Outcome]:
        """Write all commits of the batch in one durable transaction; durable when this returns.

        A commit whose guard does not hold, or that meets a row with its key, is left out whole and its outcome is the
        RefusedError; its neighbours are written. Raises StoreError when nothing could be written.
        """
        ...


class Store(Writes, Protocol):
    """Keeps what the desk must not lose. Made by `adapters.storage.open_store`, closed by who opened it."""

    async def read(self, query: Query[RowT]) -> list[RowT]:
        """Answer a question from what is committed. Raises StoreError."""
        ...

    async def read_all(self, queries: Sequence[Query[RowT]]) -> list[list[RowT]]:
        """Answer questions of one class, each as `read` would; those of `StandOf` in one go. Raises StoreError."""
        ...

    def stamp(self) -> int | None:
        """A number that changes when another process wrote, odd while one writes; None where it cannot be told.

        Costs no I/O and may be asked in any thread: what was read under an even number holds while it stays the same.
        """
        ...

    @property
    def shared(self) -> bool:
        """Whether other processes may work the lanes of this store beside this one."""
        ...

    async def notify(self, words: Sequence[str]) -> None:
        """Tell words (short, no secrets) to every process that listens on this store, this one too.

        Best effort: a word may be lost, and nothing is raised. A store that is not shared tells nobody.
        """
        ...

    async def listen(self, hear: Callable[[str], None]) -> None:
        """From now on call `hear(word)`, in this loop, for each word any process tells; reconnects by itself.

        What was told while the connection was gone is not heard: look at the store now and then as well.
        """
        ...

    async def scrub(self) -> None:
        """Leave nothing of what was deleted in the store's own files, as far as they are in its hands."""
        ...

    async def close(self) -> None:
        """Finish what was begun and let go of files, locks and connections."""
        ...


Stage = Literal["claimed", "committed", "posted"]
"""What takes time: from accepted to claimed, from there to the commit, from there to being posted."""


class Metrics(Protocol):
    """Counts what happens, in numbers and closed sets of words: no content and no ids. Never raises, never waits."""

    def accepted(self, outcome: str) -> None:
        """Count an event that was handed in, by what became of it."""
        ...

    def turn(self, status: str) -> None:
        """Count a turn that was committed."""
        ...

    def took(self, stage: Stage, seconds: float) -> None:
        """Note how long it took to get to a stage from the one before."""
        ...

    def called(self, model: str, usage: Usage, cost_nano: int | None) -> None:
        """Count a model call that was booked; without a cost where its price is not known."""
        ...

    def parked(self) -> None:
        """Count an event that was set aside."""
        ...

    def delivered(self, status: str) -> None:
        """Count a piece whose fate was noted."""
        ...


class SessionStore(Writes, Protocol):
    """Keeps standalone sessions, each by itself. Each commit is about one session, which its first record names."""

    async def ask(self, session: bytes, query: Query[RowT]) -> list[RowT]:
        """Answer a question about what is in a session, from what is committed. Raises StoreError."""
        ...

    async def read_all(self, queries: Sequence[StandOf]) -> list[list[StandRow]]:
        """Say where sessions stand, all in one go. Raises StoreError."""
        ...

    def stamp(self) -> int | None:
        """As `Store.stamp`."""
        ...


class KeyCounts(NamedTuple):
    """How many owners have a key, how many were erased, and how many versions of keys there are."""

    owners: int
    erased: int
    versions: int


class Keys(Protocol):
    """What an operator does with the data keys of all owners, while desks seal with them. No key is ever given out."""

    async def counts(self) -> KeyCounts:
        """Count them."""
        ...

    async def closed(self) -> list[str]:
        """Try every key under the master key: those that do not open, as keyed hash and version."""
        ...

    async def rotate(self, made_before: int) -> int:
        """Give each live owner whose newest key was made before a time a new one to seal with; how many.

        What older ones sealed stays readable. One that was cut off goes on with the same time.
        """
        ...


class Sealer(Protocol):
    """Encrypts content before a store sees it. AES-256-GCM, one data key per owner, bound to its place."""

    async def prepare(self, owners: Sequence[str]) -> None:
        """Have a live data key for each owner, made where there is none, durable when this returns.

        Raises ErasedError for an owner whose key was destroyed.
        """
        ...

    def seal(self, place: Place, content: bytes) -> bytes:
        """Encrypt; the owner must be prepared. The result names its key version and opens at `place` only."""
        ...

    async def erase(self, owner: str) -> None:
        """Destroy an owner's keys for good: what they sealed is ErasedError from now on. May be repeated.

        Another process that has them in memory notices within a second.
        """
        ...

    @property
    def erasures(self) -> int:
        """How many owners were erased, as far as this process noticed: what it knows of people may be too old."""
        ...

    @property
    def keys(self) -> Keys:
        """The data keys, as operators see them."""
        ...

    def open(self, place: Place, sealed: bytes) -> bytes:
        """Decrypt. Raises ErasedError for an erased owner, UnreadableError for all else that does not open."""
        ...

    def lookup(self, kind: str, value: str) -> bytes:
        """The keyed hash (16 bytes) under which a look-up column holds `value`; equal values of a kind are equal."""
        ...


class Found(NamedTuple):
    """Something of a kind (`card`) that stands in a text, from `start` up to `end`."""

    kind: str
    start: int
    end: int


class Recogniser(Protocol):
    """Finds personal data of kinds the desk does not know by itself. Asked in a thread: it may take its time."""

    def find(self, text: str) -> Iterable[Found]:
        """What stands in a text, in any order; overlaps are no error."""
        ...


class Notes(Protocol):
    """What a platform's adapter remembers over a restart: JSON values, sealed, under words of its own choice."""

    async def put(self, kind: str, key: str, value: object) -> None:
        """Keep a value, durable when this returns; the one before it is gone."""
        ...

    async def ride(self, kind: str, key: str, value: object) -> None:
        """Keep a value with the next commit: for what may be lost at a crash, because it is found out again."""
        ...

    async def get(self, kind: str, key: str) -> Any:  # noqa: ANN401  what JSON holds
        """The value that is kept; None where there is none."""
        ...

    async def all(self, kind: str) -> dict[str, Any]:
        """All values of a kind by their keys."""
        ...

    async def drop(self, kind: str, key: str) -> None:
        """Forget a value; none is no error."""
        ...

    async def masked(self, text: str) -> str:
        """What people wrote as it may be kept: without what the operator lets nobody keep."""
        ...


class Platform(Protocol):
    """Where people talk. Implemented by each adapter's app."""

    @property
    def name(self) -> str:
        """The platform's name, as in `ConversationRef.platform`."""
        ...

    @property
    def repeats_by_key(self) -> bool:
        """Whether posting the same key twice is harmless: then a turn commits its pieces as 'sending' at once."""
        ...

    @property
    def names_devices(self) -> bool:
        """Whether its refs name the device somebody writes from, which strategy 'device' needs."""
        ...

    @property
    def opens_places(self) -> bool:
        """Whether it can open another place beside a conversation that others read."""
        ...

    @property
    def writes_directly(self) -> bool:
        """Whether a private reply that `stays` goes with its file to the asker's own direct conversation."""
        ...

    def remember_in(self, notes: Notes) -> None:
        """Keep here what has to be known after a restart. Said once by a desk, before it asks for anything else."""
        ...

    def split(self, text: str) -> list[str]:
        """Cut a text into pieces the platform takes, without breaking code fences; at least one piece."""
        ...

    async def post(self, delivery: Delivery) -> str:
        """Post, retract or restore one piece and return the platform's id of the message.

        Raises RejectedError when the platform refuses for good, UnknownOutcomeError when the call was cut, any other
        PlatformError when it may be tried again.
        """
        ...

    async def find(self, delivery: Delivery) -> str | None:
        """Look up whether a piece whose outcome is unknown was posted: its message id, or None when it surely was not.

        Raises UnknownOutcomeError when that cannot be told.
        """
        ...

    async def reaches(self, ref: ConversationRef) -> bool:
        """Whether this process can post in a conversation: another one may hold the client for it. Never raises."""
        ...

    async def complete(self, message: UserMessage, *, first: bool) -> UserMessage:
        """Add to a message what the platform knows besides: who speaks, and, where it is the `first` of its
        conversation, what others said there before. Best effort: never raises.
        """
        ...

    async def show(self, progress: Progress) -> None:
        """Show that a turn is being worked on. Best effort: never raises."""
        ...

    async def link(self, ref: ConversationRef) -> str | None:
        """Return a link people can follow to the conversation, None where there is none. Best effort: never raises."""
        ...

    async def open_beside(self, ref: ConversationRef, *, key: str, title: str) -> ConversationRef | None:
        """Open another place for the people of a conversation, and return it; None where the platform has none.

        With the same key it is the same place, however often this is called. Raises PlatformError.
        """
        ...
