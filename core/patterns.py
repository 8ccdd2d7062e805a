"""Patterns an operator writes: compiled only where their work has a bound, so that no text can make them slow."""

import re

# The parser behind `re` is the only one that reads a pattern as `re` will; the stubs leave it out.
from re import _constants, _parser  # type: ignore[attr-defined]
from typing import Any

MOST_WAYS = 1_000
"""How many ways a pattern may have to match at one place."""
SHORTEST, LONGEST = 4, 100
"""Characters that what it matches has at least and at most."""

_ONE_WAY = frozenset(
    ("LITERAL", "NOT_LITERAL", "ANY", "IN", "AT", "CATEGORY", "RANGE"),
)
_REPEATS = frozenset(("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"))


def bounded_pattern(text: str) -> re.Pattern[str]:
    """Compile a pattern. Raises ValueError, in one line, where it is none or might work without end."""
    try:
        parsed = _parser.parse(text)
        compiled = re.compile(text)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"this is no regular expression: {error}") from None
    # The ways first: where a repeat has no end, neither has the width.
    ways = _ways(parsed)
    if ways > MOST_WAYS:
        raise ValueError(f"this pattern can match in too many ways (at most {MOST_WAYS:,}): say how often, as in {{9}}")
    shortest, longest = parsed.getwidth()
    if shortest < SHORTEST or longest > LONGEST:
        raise ValueError(f"a pattern has to match {SHORTEST} to {LONGEST} characters")
    return compiled


def _ways(parsed: Any) -> int:  # noqa: ANN401 - the parser's own shape
    """How many ways there are to match at one place; a bound on the work done there."""
    ways = 1
    for kind, given in parsed:
        ways = min(ways * _ways_of(str(kind), given), MOST_WAYS + 1)
    return ways


def _ways_of(kind: str, given: Any) -> int:  # noqa: ANN401 - the parser's own shape
    if kind in _ONE_WAY:
        return 1
    if kind in _REPEATS:
        return _ways_of_repeat(*given)
    if kind == "BRANCH":
        return sum(map(_ways, given[1]))
    if kind in ("SUBPATTERN", "ATOMIC_GROUP", "ASSERT", "ASSERT_NOT"):
        return _ways(given if kind == "ATOMIC_GROUP" else given[-1])
    raise ValueError("a pattern cannot look back at its own groups")


def _ways_of_repeat(least: int, most: int, repeated: Any) -> int:  # noqa: ANN401 - the parser's own shape
    if most == _constants.MAXREPEAT or most > LONGEST:
        raise ValueError(f"`*`, `+` and {{n,}} have no end: say how often, as in {{1,12}}, at most {LONGEST}")
    each, ways, total = min(_ways(repeated), MOST_WAYS), 1, 0
    for times in range(most + 1):
        total += ways if times >= least else 0
        ways = min(ways * each, MOST_WAYS + 1)
    return min(total, MOST_WAYS + 1)
