"""Check digits: what tells a number that somebody was given from one that merely looks like it."""

from collections.abc import Sequence


def luhn(number: str) -> bool:
    """Whether the digits end in their Luhn digit, as those of payment cards do."""
    total = 0
    for place, letter in enumerate(reversed(number)):
        digit = int(letter)
        total += digit if place % 2 == 0 else digit * 2 - 9 * (digit > 4)
    return total % 10 == 0


def mod97(code: str) -> bool:
    """Whether digits and capital letters (A counts 10) leave 1 when divided by 97 (ISO 7064)."""
    return int("".join(str(int(letter, 36)) for letter in code)) % 97 == 1


def mod11_10(number: str) -> bool:
    """Whether the digits end in their digit of ISO 7064 mod 11,10."""
    check = 5
    for letter in number:
        check = ((check or 10) * 2 % 11 + int(letter)) % 10
    return check == 1


def weighted(number: str, weights: Sequence[int], modulus: int) -> bool:
    """Whether the digits, each times its weight, add up to a multiple of the modulus."""
    if len(number) != len(weights):
        return False
    return sum(int(digit) * weight for digit, weight in zip(number, weights, strict=True)) % modulus == 0
