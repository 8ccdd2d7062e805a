"""The desk: the front door, and all that works behind it."""

import asyncio
import logging
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from agents import Model

from core.agent import SupportAgent
from core.audit_chain import Anchor, AuditChain
from core.clock import now
from core.config import Settings
from core.customers import find_customer
from core.delivery import Deliveries
from core.errors import ChangedError, ConfigError, StoreError
from core.history import Histories, read_items
from core.intake import Intake
from core.kit import Kit
from core.lanes import Lanes
from core.models import Accepted, ConversationRef, Event, Item, Standing
from core.notes import PlatformNotes
from core.opening import Opener
from core.personal.masking import PersonalData
from core.places import Places
from core.ports import Platform, Recogniser, Sealer, Store
from core.queries import BranchesOf, SessionById
from core.retention import expiry
from core.scene import branch_name
from core.standing import standing_of
from core.summing import Summaries
from core.turns import Turns
from core.turnstile import Turnstile
from core.worker import Workers
from core.writer import GroupWriter

log = logging.getLogger(__name__)

POLL_SECONDS = 1.0
SWEEP_SECONDS = 3600.0
STOP_SECONDS = 8.0


class Desk:
    """Answers what platforms hand in. Enter it to start; what an earlier desk left unfinished is taken up."""

    def __init__(  # noqa: PLR0913 - the parts a desk is made of
        self,
        *,
        settings: Settings,
        store: Store,
        sealer: Sealer,
        model: Model,
        platforms: Sequence[Platform],
        stand_in: bool = False,
        anchor: Anchor | None = None,
        recognisers: Sequence[Recogniser] = (),
    ) -> None:
        """The store is the desk's alone while it runs; it is not closed by the desk.

        The end of the audit log is kept with `anchor`; `recognisers` find kinds of personal data that the desk does not
        know by itself.

        With `stand_in` the first answer of each conversation says that no language model wrote it. Raises ConfigError
        where the settings ask for what a platform does not have.
        """
        _check_strategies(settings, platforms)
        self._settings = settings
        self.writer = GroupWriter(AuditChain(store, sealer, anchor))
        personal = PersonalData(settings.personal_data, recognisers)
        self._kit = Kit(
            settings=settings,
            store=store,
            sealer=sealer,
            writer=self.writer,
            places=Places(settings, store=store, sealer=sealer, writer=self.writer),
            histories=Histories(store, sealer),
            summaries=Summaries(settings, model, personal),
            personal=personal,
            turnstile=Turnstile(),
            stand_in=stand_in,
        )
        self._lanes = Lanes(store, self.writer, lease=settings.work.lease_seconds)
        by_name = {platform.name: platform for platform in platforms}
        for platform in platforms:
            notes = PlatformNotes(platform.name, store=store, sealer=sealer, writer=self.writer, personal=personal)
            platform.remember_in(notes)
        self._deliveries = Deliveries(self._kit, by_name)
        self._intake = Intake(self._kit, self._lanes, self._deliveries)
        turns = Turns(self._kit, SupportAgent(settings, model, personal))
        self._workers = Workers(self._kit, self._lanes, turns, self._deliveries, Opener(self._kit, by_name))
        self._chores: list[asyncio.Task[None]] = []
        self._open = False

    async def __aenter__(self) -> Self:
        """Take over all lanes, post what was left, and begin to work."""
        await self.writer.__aenter__()
        await self._lanes.free_all()
        await self._deliveries.resume()
        self._open = True
        self._chores = [asyncio.create_task(chore()) for chore in (self._poll, self._renew, self._sweep)]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take no more in, finish or give back what runs, and stop."""
        self._open = False
        await self._workers.stop(within=STOP_SECONDS / 2)
        await self._deliveries.stop(within=STOP_SECONDS / 2)
        for chore in self._chores:
            chore.cancel()
        await asyncio.gather(*self._chores, return_exceptions=True)
        await self._lanes.give_back_all()
        await self.writer.__aexit__(kind, error, trace)

    async def accept(self, event: Event) -> Accepted:
        """Take an event in: durable when this returns, and worked soon after. Raises StoreError when it is not."""
        if not self._open:
            raise StoreError("the desk is stopping and takes nothing more in")
        taken = await self._intake.take(event)
        if taken.lane is not None:
            self._workers.work(taken.lane, taken.row)
        if taken.stopped is not None:
            self._workers.stop_turn(taken.session, taken.stopped)
        return taken.accepted

    def try_again(self, platform: str, workspace: str) -> None:
        """Post at once what waits for a platform's workspace: what was in the way is gone."""
        self._deliveries.try_again(platform, workspace)

    async def standing_of(self, ref: ConversationRef) -> Standing:
        """How the person of a ref stands with the desk: for their own eyes."""
        return await standing_of(self._kit.store, self._kit.sealer, ref)

    async def knows(self, ref: ConversationRef) -> bool:
        """Whether the person of a ref was here before."""
        return await find_customer(self._kit.store, self._kit.sealer, ref) is not None

    async def items_at(self, ref: ConversationRef) -> list[Item]:
        """All history items of the conversation a ref means now, on its current branch."""
        key = self._kit.sealer.lookup("session", await self._kit.places.name_at(ref))
        rows = await self._kit.store.read(SessionById(key))
        return await read_items(self._kit.store, self._kit.sealer, rows[0].head, rows[0].depth) if rows else []

    async def branches_at(self, ref: ConversationRef) -> list[str]:
        """The names of the branches of the conversation a ref means now, for those who are in it."""
        store, sealer = self._kit.store, self._kit.sealer
        sessions = await store.read(SessionById(sealer.lookup("session", await self._kit.places.name_at(ref))))
        rows = await store.read(BranchesOf(sessions[0].id)) if sessions else []
        return [branch_name(sealer, sessions[0], row.name, row.body) for row in rows]

    async def drain(self) -> None:
        """Wait until nothing is queued and nothing is left to post."""
        while True:
            await self._workers.idle()
            await self._deliveries.drain()
            await self._workers.claim()
            if self._workers.is_idle and self._deliveries.is_idle:
                return

    async def _poll(self) -> None:
        """The net under the wake-ups: lanes that were left, by a crash or a store that failed, are taken up."""
        while True:
            try:
                await self._workers.claim()
            except StoreError:
                log.exception("the store does not answer")
            await asyncio.sleep(POLL_SECONDS)

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(self._settings.work.lease_seconds / 3)
            try:
                if not self._workers.is_idle:
                    await self._lanes.renew()
            except StoreError:
                log.exception("leases were not renewed: the store does not answer")

    async def _sweep(self) -> None:
        while self._settings.retention.conversation_days:
            try:
                await self._expire()
            except StoreError:
                log.exception("old conversations were not deleted: the store does not answer")
            await asyncio.sleep(SWEEP_SECONDS)

    async def _expire(self) -> None:
        for commit in await expiry(self._kit.store, self._kit.sealer, self._settings.retention, at=now()):
            try:
                await self.writer.commit(commit)
            except ChangedError:
                log.info("an old conversation was taken up again just now: it is kept")


def _check_strategies(settings: Settings, platforms: Sequence[Platform]) -> None:
    for name, strategy in settings.strategies:
        for platform in platforms:
            if strategy == "device" and not platform.names_devices:
                raise ConfigError(
                    f"strategies.{name}: 'device' was found, but {platform.name} names no devices; "
                    "allowed there: user, conversation, ticket"
                )
