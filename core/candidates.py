"""Which conversation a word means that was said beside them, as slash commands are."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from itertools import islice

from core.audit import short
from core.errors import ErasedError, NoSuchSessionError
from core.models import PICK, Command, ConversationRef
from core.ports import Sealer, Store
from core.queries.people import SessionRow, SessionsSpokenBy
from core.queries.turns import TurnsSpokenIn
from core.scene import session_name
from core.sealed import open_json
from core.session_ids import SessionName, parse
from core.text import first_words

DAYS = 7
"""How old a conversation may be to be meant."""
LOOKED_AT = 200
"""How many of the asker's newest sessions are looked at."""
ASKED_ABOUT = 25
"""Of how many of them in the channel it is read what was said: each is a read, and who asked waits."""
_DAY = 86_400_000_000


@dataclass(frozen=True, slots=True)
class Candidate:
    """A conversation that may be meant: where it is, its session, and the beginning of what the asker said last."""

    ref: ConversationRef
    session: SessionRow
    title: str

    @property
    def pick(self) -> str:
        """The argument that picks it."""
        return session_mark(self.session.id)


def session_mark(session: bytes) -> str:
    """Name a session in a button, by the beginning of its hash."""
    return f"{PICK}{short(session)}"


async def conversations_at(
    store: Store, sealer: Sealer, ref: ConversationRef, *, customer: str, at: int
) -> AsyncIterator[Candidate]:
    """The customer's conversations in the channel of `ref` within the last days, the newest first; each read when asked
    for.
    """
    rows = await store.read(SessionsSpokenBy(customer, LOOKED_AT))
    recent = ((row, _named(sealer, row)) for row in rows if row.spoken + DAYS * _DAY >= at)
    placed = ((row, there) for row, name in recent if (there := _place_in(ref, name)))
    for row, there in islice(placed, ASKED_ABOUT):
        title = await title_of(store, sealer, row.id, customer)
        if title:
            yield Candidate(there, row, title)


async def choose(command: Command, found: AsyncIterator[Candidate], *, changes_history: bool) -> Candidate | None:
    """The conversation a word means: the picked one, else the newest. None where none is, or the person has to pick."""
    picked = [arg for arg in command.args if arg.startswith(PICK)]
    if picked:
        return await anext((candidate async for candidate in found if candidate.pick == picked[0]), None)
    newest = await anext(found, None)
    if changes_history and await anext(found, None) is not None:
        return None
    return newest


def without_pick(args: tuple[str, ...]) -> tuple[str, ...]:
    """The arguments people said."""
    return tuple(arg for arg in args if not arg.startswith(PICK))


async def title_of(store: Store, sealer: Sealer, session: bytes, customer: str) -> str | None:
    """The beginning of what the customer said last in a session, also where it was taken back; None: never spoke."""
    turns = await store.read(TurnsSpokenIn(session, customer))
    if not turns:
        return None
    said = open_json(sealer, "turn", customer, turns[0].id, turns[0].body).get("said", "")
    return first_words(said, 60) or "(deleted)"


def _named(sealer: Sealer, row: SessionRow) -> SessionName | None:
    try:
        return parse(session_name(sealer, row))
    except (ErasedError, NoSuchSessionError):
        return None


def _place_in(ref: ConversationRef, name: SessionName | None) -> ConversationRef | None:
    """The place of a conversation in a thread of the channel of `ref`; None for every other session.

    A thread that is a channel of its own (Discord) does not say below which one it is: it may be below this one.
    """
    if name is None or name.thread is None or name.user not in (None, ref.user):
        return None
    same_channel = name.channel in (ref.channel, name.thread)
    if (name.platform, name.workspace) != (ref.platform, ref.workspace) or not same_channel:
        return None
    return replace(ref, channel=name.channel or ref.channel, thread=name.thread)
