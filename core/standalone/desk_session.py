"""A session for anyone's `Runner.run`, `run_streamed` or `run_sync`: sealed, durable, and it can go back.

    async with open_session("sqlite:///memory.db", "alice") as session:
        await Runner.run(agent, "Hello", session=session)

It has the calls of the SDK's Session protocol and those of its AdvancedSQLiteSession, and undo, redo and rewind. It may
be used from any event loop and thread; several objects with one id share what they know.
"""

import asyncio
from collections.abc import Awaitable, Callable, Generator
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, cast

from core.errors import BadInputError
from core.models import Item, Usage
from core.standalone import branches, heads, reading, turns, usage
from core.standalone.adding import Adding
from core.standalone.line import Doing, LineJob, Lines, SessionLine
from core.standalone.shared_store import Answer
from core.window import Excerpt, without_cut_off_outputs

if TYPE_CHECKING:
    from agents.items import TResponseInputItem
    from agents.memory import SessionSettings

    GivenSettings = SessionSettings | dict[str, Any] | None
    """What the SDK takes for the settings of a session."""
    from agents.result import RunResultBase


_UNSET = object()


class Connection(Protocol):
    """A session's use of the store it shares with others."""

    def attach(self, session: object) -> Lines:
        """Open the store, if it is not open, for as long as `session` lives or until `release`."""
        ...

    def release(self) -> Callable[[], None]:
        """Let go of the store, which ends when nobody uses it; what is returned waits for that."""
        ...


