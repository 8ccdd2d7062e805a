"""Browsing the turns of a session, in the shapes of AdvancedSQLiteSession: what was said, and with which tools."""

import json
import re
from collections import Counter
from typing import Any

from core.ids import time_of
from core.models import Item
from core.queries.turns import ItemRow
from core.sealed import decode
from core.standalone.branches import stamp_of, stretch_of
from core.standalone.line import SessionLine, is_user
from core.standalone.reading import pages

NAMED_BY_TYPE = frozenset(
    (
        "apply_patch_call",
        "code_interpreter_call",
        "computer_call",
        "file_search_call",
        "shell_call",
        "web_search_call",
    )
)
"""Calls of tools that have no name of their own."""
CALLS = NAMED_BY_TYPE | {
    "custom_tool_call",
    "function_call",
    "mcp_approval_request",
    "mcp_call",
    "tool_call",
    "tool_search_call",
}
SEARCH, FOUND = "tool_search_call", "tool_search_output"
PREVIEW = 100


async def said(line: SessionLine, branch: str | None) -> list[dict[str, Any]]:
    """What users said, turn by turn, cut to a preview."""
    return [_said_in(turn, item, cut=PREVIEW) for turn, item in await _user_items(line, branch)]


async def said_with(line: SessionLine, text: str, branch: str | None) -> list[dict[str, Any]]:
    """What users said that contains a text; ASCII letters match in either case."""
    wanted = re.compile(re.escape(text), re.IGNORECASE | re.ASCII)
    found = await _user_items(line, branch)
    return [_said_in(turn, item) for turn, item in found if any(map(wanted.search, _texts(item)))]


async def by_turn(line: SessionLine, branch: str | None) -> dict[int, list[dict[str, str | None]]]:
    """The kind of each item and the tool it names, by the number of the turn."""
    turns: dict[int, list[dict[str, str | None]]] = {}
    for row, item in await _items(line, branch):
        turns.setdefault(row.depth, []).append({"type": _kind(item), "tool_name": _tool_name(item)})
    return turns


async def tools_used(line: SessionLine, branch: str | None) -> list[tuple[str, int, int]]:
    """How often each tool was called in each turn: its name, how often, the number of the turn."""
    items = await _items(line, branch)
    searched = {row.depth for row, item in items if item.get("type") == SEARCH}
    counted: Counter[tuple[int, str]] = Counter()
    for row, item in items:
        # What a search by the server found may stand without its call.
        if _kind(item) in CALLS or (_kind(item) == FOUND and row.depth not in searched):
            counted[row.depth, _tool_name(item) or _kind(item)] += 1
    return [(name, count, turn) for (turn, name), count in sorted(counted.items())]


async def _items(line: SessionLine, branch: str | None) -> list[tuple[ItemRow, Item]]:
    found: list[list[tuple[ItemRow, Item]]] = []
    async for rows in pages(line, await stretch_of(line, branch)):
        found.append([(row, decode(line.open_item(row))) for row in rows])
    return [pair for page in reversed(found) for pair in page]


async def _user_items(line: SessionLine, branch: str | None) -> list[tuple[ItemRow, Item]]:
    return [(row, item) for row, item in await _items(line, branch) if is_user(item)]


def _said_in(row: ItemRow, item: Item, *, cut: int | None = None) -> dict[str, Any]:
    content = item.get("content", "")
    preview = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
    if cut is not None and len(preview) > cut:
        preview = preview[:cut] + "..."
    return {
        "turn": row.depth,
        "content": preview,
        "full_content": content,
        "timestamp": stamp_of(time_of(row.turn)),
        "can_branch": True,
    }


def _texts(item: Item) -> list[str]:
    content = item.get("content", "")
    if isinstance(content, str):
        return [content]
    return (
        [str(part.get("text", "")) for part in content if isinstance(part, dict)] if isinstance(content, list) else []
    )


def _kind(item: Item) -> str:
    role = item.get("role")
    if role in ("user", "assistant"):
        return str(role)
    return str(item.get("type") or "other")


def _tool_name(item: Item) -> str | None:
    kind, name = item.get("type"), item.get("name")
    if kind in ("mcp_call", "mcp_approval_request"):
        return ".".join(str(part) for part in (item.get("server_label"), name) if part) or None
    if kind in NAMED_BY_TYPE:
        return str(kind)
    if kind in (SEARCH, FOUND):
        return "tool_search"
    if name is None:
        return None
    space = item.get("namespace")
    # A tool deferred at top level carries its own name as its namespace.
    return str(name) if not space or space == name else f"{space}.{name}"
