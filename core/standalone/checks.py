"""Where sessions stand in a store that many write to: asked for all who wait in one question, not for each."""

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Protocol

from core.ports import SessionStore
from core.queries.people import StandOf, StandRow


class Asker(Protocol):
    """Who is told where its session stands."""

    def set_result(self, rows: Sequence[StandRow], /) -> None:
        """It stands there; no row where it is not in the store."""
        ...

    def set_exception(self, error: Exception, /) -> None:
        """The store could not be asked."""
        ...


class Checks:
    """Asks for all who came while the last answer was on its way."""

    def __init__(self, store: SessionStore, work: Callable[[Coroutine[Any, Any, None]], None]) -> None:
        """`work` runs a coroutine and keeps hold of it."""
        self._store = store
        self._work = work
        self._waiting: list[tuple[StandOf, Asker]] = []
        self._asking = False

    def enter(self, session: bytes, asker: Asker) -> None:
        """Ask where a session stands, and tell `asker`."""
        self._waiting.append((StandOf(session), asker))
        if not self._asking:
            self._asking = True
            self._work(self._ask())

    async def _ask(self) -> None:
        try:
            while self._waiting:
                taken, self._waiting = self._waiting, []
                await self._ask_for(taken)
        finally:
            self._asking = False

    async def _ask_for(self, taken: list[tuple[StandOf, Asker]]) -> None:
        try:
            answers = await self._store.read_all([question for question, _ in taken])
        except Exception as error:
            for _, asker in taken:
                asker.set_exception(error)
            return
        for (_, asker), rows in zip(taken, answers, strict=True):
            asker.set_result(rows)
