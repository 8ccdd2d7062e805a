"""One turn, from a message to its commit: all of it or nothing."""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from core.agent import Answer, SupportAgent
from core.asking import Ask, Remembered, turn_body, user_item
from core.budgets import Purse
from core.config import MAX_TEXT
from core.context import Recollection, SupportContext
from core.customers import apply_profile, customer_records
from core.history import History, past_turn
from core.ids import new_id
from core.instructions import linked_hosts
from core.kit import Kit
from core.links import Links
from core.models import Button, Item, Progress, TicketStatus, TurnStatus
from core.preferences import forget
from core.queries.lanes import EventRow
from core.recall import recall
from core.records.guards import NotStopped, SessionAt
from core.records.record import Record
from core.records.turns import AddItem, AddTurn, MoveHead, MoveMessage
from core.replies import Mail
from core.scene import Scene
from core.sealed import encode, item_row, seal_json, seal_raw
from core.session_ids import ticket_of
from core.sessions import TurnSession
from core.stage import Stage
from core.staging import stage_of
from core.summing import Summed
from core.text import first_words
from core.ticket_undo import TakenBack, take_back
from core.tickets import staged_records
from core.usage import ModelCall, usage_records
from core.wording import too_fast
from core.words import ANSWER_BUTTONS, ASK_STAFF
from core.work import Running, Work

log = logging.getLogger(__name__)

