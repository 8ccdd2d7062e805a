"""Random batches of everything a desk writes, on a store and on a plain model of it, which never differ."""

import asyncio
import tempfile
from contextlib import AsyncExitStack

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from adapters.storage import open_store
from core.errors import RefusedError
from core.queries.bill import UsageByTurnOfBranch
from core.queries.branches import BranchesOf, MovesOf
from core.queries.lanes import LaneById, NextEvent
from core.queries.outbox import OpenAt, OutletAt, WaitingOutlets
from core.queries.people import SessionById
from core.queries.tickets import ChangesOf, TicketsOf
from core.queries.turns import TurnsOf, WindowOf
from core.records.bill import ReplaceUsage
from core.records.guards import LaneIs, NotStopped, OutletIs, SessionAt, TicketAt
from core.records.lanes import (
    AddEvent,
    ClaimLane,
    CountAttempt,
    FinishEvent,
    FreeLanes,
    GiveBackAttempt,
    GiveBackLanes,
    MarkStop,
    MoveEvent,
    ReleaseLane,
    RenewLanes,
)
from core.records.outbox import ClaimOutlet, GiveBackOutlets, MarkDelivery, ReleaseOutlet, RenewOutlets
from core.records.people import Reserve
from core.records.tickets import PutTicket
from core.records.turns import (
    AddItem,
    BumpRevision,
    ClearSession,
    DropBranch,
    DropItem,
    DropTurn,
    RewriteItem,
    SwitchBranch,
)
from tests.storage.conftest import BACKENDS
from tests.storage.model import Model
from tests.storage.samples import (
    HOUR,
    MAIN_BRANCH,
    OVER,
    branch,
    change,
    delivery,
    event,
    move,
    session,
    ticket,
    turn,
    usage,
)

SESSIONS = (b"s1", b"s2")
BRANCHES = (MAIN_BRANCH, b"b1", b"b2")
WORKERS = ("w1", "w2")
PLACES = (b"p1", b"p2")
TICKETS = ("k1", "k2")
ALL = 10_000


