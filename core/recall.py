"""Recall: what a customer said or was told in earlier conversations of theirs, found by words."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log

from core.clock import as_time
from core.context import Recollection
from core.errors import ErasedError
from core.ports import Sealer, Store
from core.queries.people import SessionsSpokenBy
from core.queries.turns import TurnRow, TurnsSpokenBy
from core.scene import session_name
from core.sealed import open_json
from core.session_ids import is_private
from core.tree import stands

SEARCHED = 500
"""How many of the customer's newest turns are looked through."""
FOUND = 5
"""How many are given at most."""

_WORD = re.compile(r"\w+")
_DIGIT = re.compile(r"\d")
UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]{2,}")
"""Scripts that put no blanks between words; pairs of characters stand for words there."""

_STOP_WORDS = frozenset(
    _WORD.findall(
        "a about again all am an and any are as at be been but by can could did do does for from gave give had has "
        "have hello hey hi how i if in is it its let me mine my no not of on or our please remember said say so tell "
        "thank thanks that the their them then there these they this to told up us was we were what whats when where "
        "which who why will with would yes yesterday you your"
    )
)
_ASKS_FOR_DIGITS = frozenset(
    _WORD.findall("amount code cost date id many much nr number numbers phone pin price ref reference serial total zip")
)


@dataclass(frozen=True, slots=True)
class PastTurn:
    """A turn with its words. `answered` is '' where others read the place: then only the customer's own words count."""

    row: TurnRow
    said: str
    answered: str


async def recall(store: Store, sealer: Sealer, question: str, *customers: str) -> list[Recollection]:
    """Find earlier turns of a person, who may be several customers, that speak of what is asked, the best first.

    What was taken back is not found. Where others read the place, only the customer's own words are given.
    """
    turns, private = list[TurnRow](), set[bytes]()
    for customer in customers:
        turns += await store.read(TurnsSpokenBy(customer, SEARCHED))
        private |= await _private_sessions(store, sealer, customer)
    turns.sort(key=lambda turn: turn.id, reverse=True)
    past = [found for turn in turns if (found := _open(turn, sealer, private=turn.session in private)) is not None]
    chosen: list[PastTurn] = []
    for candidate in rank(question, past):
        if await stands(store, candidate.row):
            chosen.append(candidate)
        if len(chosen) == FOUND:
            break
    return [Recollection(as_time(one.row.at), one.said, one.answered) for one in chosen]


def rank(question: str, past: Sequence[PastTurn]) -> list[PastTurn]:
    """Order what has a word of the question by how much it tells; what has none is left out.

    A rare word counts more than a common one. Where a number is asked for, what holds none comes late. On a tie the
    earlier one of `past` wins.
    """
    # Looked for in whole texts: to take five hundred turns apart into words would cost several times as much.
    asked = {word: _pattern(word) for word in words_of(question)}
    hits = [_hits(f"{one.said}\n{one.answered}".casefold(), asked) for one in past]
    frequency = Counter(word for found in hits for word in found)
    weights = {word: log(1 + len(past) / count) for word, count in frequency.items()}
    wants_digits = not _ASKS_FOR_DIGITS.isdisjoint(_WORD.findall(question.casefold()))
    scored = [
        (sum(weights[word] for word in found) * _worth(one, wants_digits=wants_digits), one)
        for one, found in zip(past, hits, strict=True)
        if found
    ]
    return [one for _, one in sorted(scored, key=lambda pair: pair[0], reverse=True)]


def words_of(text: str) -> frozenset[str]:
    """The words of a question that say something: case folded, plurals as singulars."""
    folded = text.casefold()
    words = {_singular(word) for word in _WORD.findall(folded) if word not in _STOP_WORDS}
    for run in UNSPACED.findall(folded):
        words.update(first + second for first, second in pairwise(run))
    return frozenset(words)


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def _pattern(word: str) -> re.Pattern[str]:
    return re.compile(word if UNSPACED.fullmatch(word) else rf"\b{word}s?\b")


def _hits(text: str, asked: Mapping[str, re.Pattern[str]]) -> list[str]:
    return [word for word, pattern in asked.items() if word in text and pattern.search(text)]


def _worth(one: PastTurn, *, wants_digits: bool) -> float:
    worth = 0.25 if wants_digits and not _DIGIT.search(one.said + one.answered) else 1.0
    # Who asks the same again is better served by what was told than by the question.
    return worth * 0.9 if one.said.rstrip().endswith("?") else worth


def _open(turn: TurnRow, sealer: Sealer, *, private: bool) -> PastTurn | None:
    try:
        body = open_json(sealer, "turn", turn.speaker, turn.id, turn.body)
    except ErasedError:
        return None
    said, answered = body["said"], body["answered"] if private else ""
    return PastTurn(turn, said, answered)


async def _private_sessions(store: Store, sealer: Sealer, customer_id: str) -> set[bytes]:
    rows = await store.read(SessionsSpokenBy(customer_id, SEARCHED))
    return {row.id for row in rows if row.owner == customer_id and is_private(session_name(sealer, row))}
