"""Which conversation a word means that was said beside them, as slash commands are."""

from dataclasses import dataclass, replace

from core.errors import ErasedError, NoSuchSessionError
from core.models import PICK, Command, ConversationRef
from core.ports import Sealer, Store
from core.queries import SessionRow, SessionsSpokenBy, TurnsSpokenIn
from core.scene import session_name
from core.sealed import open_json
from core.session_ids import SessionName, parse
from core.text import first_words

DAYS = 7
"""How old a conversation may be to be meant."""
LOOKED_AT = 200
"""How many of the asker's newest sessions are looked at."""
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
        return f"{PICK}{self.session.id.hex()[:12]}"


async def conversations_at(
    store: Store, sealer: Sealer, ref: ConversationRef, *, customer: str, at: int
) -> list[Candidate]:
    """The customer's conversations in the channel of `ref` within the last days, the newest first."""
    found = []
    for row in await store.read(SessionsSpokenBy(customer, LOOKED_AT)):
        there = _place_in(ref, _named(sealer, row)) if row.spoken + DAYS * _DAY >= at else None
        title = there and await title_of(store, sealer, row.id, customer)
        if there and title:
            found.append(Candidate(there, row, title))
    return found


def choose(command: Command, found: list[Candidate], *, changes_history: bool) -> Candidate | None:
    """The conversation a word means: the picked one, else the newest. None where none is, or the person has to pick."""
    picked = [arg for arg in command.args if arg.startswith(PICK)]
    if picked:
        return next((candidate for candidate in found if candidate.pick == picked[0]), None)
    if len(found) > 1 and changes_history:
        return None
    return found[0] if found else None


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
