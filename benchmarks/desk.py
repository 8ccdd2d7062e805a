"""The whole desk, accept to delivered, beside a bare streamed Runner with the same model, agents, tools and window."""

import asyncio
import os
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from statistics import median
from typing import Any

from agents import RunConfig, RunHooks, Runner
from agents.testing import ModelStep, ScriptedModel, assistant_message, function_call

from adapters.sealing import MasterKey, open_sealer
from adapters.storage import open_store
from benchmarks.page import tell
from core.agent import Answer, SupportAgent
from core.clock import as_time
from core.config import Settings
from core.context import SupportContext
from core.desk import Desk
from core.models import ConversationRef, Customer, Delivery, Item, Profile, Progress, TurnStatus, UserMessage
from core.personal.masking import PersonalData
from core.ports import Notes
from core.sealed import encode
from core.stage import Stage

ROUNDS = 7
COMPARED = (
    ("one customer, 40 turns and more", 1, 40, False),
    ("one customer, the first 12 turns", 1, 12, True),
    ("50 customers at once", 50, 2, False),
)


_NUMBERS = count()


def answer_like_a_model(call: Any) -> list[Any]:
    """One tool call, then a sentence: the same for everybody. A summary is asked for without tools."""
    last = call.input[-1]
    if not call.tools or (isinstance(last, dict) and last.get("type") == "function_call_output"):
        return [assistant_message("You have no open tickets. What else can I do for you today?")]
    # The Runner leaves out all but the newest of the calls that share an id.
    return [function_call("list_tickets", {}, call_id=f"call_{next(_NUMBERS)}")]


def scripted(turns: int) -> ScriptedModel:
    return ScriptedModel([ModelStep.respond(answer_like_a_model)] * (2 * turns))


@dataclass(frozen=True)
class Figure:
    """Turns per second, the median of one turn in milliseconds, and commits per turn where they were counted."""

    per_second: float
    median_ms: float
    commits: float = 0.0


class Sink:
    """A platform that takes everything at once and tells who waits."""

    name = "terminal"
    repeats_by_key = True
    names_devices = False
    opens_places = False
    writes_directly = False

    def __init__(self) -> None:
        self.waiting: dict[str, asyncio.Future[None]] = {}

    def remember_in(self, notes: Notes) -> None:
        """Remember nothing."""

    def split(self, text: str) -> list[str]:
        return [text]

    async def post(self, delivery: Delivery) -> str:
        self.waiting.pop(delivery.to).set_result(None)
        return delivery.key

    async def find(self, delivery: Delivery) -> str | None:
        return None

    async def complete(self, message: UserMessage, *, first: bool) -> UserMessage:
        return message

    async def show(self, progress: Progress) -> None:
        return None

    async def reaches(self, ref: ConversationRef) -> bool:
        return True

    async def link(self, ref: ConversationRef) -> str | None:
        return None

    async def open_beside(self, ref: ConversationRef, *, key: str, title: str) -> ConversationRef | None:
        return None


@asynccontextmanager
async def open_bench_desk(turns: int) -> AsyncIterator[tuple[Desk, Sink]]:
    """A desk on a file of its own, durable and sealed as for real people."""
    sink = Sink()
    with tempfile.TemporaryDirectory() as folder:
        url, keys = f"sqlite:///{folder}/desk.db", Path(folder) / "keys"
        async with open_store(url, desk=True) as store, open_sealer(keys, MasterKey(bytes(32)), fresh=True) as sealer:
            desk = Desk(settings=Settings(), store=store, sealer=sealer, model=scripted(turns), platforms=[sink])
            async with desk:
                yield desk, sink


async def say(desk: Desk, sink: Sink, user: str, number: int) -> None:
    """One turn, from the event to the written reply."""
    id_ = f"{user}-{number}"
    sink.waiting[id_] = done = asyncio.get_running_loop().create_future()
    ref = ConversationRef("terminal", "local", f"dm:{user}", user)
    await desk.accept(UserMessage(id_, ref, "Which tickets do I have, please?", Profile(user)))
    await done


class PlainList:
    """A session that is a list in memory, with the desk's window: what outgrows its budget is cut down to half."""

    session_settings = None

    def __init__(self, session_id: str) -> None:
        self.session_id = session_id
        self.items: list[Any] = []
        self.sizes: list[int] = []

    async def get_items(self, limit: int | None = None) -> list[Any]:
        budget = 4 * Settings().session.window_tokens
        if sum(self.sizes) > budget:
            while sum(self.sizes) > budget // 2 or self.items[0].get("role") != "user":
                del self.items[0], self.sizes[0]
        return list(self.items)

    async def add_items(self, items: list[Any]) -> None:
        self.items += items
        self.sizes += (len(encode(item)) for item in items)

    async def pop_item(self) -> Any:
        return self.items.pop()

    async def clear_session(self) -> None:
        self.items.clear()


class Bare:
    """A streamed Runner without a desk: the same agents and tools, nothing kept but a list."""

    def __init__(self, turns: int) -> None:
        self.agent = SupportAgent(Settings(), scripted(turns), PersonalData(Settings().personal_data)).agent_named("")
        self.sessions: dict[str, PlainList] = {}

    async def say(self, user: str, number: int) -> None:
        session = self.sessions.setdefault(user, PlainList(user))
        stream = Runner.run_streamed(
            self.agent,
            "Which tickets do I have, please?",
            session=session,  # type: ignore[arg-type]  # a Session by structure
            context=_context(user),
            hooks=RunHooks(),
            run_config=RunConfig(tracing_disabled=True),
        )
        async for _ in stream.stream_events():
            pass


