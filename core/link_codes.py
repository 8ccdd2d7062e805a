"""One-time codes with which a person proves that two identities are theirs.

A code has two halves: the first finds it, the second proves it. So a wrong guess at a code counts against that code,
and against who guesses. The store holds keyed hashes of both, never the code.
"""

import secrets
from dataclasses import asdict, dataclass, replace
from typing import Any

from core.audit import DESK
from core.clock import now
from core.events import read_ref
from core.models import ConversationRef
from core.people import note_key, open_note
from core.ports import Sealer, Store
from core.queries.log import NoteByKey, NoteRow, NotesOf
from core.records.log import DropNote, PutNote
from core.records.record import Record
from core.sealed import seal_json

GOOD_FOR_MINUTES = 10
GUESSES_PER_CODE = 3
GUESSES_PER_PERSON = 5
"""Wrong codes a person may say within an hour."""
CODE, ASKER = "link code", "link asker"
"""The kinds of the notes that keep them."""

# Nothing that reads like something else, in any case.
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_HALF = 5
_MINUTE = 60_000_000


@dataclass(frozen=True, slots=True)
class Given:
    """Where a code was given, and in which session: there its owner is told when it linked them."""

    ref: ConversationRef
    session: str


@dataclass(frozen=True, slots=True)
class Code:
    """A code that was given: to whom, the hash that proves it, until when, and how often it was guessed wrongly.

    `given` is None of a code from before that was kept.
    """

    key: str
    customer: str
    proof: str
    until: int
    wrong: int = 0
    given: Given | None = None


@dataclass(frozen=True, slots=True)
class Asker:
    """What is known of who asks: their code, wrong guesses since a time, and whose code they proved until when.

    `given` is where that code was given.
    """

    code: str = ""
    wrong: int = 0
    since: int = 0
    proved: str = ""
    until: int = 0
    given: Given | None = None

    @property
    def may_guess(self) -> bool:
        """Whether they may still say a code."""
        return self.wrong < GUESSES_PER_PERSON or now() - self.since > 60 * _MINUTE

    def guessed_wrong(self) -> "Asker":
        """The same after a wrong guess."""
        fresh = now() - self.since > 60 * _MINUTE
        return replace(self, wrong=1 if fresh else self.wrong + 1, since=now() if fresh else self.since)


def normal(said: str) -> str:
    """A code as it is compared: without blanks and dashes, whatever the case."""
    return "".join(letter for letter in said.upper() if letter.isalnum())


async def give_code(store: Store, sealer: Sealer, customer: str, given: Given) -> tuple[str, list[Record]]:
    """A new code for a customer, given there; the one before it, and all that are over, are good for nothing now."""
    await sealer.prepare((DESK,))
    code = "".join(secrets.choice(_LETTERS) for _ in range(2 * _HALF))
    asker = await asker_of(store, sealer, customer)
    row = _key(sealer, code)
    kept = Code(row.hex(), customer, _proof(sealer, code), now() + GOOD_FOR_MINUTES * _MINUTE, given=given)
    found = [Code(**_open(sealer, each)) for each in await store.read(NotesOf(DESK, CODE))]
    over = [drop_code(each) for each in found if each.until < now() or each.customer == customer]
    return f"{code[:_HALF]}-{code[_HALF:]}", [
        *over,
        put_code(sealer, kept),
        put_asker(sealer, customer, replace(asker, code=kept.key)),
    ]


async def find_code(store: Store, sealer: Sealer, said: str) -> tuple[Code | None, bool]:
    """The code whose first half was said, and whether all of it was; None where there is none that is still good."""
    rows = await store.read(NoteByKey(DESK, CODE, _key(sealer, said)))
    code = Code(**_open(sealer, rows[0])) if rows else None
    if code is None or code.until < now() or code.wrong >= GUESSES_PER_CODE:
        return None, False
    return code, secrets.compare_digest(code.proof, _proof(sealer, said))


async def asker_of(store: Store, sealer: Sealer, customer: str) -> Asker:
    """What is known of who asks."""
    rows = await store.read(NoteByKey(DESK, ASKER, note_key(sealer, ASKER, customer)))
    return Asker(**_open(sealer, rows[0])) if rows else Asker()


async def without_codes(store: Store, sealer: Sealer, customer: str) -> list[Record]:
    """The records that take away the codes of who is forgotten, and what is known of them as who asked."""
    codes = [Code(**_open(sealer, row)) for row in await store.read(NotesOf(DESK, CODE))]
    records: list[Record] = [drop_code(code) for code in codes if code.customer == customer]
    own = note_key(sealer, ASKER, customer)
    for row in await store.read(NotesOf(DESK, ASKER)):
        asker = Asker(**_open(sealer, row))
        if row.key == own:
            records.append(DropNote(DESK, ASKER, own))
        elif asker.proved == customer:
            # Somebody else proved their code, and has yet to choose.
            records.append(_note(sealer, ASKER, row.key, asdict(replace(asker, proved="", until=0, given=None))))
    return records


def put_code(sealer: Sealer, code: Code) -> Record:
    """Keep a code."""
    return _note(sealer, CODE, bytes.fromhex(code.key), asdict(code))


def put_asker(sealer: Sealer, customer: str, asker: Asker) -> Record:
    """Keep what is known of who asks."""
    return _note(sealer, ASKER, note_key(sealer, ASKER, customer), asdict(asker))


def drop_code(code: Code) -> Record:
    """Let a code be good for nothing."""
    return DropNote(DESK, CODE, bytes.fromhex(code.key))


def _open(sealer: Sealer, row: NoteRow) -> dict[str, Any]:
    value: dict[str, Any] = open_note(sealer, row)
    if given := value.get("given"):
        value["given"] = Given(read_ref(given["ref"]), given["session"])
    return value


def _note(sealer: Sealer, kind: str, key: bytes, value: object) -> PutNote:
    return PutNote(DESK, kind, key, now(), seal_json(sealer, "note", DESK, key.hex(), [kind, value]))


def _key(sealer: Sealer, code: str) -> bytes:
    return note_key(sealer, CODE, normal(code)[:_HALF])


def _proof(sealer: Sealer, code: str) -> str:
    return sealer.lookup("link proof", normal(code)).hex()
