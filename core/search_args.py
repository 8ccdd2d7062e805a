"""What people say with `search`: words, and options as on the command line."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from core.errors import BadInputError
from core.ids import first_id

OPTIONS = ("customer", "ticket", "since", "before", "reason")
HOW = (
    "Say it like this: `search no ink --customer @bob --since 2026-01-31 --reason she asked`. Words, `--customer`, "
    "`--ticket TKT-id`, `--since` and `--before` may be left out, not all of them; the reason may not."
)
WHEN = "A time is a day such as `2026-01-31`, a time of UTC such as `2026-01-31T10:30`, or the id of a turn."

# A telephone makes one long dash of two hyphens.
_OPTION = re.compile(r"(?:--|\u2014|\u2013)([a-z]+)")
_TURN = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is searched for, as it was said; what was not said is empty."""

    words: str = ""
    customer: str = ""
    ticket: str = ""
    since: str = ""
    before: str = ""
    reason: str = ""

    @property
    def says_nothing(self) -> bool:
        """Whether it would find everything."""
        return not (self.words or self.customer or self.ticket or self.since or self.before)


def read_wanted(args: Sequence[str]) -> Wanted:
    """Read what was said; an option takes all up to the next one. Raises BadInputError for what is no option."""
    said: dict[str, list[str]] = {"words": []}
    into = said["words"]
    for arg in args:
        option = _OPTION.fullmatch(arg)
        if option is None:
            into.append(arg)
        elif option[1] not in OPTIONS or option[1] in said:
            raise BadInputError(reply=HOW)
        else:
            into = said.setdefault(option[1], [])
    return Wanted(**{name: " ".join(parts) for name, parts in said.items()})


def id_of_time(said: str) -> str:
    """The first id a turn of that time can have; a turn's id is its own. Raises BadInputError."""
    if _TURN.fullmatch(said):
        return said
    try:
        time = datetime.fromisoformat(said)
        return first_id(time if time.tzinfo else time.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        raise BadInputError(reply=WHEN) from None
