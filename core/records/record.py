"""What a commit is made of."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Record:
    """One statement of a commit. `returns` records give back rows, in the commit's result."""

    returns: ClassVar[bool] = False


Commit = tuple[Record, ...]
"""All or nothing: what is written together."""

Rows = list[tuple[object, ...]]
