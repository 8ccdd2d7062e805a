"""Numbers and states as people read them."""


def count(number: int, thing: str) -> str:
    """A number of things: `1 turn`, `0 turns`, `1,200 turns`."""
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"


def plain(state: str) -> str:
    """A state as people say it: `waiting for staff`."""
    return state.replace("_", " ")


def of_yourself(word: str) -> str:
    """What somebody is told who may not say a word of another person, and may have meant themselves."""
    return f"You may not do that here. Of yourself you say `{word}` alone."


def safe_cell(text: str) -> str:
    """A cell of a table that no spreadsheet takes for a formula: people choose their names themselves."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def too_fast(most: int, thing: str) -> str:
    """What somebody is told whose last message, or command, was one too many in a minute."""
    return f"That was more than {count(most, thing)} a minute, and I left the last one out. Say it again in a moment."