class Commits:
    """Draws commits as a desk would make them from what the model holds, some on a state that has passed."""

    def __init__(self, model, draw):
        self.model = model
        self.draw = draw
        self.made = 0

    def any(self):
        name = self.pick("say", "say", "undo", "branch", "switch", "drop_branch", "rewrite", "pop", "clear", "accept")
        other = self.pick(
            name,
            name,
            "claim",
            "finish",
            "give_back",
            "open_ticket",
            "change_ticket",
            "book",
            "reserve",
            "post",
            "mark",
        )
        return getattr(self, other)()

    def pick(self, *values):
        return self.draw(st.sampled_from(values))

    def new(self, letter):
        self.made += 1
        return f"{letter}{self.made:05}"

    def session(self):
        return self.pick(*SESSIONS)

    def guard(self, name):
        """The session's version as it was before the batch, or no guard."""
        return self.pick((), (SessionAt(name, self.model.sessions[name].version),))

    def place(self):
        """A session, one of the branch names, and the head it has there."""
        name, branch_ = self.session(), self.pick(*BRANCHES)
        return name, branch_, self.model.sessions[name].branches.get(branch_, [None])[0]

    def turn_of(self, name):
        turns = [id_ for id_, turn_ in self.model.turns.items() if turn_.session == name]
        return self.pick(None, *turns)

    # --- turns ---

    def say(self):
        name, branch_, head = self.place()
        id_ = self.new("t")
        depth = self.model.turns[head].depth + 1 if head in self.model.turns else 1
        items = [AddItem(id_, seq, f"{id_}.{seq}".encode()) for seq in range(self.draw(st.integers(0, 3)))]
        said = turn(id_, session=name, parent=head, depth=depth)
        return (*self.guard(name), said, *items, move(id_, head, session=name, branch=branch_))

    def undo(self):
        name, branch_, head = self.place()
        parent = self.model.turns[head].parent if head in self.model.turns else None
        return (*self.guard(name), move(parent, head, session=name, branch=branch_, kind="undo"))

    def branch(self):
        name = self.session()
        fork = self.turn_of(name)
        return (branch(self.pick(*BRANCHES), session=name, head=fork, forked=fork),)

    def switch(self):
        name = self.session()
        return (*self.guard(name), SwitchBranch(name, self.pick(*BRANCHES)))

    def drop_branch(self):
        name = self.session()
        return (*self.guard(name), DropBranch(name, self.pick(*BRANCHES)))

    def rewrite(self):
        name = self.session()
        id_, seq = self.turn_of(name) or "none", self.draw(st.integers(0, 3))
        return (RewriteItem(id_, seq, b"new"), BumpRevision(name))

    def pop(self):
        name, branch_, head = self.place()
        if head not in self.model.turns:
            return (BumpRevision(name),)
        if self.model.turns[head].items:
            return (DropItem(head, max(self.model.turns[head].items)), BumpRevision(name)) if self.pick(0, 1) else ()
        parent = self.model.turns[head].parent
        return (move(parent, head, session=name, branch=branch_, kind="pop"), DropTurn(head))

    def clear(self):
        name = self.session()
        return (*self.guard(name), ClearSession(name, MAIN_BRANCH)) if self.pick(0, 0, 1) else ()

    # --- lanes ---

    def accept(self):
        name, id_ = self.session(), self.new("e")
        key = name + str(self.draw(st.integers(0, 9))).encode()
        claim = self.pick((), (self.claim_of(name),))
        queued = event(id_, key=key, session=name, kind=self.pick("message", "message", "command"))
        return (queued, *claim, *self.pick((), (MarkStop(name, id_),)))

    def claim_of(self, name):
        return ClaimLane(name, self.pick(*WORKERS), self.pick(HOUR, OVER))

    def claim(self):
        return (self.claim_of(self.session()),)

    def finish(self):
        name = self.session()
        queue = self.model.queue(name)
        if not queue:
            return ()
        lane, oldest = self.model.lanes[name], queue[0]
        moved = [MoveEvent(later.id, self.session()) for later in queue[1:] if self.pick(0, 0, 0, 1)]
        return (
            LaneIs(name, lane.epoch - self.pick(0, 0, 0, 1)),
            *self.pick((), (NotStopped(oldest.id),)),
            *moved,
            FinishEvent(oldest.id, self.pick("done", "parked")),
            CountAttempt(name, self.pick(*WORKERS)),
            ReleaseLane(name, lane.epoch, self.pick(0, 1)),
        )

    def give_back(self):
        name = self.session()
        running = [held for held in self.model.queue(name) if held.attempts]
        if not running:
            return ()
        epoch = self.model.lanes[name].epoch
        return (LaneIs(name, epoch), GiveBackAttempt(running[0].id), ReleaseLane(name, epoch, 1))

    # --- outlets ---

    def post(self):
        place = self.pick(*PLACES)
        claim = ClaimOutlet(place, "terminal", self.pick(*WORKERS), self.pick(HOUR, OVER))
        pieces = [delivery(self.new("d"), place=place) for _ in range(self.draw(st.integers(0, 2)))]
        return (*self.pick((), (claim,)), *pieces)

    def mark(self):
        place = self.pick(*PLACES)
        outlet, pieces = self.model.outlets.get(place), self.model.open_at(place)
        if outlet is None or not pieces:
            return ()
        epoch = outlet.epoch - self.pick(0, 0, 0, 1)
        marked = MarkDelivery(pieces[0], self.pick("sending", "sent", "failed"), None)
        return (*self.pick((), (OutletIs(place, epoch),)), marked, ReleaseOutlet(place, epoch, self.pick(0, 0, 1)))

    # --- tickets, usage, numbers ---

    def open_ticket(self):
        id_ = self.pick(*TICKETS)
        return (ticket(id_, number=self.pick(1, 2)), change(self.new("h"), ticket=id_))

    def change_ticket(self):
        id_ = self.pick(*TICKETS)
        version = self.model.tickets.get(id_, {"version": 1})["version"]
        put = PutTicket(id_, "open", self.pick("low", "high"), version + 1, 2, b"new")
        return (TicketAt(id_, version), put, change(self.new("h"), ticket=id_, version=version + 1))

    def book(self):
        name, branch_, head = self.place()
        call = usage(self.new("u"), session=name, turn=head, branch=branch_, requests=self.draw(st.integers(0, 9)))
        return (*self.pick((), (ReplaceUsage(name, head or "", branch_),)), call)

    def reserve(self):
        return (Reserve(self.pick("n", "m"), 5),)


