"""Reading JSON that somebody else wrote: what is malformed reads as absent, so that it is merely not for us."""

from typing import Any

Json = dict[str, Any]

MAX_TEXT = 100_000
"""Characters of a string that are read: more than any platform takes, and than the desk does."""


def object_in(value: Json, key: str) -> Json:
    """The object under a key; empty where there is none."""
    inner = value.get(key)
    return inner if isinstance(inner, dict) else {}


def objects_in(value: Json, key: str) -> list[Json]:
    """The objects of the list under a key."""
    inner = value.get(key)
    return [one for one in inner if isinstance(one, dict)] if isinstance(inner, list) else []


def text_in(value: Json, key: str) -> str:
    """The string under a key, empty where there is none. What is longer than the longest that is read is cut."""
    inner = value.get(key)
    return inner[:MAX_TEXT] if isinstance(inner, str) else ""


def number_in(value: Json, key: str) -> int:
    """The whole number under a key, 0 where there is none."""
    inner = value.get(key)
    return inner if isinstance(inner, int) and not isinstance(inner, bool) else 0
