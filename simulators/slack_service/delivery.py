"""Getting envelopes to the app: attempts, deadlines, redelivery, and knowing when all is quiet."""

import asyncio
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, Protocol

from simulators.change import Changes
from simulators.slack_service.errors import NotAcknowledgedError
from simulators.slack_service.faults import Faults
from simulators.slack_service.model import Json
from simulators.slack_service.timing import Timing

EnvelopeKind = Literal["events_api", "slash_commands", "interactive"]
Answer = Json | str | None


@dataclass(slots=True, eq=False)
class Envelope:
    """One thing the app must acknowledge."""

    kind: EnvelopeKind
    payload: Json
    envelope_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    attempts: int = 0
    state: Literal["waiting", "acknowledged", "lost"] = "waiting"
    answer: Answer = None
    reasons: list[str] = field(default_factory=list)
    """Why earlier attempts did not count."""
    done: asyncio.Event = field(default_factory=asyncio.Event)


class Transport(Protocol):
    """One way to the app."""

    async def attempt(self, envelope: Envelope, seconds: float) -> Answer:
        """Deliver once and give the app's answer; raise `NotAcknowledgedError` without one in time."""
        ...


class Delivery:
    """Sends envelopes, each in a task of its own, so that a slow one never holds up the next."""

    def __init__(self, timing: Timing, faults: Faults, changes: Changes) -> None:
        self.timing = timing
        self.envelopes: list[Envelope] = []
        self.on_end: Callable[[Envelope], None] = lambda _: None
        self._faults = faults
        self._changes = changes
        self._tasks: set[asyncio.Task[None]] = set()
        self._on_the_way = 0
        self._up = asyncio.Event()
        self._up.set()

    def send(self, envelope: Envelope, transport: Transport) -> Envelope:
        """Start delivering."""
        self.envelopes.append(envelope)
        self._on_the_way += 1
        task = asyncio.get_running_loop().create_task(self._carry(envelope, transport))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return envelope

    @property
    def unacknowledged(self) -> list[Envelope]:
        """Give what the app has not answered for yet, or never did."""
        return [envelope for envelope in self.envelopes if envelope.state != "acknowledged"]

    @property
    def quiet(self) -> bool:
        """Tell whether nothing is on its way."""
        return self._on_the_way == 0

    def hold(self) -> None:
        """Deliver nothing until `resume`."""
        self._up.clear()

    def resume(self) -> None:
        """Deliver again what waited."""
        self._up.set()

    async def close(self) -> None:
        """Give up what is on its way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _carry(self, envelope: Envelope, transport: Transport) -> None:
        try:
            await self._deliver(envelope, transport)
        finally:
            self._on_the_way -= 1
            self._changes.tell()

    async def _deliver(self, envelope: Envelope, transport: Transport) -> None:
        again = self.timing.retries if envelope.kind == "events_api" else ()
        for pause in (0.0, *again):
            await asyncio.sleep(pause)
            if await self._attempt(envelope, transport):
                break
        if envelope.state == "waiting":
            envelope.state = "lost"
        self.on_end(envelope)
        envelope.done.set()
        self._changes.tell()
        if envelope.kind == "events_api" and envelope.state == "acknowledged" and self._faults.draw_duplicate():
            envelope.reasons.append("http_timeout")
            await self._attempt(envelope, transport)

    async def _attempt(self, envelope: Envelope, transport: Transport) -> bool:
        await self._up.wait()
        envelope.attempts += 1
        try:
            envelope.answer = await transport.attempt(envelope, self.timing.acknowledge)
        except NotAcknowledgedError as error:
            envelope.reasons.append(error.reason)
            return error.final
        envelope.state = "acknowledged"
        return True
