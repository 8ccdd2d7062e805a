"""What `deskmate import` does: take the sessions of another library's file in, as standalone ones."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from adapters.storage.moving.sdk_file import read_sdk_sessions
from adapters.storage.sessions import Address
from bots.settings import keyring_place, store_file
from core.config import Settings
from core.errors import BadInputError
from core.standalone.importing import Given, Outcome, import_session

Values = dict[str, Any]

TOLD = {
    "new": "taken in",
    "there": "there already",
    "other": "left out: another session of that id is there; give another id with --as",
}
ID = "{}"


async def import_sessions(
    settings: Settings, file: str, wanted: Sequence[str], *, as_: str | None, dry: bool
) -> list[Values]:
    """Take sessions in, each in one commit; which there are, and what became of each."""
    found = await read_sdk_sessions(file, wanted)
    if as_ is not None and ID not in as_ and len(found) != 1:
        raise BadInputError(f"--as {as_} would give {len(found)} sessions one id: name one, or write {ID} for each id")
    named = [one if as_ is None else replace(one, id=as_.replace(ID, one.id)) for one in found]
    path = store_file(settings)
    if dry and path is not None and not await asyncio.to_thread(path.exists):
        return [_told(before, given, "new") for before, given in zip(found, named, strict=True)]
    secret = settings.master_key.get_secret_value() if settings.master_key else None
    async with Address(settings.store, secret, keyring_place(settings)).open() as parts:
        outcomes = [await import_session(parts.store, parts.sealer, given, dry=dry) for given in named]
    return [_told(*one) for one in zip(found, named, outcomes, strict=True)]


def export_in(file: str) -> object:
    """What is in a file that `deskmate export` may have written; None where it is of another kind."""
    try:
        with open(file, "rb") as opened:
            if opened.read(1) != b"{":
                return None
            return json.loads(b"{" + opened.read())
    except OSError:
        return None
    except ValueError as error:
        raise BadInputError(f"{file} is no whole export: {error}") from None


def _told(before: Given, given: Given, outcome: Outcome) -> Values:
    return {
        "session": before.id,
        "as": given.id,
        "outcome": outcome,
        "told": TOLD[outcome],
        "items": sum(len(branch.items) for branch in given.branches[:1]),
        "branches": [branch.name for branch in given.branches if branch.items],
        "usage": len(given.usage),
        "problems": list(given.problems),
    }
