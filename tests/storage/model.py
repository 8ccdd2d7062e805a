"""What a store promises, as plain dictionaries: commits one after the other, each whole or not at all."""

import re
from copy import deepcopy
from dataclasses import dataclass, field

from core.errors import ChangedError, ConflictError, FencedError, RefusedError, StoppedError
from core.records import RECORDS

_CAPITAL = re.compile(r"(?<!^)([A-Z])")


@dataclass
class Session:
    branch: bytes
    version: int = 1
    revision: int = 0
    branches: dict = field(default_factory=dict)  # name -> [head, forked]
    moves: list = field(default_factory=list)  # (branch, from, to, kind)


@dataclass
class Turn:
    session: bytes
    parent: str | None
    depth: int
    items: dict = field(default_factory=dict)


@dataclass
class Event:
    id: str
    key: bytes
    session: bytes
    kind: str
    status: str = "queued"
    attempts: int = 0
    stopped: int = 0
    body: bytes = b""


@dataclass
class Lane:
    epoch: int = 0
    worker: str | None = None
    held: bool = False


@dataclass
class Outlet:
    epoch: int = 0
    worker: str | None = None
    held: bool = False


class Model:
    def __init__(self):
        self.sessions, self.turns, self.lanes, self.tickets = {}, {}, {}, {}
        self.inbox, self.changes, self.usage, self.counters = [], [], {}, {}
        self.outlets, self.outbox = {}, {}

    def write(self, commits):
        return [self.commit(commit) for commit in commits]

    def commit(self, commit):
        before = deepcopy(self.__dict__)
        rows = {}
        try:
            for record in sorted(commit, key=lambda record: RECORDS.index(type(record))):
                rows[id(record)] = getattr(self, _CAPITAL.sub(r"_\1", type(record).__name__).lower())(record)
        except RefusedError as error:
            self.__dict__ = before
            return error
        return tuple(rows[id(record)] for record in commit if record.returns)

    # --- what is asked ---

    def chain(self, head):
        """The turns from the head back to the first one."""
        turns = []
        while head in self.turns:
            turns.append(head)
            head = self.turns[head].parent
        return turns

    def window(self, head, count):
        newest = reversed(self.chain(head)[:count])
        return [(turn, seq, body) for turn in newest for seq, body in sorted(self.turns[turn].items.items())]

    def queue(self, session):
        return [event for event in self.inbox if event.session == session and event.status == "queued"]

    def open_at(self, place):
        return [key for key, (at, status) in self.outbox.items() if at == place and status in ("pending", "sending")]

    def waiting_outlets(self, worker):
        places = dict.fromkeys(place for place, _ in self.outbox.values() if self.open_at(place))
        outlets = {place: self.outlets.get(place, Outlet()) for place in places}
        waiting = [place for place, outlet in outlets.items() if not outlet.held or outlet.worker == worker]
        return sorted(waiting, key=lambda place: list(self.outbox).index(self.open_at(place)[0]))

    def find(self, id_):
        return next(event for event in self.inbox if event.id == id_)

    # --- what is written: one method per record, of the same name ---

    def lane_is(self, r):
        if r.session not in self.lanes or self.lanes[r.session].epoch != r.epoch:
            raise FencedError

    def not_stopped(self, r):
        if self.find(r.event).stopped:
            raise StoppedError

    def session_at(self, r):
        if r.session not in self.sessions or self.sessions[r.session].version != r.version:
            raise ChangedError

    def ticket_at(self, r):
        if r.ticket not in self.tickets or self.tickets[r.ticket]["version"] != r.version:
            raise ChangedError

    def reserve(self, r):
        self.counters[r.name] = self.counters.get(r.name, r.start - 1) + 1
        return [(self.counters[r.name],)]

    def add_session(self, r):
        self.sessions.setdefault(r.id, Session(r.branch))

    def ensure_main(self, r):
        self.sessions[r.session].branches.setdefault(r.name, [None, None])

    def add_event(self, r):
        if any(event.key == r.key for event in self.inbox):
            return []
        self.inbox.append(Event(r.id, r.key, r.session, r.kind, body=r.body))
        self.lanes.setdefault(r.session, Lane())
        return [("some seq",)]

    def claim_lane(self, r):
        lane = self.lanes.get(r.session)
        if lane is None or not self.queue(r.session) or lane.held:
            return []
        lane.epoch, lane.worker, lane.held = lane.epoch + 1, r.worker, r.lease > 0
        self.queue(r.session)[0].attempts += 1
        return [(lane.epoch, len(self.queue(r.session)))]

    def renew_lanes(self, r):
        for lane in self.lanes.values():
            if lane.worker == r.worker:
                lane.held = r.lease > 0

    def free_lanes(self, r):
        for lane in self.lanes.values():
            if lane.worker is not None:
                lane.epoch, lane.worker, lane.held = lane.epoch + 1, None, False

    def mark_stop(self, r):
        ids = [event.id for event in self.inbox]
        oldest = self.queue(r.session)[:1]
        if not oldest or oldest[0].stopped or r.before not in ids:
            return []
        if ids.index(oldest[0].id) >= ids.index(r.before):
            return []
        oldest[0].stopped = 1
        return [(oldest[0].id,)]

    def move_event(self, r):
        if self.find(r.event).status == "queued":
            self.find(r.event).session = r.session
            self.lanes.setdefault(r.session, Lane())

    def put_event(self, r):
        if self.find(r.id).status == "queued":
            self.find(r.id).body = r.body

    def finish_event(self, r):
        if self.find(r.id).status == "queued":
            self.find(r.id).status = r.status

    def give_back_attempt(self, r):
        self.find(r.id).attempts = max(0, self.find(r.id).attempts - 1)

    def give_back_lanes(self, r):
        for session, lane in self.lanes.items():
            if lane.worker == r.worker:
                lane.worker, lane.held = None, False
                for event in self.queue(session)[:1]:
                    event.attempts = max(0, event.attempts - 1)

    def count_attempt(self, r):
        if self.lanes[r.session].worker == r.worker:
            for event in self.queue(r.session)[:1]:
                event.attempts += 1

    def release_lane(self, r):
        lane = self.lanes[r.session]
        if lane.epoch != r.epoch:
            return []
        if r.always or not self.queue(r.session):
            lane.worker, lane.held = None, False
        return [(len(self.queue(r.session)), lane.worker)]

    def add_turn(self, r):
        if r.session not in self.sessions:
            raise ChangedError
        self.turns[r.id] = Turn(r.session, r.parent, r.depth)

    def add_item(self, r):
        self.turns[r.turn].items[r.seq] = r.body

    def drop_item(self, r):
        self.turns[r.turn].items.pop(r.seq, None)

    def rewrite_item(self, r):
        if r.turn in self.turns and r.seq in self.turns[r.turn].items:
            self.turns[r.turn].items[r.seq] = r.body

    def bump_revision(self, r):
        self.sessions[r.session].revision += 1
        self.sessions[r.session].version += 1

    def add_branch(self, r):
        if r.name in self.sessions[r.session].branches:
            raise ConflictError
        self.sessions[r.session].branches[r.name] = [r.head, r.forked]

    def drop_branch(self, r):
        session = self.sessions[r.session]
        session.branches.pop(r.name, None)
        session.moves = [move for move in session.moves if move[0] != r.name]

    def drop_turn(self, r):
        self.turns.pop(r.id, None)

    def move_head(self, r):
        session = self.sessions[r.session]
        if r.branch not in session.branches:
            raise ChangedError
        session.branches[r.branch][0] = r.to_turn
        session.moves.append((r.branch, r.from_turn, r.to_turn, r.kind))
        session.version += 1

    def switch_branch(self, r):
        session = self.sessions[r.session]
        if r.branch not in session.branches:
            raise ChangedError
        session.branch = r.branch
        session.version += 1

    def clear_session(self, r):
        session = self.sessions[r.session]
        self.turns = {id_: turn for id_, turn in self.turns.items() if turn.session != r.session}
        session.branches = {r.branch: [None, None]} if r.branch in session.branches else {}
        session.moves, session.branch = [], r.branch
        session.version, session.revision = session.version + 1, session.revision + 1

    def add_ticket(self, r):
        if r.id in self.tickets or any(ticket["number"] == r.number for ticket in self.tickets.values()):
            raise ConflictError
        self.tickets[r.id] = {"number": r.number, "version": 1, "priority": r.priority}

    def put_ticket(self, r):
        if r.id in self.tickets:
            self.tickets[r.id] |= {"version": r.version, "priority": r.priority}

    def add_ticket_change(self, r):
        if r.ticket not in self.tickets:
            raise ChangedError
        self.changes.append((r.ticket, r.id))

    def book_usage(self, r):
        self.usage[r.id] = (r.session, r.turn, r.branch, r.requests)

    def outlet_is(self, r):
        if r.place not in self.outlets or self.outlets[r.place].epoch != r.epoch:
            raise FencedError

    def mark_delivery(self, r):
        if r.key in self.outbox:
            self.outbox[r.key] = (self.outbox[r.key][0], r.status)

    def release_outlet(self, r):
        outlet = self.outlets.get(r.place)
        if outlet is not None and outlet.epoch == r.epoch and (r.always or not self.open_at(r.place)):
            outlet.worker, outlet.held = None, False

    def claim_outlet(self, r):
        outlet = self.outlets.setdefault(r.place, Outlet())
        if outlet.held and outlet.worker != r.worker:
            return []
        outlet.epoch += outlet.worker != r.worker
        outlet.worker, outlet.held = r.worker, r.lease > 0
        return [(outlet.epoch, len(self.open_at(r.place)))]

    def renew_outlets(self, r):
        for outlet in self.outlets.values():
            if outlet.worker == r.worker:
                outlet.held = r.lease > 0

    def give_back_outlets(self, r):
        for outlet in self.outlets.values():
            if outlet.worker == r.worker:
                outlet.worker, outlet.held = None, False

    def add_delivery(self, r):
        if r.key in self.outbox:
            raise ConflictError
        self.outbox[r.key] = (r.place, r.status)

    def replace_usage(self, r):
        key = (r.session, r.turn, r.branch)
        self.usage = {id_: call for id_, call in self.usage.items() if call[:3] != key}
