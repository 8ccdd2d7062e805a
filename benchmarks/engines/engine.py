"""What an engine has to say of itself, so that one bench can drive them all."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Literal, Protocol

from benchmarks.engines.house import Event, House

Pace = Literal["default", "short"]
"""An engine as it comes, or with the shortest settings that are still sensible in service."""

Send = Callable[[Event], Awaitable[None]]


class Hands(Protocol):
    """The worker processes: an engine that takes events in at its workers hands them in through their pipes."""

    async def tell(self, line: str) -> None:
        """Give a line to one of those that run, by turns."""
        ...


class Engine(Protocol):
    """One way to have the events of a lane handled one at a time, in order, by several processes."""

    name: str
    about: str
    """How the order is asked for, in a few words."""
    processes: int
    """Workers that may run at once."""
    restarts: bool
    """Whether a killed worker has to be started again under its own name before anybody takes its lane over."""

    async def prepare(self, house: House, pace: Pace) -> None:
        """Make what it needs, empty."""
        ...

    async def fill(self, house: House, events: Sequence[Event]) -> None:
        """Queue a backlog while no worker runs."""
        ...

    def sending(self, house: House, hands: Hands) -> AbstractAsyncContextManager[Send]:
        """Hand events in, one by one, each durable when the call returns."""
        ...

    def work(self, house: House, worker: str, pace: Pace) -> None:
        """Be a worker process until killed."""
        ...

    async def clear(self, house: House) -> None:
        """Take away what is not in the database."""
        ...
