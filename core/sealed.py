"""How bodies are put together: JSON, sealed at the place where it stands. The one home of the names of those places.

The row of a place is the row's id, in hex where it is a keyed hash (`row_of`); an item's, a branch's and a ticket
change's have a function each, because their rows have no single id or more than one sealed column.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, is_dataclass
from typing import Any

import orjson

from core.errors import ErasedError
from core.models import Place
from core.ports import Sealer

ERASED = "(erased)"
"""What is shown where something was erased for good."""

# JSON may begin with white space; orjson never writes it. So this byte says: written by `json`, read it with `json`.
_BY_JSON = b"\n"


def seal_json(sealer: Sealer, table: str, owner: str, row: str, value: object) -> bytes:
    """Seal a JSON value as the body of a row; the owner's key must be prepared."""
    return sealer.seal(Place(table, owner, row), encode(value))


def seal_message(sealer: Sealer, owner: str, key: bytes, *, message: str, thread: str | None) -> bytes:
    """Seal which of a platform's messages a row is about, and the thread it stands in."""
    return seal_json(sealer, "message", owner, key.hex(), [message, thread])


def thread_of_message(sealer: Sealer, owner: str, key: bytes, sealed: bytes) -> str | None:
    """The thread a message stands in; None where it stands in none, was written before that was kept, or is erased."""
    try:
        body = open_json(sealer, "message", owner, key.hex(), sealed)
    except ErasedError:
        return None
    return body[1] if isinstance(body, list) else None


def open_json(sealer: Sealer, table: str, owner: str, row: str, sealed: bytes) -> Any:  # noqa: ANN401  what JSON holds
    """Open what `seal_json` sealed at that place. Raises ErasedError or UnreadableError."""
    return decode(open_sealed(sealer, table, owner, row, sealed))


def open_sealed(sealer: Sealer, table: str, owner: str, row: str, sealed: bytes) -> bytes:
    """Open a body and leave it as JSON text, to be read by `decode` or, `joined`, by `decode_list`."""
    return sealer.open(Place(table, owner, row), sealed)


def seal_raw(sealer: Sealer, table: str, owner: str, row: str, content: bytes) -> bytes:
    """Seal what `encode` wrote before."""
    return sealer.seal(Place(table, owner, row), content)


def encode(value: object) -> bytes:
    """Write a JSON value, so that it is read back as it was; a dataclass is an object of its fields.

    What orjson refuses (a lone surrogate, an integer over 64 bits) or loses (NaN) `json` writes, marked.
    """
    try:
        content = orjson.dumps(value)
    except TypeError:
        return _BY_JSON + _by_json(value)
    # orjson writes null for NaN and the infinities; no dataclass of ours holds one.
    if b"null" in content and not is_dataclass(value):
        exact = _by_json(value)
        if b"NaN" in exact or b"Infinity" in exact:
            return _BY_JSON + exact
    return content


def _by_json(value: object) -> bytes:
    return json.dumps(value, default=asdict).encode()


def decode(content: bytes) -> Any:  # noqa: ANN401  what JSON holds
    """Read what `encode` wrote."""
    return json.loads(content) if content.startswith(_BY_JSON) else orjson.loads(content)


def joined(contents: Iterable[bytes]) -> bytes:
    """Put what `encode` wrote together, as the text of one list."""
    return b"[" + b",".join(contents) + b"]"


def decode_list(text: bytes | bytearray) -> list[Any]:
    """Read a list of what `encode` wrote, at the cost of one."""
    # Neither of the two writes a line break anywhere else: inside a string it is escaped.
    values: list[Any] = json.loads(text) if _BY_JSON in text else orjson.loads(text)
    return values


def item_row(turn: str, seq: int) -> str:
    """Name the row of an item."""
    return f"{turn}:{seq}"


def row_of(key: bytes) -> str:
    """Name a row whose id is a keyed hash: a session's, a place's, a message's, an identity's."""
    return key.hex()


def branch_row(session: bytes, name: bytes) -> str:
    """Name the row of a branch by its session and the keyed hash of its name."""
    return f"{session.hex()}:{name.hex()}"


def change_row(change: str, column: str) -> str:
    """Name a sealed column ('before' or 'after') of a ticket change, so that one does not open as the other."""
    return f"{change}:{column}"