class DeskSession:
    """One conversation's memory. Made by `open_session`; nothing is opened before its first use.

    Each addition is durable when it returns. A turn begins at a user item; turns are numbered from 1 along the current
    branch. What cannot be read, for want of the key or because it was tampered with, is an error, never an empty one.
    """

    _settings: "SessionSettings | None | object" = _UNSET

    def __init__(
        self,
        session_id: str,
        connection: Connection,
        session_settings: "GivenSettings" = None,
    ) -> None:
        self.session_id = session_id
        if session_settings is not None:
            self.session_settings = session_settings
        self._connection = connection
        self._line: SessionLine | None = None
        self._last: Answer | None = None
        self._closed = False

    @property
    def session_settings(self) -> "SessionSettings | None":
        """The SDK's settings of a session: its `limit` holds where `get_items` is given none."""
        if self._settings is _UNSET:
            self.session_settings = {}
        return cast("SessionSettings | None", self._settings)

    @session_settings.setter
    def session_settings(self, settings: "SessionSettings | dict[str, Any] | None") -> None:
        # Late: to import the SDK takes over a second, and a session without settings works without.
        from agents.memory.session_settings import coerce_session_settings

        self._settings = None if settings is None else coerce_session_settings(settings)

    # --- the SDK's Session protocol -----------------------------------------------------------------------------------

    async def get_items(self, limit: int | None = None, branch_id: str | None = None) -> "list[TResponseInputItem]":
        """Read the newest `limit` items of the current branch or another one, oldest first.

        Without a limit the one of `session_settings` holds, and then no output leads whose call is cut off. Without
        either, or with a negative one, all are read.
        """
        own = limit is None and self._settings is not _UNSET and self.session_settings is not None
        if own:
            limit = cast("SessionSettings", self.session_settings).limit
        if limit is not None and limit < 0:
            limit = None
        items = await self._items(limit, branch_id)
        if own and limit is not None and len(items) == limit:
            items = without_cut_off_outputs(items)
        return cast("list[TResponseInputItem]", items)

    async def add_items(self, items: "list[TResponseInputItem]") -> None:
        """Add items after the last one; durable when this returns."""
        line = self._reach()
        if items:
            await self._ask(Adding(line, items))

    async def pop_item(self) -> "TResponseInputItem | None":
        """Delete the last item for good and return it; None where there is none. An emptied turn goes too."""
        return cast("TResponseInputItem | None", await self._do(heads.pop))

    async def clear_session(self) -> None:
        """Delete all turns and branches for good; what was used stays on the bill."""
        await self._do(heads.clear)

    # --- going back ---------------------------------------------------------------------------------------------------

    async def undo(self, n: int = 1) -> int:
        """Take back the last `n` turns and return how many are left; `redo` brings them back."""
        return cast(int, await self._do(partial(heads.undo, count=n)))

    async def redo(self) -> int:
        """Bring back what the last undo or rewind took, unless something was added since; returns their number."""
        return cast(int, await self._do(heads.redo))

    async def rewind(self, turn_number: int) -> int:
        """Keep turn `turn_number` and take back all after it; returns how many are left."""
        return cast(int, await self._do(partial(heads.rewind, turn=turn_number)))

    # --- branches -----------------------------------------------------------------------------------------------------

    async def create_branch_from_turn(self, turn_number: int, branch_name: str | None = None) -> str:
        """Make a branch that keeps turn `turn_number` and all before it, go there, and return its name."""
        return cast(str, await self._do(partial(branches.create, turn=turn_number, name=branch_name)))

    async def create_branch_from_content(self, search_term: str, branch_name: str | None = None) -> str:
        """Make a branch from the first turn whose user item contains a text."""
        found = await self.find_turns_by_content(search_term)
        if not found:
            raise BadInputError(f"No user turns found containing '{search_term}'")
        return await self.create_branch_from_turn(found[0]["turn"], branch_name)

    async def switch_to_branch(self, branch_id: str) -> None:
        """Make another branch the current one, for this session wherever it is used."""
        await self._do(partial(branches.switch, name=branch_id))

    async def delete_branch(self, branch_id: str, force: bool = False) -> None:
        """Delete a branch; the current one only with `force`, which goes to `main` first."""
        await self._do(partial(branches.delete, name=branch_id, force=force))

    async def list_branches(self) -> list[dict[str, Any]]:
        """List branches: `branch_id`, `message_count`, `user_turns`, `is_current`, `created_at`."""
        return cast("list[dict[str, Any]]", await self._do(branches.listed))

    # --- turns --------------------------------------------------------------------------------------------------------

    async def get_conversation_turns(self, branch_id: str | None = None) -> list[dict[str, Any]]:
        """List what users said: `turn`, `content` (cut), `full_content`, `timestamp`, `can_branch`."""
        return cast("list[dict[str, Any]]", await self._do(partial(turns.said, branch=branch_id)))

    async def find_turns_by_content(self, search_term: str, branch_id: str | None = None) -> list[dict[str, Any]]:
        """List what users said that contains a text, in the shape of `get_conversation_turns`."""
        find = partial(turns.said_with, text=search_term, branch=branch_id)
        return cast("list[dict[str, Any]]", await self._do(find))

    async def get_conversation_by_turns(self, branch_id: str | None = None) -> dict[int, list[dict[str, str | None]]]:
        """Map each turn's number to the `type` and `tool_name` of its items."""
        found = await self._do(partial(turns.by_turn, branch=branch_id))
        return cast("dict[int, list[dict[str, str | None]]]", found)

    async def get_tool_usage(self, branch_id: str | None = None) -> list[tuple[str, int, int]]:
        """List the tools that were called: name, how often, number of the turn."""
        return cast("list[tuple[str, int, int]]", await self._do(partial(turns.tools_used, branch=branch_id)))

    # --- usage --------------------------------------------------------------------------------------------------------

    async def store_run_usage(self, result: "RunResultBase") -> None:
        """Book what a run used on the current turn, in place of what was booked on it before."""
        used = result.context_wrapper.usage
        booked = Usage(
            requests=used.requests or 0,
            input_tokens=used.input_tokens or 0,
            cached_tokens=getattr(used.input_tokens_details, "cached_tokens", 0) or 0,
            output_tokens=used.output_tokens or 0,
            reasoning_tokens=getattr(used.output_tokens_details, "reasoning_tokens", 0) or 0,
        )
        await self._do(partial(usage.store, used=booked))

    async def get_session_usage(self, branch_id: str | None = None) -> dict[str, int] | None:
        """Sum up what was used, on one branch or on all; undo, pop and clear take nothing off. None without any."""
        return cast("dict[str, int] | None", await self._do(partial(usage.of_session, branch=branch_id)))

    async def get_turn_usage(
        self, user_turn_number: int | None = None, branch_id: str | None = None
    ) -> list[dict[str, Any]] | dict[str, Any]:
        """Tell what one turn of a branch used, or each of them."""
        if user_turn_number is None:
            return cast("list[dict[str, Any]]", await self._do(partial(usage.of_turns, branch=branch_id)))
        of_turn = partial(usage.of_turn, turn=user_turn_number, branch=branch_id)
        return cast("dict[str, Any]", await self._do(of_turn))

    # --- its end ------------------------------------------------------------------------------------------------------

    def close(self) -> "Closed":
        """Let go of the store; the last one of a process closes it, and waits for that. May be awaited as well."""
        self._let_go()()
        return Closed()

    async def __aenter__(self) -> "DeskSession":
        """Use it, and close it at the end."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close it, without holding up the loop."""
        await asyncio.to_thread(self._let_go())

    def _let_go(self) -> Callable[[], None]:
        self._closed, self._line = True, None
        return self._connection.release()

    # --- the way to the store -----------------------------------------------------------------------------------------

    async def _items(self, limit: int | None, branch: str | None) -> list[Item]:
        line = self._reach()
        if limit is not None and limit > line.wanted:
            line.wanted = limit
        # Nothing crosses to the thread where the window is warm; but what was asked before is done before.
        warm = branch is None and (self._last is None or self._last.done())
        window = line.warm(limit) if warm else None
        if window is not None:
            excerpts = window.excerpts(limit)
        elif branch is None:
            excerpts = await self._ask(reading.Reading(line, limit))
        else:
            excerpts = await self._do(partial(_excerpts_of_branch, limit=limit, branch=branch))
        return await reading.decoded(excerpts)

    async def _do(self, do: Callable[[SessionLine], Awaitable[Any]]) -> Any:  # noqa: ANN401 - each call's own
        return await self._ask(Doing(self._reach(), do))

    def _ask(self, job: LineJob) -> Answer:
        self._last = job.line.shared.caller().ask(job)
        return self._last

    def _reach(self) -> SessionLine:
        line = self._line
        if self._closed:
            raise RuntimeError(f"{type(self).__name__} is closed")
        if line is None or line.shared.ended:
            line = self._line = self._connection.attach(self).line(self.session_id)
        return line


class Closed:
    """What `close` returns: it is done already, and may be awaited."""

    def __await__(self) -> Generator[None, None, None]:
        """Go on at once."""
        return
        yield


async def _excerpts_of_branch(line: SessionLine, limit: int | None, branch: str) -> list[Excerpt]:
    return await reading.read_all(line, await branches.stretch_of(line, branch), limit)
