"""One piece of the outbox posted: once, and reconciled where a crash or a cut call left it open."""

import logging
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from time import monotonic

from core.clock import now
from core.errors import ErasedError, PlatformError, RejectedError, UnknownOutcomeError
from core.kit import Kit
from core.lru import Lru
from core.models import Delivery
from core.notices import staff_channel, tell_staff
from core.pauses import Pauses
from core.ports import Platform
from core.queries.outbox import DeliveriesOf
from core.records.guards import OutletIs
from core.records.outbox import DropDelivery, MarkDelivery
from core.records.record import Record
from core.replies import FAREWELL, Address, Mail, Outgoing, answer_record
from core.sealed import open_json, seal_json
from core.traces import span
from core.working import short, working_on

log = logging.getLogger(__name__)

FIRST_PAUSE, LONGEST_PAUSE = 0.25, 60.0


class _UntellableError(Exception):
    """The platform cannot tell whether a piece was posted."""


class Poster:
    """Posts a piece until the platform has it, or said no for good."""

    def __init__(self, kit: Kit, platforms: Mapping[str, Platform], *, send: Callable[[Mail], None]) -> None:
        """`send` posts what staff are to be told of a piece, once it is committed."""
        self._send = send
        self._staff = staff_channel(kit.settings, platforms, kit.sealer)
        self._policy = kit.settings.work.unknown_delivery
        self._platforms = platforms
        self._store = kit.store
        self._sealer = kit.sealer
        self._writer = kit.writer
        self._turnstile = kit.turnstile
        self._metrics = kit.metrics
        self._sent: Lru[str, str] = Lru(8192)
        self._pauses = Pauses()

    def try_again(self, platform: str, workspace: str) -> None:
        """Post now what waits for a platform's workspace: what was in the way is gone."""
        self._pauses.cut(platform, workspace)

    async def deliver(self, piece: Outgoing) -> None:
        """Post a piece. Raises FencedError, and posts nothing, where its outlet was given to another worker."""
        key = piece.delivery.key
        with (
            working_on(key.rpartition(".")[0], piece.session),
            span("deliver", piece=key, session=short(piece.session)),
        ):
            await self._deliver(piece)

    async def _deliver(self, piece: Outgoing) -> None:
        platform = self._platforms[piece.delivery.ref.platform]
        posted = self._sent.get(piece.delivery.key)
        if posted is not None:
            # Read again before its mark was written.
            return self._note(platform, piece, posted)
        delivery = await self._aimed(platform, piece.delivery, piece.owner)
        if delivery is None:
            log.info("piece %s changes a message that was never posted", piece.delivery.key)
            return await self.mark(piece, "failed")
        sure = piece.status != "unknown" or platform.repeats_by_key
        pause = FIRST_PAUSE
        while True:
            try:
                return self._note(platform, piece, await self._post(platform, piece, delivery, sure=sure))
            except RejectedError as error:
                log.warning("piece %s was refused by %s: %s", delivery.key, platform.name, error)
                return await self.mark(piece, "failed")
            except _UntellableError:
                return await self._give_up(platform, piece, delivery)
            except PlatformError as error:
                sure = sure and not isinstance(error, UnknownOutcomeError)
                log.info("piece %s waits %.1f s for %s: %s", delivery.key, pause, platform.name, error)
                seconds = pause * random.uniform(0.8, 1.2)  # noqa: S311 - spreads retries, guards nothing
                cut = await self._pauses.wait(platform.name, delivery.ref.workspace, seconds=seconds)
                pause = FIRST_PAUSE if cut else min(pause * 2, LONGEST_PAUSE)

    async def mark(self, piece: Outgoing, status: str, others: Sequence[Record] = ()) -> None:
        """Note what became of a piece; where outlets are claimed, only as long as its outlet is held. `others` go with
        it.
        """
        guard = () if piece.epoch is None else (OutletIs(piece.place, piece.epoch),)
        farewell = piece.owner == FAREWELL and status == "failed"
        key = piece.delivery.key
        await self._writer.commit((*guard, DropDelivery(key) if farewell else MarkDelivery(key, status, None), *others))

    async def _aimed(self, platform: Platform, delivery: Delivery, owner: str) -> Delivery | None:
        """Name the message that a retract or restore changes; None where it was never posted. A farewell names it."""
        if delivery.kind == "reply" or owner == FAREWELL:
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
            await self.mark(piece, "sending")
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
        notices = await self._notices(platform, piece)
        await self.mark(piece, "unknown", notices.records() if notices else ())
        if notices is not None:
            self._send(notices)

    async def _notices(self, platform: Platform, piece: Outgoing) -> Mail | None:
        """What staff are told of a piece whose fate is unknown."""
        delivery = piece.delivery
        address = Address(delivery.ref, "", piece.session, delivery.session, piece.owner)
        notices = self._staff.mail(delivery.key, now(), address)
        what = "Nobody can tell whether a reply was posted"
        await tell_staff(notices, what, where=delivery.ref, platform=platform)
        return notices

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
        """Keep the platform's id with the piece and its turn. Nobody waits for this: it rides with the next commit.

        Unguarded also where the outlet was lost meanwhile: the message stands there.
        """
        delivery = piece.delivery
        if piece.since is not None:
            self._metrics.took("posted", monotonic() - piece.since)
        self._sent.put(delivery.key, message)
        if piece.owner == FAREWELL:
            return self._writer.ride((DropDelivery(delivery.key),))
        try:
            sent = seal_json(self._sealer, "sent", piece.owner, delivery.key, message)
        except ErasedError:
            return log.info("piece %s was posted for somebody who was forgotten meanwhile", delivery.key)
        records: list[Record] = [MarkDelivery(delivery.key, "sent", sent)]
        if delivery.kind == "reply" and delivery.turn is not None and not platform.repeats_by_key:
            records.append(answer_record(self._sealer, piece, message=message, at=now()))
        self._writer.ride(tuple(records))
