"""A store and a sealer to write customers, sessions and turns into, without a desk."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from adapters.sealing import MasterKey, open_sealer
from adapters.storage import open_store
from core.audit_chain import AuditChain
from core.clock import as_time
from core.config import TierSettings
from core.customers import new_customer
from core.ids import new_id
from core.models import MAIN, ConversationRef, Customer, Profile
from core.ports import Sealer, Store
from core.queries.people import SessionById, SessionRow
from core.records.people import AddSession
from core.records.record import Record
from core.records.turns import AddItem, AddTurn, EnsureMain, MoveHead
from core.sealed import branch_row, item_row, row_of, seal_json
from core.stage import Stage
from core.tickets import load_tickets, staged_records
from core.writer import GroupWriter

Act = Callable[[Stage], Awaitable[Any]]


@dataclass
class Books:
    """Writes what a desk would write; `at` is the time of the next record, one second later each."""

    store: Store
    sealer: Sealer
    writer: GroupWriter
    numbers: dict[str, int] = field(default_factory=dict)
    at: int = 1_700_000_000_000_000

    def tick(self) -> int:
        self.at += 1_000_000
        return self.at

    async def commit(self, *records: Record) -> Any:
        return await self.writer.commit(tuple(records))

    async def customer(self, user: str, *, workspace: str = "local") -> Customer:
        ref = ConversationRef("terminal", workspace, user, user)
        profile = Profile(name=user.title())
        customer, records = await new_customer(self.sealer, ref, profile, tiers=TierSettings(), at=self.tick())
        await self.commit(*records)
        return customer

    async def session(self, name: str, owner: Customer) -> SessionRow:
        key, main = self.sealer.lookup("session", name), self.sealer.lookup("branch", MAIN)
        at = self.tick()
        body = seal_json(self.sealer, "session", owner.id, row_of(key), {"id": name})
        branch = seal_json(self.sealer, "branch", owner.id, branch_row(key, main), MAIN)
        await self.commit(
            AddSession(key, owner.workspace, owner.id, "user", main, at, body), EnsureMain(key, main, at, branch)
        )
        return await self.read_session(key)

    async def read_session(self, key: bytes) -> SessionRow:
        return (await self.store.read(SessionById(key)))[0]

    async def stage(self, customer: Customer, *, session: str = "terminal/local/dm/alice") -> Stage:
        async def reserve() -> int:
            self.numbers[customer.workspace] = self.numbers.get(customer.workspace, 1000) + 1
            return self.numbers[customer.workspace]

        stage = Stage(new_id(), session, customer, reserve, as_time(self.at))
        stage.load(await load_tickets(self.store, self.sealer, customer.id))
        return stage

    async def act(self, customer: Customer, *acts: Act) -> str:
        """A turn that only does something to tickets; returns its id."""
        stage = await self.stage(customer)
        for act in acts:
            await act(stage)
        await self.commit(*staged_records(stage, self.sealer, actor=customer.id, at=self.tick()))
        return stage.turn

    async def say(  # noqa: PLR0913  as many as a turn has parts
        self,
        session: bytes,
        customer: Customer,
        said: str,
        answered: str = "",
        *,
        items: Sequence[dict[str, Any]] = (),
        status: str = "done",
        turn: str | None = None,
    ) -> str:
        """A turn with words; its session's head moves to it where it is done. Returns its id."""
        row, turn, at = await self.read_session(session), turn or new_id(), self.tick()
        value = {"said": said, "answered": answered, "name": customer.name, "files": [], "quotes": []}
        records: list[Record] = [
            AddTurn(
                id=turn,
                session=session,
                parent=row.head,
                depth=row.depth + 1,
                status=status,
                speaker=customer.id,
                agent="triage",
                event=turn,
                at=at,
                body=seal_json(self.sealer, "turn", customer.id, turn, value),
            )
        ]
        for seq, item in enumerate(items):
            body = seal_json(self.sealer, "item", customer.id, item_row(turn, seq), item)
            records.append(AddItem(turn, seq, body))
        if status == "done":
            records.append(MoveHead(session, row.branch, row.head, turn, "turn", customer.id, at))
        await self.commit(*records)
        return turn

    async def undo(self, session: bytes, to: str | None, actor: str) -> None:
        row = await self.read_session(session)
        await self.commit(MoveHead(session, row.branch, row.head, to, "undo", actor, self.tick()))


@asynccontextmanager
async def open_books(url: str = "memory:") -> AsyncIterator[Books]:
    async with (
        open_store(url) as store,
        open_sealer(":memory:", MasterKey(bytes(32)), fresh=True) as sealer,
        GroupWriter(AuditChain(store, sealer)) as writer,
    ):
        yield Books(store, sealer, writer)


def opening(subject: str = "no ink", priority: Any = "normal") -> Act:
    return lambda stage: stage.open_ticket(new_id(), subject=subject, description=subject, priority=priority)


def doing(name: str, *args: Any) -> Act:
    async def act(stage: Stage) -> None:
        getattr(stage, name)(*args)

    return act
