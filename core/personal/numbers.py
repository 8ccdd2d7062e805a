"""Numbers of payment cards and bank accounts, told from other numbers by their beginning, length and check digits."""

import re
from collections.abc import Iterator

from core.personal.checksums import luhn, mod97
from core.ports import Found

# Digits with at most three blanks, dashes or dots between two of them, not in the middle of a word.
_DIGITS = re.compile(r"(?<![A-Za-z0-9_])\d(?:[ .-]{0,3}\d){11,}(?![A-Za-z0-9_])", re.ASCII)
_MENTION = re.compile(r"<(?:@[!&]?|#)\d{17,20}>", re.ASCII)
_GROUP = re.compile(r"\d+", re.ASCII)
_SHORTEST, _LONGEST = 12, 19

_CARDS = re.compile(
    r"""
      4(?:\d{12}|\d{15}|\d{18})                                         # Visa
    | (?:5[1-5]\d\d | 222[1-9] | 22[3-9]\d | 2[3-6]\d\d | 27[01]\d | 2720)\d{12}    # Mastercard
    | 3[47]\d{13}                                                       # American Express
    | 3(?:0[0-5]|[68]\d)\d{11,16}                                       # Diners
    | (?:6011|64[4-9]\d|65\d\d)\d{12,15}                                # Discover
    | 35(?:2[89]|[3-8]\d)\d{12,15}                                      # JCB
    | (?:62|81)\d{14,17}                                                # UnionPay
    | (?:50|5[6-8]|6[0-9])\d{10,17}                                     # Maestro
    """,
    re.VERBOSE | re.ASCII,
)

_IBAN = re.compile(r"(?<![A-Za-z0-9_])([A-Za-z]{2})\d\d(?=(?:[ -]{0,2}[A-Za-z0-9]){11})", re.ASCII)
_IBAN_LENGTHS = {
    country: length
    for length, countries in {
        15: "NO", 16: "BE", 18: "DK FI FO GL NL SD FK", 19: "MK SI", 20: "AT BA EE KZ LT LU XK MN",
        21: "CH HR LI LV", 22: "BG BH CR DE GB GE IE ME RS VA", 23: "AE GI IL IQ OM TL SO",
        24: "AD CZ ES MD PK RO SA SE SK TN VG", 25: "LY PT ST", 26: "IS TR", 27: "BI DJ FR GR IT MC MR SM",
        28: "AL AZ BY CY DO GT HN HU LB PL SV NI", 29: "BR EG PS QA UA", 30: "JO KW MU YE", 31: "MT SC", 32: "LC",
        33: "RU",
    }.items()
    for country in countries.split()
}  # fmt: skip


def find_cards(text: str) -> Iterator[Found]:
    """Payment cards, in one piece or in groups. The number in a mention is an id of the platform's."""
    text = _MENTION.sub(lambda mention: "x" * len(mention[0]), text)
    for digits in _DIGITS.finditer(text):
        groups = list(_GROUP.finditer(text, digits.start(), digits.end()))
        yield from _cards_among(groups)


def _cards_among(groups: list[re.Match[str]]) -> Iterator[Found]:
    """Cards that begin and end where groups of digits do; what was found is not looked at again."""
    start = 0
    while start < len(groups):
        end = _card_from(groups, start)
        if end is None:
            start += 1
            continue
        yield Found("card", groups[start].start(), groups[end].end())
        start = end + 1


def _card_from(groups: list[re.Match[str]], start: int) -> int | None:
    """The last group of the longest card that begins with this one."""
    digits, last = "", None
    for at in range(start, len(groups)):
        digits += groups[at][0]
        if len(digits) > _LONGEST:
            break
        if len(digits) >= _SHORTEST and _CARDS.fullmatch(digits) and luhn(digits):
            last = at
    return last


def find_ibans(text: str) -> Iterator[Found]:
    """International bank account numbers, in one piece or in groups."""
    end = 0
    for head in _IBAN.finditer(text):
        length = _IBAN_LENGTHS.get(head[1].upper())
        found = _iban_end(text, head.start(), length) if length and head.start() >= end else None
        if found is not None:
            end = found
            yield Found("iban", head.start(), end)


def _iban_end(text: str, start: int, length: int) -> int | None:
    """Where an account number of so many letters and digits ends; None where it is none."""
    code, at = "", start
    while len(code) < length and at < len(text):
        letter = text[at]
        if letter.isascii() and letter.isalnum():
            code += letter.upper()
        elif letter not in " -":
            return None
        at += 1
    whole = len(code) == length and not (text[at : at + 1].isalnum() or text[at : at + 1] == "_")
    return at if whole and mod97(code[4:] + code[:4]) else None
