"""The terminal: lines of JSON for programs, a chat for people. Both are the platform `terminal`."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.live import Live

from adapters.terminal import render
from adapters.terminal.pipes import LONGEST, LineSink
from adapters.terminal.translate import PLATFORM, event_of, payload_of, typed_event
from core.errors import BadInputError, DeskError, PlatformError
from core.models import Command, ConversationRef, Delivery, Event, Profile, Progress, UserMessage

if TYPE_CHECKING:
    from core.desk import Desk
    from core.ports import Notes

AT_ONCE = 1024
"""Lines that are read ahead of what is durable."""

_Way = tuple[str, ...]


class _Terminal:
    """What both have in common: writing a piece again does no harm, and no place has a link."""

    name = PLATFORM
    repeats_by_key = True
    names_devices = False
    opens_places = False
    writes_directly = False

    def remember_in(self, notes: "Notes") -> None:
        """Remember nothing."""

    def split(self, text: str) -> list[str]:
        """Leave a text in one piece."""
        return render.split(text)

    async def complete(self, message: UserMessage, *, first: bool) -> UserMessage:
        """Know nothing besides: a line says who speaks."""
        return message

    async def find(self, delivery: Delivery) -> str | None:
        """Know of nothing: who reads a piece twice tells by its key."""
        return None

    async def reaches(self, ref: ConversationRef) -> bool:
        """Reach everybody: whoever reads the output is told who is spoken to."""
        return True

    async def link(self, ref: ConversationRef) -> str | None:
        """Know of none."""
        return None

    async def open_beside(self, ref: ConversationRef, *, key: str, title: str) -> ConversationRef | None:
        """Nothing: a terminal has one place for each person and thread."""
        return None


class JsonLines(_Terminal):
    """The desk on a pipe: a line of JSON in is an event, a line out says what became of it or what the desk says."""

    def __init__(self, lines: AsyncIterator[bytes], sink: LineSink) -> None:
        self._lines = lines
        self._sink = sink
        self._last: dict[_Way, asyncio.Task[None]] = {}
        self._room = asyncio.Semaphore(AT_ONCE)

    async def run(self, desk: "Desk") -> None:
        """Hand in every line, return when all is answered and written. OSError when nobody reads what is written."""
        work = asyncio.create_task(self._work(desk))
        gone = asyncio.create_task(self._sink.gone())
        try:
            await asyncio.wait((work, gone), return_when=asyncio.FIRST_COMPLETED)
            if gone.done():
                raise gone.result()
            await work
        finally:
            work.cancel()
            gone.cancel()
            await asyncio.gather(work, gone, return_exceptions=True)

    async def post(self, delivery: Delivery) -> str:
        """Write one piece; its key is its message id."""
        try:
            await self._sink.write(_dumped(render.line_of(delivery)))
        except OSError as error:
            raise PlatformError(f"the output cannot be written: {error.strerror}") from error
        return delivery.key

    async def show(self, progress: Progress) -> None:
        """Show nothing: progress is for people."""

    async def _work(self, desk: "Desk") -> None:
        number = 0
        async with asyncio.TaskGroup() as group:
            async for line in self._lines:
                number += 1
                event = self._translated(number, line) if line.strip() else None
                if event is not None:
                    await self._room.acquire()
                    self._start(group, desk, event)
        await desk.drain()
        await self._sink.flush()

    def _translated(self, number: int, line: bytes) -> Event | None:
        payload: dict[str, Any] = {}
        try:
            if len(line) > LONGEST:
                raise BadInputError(reply=f"this is longer than {LONGEST:,} bytes")
            payload = payload_of(line)
            return event_of(payload)
        except BadInputError as error:
            id_ = payload.get("id")
            self._send(render.refusal(id_ if isinstance(id_, str) else None, f"line {number}: {error.reply}"))
            return None

    def _start(self, group: asyncio.TaskGroup, desk: "Desk", event: Event) -> None:
        # Many at once share a commit; those of one person, or in one place, keep the order in which they were read.
        ref = event.ref
        ways: tuple[_Way, ...] = (("by", ref.user), ("in", ref.channel, ref.thread or ""))
        task = group.create_task(self._accept(desk, event, {self._last[way] for way in ways if way in self._last}))
        self._last.update(dict.fromkeys(ways, task))
        task.add_done_callback(lambda done: self._finish(done, ways))

    def _finish(self, task: asyncio.Task[None], ways: tuple[_Way, ...]) -> None:
        self._room.release()
        for way in ways:
            if self._last.get(way) is task:
                del self._last[way]

    async def _accept(self, desk: "Desk", event: Event, before: set[asyncio.Task[None]]) -> None:
        if before:
            await asyncio.wait(before)
        try:
            accepted = await desk.accept(event)
        except DeskError as error:
            self._send(render.refusal(event.id, error.reply))
        else:
            self._send(render.acknowledgement(accepted, event.id))

    def _send(self, value: dict[str, Any]) -> None:
        self._sink.send(_dumped(value))


class Chat(_Terminal):
    """The desk in somebody's terminal: one person, one conversation, one message at a time."""

    def __init__(
        self, lines: AsyncIterator[bytes], console: Console, *, ref: ConversationRef, profile: Profile
    ) -> None:
        self._lines = lines
        self._console = console
        self._ref = ref
        self._profile = profile
        self._desk: Desk | None = None
        self._asked: str | None = None
        self._stop: asyncio.Task[None] | None = None
        self._live: Live | None = None

    async def run(self, desk: "Desk") -> None:
        """Talk until the input ends or the person leaves."""
        self._desk = desk
        await desk.drain()
        self._prompt()
        try:
            async for line in self._lines:
                typed = line.decode(errors="replace")
                if typed.strip().lower() in ("/quit", "/exit"):
                    return
                event = typed_event(typed, id_=uuid.uuid4().hex, ref=self._ref, profile=self._profile)
                if event is not None:
                    await self._ask(desk, event)
                self._prompt()
            self._end_line()
        except asyncio.CancelledError:
            self._end_line()
            raise

    def interrupt(self) -> bool:
        """Take Ctrl-C: True when it stops the answer being written, False when the person means to leave."""
        if self._desk is None or self._asked is None or self._stop is not None:
            return False
        self._stop = asyncio.create_task(self._ask_to_stop(self._desk))
        return True

    async def post(self, delivery: Delivery) -> str:
        """Print one piece."""
        if self._live is not None:
            self._live.update(render.working(Progress(delivery.ref, delivery.to)))
        if delivery.text and not delivery.removes:
            self._console.print(render.shown(delivery, user=self._ref.user))
        return delivery.key

    async def show(self, progress: Progress) -> None:
        """Show the answer as it is being written."""
        if self._live is not None and progress.to == self._asked:
            self._live.update(render.working(progress))

    async def _ask(self, desk: "Desk", event: Event) -> None:
        self._asked = event.id
        try:
            with self._working(event):
                await desk.accept(event)
                await desk.drain()
                if self._stop is not None:
                    await self._stop
                    await desk.drain()
        except DeskError as error:
            self._console.print(render.complaint(error.reply))
        finally:
            self._asked = self._live = self._stop = None

    def _working(self, event: Event) -> Live:
        first = render.working(Progress(event.ref, event.id))
        live = Live(first, console=self._console, transient=True, refresh_per_second=12)
        self._live = live
        return live

    async def _ask_to_stop(self, desk: "Desk") -> None:
        await desk.accept(Command(uuid.uuid4().hex, self._ref, "stop"))

    def _prompt(self) -> None:
        if self._console.is_terminal:
            self._console.print(render.prompt(), end="")

    def _end_line(self) -> None:
        if self._console.is_terminal:
            self._console.print()


def _dumped(value: dict[str, Any]) -> bytes:
    # ASCII only: then no line holds a character that some reader takes for the end of a line.
    return json.dumps(value, separators=(",", ":")).encode("ascii")
