"""One event being worked: on its lane, with what it found and what it sends."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from core.agent import Answer
from core.budgets import Purse
from core.lanes import Lane
from core.models import Event
from core.queries import EventRow, MessageRow
from core.records import Record
from core.replies import Mail
from core.scene import Scene
from core.traces import span
from core.usage import ModelCall
from core.working import short


@dataclass(slots=True)
class Running:
    """A turn that runs now, so that `stop` can reach it.

    `calls` are the model calls made for it so far, those of attempts that had to be run again too: all are on the bill,
    and out of the same `purse`.
    """

    event: str
    calls: list[ModelCall] = field(default_factory=list)
    purse: Purse | None = None
    task: asyncio.Task[Answer] | None = None
    stopped: bool = False

    def stop(self) -> None:
        """Cut the turn off; its lane then commits it as stopped."""
        self.stopped = True
        if self.task is not None:
            self.task.cancel()


@dataclass(frozen=True, slots=True)
class Work:
    """An event on its lane. `message` is the platform message it is about, where that is known."""

    lane: Lane
    row: EventRow
    event: Event
    scene: Scene
    mail: Mail
    running: Running = field(default_factory=lambda: Running(""))
    message: MessageRow | None = None

    async def finish(self, records: Sequence[Record], *, status: str = "done") -> None:
        """Commit what came of the event with what is said about it, as `Lane.finish` does."""
        with span("commit", event=self.row.id, session=short(self.row.session)):
            rows = await self.lane.finish(self.row, (*records, *self.mail.records()), status=status)
        self.mail.committed(rows)
