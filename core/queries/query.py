"""What a question is."""

from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

RowT = TypeVar("RowT")


@dataclass(frozen=True, slots=True)
class Query(Generic[RowT]):
    """One question; `row` is the class of each row of its answer."""

    row: ClassVar[type]
