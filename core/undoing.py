"""Undo, redo, rewind, retry: heads move, tickets follow, what was posted says so."""

from dataclasses import replace
from typing import Any

from core.asking import Ask, AskKind, ask_again
from core.call import Call, Result
from core.errors import BadInputError, NoSuchTurnError, NothingToRedoError, NothingToUndoError
from core.models import Button, TurnStatus
from core.posted import posted_of, restore, retract
from core.preferences import preference_records
from core.queries.lanes import MessageBefore
from core.queries.said import MessagesOf
from core.queries.turns import TurnById, TurnRow, TurnsAfter
from core.records.record import Record
from core.records.turns import MoveHead
from core.sealed import open_json
from core.ticket_undo import TakenBack, bring_back, take_back
from core.tree import chain_from, newest, undone_by

BRING_BACK = "Remove the reaction or say `redo` to bring it back."


async def undo(call: Call) -> Result:
    """Take back the last turn, the last n, or the turn of a gesture."""
    turns = await _turns_to_undo(call)
    if not turns:
        return []
    return await take_back_turns(call, turns, kind="undo")


async def rewind(call: Call) -> Result:
    """Keep turn N and take back all after it."""
    session = call.scene.session
    keep = call.number(default=-1, least=0, most=10**9)
    if keep < 0:
        call.misused()
    if keep > session.depth:
        raise NoSuchTurnError
    turns = await call.kit.store.read(TurnsAfter(session.head, keep)) if session.head else []
    if not turns:
        raise NothingToUndoError(reply=f"Turn {keep} is the newest one: there is nothing after it.")
    return await take_back_turns(call, call.own(turns), kind="rewind")


async def take_back_turns(call: Call, turns: list[TurnRow], *, kind: str) -> list[Record]:
    """Move the head to before `turns`, take their ticket changes back, and let their messages say so, or go."""
    ids = [turn.id for turn in turns]
    taken = await take_back(call.kit.store, call.kit.sealer, ids, actor=call.scene.customer.id, at=call.event.at)
    await _tell(call, turns, taken)
    return [
        call.guard(),
        _move(call, turns[0].parent, kind),
        *taken.records,
        *await preference_records(call.kit.store, call.kit.sealer, call.scene.customer, turns, back=False),
        call.audit(kind, {"turns": ids, "tickets": taken.withdrawn + taken.restored}),
    ]


async def _tell(call: Call, turns: list[TurnRow], taken: TakenBack) -> None:
    """Let the messages of `turns` say that they were taken back; where they are removed, the asker is told instead."""
    removes = call.kit.settings.work.undo_shows == "removed"
    posted = await retract(call, turns, sentence(taken), removes=removes)
    if not call.gesture and (removes or not posted):
        call.say(sentence(taken), private=removes or None)
    elif removes and taken.stands:
        call.say(" ".join(taken.stands), private=True)


async def redo(call: Call) -> Result:
    """Bring back what the last undo or rewind took, unless something new was said."""
    head, turns = await undone_by(call.kit.store, call.scene.session)
    if call.gesture and (not turns or turns[0].id != call.turn):
        return []
    # What a deleted message did stays taken back, also where it comes back as a gap among others.
    ids = [turn.id for turn in turns if turn.status != TurnStatus.ERASED]
    if head is None or not ids:
        raise NothingToRedoError
    call.own(turns)
    back = await bring_back(call.kit.store, call.kit.sealer, ids, actor=call.scene.customer.id, at=call.event.at)
    restored = await restore(call, turns)
    if not restored or back.stands:
        call.say(" ".join(["Brought back.", *back.stands]))
    return [
        call.guard(),
        _move(call, head, "redo"),
        *back.records,
        *await preference_records(call.kit.store, call.kit.sealer, call.scene.customer, turns, back=True),
        call.audit("redo", {"turns": ids}),
    ]


async def retry(call: Call) -> Result:
    """Answer the last message again, or the one of a gesture; what its first answer did is taken back."""
    turns = await _turns_to_retry(call)
    call.own(turns)
    first = turns[0]
    if first.status == TurnStatus.ERASED:
        raise BadInputError(reply="That message was deleted, so there is nothing to answer again.")
    said = open_json(call.kit.sealer, "turn", first.speaker, first.id, first.body)
    if first.status != "done":
        return await answer_anew(call, first, said, kind="retry")
    return await answer_again(call, turns, said, kind="retry")


