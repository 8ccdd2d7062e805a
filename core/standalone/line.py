"""One standalone session as it stands in this process: what is asked of it is done one after the other, in order.

Where it stands is known from its own last commit and not read again: each commit itself checks that it still holds
(`SessionAt`, and the key of an item). Where another process wrote meanwhile, it is read anew and done again.
"""

import threading
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from weakref import WeakValueDictionary

from core.clock import now
from core.errors import ChangedError, ConflictError, StoreError
from core.lru import Lru
from core.models import MAIN
from core.ports import Sealer
from core.queries.people import SessionById, StandOf, StandRow
from core.queries.query import Query
from core.queries.turns import ItemRow, ItemsOf, WindowOf
from core.records.guards import SessionAt, TurnEnds
from core.records.people import AddSession
from core.records.record import Record
from core.records.turns import EnsureMain
from core.sealed import branch_row, decode, item_row, open_json, open_sealed, row_of, seal_json
from core.standalone.shared_store import Caller, Job, SharedStore
from core.window import Window, Windows
from core.writer import GroupWriter

RowT = TypeVar("RowT")

TRIES = 100
"""How often a change is tried beside other processes that change the same session."""
READS = 3
"""How often a session is read again because somebody wrote meanwhile; it is good for once after that, but not kept."""
KEPT = 4096
"""Sessions whose place is remembered although nobody holds them."""
WINDOWS = 64 * 1024 * 1024
"""Bytes of all windows together."""
LEAST_WANTED = 64
"""Items a window keeps at least."""


@dataclass(slots=True)
class Tip:
    """Where a session's current branch ends.

    `seq` is the next item's in the turn `head`; `said` tells whether a user item is in that turn; `open` whether items
    may be added to it (None: not looked yet): not where another branch, or an undone turn, stands on it too.
    """

    branch: bytes
    branch_body: bytes = b""
    version: int = 0
    revision: int = 0
    head: str | None = None
    depth: int = 0
    seq: int = 0
    said: bool = False
    open: bool | None = None

    @property
    def exists(self) -> bool:
        """Whether the session is in the store."""
        return self.version > 0

    @property
    def turn(self) -> str:
        """The turn the branch ends in, for where there is one."""
        if self.head is None:
            raise LookupError("the branch has no turn")
        return self.head


class LineJob(Job):
    """A job on one session."""

    __slots__ = ("line",)

    def __init__(self, line: "SessionLine") -> None:
        self.line = line

    def begin(self) -> None:
        """Begin, or wait for those before it."""
        self.line.take(self)

    def at_once(self) -> bool:
        """Do it without reading, if all it needs is known; False where it must `work`."""
        return False

    async def work(self) -> Any:  # noqa: ANN401 - each job's own
        """Do it with reading; called again when the session was changed meanwhile."""
        raise NotImplementedError


class Doing(LineJob):
    """A job that is any coroutine function of a line."""

    __slots__ = ("_do",)

    def __init__(self, line: "SessionLine", do: "Callable[[SessionLine], Awaitable[Any]]") -> None:
        super().__init__(line)
        self._do = do

    async def work(self) -> Any:  # noqa: ANN401 - each job's own
        """Do it on what is known, made fresh."""
        await self.line.refresh()
        return await self._do(self.line)