BLANK = "I got an empty message. Tell me in a few words what you need, or say `help`."
TOO_LONG = f"That message is longer than {MAX_TEXT:,} characters. Please send it in parts."
STAND_IN = "(A stand-in answers here, not a language model.)"
STOPPED = "(stopped)"
REPLACED = "Answered again below."
TOO_SLOW = "That took too long, so I stopped and changed nothing. Please try again, or say it more simply."
HISTORY_LINES = 10


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is asked, and where on the tree its turn stands."""

    event: EventRow
    ask: Ask
    scene: Scene
    parent: str | None
    depth: int


@dataclass(slots=True)
class _Draft:
    """A turn in the making."""

    asked: _Asked
    history: History
    stage: Stage
    session: TurnSession
    said: Item
    calls: list[ModelCall]
    purse: Purse
    taken: TakenBack = field(default_factory=TakenBack)
    summed: Summed | None = None


class Watching:
    """Passes safe progress of a turn on to its platform."""

    def __init__(self, mail: Mail) -> None:
        """Progress goes where the mail goes."""
        self._platform = mail.platform
        self._address = mail.address
        self.seen = ""

    async def text(self, safe: str) -> None:
        """Show the whole safe text so far."""
        self.seen = safe
        await self._platform.show(Progress(self._address.ref, self._address.to, text=safe))

    async def doing(self, what: str) -> None:
        """Show what is being done."""
        await self._platform.show(Progress(self._address.ref, self._address.to, text=self.seen, doing=what))


class Turns:
    """Answers messages: loads what a turn needs, lets the agent work on a stage, and commits once."""

    def __init__(self, kit: Kit, agent: SupportAgent) -> None:
        """Nothing is opened here."""
        self._kit = kit
        self._settings = kit.settings
        self._store = kit.store
        self._sealer = kit.sealer
        self._agent = agent
        self._hosts = linked_hosts(kit.settings.agent)

    async def answer(self, work: Work, ask: Ask) -> None:
        """Answer a message and commit the turn through its lane, whatever became of it.

        Raises what the commit refuses: FencedError, ChangedError (run it again on a fresh scene), StoppedError.
        """
        draft = await self._draft(work, ask)
        watching = Watching(work.mail)
        answer = self._refusal(ask) or await self._run(draft, watching, work.running)
        for ticket in draft.stage.became_urgent if answer.status is TurnStatus.DONE else ():
            await work.tell_staff(f"{ticket} is urgent")
        if draft.purse.notice:
            await work.tell_staff(draft.purse.notice)
        records = self._records(draft, answer, work.mail)
        guard = () if answer.status is TurnStatus.STOPPED else (NotStopped(work.row.id),)
        await work.finish((*guard, *records))
        if answer.status is TurnStatus.DONE:
            self._keep(draft)

    def failure(self, work: Work, ask: Ask, text: str) -> list[Record]:
        """The records of a turn that failed outside the agent's run: its text, the honest answer and what was used."""
        session = work.scene.session
        asked = _Asked(work.row, ask, work.scene, session.head, session.depth + 1)
        return [
            self._turn_record(asked, Answer(TurnStatus.FAILED, text)),
            *self._usage(asked, work.running.calls, work.scene.ticket),
        ]

    async def _draft(self, work: Work, ask: Ask) -> _Draft:
        event, scene = work.row, work.scene
        parent, depth = scene.session.head, scene.session.depth
        if ask.replaces:
            parent, depth = ask.replaces[0].parent, ask.replaces[0].depth - 1
        taken = TakenBack()
        if ask.replaces:
            replaced = [turn.id for turn in ask.replaces]
            taken = await take_back(self._store, self._sealer, replaced, actor=event.customer, at=event.at)
        history = await self._kit.histories.read(scene.session, parent)
        forget(self._sealer, scene.customer, ask.replaces)
        apply_profile(scene.customer, ask.profile, self._settings.tiers)
        stage = stage_of(self._kit, event, scene)
        stage.load(taken.after(scene.tickets))
        if depth == 0 and ask.text.strip():
            await self._open_own_ticket(stage, ask, scene)
        purse = work.running.purse = work.running.purse or self._kit.budgets.purse_of(scene.customer)
        summed = await self._kit.summaries.before(history, purse)
        if summed is not None:
            history = summed.history
            work.running.calls.extend(summed.calls)
        window = history.read()
        return _Draft(
            asked=_Asked(event, ask, scene, parent, depth + 1),
            history=history,
            stage=stage,
            session=TurnSession(scene.name, window),
            said=user_item(ask, scene.customer.name),
            calls=work.running.calls,
            purse=purse,
            taken=taken,
            summed=summed,
        )

    async def _open_own_ticket(self, stage: Stage, ask: Ask, scene: Scene) -> None:
        own = ticket_of(scene.name)
        if own is None:
            return
        if own in stage.tickets:
            # The turn that opened it was taken back, and another one is the first now.
            if stage.ticket(own).status is TicketStatus.WITHDRAWN:
                stage.set_status(own, TicketStatus.OPEN)
            return
        subject = first_words(ask.text, 80)
        await stage.open_ticket(new_id(), subject=subject, description=ask.text[:MAX_TEXT], priority="normal")

    def _refusal(self, ask: Ask) -> Answer | None:
        if ask.more_than:
            return Answer(TurnStatus.BLOCKED, too_fast(ask.more_than, "message"))
        if not ask.text.strip() and not ask.files:
            return Answer(TurnStatus.BLOCKED, BLANK)
        if len(ask.text) > MAX_TEXT:
            return Answer(TurnStatus.BLOCKED, TOO_LONG)
        return None

    async def _run(self, draft: _Draft, watching: Watching, running: Running) -> Answer:
        if running.stopped:
            return _stopped(watching)
        running.task = asyncio.create_task(self._ask_agent(draft, watching))
        try:
            async with asyncio.timeout(self._settings.work.turn_seconds):
                return await running.task
        except TimeoutError:
            return Answer(TurnStatus.FAILED, TOO_SLOW)
        except asyncio.CancelledError:
            if not running.stopped:
                raise
            return _stopped(watching)
        finally:
            draft.stage.close()
            running.task.cancel()
            with suppress(asyncio.CancelledError):
                await asyncio.gather(running.task, return_exceptions=True)
            running.task = None

    async def _ask_agent(self, draft: _Draft, watching: Watching) -> Answer:
        await self._kit.turnstile.passed()
        return await self._agent.answer(
            draft.session,
            self._context(draft),
            [draft.said],
            agent=draft.asked.scene.session.agent,
            watch=watching,
            calls=draft.calls,
            purse=draft.purse,
        )

    def _context(self, draft: _Draft) -> SupportContext:
        customer = draft.asked.scene.customer
        replaced = {turn.id for turn in draft.asked.ask.replaces}

        async def remember(question: str) -> list[Recollection]:
            return await recall(self._store, self._sealer, question, *customer.joined)

        return SupportContext(
            customer_id=customer.id,
            customer_name=customer.name,
            account_tier=customer.tier,
            session_history=draft.history.lines(HISTORY_LINES),
            stage=draft.stage,
            recall=remember,
            shared=not draft.asked.ask.ref.direct,
            returning=any(turn not in replaced for turn in draft.asked.scene.spoken),
            summary=draft.history.summary,
            own_words=() if draft.asked.ask.ref.direct else self._own_words(draft),
            preferences=draft.asked.scene.remembered,
            elsewhere=() if not draft.asked.ask.ref.direct else tuple(draft.asked.scene.elsewhere),
            links=Links(self._hosts, lambda: (draft.asked.ask.text, *draft.history.words_of(customer.id))),
        )

    @staticmethod
    def _own_words(draft: _Draft) -> tuple[str, ...]:
        """What is the asker's own where others speak too: what they wrote here, and their tickets."""
        tickets = [text for ticket in draft.stage.tickets.values() for text in (ticket.subject, ticket.description)]
        return draft.asked.ask.text, *draft.history.words_of(draft.asked.scene.customer.id), *tickets

    def _records(self, draft: _Draft, answer: Answer, mail: Mail) -> list[Record]:
        done = answer.status is TurnStatus.DONE
        text = self._said_back(draft, answer)
        for pieces in draft.asked.ask.posted if done else ():
            mail.retract(pieces, REPLACED)
        mail.say(text, turn=draft.asked.event.id, buttons=_buttons(draft, answer))
        if done and draft.stage.settles:
            mail.settle()
        records: list[Record] = [SessionAt(draft.asked.scene.session.id, draft.asked.scene.session.version)]
        records.append(self._turn_record(draft.asked, answer, draft.stage.remembered if done else ()))
        # What the turn means to do to a ticket counts only where it is done.
        ticket = draft.asked.scene.ticket or (draft.stage.changed if done else None)
        records += self._usage(draft.asked, draft.calls, ticket)
        return [*records, *self._effects(draft)] if done else records

    def _said_back(self, draft: _Draft, answer: Answer) -> str:
        text = self._answered(draft, answer)
        # A warning is given once in a period: also where the turn that came to it failed.
        return f"{text}\n\n{draft.purse.warning}" if draft.purse.warning else text

    def _answered(self, draft: _Draft, answer: Answer) -> str:
        if answer.status is not TurnStatus.DONE:
            return answer.text
        if self._kit.stand_in and draft.asked.parent is None:
            return f"{STAND_IN}\n\n{answer.text}"
        if draft.asked.scene.on_main or draft.asked.scene.bound:
            return answer.text
        return f"{answer.text}\n\n(branch {draft.asked.scene.branch}; `switch main` to return)"

    def _turn_record(self, asked: _Asked, answer: Answer, remembered: Remembered = ()) -> AddTurn:
        event, customer = asked.event, asked.scene.customer
        # What was refused for its size is not kept whole.
        ask = asked.ask if len(asked.ask.text) <= MAX_TEXT else _shortened(asked.ask)
        body = turn_body(ask, customer.name, answer.text, remembered)
        return AddTurn(
            id=event.id,
            session=asked.scene.session.id,
            parent=asked.parent,
            depth=asked.depth,
            status=answer.status.value,
            speaker=customer.id,
            agent=answer.agent,
            event=event.id,
            at=event.at,
            body=seal_json(self._sealer, "turn", customer.id, event.id, body),
        )

    def _usage(self, asked: _Asked, calls: Sequence[ModelCall], ticket: str | None) -> Sequence[Record]:
        return usage_records(
            self._settings.prices,
            calls,
            customer=asked.scene.customer.person,
            session=asked.scene.session.id,
            turn=asked.event.id,
            branch=asked.scene.session.branch,
            ticket=ticket,
        )

    def _effects(self, draft: _Draft) -> list[Record]:
        """What only a turn that is done brings: items, tickets, preferences, the head's move, the summary."""
        event, scene, stage = draft.asked.event, draft.asked.scene, draft.stage
        move = MoveHead(
            session=scene.session.id,
            branch=scene.session.branch,
            from_turn=scene.session.head,
            to_turn=event.id,
            kind=draft.asked.ask.kind,
            actor=scene.customer.id,
            at=event.at,
        )
        records: list[Record] = [*self._items(draft), move]
        records += [MoveMessage(message, event.id) for message in draft.asked.ask.messages]
        taken_tickets = draft.taken.tickets
        records += draft.taken.records
        records += staged_records(stage, self._sealer, actor=scene.customer.id, at=event.at, unguarded=taken_tickets)
        if scene.customer.changed:
            records += customer_records(scene.customer, self._sealer)
        if draft.summed is not None:
            records.append(self._kit.summaries.record(draft.summed, self._sealer, owner=scene.customer.id, at=event.at))
        return records

    def _items(self, draft: _Draft) -> list[AddItem]:
        turn, owner = draft.asked.event.id, draft.asked.scene.customer.id
        return [
            AddItem(turn, seq, seal_raw(self._sealer, "item", owner, item_row(turn, seq), encode(item)))
            for seq, item in enumerate(draft.session.items)
        ]

    def _keep(self, draft: _Draft) -> None:
        items = tuple(encode(item) for item in draft.session.items)
        history = draft.history.followed_by(
            past_turn(draft.asked.event.id, draft.asked.depth, items, speaker=draft.asked.scene.customer.id)
        )
        self._kit.histories.keep(draft.asked.scene.session, draft.asked.event.id, history)


def _stopped(watching: Watching) -> Answer:
    shown = f"{watching.seen.rstrip()} {STOPPED}" if watching.seen.strip() else STOPPED
    return Answer(TurnStatus.STOPPED, shown)


def _buttons(draft: _Draft, answer: Answer) -> tuple[Button, ...]:
    if answer.status is TurnStatus.DONE:
        return ANSWER_BUTTONS
    return (ASK_STAFF,) if answer.status is TurnStatus.BLOCKED and draft.purse.is_empty else ()


def _shortened(ask: Ask) -> Ask:
    return replace(ask, text=first_words(ask.text, 200))
