"""Numbers a state or the operator gives people, found by the operator's own patterns."""

import re
from collections.abc import Callable, Iterator, Mapping

from core.masking_settings import NationalId
from core.patterns import bounded_pattern
from core.personal.checksums import luhn, mod11_10, mod97, weighted
from core.ports import Found

_CHECKS: Mapping[str, Callable[[str], bool]] = {"luhn": luhn, "mod97": mod97, "mod11_10": mod11_10}
_SEPARATORS = re.compile(r"[\W_]")


def national_id_finder(name: str, told: NationalId) -> Callable[[str], Iterator[Found]]:
    """Find what one pattern matches and whose check digits hold, never in the middle of a longer word or number."""
    pattern = re.compile(rf"(?<!\w)(?:{bounded_pattern(told.pattern).pattern})(?!\w)", re.ASCII)

    def find(text: str) -> Iterator[Found]:
        for match in pattern.finditer(text):
            if _holds(told, _SEPARATORS.sub("", match[0]).upper()):
                yield Found(name, match.start(), match.end())

    return find


def _holds(told: NationalId, code: str) -> bool:
    """Whether the check digits are right; of a code with letters only mod97 can tell."""
    if told.weights:
        return code.isdecimal() and weighted(code, told.weights, told.modulus)
    if told.checksum == "none":
        return True
    usable = code.isdecimal() or (told.checksum == "mod97" and code.isalnum())
    return usable and _CHECKS[told.checksum](code)
