"""A pytest plugin for the SDK's tests: our session stands where they take the SDK's, listed tests are deselected."""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from secrets import token_hex
from typing import Any

import pytest
from agents import TResponseInputItem
from agents.memory import SessionSettings
from deselected import tests_deselected

from core.standalone.desk_session import DeskSession
from deskmate import open_session

# What the SDK builds on its own session keeps that one: these are loaded before anything is replaced.
KEEP_THEIRS = ("agents.extensions.memory.advanced_sqlite_session", "agents.extensions.memory.encrypt_session")
opened: list[DeskSession] = []


class SQLiteSession(DeskSession):
    """Our session behind the constructor of the SDK's."""

    def __init__(
        self,
        session_id: str,
        db_path: str | Path = ":memory:",
        sessions_table: str = "agent_sessions",
        messages_table: str = "agent_messages",
        session_settings: SessionSettings | dict[str, Any] | None = None,
    ) -> None:
        if str(db_path) == ":memory:":
            # Each of theirs in memory is alone. Ours share one store, but for those with a key of their own.
            ours = open_session("memory:", session_id, master_key=token_hex(32), session_settings=session_settings)
        else:
            ours = open_session(f"sqlite:///{db_path}", session_id, session_settings=session_settings)
        vars(self).update(vars(ours))
        opened.append(self)


class AdvancedSQLiteSession(SQLiteSession):
    """Our session behind the constructor of the SDK's one with branches, and the private name its tests read most."""

    def __init__(self, *, session_id: str, db_path: str | Path = ":memory:", **options: Any) -> None:
        super().__init__(session_id, db_path, session_settings=options.get("session_settings"))

    @property
    def _current_branch_id(self) -> str:
        return next(branch["branch_id"] for branch in wait_for(self.list_branches()) if branch["is_current"])


class SimpleListSession:
    """The list that the SDK's tests use as a session: these methods go into theirs, which has subclasses already."""

    def __init__(self, session_id: str = "test", history: list[TResponseInputItem] | None = None) -> None:
        self.session_id = session_id
        self.ours = SQLiteSession(session_id)
        self._ignore_ids_for_matching = False
        if history:
            wait_for(self.ours.add_items(history))

    async def get_items(self, limit: int | None = None) -> list[TResponseInputItem]:
        return await self.ours.get_items(limit)

    async def add_items(self, items: list[TResponseInputItem]) -> None:
        await self.ours.add_items(items)

    async def pop_item(self) -> TResponseInputItem | None:
        return await self.ours.pop_item()

    async def clear_session(self) -> None:
        await self.ours.clear_session()

    @property
    def saved_items(self) -> list[TResponseInputItem]:
        return wait_for(self.ours.get_items())

    _items = saved_items


def pytest_configure() -> None:
    for name in KEEP_THEIRS:
        import_module(name)
    for place in ("agents", "agents.memory", "agents.memory.sqlite_session"):
        import_module(place).SQLiteSession = SQLiteSession
    for place in ("agents.extensions.memory", "agents.extensions.memory.advanced_sqlite_session"):
        import_module(place).AdvancedSQLiteSession = AdvancedSQLiteSession
    theirs = import_module("tests.utils.simple_session").SimpleListSession
    for name, member in vars(SimpleListSession).items():
        if callable(member) or isinstance(member, property):
            setattr(theirs, name, member)


@pytest.hookimpl(tryfirst=True)  # before -k and the like take away tests that the list names
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    listed = tests_deselected()
    if stale := listed.keys() - {name for item in items for name in names_of(item)}:
        raise pytest.UsageError(f"deselected.toml names tests that are not there: {', '.join(sorted(stale))}")
    deselected = [item for item in items if names_of(item) & listed.keys()]
    config.hook.pytest_deselected(items=deselected)
    items[:] = [item for item in items if item not in deselected]


@pytest.hookimpl(trylast=True)  # after the fixtures, which close what they opened
def pytest_runtest_teardown() -> None:
    while opened:
        opened.pop().close()


def names_of(item: pytest.Item) -> set[str]:
    """A test goes by its id and, with all its cases, by the id without parameters."""
    return {item.nodeid, item.nodeid.partition("[")[0]}


def wait_for(call: Coroutine[Any, Any, Any]) -> Any:
    """Run one call of a session to its end, from wherever: in a thread and a loop of its own."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, call).result()
