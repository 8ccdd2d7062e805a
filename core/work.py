"""One event being worked: on its lane, with what it found and what it sends."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from core.agent import Answer
from core.budgets import Purse
from core.lanes import Lane
from core.models import Event
from core.notices import tell_staff
from core.queries.lanes import EventRow
from core.queries.said import MessageRow
from core.records.record import Record
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
    """An event on its lane. `message` is the platform message it is about, where that is known.

    `notices` is what staff are to be told of it; None where there is no place for that. `others` is what others are.
    """

    lane: Lane
    row: EventRow
    event: Event
    scene: Scene
    mail: Mail
    running: Running = field(default_factory=lambda: Running(""))
    message: MessageRow | None = None
    notices: Mail | None = None
    others: list[Mail] = field(default_factory=list)

    @property
    def mails(self) -> tuple[Mail, ...]:
        """All that the event sends."""
        return (self.mail, *(() if self.notices is None else (self.notices,)), *self.others)

    async def tell_staff(self, what: str) -> None:
        """Say in the staff channel, if there is one, that something of this event waits for people."""
        await tell_staff(self.notices, what, where=self.mail.address.ref, platform=self.mail.platform)

    async def finish(self, records: Sequence[Record], *, status: str = "done") -> None:
        """Commit what came of the event with what is said about it, as `Lane.finish` does."""
        said = [record for mail in self.mails for record in mail.records()]
        with span("commit", event=self.row.id, session=short(self.row.session)):
            rows = await self.lane.finish(self.row, (*records, *said), status=status)
        for mail in reversed(self.mails):
            rows = mail.committed(rows)
