"""What an agent's turn needs: a customer with tickets, a stage, and somebody who watches."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime

from agents import Usage as SdkUsage
from agents.testing import ModelStep, assistant_message, function_call
from openai.types.responses import Response, ResponseCompletedEvent, ResponseTextDeltaEvent

from core.agent import Answer, SupportAgent
from core.config import Settings
from core.context import Recollection, SupportContext
from core.ids import new_id
from core.models import Customer, Ticket, TicketStatus
from core.offline import OfflineModel
from core.personal.masking import PersonalData
from core.sessions import TurnSession
from core.stage import Stage
from core.usage import ModelCall

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def ticket(number, subject, *, status=TicketStatus.OPEN, priority="normal"):
    return Ticket(
        id=new_id(), workspace="local", number=number, customer="c-alice", session="s", subject=subject, description="",
        status=status, priority=priority, version=1, opened=NOW, changed=NOW,
    )  # fmt: skip


@dataclass
class Watcher:
    texts: list[str] = field(default_factory=list)
    done: list[str] = field(default_factory=list)

    async def text(self, safe):
        self.texts.append(safe)

    async def doing(self, what):
        self.done.append(what)


class Scene:
    """One customer in one conversation; `ask` runs one turn and keeps what it left, as the desk does."""

    def __init__(self, model=None, *, settings=None, tickets=(), history=(), recollections=(), **context):
        self.model = model or OfflineModel()
        settings = settings or Settings()
        self.agent = SupportAgent(settings, self.model, PersonalData(settings.personal_data))
        self.customer = Customer("c-alice", "local", "Alice", "premium", 1)
        self.tickets = list(tickets)
        self.window = list(history)
        self.recollections = list(recollections)
        self.asked_to_recall = []
        self.given = context
        self.speaks_to = ""
        self.numbers = 1000 + len(self.tickets)
        self.calls: list[ModelCall] = []
        self.begin()

    def begin(self):
        stage = Stage("turn-1", "s", self.customer, self._reserve, NOW)
        stage.load(self.tickets)
        self.context = SupportContext(
            customer_id="c-alice", customer_name="Alice", account_tier="premium", stage=stage, recall=self._recall,
            **{"session_history": [], "preferences": self.customer.preferences, **self.given},
        )  # fmt: skip
        self.session = TurnSession("terminal/local/dm/alice", self.window)
        self.watch = Watcher()
        return stage

    async def ask(self, text) -> Answer:
        self.begin()
        said = [{"role": "user", "content": text}]
        answer = await self.agent.answer(
            self.session, self.context, said, agent=self.speaks_to, watch=self.watch, calls=self.calls
        )
        if answer.status == "done":
            self.window = [*self.window, *self.session.items]
            self.tickets = self.context.tickets
            self.speaks_to = answer.agent
        return answer

    async def _reserve(self):
        await asyncio.sleep(0)
        self.numbers += 1
        return self.numbers

    async def _recall(self, question) -> list[Recollection]:
        self.asked_to_recall.append(question)
        return self.recollections


def said(text):
    return [assistant_message(text)]


def called(name, call_id="call-1", **arguments):
    return [function_call(name, arguments, call_id=call_id)]


def used(output, tokens):
    return ModelStep(output=output, usage=SdkUsage(requests=1, input_tokens=tokens, output_tokens=tokens))


def piece(text):
    return ResponseTextDeltaEvent(
        type="response.output_text.delta", item_id="m", output_index=0, content_index=0, delta=text, logprobs=[],
        sequence_number=0,
    )  # fmt: skip


def streaming(*pieces, then=None):
    """A model call that streams pieces, and then hangs or fails."""

    async def stream(call):
        for text in pieces:
            yield piece(text)
            await asyncio.sleep(0)
        if then is not None:
            raise then
        await asyncio.Event().wait()

    return ModelStep(stream_events=stream)


def unstreamed(text, *more):
    """A model call that gives its answer whole."""
    response = Response(
        id="r", created_at=0, model="m", object="response", output=[assistant_message(text), *more], tools=[],
        tool_choice="auto", parallel_tool_calls=False, status="completed",
    )  # fmt: skip
    return ModelStep(
        stream_events=[ResponseCompletedEvent(type="response.completed", response=response, sequence_number=0)]
    )