async def answer_again(
    call: Call, turns: list[TurnRow], said: dict[str, Any], *, kind: AskKind, text: str | None = None
) -> Ask:
    """Ask what `turns[0]` asked once more, in place of these turns; nothing of them changes before it is answered."""
    again = await answer_anew(call, turns[0], said, kind=kind, text=text)
    posted = tuple([(await posted_of(call, turn)).standing for turn in turns])
    return replace(again, replaces=tuple(turns), posted=posted)


async def answer_anew(
    call: Call, turn: TurnRow, said: dict[str, Any], *, kind: AskKind, text: str | None = None
) -> Ask:
    """Ask once more what a turn asked that is not on the branch."""
    again = ask_again(said, call.ref, text=text, kind=kind)
    return replace(again, messages=await _questions(call, turn), earlier=(*again.earlier, turn.id))


def sentence(taken: TakenBack) -> str:
    """The one line a message becomes after undo, the same everywhere."""
    parts = ["Taken back."]
    parts += [f"{name} is withdrawn." for name in taken.withdrawn]
    parts += [f"{name} is as it was before." for name in taken.restored]
    return " ".join([*parts, *taken.stands, BRING_BACK])


async def _turns_to_undo(call: Call) -> list[TurnRow]:
    store, session = call.kit.store, call.scene.session
    if call.args[:1] == ("turn",) and len(call.args) == 2:
        chain = await chain_from(store, session.head, call.args[1])
        if not chain:
            raise NoSuchTurnError
        return call.own(chain)
    if call.turn is None:
        turns = await newest(store, session.head, call.number(default=1))
        if not turns:
            raise NothingToUndoError
        return call.own(turns)
    chain = await chain_from(store, session.head, call.turn)
    if not chain and not call.gesture:
        raise NothingToUndoError
    call.own(chain)
    if len(chain) > 1:
        _ask_first(call, chain)
        return []
    return chain


def _ask_first(call: Call, chain: list[TurnRow]) -> None:
    after = len(chain) - 1
    call.say(
        f"That takes back this turn and the {after} after it. Say `undo {len(chain)}` to do it.",
        private=True,
        buttons=(Button(f"Take back {len(chain)} turns", "undo", ("turn", chain[0].id)),),
    )


async def _turns_to_retry(call: Call) -> list[TurnRow]:
    store, session = call.kit.store, call.scene.session
    target = call.args[1] if call.args[:1] == ("turn",) and len(call.args) == 2 else call.turn
    if target is not None:
        rows = await store.read(TurnById(target))
        chain = await chain_from(store, session.head, target)
        off_line = [row for row in rows if row.session == session.id and row.status in ("failed", "stopped", "blocked")]
        if not chain and not off_line:
            raise NoSuchTurnError
        return chain or off_line
    failed = await _failed_since(call)
    turns = [failed] if failed else await newest(store, session.head, 1)
    if not turns:
        raise BadInputError(reply="There is nothing to answer again.")
    return turns


async def _questions(call: Call, turn: TurnRow) -> tuple[bytes, ...]:
    """The keys of the platform messages that asked a turn."""
    rows = await call.kit.store.read(MessagesOf(turn.id))
    return tuple(row.key for row in rows if row.part == "question")


async def _failed_since(call: Call) -> TurnRow | None:
    """The turn of the last message, where that one was not answered, nor answered again since."""
    store, session = call.kit.store, call.scene.session
    seq, turns = call.event.seq, list[TurnRow]()
    # `!WORD` is a message without a turn.
    while not turns and (last := await store.read(MessageBefore(session.id, seq))):
        seq, turns = last[0].seq, await store.read(TurnById(last[0].id))
    failed = bool(turns) and turns[0].status in ("failed", "stopped", "blocked")
    return turns[0] if failed and turns[0].id > (session.head or "") else None


def _move(call: Call, to_turn: str | None, kind: str) -> MoveHead:
    session = call.scene.session
    return MoveHead(session.id, session.branch, session.head, to_turn, kind, call.scene.customer.id, call.event.at)
