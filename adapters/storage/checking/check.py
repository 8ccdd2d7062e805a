"""One check of a store: each invariant with the rows that break it."""

from dataclasses import dataclass

from adapters.storage.checking.bodies import SENTENCES, Opening
from adapters.storage.checking.invariants import INVARIANTS
from adapters.storage.moving.tables import Row, TableReader, newest_schema
from core.errors import SchemaError
from core.ports import Sealer


@dataclass(frozen=True, slots=True)
class Finding:
    """An invariant and the ids of the rows that break it; `note` says more of what was looked at."""

    name: str
    sentence: str
    rows: tuple[str, ...]
    note: str = ""


async def check_rows(store: TableReader) -> list[Finding]:
    """Ask for the rows that break each invariant. Raises SchemaError for a store of an older version."""
    if store.schema < newest_schema():
        raise SchemaError(f"{store.name} is at schema {store.schema}: run `deskmate migrate` on it first")
    return [Finding(one.name, one.sentence, tuple(map(written, await store.ask(one.question)))) for one in INVARIANTS]


async def check_bodies(store: TableReader, sealer: Sealer) -> list[Finding]:
    """Open all that is sealed."""
    found = await Opening(store, sealer).all()
    notes = {"bodies": f"{found.opened} opened, {found.erased} of people who were erased"}
    return [Finding(name, sentence, tuple(found.broken[name]), notes.get(name, "")) for name, sentence in SENTENCES]


def written(row: Row) -> str:
    """The id of a row, as operators read it."""
    return " ".join(part.hex() if isinstance(part, bytes) else str(part) for part in row)
