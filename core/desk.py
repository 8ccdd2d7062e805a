"""The desk: the front door, and all that works behind it."""

import asyncio
import logging
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from agents import Model

from core.agent import SupportAgent
from core.audit_chain import Anchor, AuditChain
from core.budgets import Budgets
from core.chores import Chores
from core.config import Settings
from core.counted import Counted, NoMetrics
from core.customers import find_customer
from core.delivery import Deliveries
from core.errors import ConfigError, StoreError
from core.history import Histories, read_items
from core.holds import Holds
from core.intake import Intake
from core.kit import Kit
from core.lanes import Lanes
from core.leaving import Leaving
from core.models import Accepted, ConversationRef, Event, Item, Standing
from core.notes import PlatformNotes
from core.opening import Opener
from core.outlets import Outlets
from core.personal.masking import PersonalData
from core.places import Places
from core.ports import Metrics, Platform, Recogniser, Sealer, Store
from core.queries.branches import BranchesOf
from core.queries.counts import Backlog, BacklogRow
from core.queries.people import SessionById
from core.room import Room
from core.run_spans import RunSpans
from core.scene import branch_name
from core.standing import standing_of
from core.summing import Summaries
from core.traces import span
from core.turns import Turns
from core.turnstile import Turnstile
from core.wakes import LANES, PIECES, Wakes
from core.worker import Workers
from core.working import short
from core.writer import GroupWriter

log = logging.getLogger(__name__)

STOP_SECONDS = 8.0
GATHER_SECONDS = 0.025
"""How long a busy desk lets commits to a server come together; where it is as busy as that, a turn takes far longer."""
LOOK_SECONDS = 0.05
"""How often it is looked whether other processes have worked what is waited for."""


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
        absent: Sequence[Platform] = (),
        stand_in: bool = False,
        anchor: Anchor | None = None,
        recognisers: Sequence[Recogniser] = (),
        metrics: Metrics | None = None,
        spans: RunSpans | None = None,
    ) -> None:
        """The store is the desk's alone while it runs, unless it is a shared one; it is not closed by the desk.

        Events of `absent` platforms are worked here too, and what is said there is left to a desk that speaks them. The
        end of the audit log is kept with `anchor`; `recognisers` find kinds of personal data that the desk does not
        know by itself. What happens is counted in `metrics`; runs of the agent are traced where there are
        `spans`.

        With `stand_in` the first answer of each conversation says that no language model wrote it. Raises ConfigError
        where the settings ask for what a platform does not have.
        """
        _check_strategies(settings, platforms)
        _check_work(settings, store)
        self._settings = settings
        writes = AuditChain(store, sealer, anchor)
        gather = GATHER_SECONDS if store.shared else 0.0
        self.writer = GroupWriter(writes if metrics is None else Counted(writes, metrics), gather=gather)
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
            budgets=Budgets(settings, store, self.writer),
            stand_in=stand_in,
            metrics=metrics or NoMetrics(),
            anchor=anchor,
        )
        lease, self._wakes = settings.work.lease_seconds, Wakes(store)
        self._lanes = Lanes(store, self.writer, lease=lease)
        self._outlets = Outlets(store, self.writer, worker=self._lanes.worker, lease=lease)
        by_name = {platform.name: platform for platform in platforms}
        for platform in (*platforms, *absent):
            notes = PlatformNotes(platform.name, store=store, sealer=sealer, writer=self.writer, personal=personal)
            platform.remember_in(notes)
        self._deliveries = Deliveries(self._kit, by_name, self._outlets, self._wakes)
        room = Room(settings.work.turns_at_once if store.shared else None)
        self._intake = Intake(self._kit, self._lanes, self._deliveries, room, self._wakes)
        self._leaving = Leaving(self._kit, by_name, self._wakes)
        self._workers = Workers(
            kit=self._kit,
            lanes=self._lanes,
            turns=Turns(self._kit, SupportAgent(settings, model, personal, spans)),
            deliveries=self._deliveries,
            opener=Opener(self._kit, {**{other.name: other for other in absent}, **by_name}, self._outlets),
            room=room,
            wakes=self._wakes,
        )
        self._shared = store.shared
        self._holds, self._names = Holds(self._lanes, self._outlets), tuple(by_name)
        self._chores = Chores(self._kit, self._holds, self._workers, self._deliveries, self._wakes)
        self._open = False

    async def __aenter__(self) -> Self:
        """Take over all lanes of a store that is this desk's alone, post what was left, and begin to work."""
        await self.writer.__aenter__()
        if self._shared:
            await self._wakes.open()
        else:
            await self._lanes.free_all()
        # Before what was left is posted: nothing more goes to who is to be forgotten.
        await self._chores.finish_forgetting()
        await self._deliveries.resume()
        self._open = True
        self._chores.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take no more in, finish or give back what runs, and stop."""
        self._open = False
        await self._workers.stop(within=STOP_SECONDS / 2)
        await self._deliveries.stop(within=STOP_SECONDS / 2)
        await self._chores.stop()
        await self._give_back()
        await self.writer.__aexit__(kind, error, trace)

    async def accept(self, event: Event) -> Accepted:
        """Take an event in: durable when this returns, and worked soon after. Raises StoreError when it is not."""
        if not self._open:
            raise StoreError("the desk is stopping and takes nothing more in")
        with span("accept") as own:
            taken = await self._intake.take(event)
            row = taken.row or taken.queued
            own.set_attributes({"desk.event": row.id if row else "", "desk.session": short(taken.session)})
        self._kit.metrics.accepted(taken.accepted.value)
        if taken.lane is not None:
            self._workers.work(taken.lane, taken.row)
        elif self._shared and taken.queued and taken.event and not self._workers.holds(taken.session):
            self._leaving.leave(taken.queued, taken.event)
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

    async def backlog(self) -> BacklogRow:
        """What waits in the store now, of all processes. Raises StoreError."""
        (row,) = await self._kit.store.read(Backlog())
        return row

    async def drain(self) -> None:
        """Wait until nothing is queued and nothing is left to post."""
        while True:
            await self._workers.idle()
            await self._deliveries.drain()
            done = not self._shared or await self._leaving.are_done()
            await self._chores.take_up()
            if self._workers.is_idle and self._deliveries.is_idle:
                if done:
                    return
                await asyncio.sleep(LOOK_SECONDS)

    async def until_outdated(self) -> None:
        """Wait until a newer version of the desk has changed the store, which this one must not work any more.

        Raises SchemaError then.
        """
        await self._chores.until_outdated()

    async def _give_back(self) -> None:
        await self._leaving.stop()
        await self.writer.commit(self._holds.giving_back())
        self._wakes.tell(LANES)
        for name in self._names:
            self._wakes.tell(PIECES, name)
        await self._wakes.close()


def _check_strategies(settings: Settings, platforms: Sequence[Platform]) -> None:
    for name, strategy in settings.strategies:
        for platform in platforms:
            if strategy == "device" and not platform.names_devices:
                raise ConfigError(
                    f"strategies.{name}: 'device' was found, but {platform.name} names no devices; "
                    "allowed there: user, conversation, ticket"
                )


def _check_work(settings: Settings, store: Store) -> None:
    if not (settings.work.turns_at_once or store.shared):
        raise ConfigError(
            "work.turns_at_once: 0 was found, and no other process can work this store; allowed here: 1 or more"
        )
