"""Telephone numbers, by the numbering plans of all countries (the library `phonenumbers`)."""

import re
from collections.abc import Callable, Iterator, Sequence

from core.ports import Found

Finder = Callable[[str], Iterator[Found]]

# What may be a number at all; a bound on what the library is given, whatever the text.
_CANDIDATE = re.compile(r"(?<![\w+.,-])(?:\+|\(?\d)[\d ()./-]{5,28}\d(?![\w-]|[.,]\d)", re.ASCII)
_SHORTEST = 7
_GROUPS_AFTER = 2
_DATE = re.compile(r"\b(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{4})\b", re.ASCII)


def phone_finder(regions: Sequence[str]) -> Finder:
    """Find numbers written with + and the country's code anywhere, and those of these regions without it."""
    # Imported where somebody wants numbers found: its tables are large.
    from phonenumbers import Leniency, PhoneNumberMatcher

    def numbers_in(text: str) -> list[tuple[int, int]]:
        for region in regions or (None,):
            found = PhoneNumberMatcher(text, region, leniency=Leniency.VALID)
            if places := [(number.start, number.end) for number in found]:
                return places
        return []

    def find_phones(text: str) -> Iterator[Found]:
        for candidate in _CANDIDATE.finditer(text):
            if candidate[0].startswith("+") or (regions and not _DATE.search(candidate[0])):
                tried = (places for part in _parts(candidate[0]) if (places := numbers_in(part)))
                for start, end in next(tried, ()):
                    yield Found("phone", candidate.start() + start, candidate.start() + end)

    return find_phones


def _parts(candidate: str) -> Iterator[str]:
    """A candidate, and without its last groups: what follows a number after a blank may be no part of it."""
    yield candidate
    for _ in range(_GROUPS_AFTER):
        candidate = candidate.rpartition(" ")[0].rstrip()
        if len(candidate) < _SHORTEST:
            return
        yield candidate
