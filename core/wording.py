"""Numbers and states as people read them."""


def count(number: int, thing: str) -> str:
    """A number of things: `1 turn`, `0 turns`, `1,200 turns`."""
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"


def plain(state: str) -> str:
    """A state as people say it: `waiting for staff`."""
    return state.replace("_", " ")