class SessionLine:
    """A session in the thread of its store. `window` may be read in any thread, all else only there.

    `key` is its id in the store, `owner` whose key seals it, `main` the first branch's name in the store; `untold` says
    that the store cannot tell, without being asked, that somebody else wrote.
    """

    sealer: Sealer
    writer: GroupWriter
    key: bytes = b""
    owner: str
    main: bytes
    untold: bool

    def __init__(self, session_id: str, lines: "Lines") -> None:
        self.session_id = session_id
        self.window: Window | None = None
        self.stamp = -1
        self.wanted = LEAST_WANTED
        self.tip: Tip | None = None
        self.shared = lines.shared
        self._windows = lines.windows
        self._busy = False
        self._looked = False
        self._waiting: deque[LineJob] = deque()

    # --- in any thread ------------------------------------------------------------------------------------------------

    def warm(self, limit: int | None) -> Window | None:
        """The window, where it has the newest `limit` items and nobody else wrote to the store since it was read."""
        window = self.window
        if window is None or not window.covers(limit):
            return None
        return window if self.unchanged() else None

    def unchanged(self) -> bool:
        """Whether surely nobody else wrote since this session was read; an odd stamp says that somebody is writing."""
        stamp = self.shared.parts.store.stamp()
        return stamp is not None and stamp == self.stamp and not stamp & 1

    # --- who it is ----------------------------------------------------------------------------------------------------

    def _name(self) -> None:
        """Learn by what name the store knows it, once the store is open."""
        self.sealer = self.shared.parts.sealer
        self.key = key_of(self.sealer, self.session_id)
        self.owner = owner_of(self.key)
        self.main = self.sealer.lookup("branch", MAIN)
        self.writer = self.shared.writer_of(self.key)
        self.untold = self.shared.parts.store.stamp() is None

    # --- one after the other ------------------------------------------------------------------------------------------

    def take(self, job: LineJob) -> None:
        """Begin a job, or let it wait for those before it."""
        if self._busy:
            self._waiting.append(job)
        else:
            self._busy = True
            self._begin(job)

    def finish(self, job: LineJob, value: Any, error: BaseException | None = None) -> None:  # noqa: ANN401
        """Answer a job, and begin the next one."""
        self.shared.answer(job, value, error)
        if self._waiting:
            self._begin(self._waiting.popleft())
        else:
            self._busy = False

    def work(self, job: LineJob) -> None:
        """Do a job that has to read, and answer it."""
        if not self.key:
            self._name()
        self.shared.work(self._work(job))

    def _begin(self, job: LineJob) -> None:
        self._looked = False
        try:
            begun = job.at_once()
        except Exception as error:
            return self.finish(job, None, error)
        if not begun:
            self.work(job)
        return None

    async def _work(self, job: LineJob) -> None:
        try:
            value = await self._again_and_again(job)
        except Exception as error:
            self.forget()
            self.finish(job, None, error)
        except BaseException:
            self.finish(job, None, StoreError("the session's store was closed meanwhile"))
            raise
        else:
            self.finish(job, value)

    async def _again_and_again(self, job: LineJob) -> Any:  # noqa: ANN401 - each job's own
        for _ in range(TRIES):
            try:
                return await job.work()
            except (ChangedError, ConflictError):
                self.forget()
        return await job.work()

    # --- what is known ------------------------------------------------------------------------------------------------

    def forget(self) -> None:
        """Know nothing: what comes next reads first."""
        self.tip = None
        self._looked = False
        self._windows.keep(self, None)

    def added(self, items: Sequence[bytes]) -> None:
        """Know the items that a commit of its own added."""
        if self.untold or self.unchanged():
            self._windows.add(self, items)
        else:
            # The window lacks what somebody else added meanwhile, even if it did not collide with the commit.
            self._windows.keep(self, None)

    def know(self, tip: Tip, window: Window | None) -> None:
        """Know where the session stands, and its newest items."""
        self.tip = tip
        self._looked = True
        self._windows.keep(self, window)

    async def refresh(self) -> Tip:
        """Know where the session stands: as read before, where nobody else wrote, or wrote to this session.

        One job looks once: what somebody writes after that refuses its commit.
        """
        tip = self.tip
        if tip is None:
            return await self.load()
        if self._looked or self.unchanged():
            return tip
        stamp = self._stamp()
        if not self.stands(await self.read(StandOf(self.key))):
            return await self.load()
        self.stamp, self._looked = stamp, True
        return tip

    def stands(self, rows: Sequence[StandRow]) -> bool:
        """Whether the session stands in the store where it is known to."""
        tip = self.tip
        if tip is None or not tip.exists:
            return not rows
        return len(rows) == 1 and (rows[0].version, rows[0].head, rows[0].seq) == (tip.version, tip.head, tip.seq)

    async def load(self, turns: int = 1) -> Tip:
        """Read where the session stands, and the items of its newest turns."""
        for _ in range(READS):
            stamp = self._stamp()
            tip, window = await self._load(turns)
            # Two questions are not one moment: where somebody wrote between them, ask again.
            if stamp == self._stamp():
                self.stamp = stamp
                break
        self.know(tip, window)
        return tip

    def _stamp(self) -> int:
        stamp = self.shared.parts.store.stamp()
        return -1 if stamp is None else stamp

    async def _load(self, turns: int) -> tuple[Tip, Window]:
        rows = await self.read(SessionById(self.key))
        if not rows:
            return Tip(self.main), Window()
        session = rows[0]
        if self.untold:
            # Such a store is on a server, and so is its keyring: many that are read for the first time share a look-up.
            await self.sealer.prepare((self.owner,))
        tip = Tip(session.branch, session.branch_body, session.version, session.revision, session.head, session.depth)
        if tip.head is None:
            return tip, Window()
        items = await self.read(WindowOf(tip.head, turns))
        newest = [item for item in items if item.turn == tip.head]
        tip.seq = newest[-1].seq + 1 if newest else 0
        # Only the first turn may begin without a user item.
        tip.said = tip.depth > 1 or any(is_user(decode(self.open_item(item))) for item in newest)
        return tip, self.window_of(items, complete=turns >= tip.depth)

    def window_of(self, rows: Iterable[ItemRow], *, complete: bool) -> Window:
        """Open items into a window."""
        return Window(list(map(self.open_item, rows)), complete=complete)

    def open_item(self, row: ItemRow) -> bytes:
        """Open one item."""
        return open_sealed(self.sealer, "item", row.speaker, item_row(row.turn, row.seq), row.body)

    async def branch_name(self) -> str:
        """The readable name of the current branch."""
        tip = await self.refresh()
        return self.open_branch(tip.branch, tip.branch_body) if tip.exists else MAIN

    def open_branch(self, name: bytes, body: bytes) -> str:
        """The readable name of a branch."""
        opened: str = open_json(self.sealer, "branch", self.owner, branch_row(self.key, name), body)
        return opened

    # --- the store ----------------------------------------------------------------------------------------------------

    async def read(self, query: Query[RowT]) -> list[RowT]:
        """Ask the store."""
        return await self.shared.parts.store.ask(self.key, query)

    async def commit(self, records: Sequence[Record]) -> None:
        """Write records if the session still stands where it is known to."""
        tip = self.tip or await self.refresh()
        await self.writer.commit((*self.guards(tip), *records))

    def guards(self, tip: Tip) -> list[Record]:
        """What refuses a commit where the session does not stand there any more.

        Where a store cannot tell that somebody else wrote, a commit that is not refused is what tells that nobody did.
        """
        guards: list[Record] = [SessionAt(self.key, tip.version)]
        if self.untold and tip.head is not None:
            guards.append(TurnEnds(tip.head, tip.seq))
        return guards

    async def items_of(self, turn: str) -> list[ItemRow]:
        """The items of a turn."""
        return await self.read(ItemsOf(turn))

    async def create(self) -> Tip:
        """Have the session in the store."""
        at, owner, row = now(), self.owner, row_of(self.key)
        await self.sealer.prepare((owner,))
        main = seal_json(self.sealer, "branch", owner, branch_row(self.key, self.main), MAIN)
        body = seal_json(self.sealer, "session", owner, row, {"id": self.session_id})
        await self.writer.commit(
            (
                AddSession(self.key, "local", owner, "session", self.main, at, body),
                EnsureMain(self.key, self.main, at, main),
            )
        )
        return await self.load()