def _context(user: str) -> SupportContext:
    async def nothing(_: str) -> list[Any]:
        return []

    async def number() -> int:
        return 1

    customer = Customer(user, "local", user, "standard", 1)
    stage = Stage(turn="t", session="s", customer=customer, reserve=number, now=as_time(0))
    return SupportContext(user, user, "standard", [], stage, nothing)


Turn = Callable[[str, int], Awaitable[None]]


async def measure(turn: Turn, names: Sequence[str], *, turns: int, first: int = 0) -> Figure:
    """Let each customer say `turns` things, one after the other; customers at once."""
    took: list[float] = []

    async def one(user: str) -> None:
        for number in range(first, first + turns):
            begun = time.perf_counter()
            await turn(user, number)
            took.append((time.perf_counter() - begun) * 1000)

    begun = time.perf_counter()
    await asyncio.gather(*map(one, names))
    return Figure(len(names) * turns / (time.perf_counter() - begun), median(took))


async def compare(customers: int, turns: int, *, new: bool = False) -> tuple[Figure, Figure, float]:
    """The desk and the bare Runner in turn, round by round; the ratio is the median of the rounds' ratios.

    In each round the same customers go on with their conversations, or `new` ones begin.
    """
    every = (ROUNDS + 1) * customers * turns
    bare = Bare(every)
    async with open_bench_desk(every) as (desk, sink):

        async def desk_turn(user: str, number: int) -> None:
            await say(desk, sink, user, number)

        ours, theirs = [], []
        for number in range(ROUNDS + 1):
            names = [f"u{number if new else 0}-{customer}" for customer in range(customers)]
            before = desk.writer.transactions
            figure = await measure(desk_turn, names, turns=turns, first=number * turns)
            commits = (desk.writer.transactions - before) / (customers * turns)
            ours.append(Figure(figure.per_second, figure.median_ms, commits))
            theirs.append(await measure(bare.say, names, turns=turns, first=number * turns))
    # The first round warms up.
    ours, theirs = ours[1:], theirs[1:]
    ratio = median(mine.per_second / other.per_second for mine, other in zip(ours, theirs, strict=True))
    return _middle(ours), _middle(theirs), ratio


def _middle(figures: list[Figure]) -> Figure:
    return sorted(figures, key=lambda figure: figure.per_second)[len(figures) // 2]


class Echo:
    """An agent that answers at once: what is left of a turn without the Runner."""

    words = "You have no open tickets. What else can I do for you today?"

    async def answer(self, session: Any, context: Any, said: list[Item], **_: Any) -> Answer:
        await session.add_items([*said, {"role": "assistant", "content": self.words}])
        return Answer(TurnStatus.DONE, self.words)


async def without_runner(depth: int, turns: int = 200) -> Figure:
    """One customer's turns without the Runner, on top of a history of `depth` turns."""
    async with open_bench_desk(1) as (desk, sink):
        # The one seam this needs, and only here: the agent's place in the turns.
        desk._workers.turns._agent = Echo()  # type: ignore[assignment]
        for number in range(depth):
            await say(desk, sink, "alice", number)
        took = []
        before = desk.writer.transactions
        for number in range(depth, depth + turns):
            begun = time.perf_counter()
            await say(desk, sink, "alice", number)
            took.append((time.perf_counter() - begun) * 1000)
        return Figure(1000 / median(took), median(took), (desk.writer.transactions - before) / turns)


def fdatasync_ms(times: int = 200) -> float:
    """The median of writing a page and syncing it, on the disk the desk is on."""
    took = []
    with tempfile.NamedTemporaryFile() as file:
        for _ in range(times):
            file.write(bytes(4096))
            file.flush()
            begun = time.perf_counter()
            os.fdatasync(file.fileno())
            took.append((time.perf_counter() - begun) * 1000)
    return median(took)


async def figures() -> str:
    """Measure everything and write it as a table."""
    rows = ["| | desk, turns/s | bare Runner, turns/s | ratio | p50 desk | p50 bare | commits a turn |"]
    rows.append("|---|---|---|---|---|---|---|")
    for what, customers, turns, new in COMPARED:
        ours, theirs, ratio = await compare(customers, turns, new=new)
        speeds = f"{ours.per_second:.0f} | {theirs.per_second:.0f} | {ratio:.2f}"
        rows.append(f"| {what} | {speeds} | {ours.median_ms:.1f} ms | {theirs.median_ms:.1f} ms | {ours.commits:.2f} |")
    shallow, deep, sync = await without_runner(25), await without_runner(2500), fdatasync_ms()
    rows += ["", "| without the Runner | p50 of a turn | commits a turn |", "|---|---|---|"]
    rows += [f"| at 100 items of history | {shallow.median_ms:.2f} ms | {shallow.commits:.2f} |"]
    rows += [f"| at 10,000 items of history | {deep.median_ms:.2f} ms | {deep.commits:.2f} |"]
    rows += [f"| one fdatasync of the same disk | {sync:.2f} ms | |"]
    return "\n".join(rows)


def main() -> None:
    tell("desk", asyncio.run(figures()))


if __name__ == "__main__":
    main()
