"""Outbox to platform: pieces in order per conversation, each once, by who holds its outlet."""

import asyncio
import logging
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from core.errors import ErasedError, FencedError, StoreError
from core.kit import Kit
from core.models import ConversationRef
from core.outlets import Granted, Outlets
from core.ports import Platform
from core.posting import Poster
from core.queries.outbox import DeliveryRow, OpenAt, OpenDeliveries
from core.replies import FAREWELL, Mail, Outgoing, outgoing_of
from core.wakes import PIECES, Wakes

log = logging.getLogger(__name__)

PAGE = 500
LOOK_SECONDS = 0.05
"""How often it is looked whether another process has posted what is waited for."""
RIDE_SECONDS = 0.3
"""Longer than what another process has posted rides before it is noted."""


@dataclass(slots=True)
class _Queue:
    """The pieces of one conversation that wait, and the task that posts them.

    Where outlets are claimed, `epoch` is that of the claim, and with `reads` the store knows of more.
    """

    platform: str
    channel: tuple[str, str, str] | None = None
    waiting: deque[Outgoing] = field(default_factory=deque)
    epoch: int | None = None
    reads: bool = False
    task: asyncio.Task[None] | None = None


class Deliveries:
    """Posts what turns and commands committed. A piece is posted until the platform has it, or said no for good."""

    def __init__(self, kit: Kit, platforms: Mapping[str, Platform], outlets: Outlets, wakes: Wakes) -> None:
        """Pieces for a platform that is not among `platforms` wait in the outbox for a desk that has it."""
        self._platforms = platforms
        self._outlets = outlets
        self._wakes = wakes
        self._store = kit.store
        self._sealer = kit.sealer
        self._writer = kit.writer
        self._poster = Poster(kit, platforms, send=self.send)
        self._queues: dict[bytes, _Queue] = {}
        self._unreached: set[bytes] = set()
        self._farewells: set[str] = set()
        self._stopping = False
        self._idle = asyncio.Event()
        self._idle.set()

    async def resume(self) -> None:
        """Take up what an earlier desk left open, before anything new is sent; or what nobody posts, of many desks."""
        if self._outlets.shared:
            return await self.take_up()
        for name in self._platforms:
            after = 0
            while rows := await self._store.read(OpenDeliveries(name, after, PAGE)):
                self._add(map(_left, self._opened(rows)))
                after = rows[-1].seq

    async def take_up(self) -> None:
        """Claim the outlets of conversations whose pieces nobody posts, and post them."""
        for queue in self._queues.values():
            # Others may have added pieces to what is being posted here.
            queue.reads = not self._stopping
        for name in self._platforms:
            if self._stopping:
                return
            but = self._unreached | self._queues.keys()
            for place, granted in (await self._outlets.claim_waiting(name, but=but)).items():
                self._read_on(place, name, granted)

    async def take_up_farewells(self) -> None:
        """Post what takes leave of people who were forgotten, by this process or by another one."""
        if self._outlets.shared:
            return await self.take_up()
        for name in self._platforms:
            rows = await self._store.read(OpenDeliveries(name, 0, PAGE))
            self._add(map(_left, self._opened([row for row in rows if row.owner == FAREWELL])))

    def speaks(self, platform: str) -> bool:
        """Whether pieces for a platform are posted from here."""
        return platform in self._platforms

    def reach_again(self) -> None:
        """Try anew where nothing could be posted from here: the platform may have been set up there meanwhile."""
        self._unreached.clear()

    def send(self, mail: Mail) -> None:
        """Post what was committed, or leave it to who holds the outlets."""
        if not self._outlets.shared:
            return self._add(mail.outgoing if self.speaks(mail.platform.name) else ())
        for place in dict.fromkeys(piece.place for piece in mail.outgoing):
            granted = mail.granted.get(place)
            if granted is None:
                self._wakes.tell(PIECES, mail.platform.name)
            elif granted[1]:
                # Older ones come first: ours that are being posted, or what others left.
                self._read_on(place, mail.platform.name, granted)
            else:
                epoch = granted[0]
                self._add([replace(piece, epoch=epoch) for piece in mail.outgoing if piece.place == place])

    def try_again(self, platform: str, workspace: str) -> None:
        """Post now what waits for a platform's workspace: what was in the way is gone."""
        self._poster.try_again(platform, workspace)

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
        if self._outlets.shared:
            await self._settle_elsewhere(place, within=within)

    async def settle_channel(self, ref: ConversationRef, *, within: float) -> None:
        """Wait until it is known in which messages the pieces are that are being posted to a channel, and noted.

        People see them, and may react on them, before the platform has told the desk.
        """
        tasks = [queue.task for queue in self._queues.values() if queue.task and queue.channel == _channel_of(ref)]
        if tasks:
            await asyncio.wait(tasks, timeout=within)
            await self._writer.flush()
        if self._outlets.shared:
            await asyncio.sleep(RIDE_SECONDS)

    async def stop(self, *, within: float) -> None:
        """Give what is being posted `within` seconds to finish; the rest stays in the outbox."""
        self._stopping = True
        tasks = [queue.task for queue in self._queues.values() if queue.task]
        for queue in self._queues.values():
            queue.waiting.clear()
            queue.reads = False
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=within)
            for task in late:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _add(self, pieces: Iterable[Outgoing]) -> None:
        for piece in pieces:
            if piece.owner == FAREWELL:
                if piece.delivery.key in self._farewells:
                    continue
                self._farewells.add(piece.delivery.key)
            queue = self._queue(piece.place, piece.delivery.ref.platform)
            queue.channel, queue.epoch = _channel_of(piece.delivery.ref), piece.epoch
            queue.waiting.append(piece)

    def _read_on(self, place: bytes, platform: str, granted: Granted) -> None:
        queue = self._queue(place, platform)
        queue.epoch, queue.reads = granted[0], not self._stopping

    def _queue(self, place: bytes, platform: str) -> _Queue:
        queue = self._queues.setdefault(place, _Queue(platform))
        if queue.task is None:
            self._idle.clear()
            queue.task = asyncio.create_task(self._work(place, queue))
        return queue

    async def _work(self, place: bytes, queue: _Queue) -> None:
        try:
            while await self._has_more(place, queue):
                await self._deliver(queue.waiting.popleft())
            if queue.epoch is not None:
                self._outlets.release(place, queue.epoch)
        except FencedError:
            log.info("outlet %s was taken over by another worker", place.hex()[:12])
        except StoreError as error:
            log.error("outlet %s is left for later: %s", place.hex()[:12], error)
        finally:
            del self._queues[place]
            if not self._queues:
                self._idle.set()

    async def _deliver(self, piece: Outgoing) -> None:
        try:
            await self._poster.deliver(piece)
        except Exception as error:
            if piece.epoch is not None and isinstance(error, FencedError | StoreError):
                raise
            # A bug here must not stop the conversation: the row stays open and is taken up at the next start.
            log.exception("piece %s could not be delivered", piece.delivery.key)
            if piece.epoch is not None:
                # Where several desks look for open rows all the time it would be tried for ever.
                await self._poster.mark(piece, "unknown")

    async def _has_more(self, place: bytes, queue: _Queue) -> bool:
        """Whether a piece waits; what the store knows of is read where all else is posted."""
        while queue.reads and not queue.waiting:
            queue.reads = False
            pieces = self._opened(await self._store.read(OpenAt(place, PAGE)))
            if not pieces or self._stopping:
                continue
            if not await self._platforms[queue.platform].reaches(pieces[0].delivery.ref):
                await self._leave(place, queue)
                return False
            queue.channel = _channel_of(pieces[0].delivery.ref)
            # What was put in line since is newer than what was read, or among it.
            newer = {piece.delivery.key: piece for piece in queue.waiting}
            read = (newer.pop(each.delivery.key, replace(_left(each), epoch=queue.epoch)) for each in pieces)
            queue.waiting = deque([*read, *newer.values()])
            queue.reads = len(pieces) == PAGE
        return bool(queue.waiting)

    def _opened(self, rows: Iterable[DeliveryRow]) -> list[Outgoing]:
        """Open pieces. Those of who was forgotten a moment ago are left out: their rows go too."""
        pieces = []
        for row in rows:
            try:
                pieces.append(outgoing_of(self._sealer, row))
            except ErasedError:
                log.info("piece %s is for somebody who was forgotten", row.key)
        return pieces

    async def _leave(self, place: bytes, queue: _Queue) -> None:
        self._unreached.add(place)
        if queue.epoch is not None:
            await self._outlets.give_back(place, queue.epoch)
            queue.epoch = None
        self._wakes.tell(PIECES, queue.platform)

    async def _settle_elsewhere(self, place: bytes, *, within: float) -> None:
        """Wait for what another process posts there."""
        try:
            async with asyncio.timeout(within):
                while await self._store.read(OpenAt(place, 1)):  # noqa: ASYNC110 - another process tells no event
                    await asyncio.sleep(LOOK_SECONDS)
        except TimeoutError:
            log.info("pieces of outlet %s are not posted yet", place.hex()[:12])


def _left(piece: Outgoing) -> Outgoing:
    """A piece that may have been posted by who is gone: one that was being sent is looked for first."""
    return replace(piece, status="unknown" if piece.status == "sending" else piece.status)


def _channel_of(ref: ConversationRef) -> tuple[str, str, str]:
    return ref.platform, ref.workspace, ref.channel