class Lines:
    """All sessions of one shared store that are in use in this process; those of one id share one line."""

    def __init__(self, shared: SharedStore) -> None:
        self.shared = shared
        self.windows: Windows[SessionLine] = Windows(WINDOWS)
        self._held: WeakValueDictionary[str, SessionLine] = WeakValueDictionary()
        self._kept: Lru[str, SessionLine] = Lru(KEPT)
        self._lock = threading.Lock()

    def line(self, session_id: str) -> SessionLine:
        """Give the line of a session, in any thread."""
        with self._lock:
            line = self._held.get(session_id)
            if line is None:
                line = self._held[session_id] = SessionLine(session_id, self)
            self._kept.put(session_id, line)
            return line

    def caller(self) -> Caller:
        """Give the caller of the running loop."""
        return self.shared.caller()


def key_of(sealer: Sealer, session_id: str) -> bytes:
    """The key of a standalone session, in a space of its own: the sessions of a desk are not opened by their ids."""
    return sealer.lookup("session", f"session/{session_id}")


def owner_of(key: bytes) -> str:
    """Whose its content is: a key of its own seals it, and the key's name in the store is not the readable one."""
    return f"session/{key.hex()}"


def is_user(item: object) -> bool:
    """Whether an item is a user's: a turn begins with it."""
    return isinstance(item, dict) and item.get("role") == "user"
