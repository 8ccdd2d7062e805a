"""A manifest as YAML, with the reason beside each scope and event.

By hand: what a manifest holds is little, Slack's reader is strict about quotes, and a library would drop the comments.
"""

import json
from collections.abc import Iterator

from adapters.payloads import Json
from adapters.slack.permissions import EVENTS, SCOPES

HEADER = "# The Slack app. Written by `deskmate slack manifest`; a test keeps it equal to the code.\n"
_WHY = {scope.name: scope.why for scope in SCOPES} | {event.name: event.why for event in EVENTS}


def to_yaml(manifest: Json) -> str:
    """Write a manifest for people to read and for Slack to take."""
    return HEADER + "\n".join(_object(manifest, "")) + "\n"


def _object(value: Json, indent: str) -> Iterator[str]:
    for key, inner in value.items():
        if isinstance(inner, dict):
            yield f"{indent}{key}:"
            yield from _object(inner, indent + "  ")
        elif isinstance(inner, list) and inner:
            yield f"{indent}{key}:"
            yield from _list(inner, indent + "  ")
        else:
            yield f"{indent}{key}: {json.dumps(inner, ensure_ascii=False)}"


def _list(values: list[str | Json], indent: str) -> Iterator[str]:
    for value in values:
        if isinstance(value, dict):
            first, *others = _object(value, indent + "  ")
            yield f"{indent}- {first.lstrip()}"
            yield from others
        else:
            why = f"  # {_WHY[value]}" if value in _WHY else ""
            yield f"{indent}- {json.dumps(value, ensure_ascii=False)}{why}"
