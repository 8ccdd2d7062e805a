"""Workers: one task per lane that has events, each event taken from what it says to its commit."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from time import monotonic

from core.access import role_of
from core.asking import Ask, ask_of
from core.call import Call, Result
from core.clock import now
from core.commands import run_command, run_delete, run_edit, run_reaction
from core.delivery import Deliveries
from core.errors import ChangedError, DeskError, FencedError, StoppedError, StoreError
from core.kit import Kit
from core.lanes import Lane, Lanes
from core.models import Command, MessageDeleted, MessageEdited, Reaction, UserMessage
from core.opening import ElsewhereError, Opener, complete
from core.people import FORGETTING
from core.queries.lanes import EventRow
from core.records.lanes import MoveEvent
from core.records.log import PutNote
from core.records.record import Record
from core.replies import place_of
from core.room import Room
from core.traces import span
from core.turns import Turns
from core.wakes import FORGET, LANES, STOP, Wakes
from core.words import BY_NAME, spoken_command, word_named
from core.work import Running, Work
from core.working import short, working_on

log = logging.getLogger(__name__)

RERUNS = 10
PAUSE_SECONDS = 1.0
SETTLE_SECONDS = 5.0
PARKED = (
    "I tried this message {attempts} times and could not finish it, so it is set aside for an operator "
    "(event {event}). We can go on; please say it differently."
)
BROKEN = "Something went wrong on our side, and nothing was changed. If you ask about it, name event {event}."


@dataclass(slots=True)
class Workers:
    """The lanes worked in this process, at most `turns_at_once` of them at a time.

    `elsewhere` are the sessions whose next event came from a platform this desk does not know.
    """

    kit: Kit
    lanes: Lanes
    turns: Turns
    deliveries: Deliveries
    opener: Opener
    room: Room
    wakes: Wakes
    _slots: asyncio.Semaphore = field(init=False)
    elsewhere: set[bytes] = field(default_factory=set)
    _suspects: asyncio.Lock = field(default_factory=asyncio.Lock)
    _claiming: asyncio.Lock = field(default_factory=asyncio.Lock)
    _stopping: bool = False
    _hungry: bool = False
    _tasks: dict[asyncio.Task[None], bytes] = field(default_factory=dict)
    _running: dict[bytes, Running] = field(default_factory=dict)
    _idle: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        """Make the slots."""
        self._slots = asyncio.Semaphore(self.kit.settings.work.turns_at_once)
        self._idle.set()

    def work(self, lane: Lane, first: EventRow | None = None) -> None:
        """Take up a lane that was claimed, in a place of the room; `first` is its oldest event where that is known."""
        task = asyncio.create_task(self._work_lane(lane, first))
        self._tasks[task] = lane.session
        self._idle.clear()
        task.add_done_callback(self._done)

    async def claim(self) -> None:
        """Take up lanes that have events and nobody to work them."""
        # One after the other: who finds no lane waiting must see those at work that somebody else takes up just now.
        async with self._claiming:
            places = 0 if self._stopping else self.room.take(self.kit.settings.work.turns_at_once)
            lanes: list[Lane] = []
            try:
                if places:
                    lanes = await self.lanes.claim_waiting(places, but=self.elsewhere)
            finally:
                self.room.give(places - len(lanes))
            # Where all places are taken by now, more lanes may wait.
            self._hungry = len(lanes) == places
            for lane in lanes:
                self.work(lane)

    def stop_turn(self, session: bytes, event: str) -> None:
        """Cut off the running turn of an event, here or where it runs; its commit is refused in any case."""
        if not self.stop_here(session, event):
            self.wakes.tell(STOP, session.hex(), event)

    def stop_here(self, session: bytes, event: str) -> bool:
        """Cut off the running turn of an event, if it runs here."""
        running = self._running.get(session)
        if running is None or running.event != event:
            return False
        running.stop()
        return True

    def holds(self, session: bytes) -> bool:
        """Whether the lane of a session is worked here."""
        return session in self._tasks.values()

    @property
    def is_idle(self) -> bool:
        """Whether no lane is worked."""
        return self._idle.is_set()

    async def idle(self) -> None:
        """Wait until no lane is worked."""
        await self._idle.wait()

    async def stop(self, *, within: float) -> None:
        """Begin no further event; give those that run `within` seconds to finish, then give them back."""
        self._stopping = True
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=within)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _done(self, task: asyncio.Task[None]) -> None:
        del self._tasks[task]
        self.room.give()
        if self._hungry:
            self.wakes.wake(LANES)
        if not self._tasks:
            self._idle.set()

    async def _work_lane(self, lane: Lane, first: EventRow | None) -> None:
        row = first
        try:
            while lane.held and not self._stopping:
                row = row or await lane.next_event()
                if row is None:
                    break
                with working_on(row.id, lane.session):
                    async with self._cleared(lane, row), self._slots:
                        await self._work_event(lane, row)
                row = None
            if lane.held:
                await lane.give_back(None)
        except asyncio.CancelledError:
            await lane.give_back(row)
            raise
        except FencedError:
            log.info("lane %s was taken over by another worker", lane.session.hex()[:12])
        except ElsewhereError as error:
            log.warning("lane %s waits for a desk that knows %s", lane.session.hex()[:12], error)
            self.elsewhere.add(lane.session)
            await lane.give_back(row)
        except StoreError:
            log.exception("lane %s is left for later: the store does not answer", lane.session.hex()[:12])
            await self._leave(lane, row)

    @asynccontextmanager
    async def _cleared(self, lane: Lane, row: EventRow) -> AsyncIterator[None]:
        """Let an event that was begun before and not finished run alone among its kind, counted only when it begins.

        What killed the process took others with it that were at work. So that none is parked for another's fault, only
        one of them can be at work when it happens again.
        """
        if row.attempts <= 1:
            yield
            return
        await lane.uncount(row)
        async with self._suspects:
            await lane.count()
            yield

    async def _leave(self, lane: Lane, row: EventRow | None) -> None:
        """Give a lane back as soon as the store answers again."""
        while True:
            await asyncio.sleep(PAUSE_SECONDS)
            try:
                return await lane.give_back(row)
            except StoreError:
                log.warning("the store still does not answer")

    async def _work_event(self, lane: Lane, row: EventRow) -> None:
        """Finish one event, running it again when what it read was changed meanwhile."""
        running, begun = Running(row.id), monotonic()
        self._running[row.session] = running
        self.kit.metrics.took("claimed", (now() - row.at) / 1e6)
        try:
            for _ in range(RERUNS):
                try:
                    return await self._attempt(lane, row, running)
                except ChangedError:
                    log.info("event %s runs again: what it read was changed meanwhile", row.id)
                except StoppedError:
                    running.stopped = True
            await self._give_up(lane, row, running, BROKEN.format(event=row.id))
        finally:
            self._running.pop(row.session, None)
            self.kit.metrics.took("committed", monotonic() - begun)

    async def _attempt(self, lane: Lane, row: EventRow, running: Running) -> None:
        attempts = self.kit.settings.work.attempts
        if row.attempts > attempts:
            log.error("event %s is parked after %d attempts", row.id, attempts)
            text = PARKED.format(attempts=attempts, event=row.id)
            return await self._give_up(lane, row, running, text, status="parked")
        try:
            await self._finish(await self.opener.open(lane, row, running))
        except (ChangedError, FencedError, StoppedError, StoreError, ElsewhereError):
            raise
        except DeskError as error:
            log.info("event %s was refused: %s", row.id, type(error).__name__)
            await self._give_up(lane, row, running, error.reply)
        except Exception:
            log.exception("event %s failed", row.id)
            await self._give_up(lane, row, running, BROKEN.format(event=row.id))

    async def _finish(self, work: Work) -> None:
        if isinstance(work.event, Command) and word_named(work.event.name) is BY_NAME["clear"]:
            # It deletes the outbox of the conversation too: what was answered before has to be out by then.
            await self.deliveries.settle(place_of(self.kit.sealer, work.event.ref), within=SETTLE_SECONDS)
        result = await self._decide(work)
        if isinstance(result, Ask):
            with span("turn", event=work.row.id, session=short(work.row.session)):
                await self.turns.answer(work, result)
        else:
            await work.finish(result)
            if any(isinstance(record, PutNote) and record.kind == FORGETTING for record in result):
                self.wakes.wake(FORGET)
            if any(isinstance(record, MoveEvent) for record in result):
                await self.claim()
                self.wakes.tell(LANES)
        self._send(work)

    def _send(self, work: Work) -> None:
        for mail in work.mails:
            self.deliveries.send(mail)

    async def _decide(self, work: Work) -> Result:
        match work.event:
            case UserMessage() as message:
                command = spoken_command(message)
                if command is not None:
                    return await run_command(self._call(work), command)
                return [] if work.scene.session.muted else ask_of(await complete(self.kit, work, message))
            case Command() as command:
                return await run_command(self._call(work), command)
            case Reaction() as reaction:
                return await run_reaction(self._call(work), reaction)
            case MessageEdited() as edit:
                return await run_edit(self._call(work), edit)
            case MessageDeleted() as deletion:
                return await run_delete(self._call(work), deletion, work.message)

    def _call(self, work: Work) -> Call:
        return Call(
            word=BY_NAME["help"],
            args=(),
            ref=work.event.ref,
            event=work.row,
            scene=work.scene,
            role=role_of(self.kit.settings, work.event.ref),
            mail=work.mail,
            kit=self.kit,
            turn=work.message.turn if work.message else None,
            tell_staff=work.tell_staff,
            tell=partial(self.opener.tell, work),
        )

    async def _give_up(self, lane: Lane, row: EventRow, running: Running, text: str, *, status: str = "done") -> None:
        """Commit that an event is dealt with, and one honest reply; nothing else of it is written.

        Where not even that can be said (its content does not open, nobody here speaks its platform) it is parked.
        """
        try:
            work = await self.opener.open(lane, row, running)
        except DeskError:
            log.exception("event %s is parked unanswered: it cannot be opened", row.id)
            await lane.finish(row, (), status="parked")
            return
        records: list[Record] = []
        if isinstance(work.event, UserMessage) and spoken_command(work.event) is None:
            records = self.turns.failure(work, ask_of(work.event), text)
            work.mail.say(text, turn=row.id)
        else:
            work.mail.say(text, private=True)
        if status == "parked":
            await work.tell_staff(f"A message could not be answered and is set aside (event {row.id})")
        await work.finish(records, status=status)
        self._send(work)
