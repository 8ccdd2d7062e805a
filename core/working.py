"""What is worked on just now, so that a line of the log can say it, wherever it is written."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple


class Working(NamedTuple):
    """The event that is worked on, and the short hash of its session."""

    event: str
    session: str


WORKING: ContextVar[Working | None] = ContextVar("working", default=None)


@contextmanager
def working_on(event: str, session: bytes) -> Iterator[None]:
    """Say that an event of a session is worked on until left, in this task and in those it begins."""
    token = WORKING.set(Working(event, short(session)))
    try:
        yield
    finally:
        WORKING.reset(token)


def short(session: bytes) -> str:
    """A session as logs and traces name it: a part of its keyed hash."""
    return session.hex()[:12]
