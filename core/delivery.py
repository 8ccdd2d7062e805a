"""Outbox to platform: pieces in order per conversation, each once, reconciled after a crash."""

import asyncio
import logging
import random
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from core.clock import now
from core.errors import PlatformError, RejectedError, UnknownOutcomeError
from core.kit import Kit
from core.lru import Lru
from core.models import ConversationRef, Delivery
from core.pauses import Pauses
from core.ports import Platform
from core.queries import DeliveriesOf, OpenDeliveries
from core.records import MarkDelivery, Record
from core.replies import Outgoing, answer_record, outgoing_of
from core.sealed import open_json, seal_json

log = logging.getLogger(__name__)

FIRST_PAUSE, LONGEST_PAUSE = 0.25, 60.0
PAGE = 500


class _UntellableError(Exception):
    """The platform cannot tell whether a piece was posted."""


@dataclass(slots=True)
class _Queue:
    """The pieces of one conversation that wait, and the task that posts them."""

    channel: tuple[str, str, str]
    waiting: deque[Outgoing] = field(default_factory=deque)
    task: asyncio.Task[None] | None = None


class Deliveries:
    """Posts what turns and commands committed. A piece is posted until the platform has it, or said no for good."""

    def __init__(self, kit: Kit, platforms: Mapping[str, Platform]) -> None:
        """Pieces for a platform that is not among `platforms` wait in the outbox for a desk that has it."""
        self._policy = kit.settings.work.unknown_delivery
        self._platforms = platforms
        self._store = kit.store
        self._sealer = kit.sealer
        self._writer = kit.writer
        self._turnstile = kit.turnstile
        self._queues: dict[bytes, _Queue] = {}
        self._sent: Lru[str, str] = Lru(8192)
        self._pauses = Pauses()
        self._idle = asyncio.Event()
        self._idle.set()

    async def resume(self) -> None:
        """Take up what an earlier desk left open, before anything new is sent."""
        for name in self._platforms:
            after = 0
            while rows := await self._store.read(OpenDeliveries(name, after, PAGE)):
                self.send([outgoing_of(self._sealer, row) for row in rows], left=True)
                after = rows[-1].seq

    def send(self, pieces: Iterable[Outgoing], *, left: bool = False) -> None:
        """Post pieces that are committed; `left` ones may have been posted before a crash."""
        for piece in pieces:
            status = "unknown" if left and piece.status == "sending" else piece.status
            queue = self._queues.setdefault(piece.place, _Queue(_channel_of(piece.delivery.ref)))
            queue.waiting.append(Outgoing(piece.delivery, piece.place, piece.session, piece.owner, status))
            if queue.task is None:
                self._idle.clear()
                queue.task = asyncio.create_task(self._work(piece.place, queue))

    def try_again(self, platform: str, workspace: str) -> None:
        """Post now what waits for a platform's workspace: what was in the way is gone."""
        self._pauses.cut(platform, workspace)

    @property
    def is_idle(self) -> bool:
        """Whether nothing is left to post."""
        return self._idle.is_set()

    async def drain(self) -> None:
        """Wait until nothing is left to post."""
        await self._idle.wait()

    async def settle(self, place: bytes, *, within: float) -> None:
        """Wait until what was committed for a conversation is posted, at most `within` seconds, and is noted."""
        queue = self._queues.get(place)
        if queue is not None and queue.task is not None:
            await asyncio.wait({queue.task}, timeout=within)
        await self._writer.flush()

    async def settle_channel(self, ref: ConversationRef, *, within: float) -> None:
        """Wait until it is known in which messages the pieces are that are being posted to a channel, and noted.

        People see them, and may react on them, before the platform has told the desk.
        """
        tasks = [queue.task for queue in self._queues.values() if queue.task and queue.channel == _channel_of(ref)]
        if tasks:
            await asyncio.wait(tasks, timeout=within)
            await self._writer.flush()

    async def stop(self, *, within: float) -> None:
        """Give what is being posted `within` seconds to finish; the rest stays in the outbox."""
        tasks = [queue.task for queue in self._queues.values() if queue.task]
        for queue in self._queues.values():
            queue.waiting.clear()
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=within)
            for task in late:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _work(self, place: bytes, queue: _Queue) -> None:
        try:
            while queue.waiting:
                piece = queue.waiting.popleft()
                try:
                    await self._deliver(piece)
                except Exception:
                    # A bug here must not stop the conversation: the row stays open and is taken up at the next start.
                    log.exception("piece %s could not be delivered", piece.delivery.key)
        finally:
            del self._queues[place]
            if not self._queues:
                self._idle.set()

    async def _deliver(self, piece: Outgoing) -> None:
        platform = self._platforms[piece.delivery.ref.platform]
        delivery = await self._aimed(platform, piece.delivery)
        if delivery is None:
            log.info("piece %s changes a message that was never posted", piece.delivery.key)
            return await self._mark(piece, "failed")
        sure = piece.status != "unknown" or platform.repeats_by_key
        pause = FIRST_PAUSE
        while True:
            try:
                return self._note(platform, piece, await self._post(platform, piece, delivery, sure=sure))
            except RejectedError as error:
                log.warning("piece %s was refused by %s: %s", delivery.key, platform.name, error)
                return await self._mark(piece, "failed")
            except _UntellableError:
                return await self._give_up(platform, piece, delivery)
            except PlatformError as error:
                sure = sure and not isinstance(error, UnknownOutcomeError)
                log.info("piece %s waits %.1f s for %s: %s", delivery.key, pause, platform.name, error)
                seconds = pause * random.uniform(0.8, 1.2)  # noqa: S311 - spreads retries, guards nothing
                cut = await self._pauses.wait(platform.name, delivery.ref.workspace, seconds=seconds)
                pause = FIRST_PAUSE if cut else min(pause * 2, LONGEST_PAUSE)

    async def _aimed(self, platform: Platform, delivery: Delivery) -> Delivery | None:
        """Name the message that a retract or restore changes; None where it was never posted."""
        if delivery.kind == "reply":
            return delivery
        message = delivery.message if platform.repeats_by_key else await self._message_of(delivery)
        return replace(delivery, message=message) if message else None

    async def _post(self, platform: Platform, piece: Outgoing, delivery: Delivery, *, sure: bool) -> str:
        """Post the piece, unless it is found to be there already."""
        if not sure:
            try:
                found = await platform.find(delivery)
            except UnknownOutcomeError as error:
                raise _UntellableError from error
            if found is not None:
                return found
        if not platform.repeats_by_key:
            await self._mark(piece, "sending")
        await self._turnstile.passed()
        return await platform.post(delivery)

    async def _give_up(self, platform: Platform, piece: Outgoing, delivery: Delivery) -> None:
        """Nobody can tell whether the piece was posted: hold it for the operator, or post it again with a mark."""
        log.warning("piece %s may or may not have reached %s: %s", delivery.key, platform.name, self._policy)
        if self._policy == "repost":
            try:
                return self._note(platform, piece, await platform.post(delivery.marked()))
            except PlatformError as error:
                log.warning("piece %s was posted again and may be lost: %s", delivery.key, error)
        await self._mark(piece, "unknown")

    async def _message_of(self, delivery: Delivery) -> str | None:
        """The platform's id of the piece that a retract or restore changes, None where it was never posted."""
        target = delivery.message or ""
        known = self._sent.get(target)
        if known is not None or delivery.turn is None:
            return known
        for row in await self._store.read(DeliveriesOf(delivery.turn)):
            if row.key == target and row.sent is not None:
                message: str = open_json(self._sealer, "sent", row.owner, row.key, row.sent)
                return message
        return None

    def _note(self, platform: Platform, piece: Outgoing, message: str) -> None:
        """Keep the platform's id with the piece and its turn. Nobody waits for this: it rides with the next commit."""
        delivery = piece.delivery
        self._sent.put(delivery.key, message)
        sent = seal_json(self._sealer, "sent", piece.owner, delivery.key, message)
        records: list[Record] = [MarkDelivery(delivery.key, "sent", sent)]
        if delivery.kind == "reply" and delivery.turn is not None and not platform.repeats_by_key:
            records.append(answer_record(self._sealer, piece, message=message, at=now()))
        self._writer.ride(tuple(records))

    async def _mark(self, piece: Outgoing, status: str) -> None:
        await self._writer.commit((MarkDelivery(piece.delivery.key, status, None),))


def _channel_of(ref: ConversationRef) -> tuple[str, str, str]:
    return ref.platform, ref.workspace, ref.channel
