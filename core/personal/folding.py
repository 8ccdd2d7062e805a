"""Text as the recognisers read it: digits, letters and dashes in their plain forms, nothing invisible between them."""

import re
import unicodedata
from dataclasses import dataclass

from core.ports import Found

INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060-\u2064\ufe0f\ufeff]")
"""Characters that show nothing, and may stand in the middle of what is looked for."""

_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63"
_DOTS = "\u2024\u3002\uff61"


@dataclass(frozen=True, slots=True)
class Folded:
    """A text in plain forms; `at` is where each of its characters stands in the text it was made of (None: there)."""

    text: str
    at: list[int] | None = None

    def unfold(self, found: Found) -> Found:
        """The same finding in the text this was made of."""
        if self.at is None:
            return found
        return Found(found.kind, self.at[found.start], self.at[found.end - 1] + 1)


def forms(text: str) -> tuple[Folded, ...]:
    """A text in plain forms; and once more without what is invisible, where it has any: it joins, or it parts."""
    if text.isascii():
        return (Folded(text),)
    plain = text.translate(_PLAIN)
    if not INVISIBLE.search(plain):
        return (Folded(plain),)
    at = [place for place, letter in enumerate(plain) if not INVISIBLE.match(letter)]
    return Folded(plain), Folded("".join([plain[place] for place in at]), at)


class _Plain(dict[int, int]):
    """The plain form of a character, one for one; looked up once for each."""

    def __missing__(self, code: int) -> int:
        letter = chr(code)
        digit = unicodedata.decimal(letter, None)
        if digit is not None:
            plain = ord("0") + digit
        elif 0xFF01 <= code <= 0xFF5E:  # the wide forms of ASCII
            plain = code - 0xFEE0
        elif unicodedata.category(letter) == "Zs":
            plain = ord(" ")
        else:
            plain = ord("-") if letter in _DASHES else ord(".") if letter in _DOTS else code
        self[code] = plain
        return plain


_PLAIN = _Plain()