class StoreMachine(RuleBasedStateMachine):
    backend: str

    @initialize()
    def open(self):
        self.runner = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory()
        self.model = Model()
        self.made = 0
        self.run(self.open_store())
        self.write([session(name) for name in SESSIONS])

    def teardown(self):
        if hasattr(self, "runner"):
            self.run(self.stack.aclose())
            self.runner.close()
            self.folder.cleanup()

    def run(self, work):
        return self.runner.run(work)

    async def open_store(self):
        self.stack = AsyncExitStack()
        self.store = await self.stack.enter_async_context(open_store(BACKENDS[self.backend](self.folder.name)))

    @rule(data=st.data(), size=st.integers(1, 6))
    def write_a_batch(self, data, size):
        commits = Commits(self.model, data.draw)
        commits.made = self.made
        batch = [commits.any() for _ in range(size)]
        self.made = commits.made
        self.write(batch)

    @rule(worker=st.sampled_from(WORKERS), lease=st.sampled_from((HOUR, OVER)))
    def renew(self, worker, lease):
        self.write([(RenewLanes(worker, lease), RenewOutlets(worker, lease))])

    @rule()
    def free_all_lanes(self):
        self.write([(FreeLanes(),)])

    @rule(worker=st.sampled_from(WORKERS))
    def a_worker_gives_back_what_it_holds(self, worker):
        self.write([(GiveBackLanes(worker), GiveBackOutlets(worker))])

    @precondition(lambda self: self.backend != "memory")
    @rule()
    def reopen(self):
        self.run(self.stack.aclose())
        self.run(self.open_store())
        self.run(self.compare())

    def write(self, batch):
        expected = self.model.write(batch)
        found = self.run(self.store.write(batch))
        assert list(map(told, batch, found)) == list(map(told, batch, expected))
        self.run(self.compare())

    async def compare(self):
        for name, expected in self.model.sessions.items():
            await self.compare_tree(name, expected)
            await self.compare_lane(name)
            await self.compare_usage(name)
        await self.compare_tickets()
        await self.compare_outlets()

    async def compare_tree(self, name, expected):
        (row,) = await self.store.read(SessionById(name))
        assert (row.branch, row.version, row.revision) == (expected.branch, expected.version, expected.revision)
        branches = await self.store.read(BranchesOf(name))
        assert {row.name: [row.head, row.forked] for row in branches} == expected.branches
        turns = sorted(id_ for id_, turn_ in self.model.turns.items() if turn_.session == name)
        assert [row.id for row in await self.store.read(TurnsOf(name))] == turns
        for branch_, (head, _) in expected.branches.items():
            moves = await self.store.read(MovesOf(name, branch_, ALL))
            noted = [(branch_, row.from_turn, row.to_turn, row.kind) for row in reversed(moves)]
            assert noted == [move_ for move_ in expected.moves if move_[0] == branch_]
            for count in (2, ALL):
                window = await self.store.read(WindowOf(head or "", count))
                assert [(row.turn, row.seq, row.body) for row in window] == self.model.window(head, count)

    async def compare_lane(self, name):
        queue = self.model.queue(name)
        lanes = [(row.pending, row.epoch, row.worker, row.held) for row in await self.store.read(LaneById(name))]
        expected = [
            (len(queue), lane.epoch, lane.worker, int(lane.held)) for lane in [self.model.lanes.get(name)] if lane
        ]
        assert lanes == expected
        oldest = [(row.id, row.attempts, bool(row.stopped)) for row in await self.store.read(NextEvent(name))]
        assert oldest == [(waits.id, waits.attempts, bool(waits.stopped)) for waits in queue[:1]]

    async def compare_outlets(self):
        for place in PLACES:
            outlets = [(row.epoch, row.worker, row.held) for row in await self.store.read(OutletAt(place))]
            expected = [self.model.outlets[place]] if place in self.model.outlets else []
            assert outlets == [(outlet.epoch, outlet.worker, int(outlet.held)) for outlet in expected]
            assert [row.key for row in await self.store.read(OpenAt(place, ALL))] == self.model.open_at(place)
        for worker in WORKERS:
            waiting = [row.place for row in await self.store.read(WaitingOutlets("terminal", worker, ALL))]
            assert waiting == self.model.waiting_outlets(worker)

    async def compare_usage(self, name):
        for branch_ in BRANCHES:
            sums = {}
            for session_, turn_, of_branch, requests in self.model.usage.values():
                if (session_, of_branch) == (name, branch_):
                    sums[turn_ or ""] = sums.get(turn_ or "", 0) + requests
            rows = await self.store.read(UsageByTurnOfBranch(name, branch_))
            assert {row.key: row.requests for row in rows} == sums

    async def compare_tickets(self):
        rows = await self.store.read(TicketsOf("c"))
        found = {row.id: {"number": row.number, "version": row.version, "priority": row.priority} for row in rows}
        assert found == self.model.tickets
        for id_ in self.model.tickets:
            changes = [row.id for row in reversed(await self.store.read(ChangesOf(id_, ALL)))]
            assert changes == [change_ for ticket_, change_ in self.model.changes if ticket_ == id_]


def told(commit, outcome):
    """An outcome without what only a store knows: sequence numbers, and the words of a refusal."""
    if isinstance(outcome, RefusedError):
        return type(outcome)
    asked = (type(record) for record in commit if record.returns)
    return [len(rows) if cls is AddEvent else rows for cls, rows in zip(asked, outcome, strict=True)]


def case_of(name):
    machine = type(f"{name}Machine", (StoreMachine,), {"backend": name})
    machine.TestCase.settings = settings(max_examples=settings().max_examples // 6, stateful_step_count=20)
    return machine.TestCase


globals().update({f"Test{name.title()}": case_of(name) for name in BACKENDS})
