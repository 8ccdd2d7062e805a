"""Edits, deletions and reactions: what people do to a message, done to its turn."""

from dataclasses import replace
from typing import Any

from core.access import may
from core.asking import ask_again, user_item
from core.call import Call, Result
from core.config import MAX_TEXT
from core.errors import BadInputError, TooLongError
from core.legal_holds import hold_on
from core.models import Button, TurnStatus
from core.posted import retract
from core.preferences import preference_records
from core.queries.turns import ItemsOf, TurnById, TurnRow, TurnsOf
from core.records.outbox import BlankDeliveries
from core.records.record import Record
from core.records.turns import BumpRevision, DropItems, MoveHead, RewriteItem, RewriteTurn
from core.sealed import item_row, open_json, seal_json
from core.ticket_undo import take_back
from core.tree import chain_from, stands
from core.undoing import answer_again, answer_anew

REMOVED = "This answer was removed together with its question."
_UNANSWERED = (TurnStatus.BLOCKED, TurnStatus.FAILED, TurnStatus.STOPPED)
REDACTED = "(removed by a moderator)"


async def edited(call: Call, text: str) -> Result:
    """Answer an edited message again when its turn is the newest or was undone; else replace the stored text."""
    turn = await _turn(call)
    if turn is None or turn.speaker != call.scene.customer.id or turn.status == TurnStatus.ERASED:
        return []
    said = _opened(call, turn)
    if said["said"] == text:
        return []
    chain = await chain_from(call.kit.store, call.scene.session.head, turn.id)
    if len(chain) == 1:
        return await answer_again(call, chain, said, text=text, kind="edit")
    if not chain and not await stands(call.kit.store, turn):
        return await answer_anew(call, turn, said, text=text, kind="edit")
    if not text.strip():
        raise BadInputError(reply="An empty message cannot take its place: delete the message to take it out.")
    if len(text) > MAX_TEXT:
        raise TooLongError
    if await hold_on(call.kit.store, call.kit.sealer, turn.speaker) is not None:
        return []
    return await _rewrite(call, turn, said, text)


async def deleted(call: Call, *, part: str) -> Result:
    """Erase a deleted question with its answer, or take a deleted answer's words out of the history."""
    turn = await _turn(call)
    own = turn is not None and turn.speaker == call.scene.customer.id
    if turn is None or turn.status == TurnStatus.ERASED or not (own or may(call.role, "undo_others")):
        return []
    if await hold_on(call.kit.store, call.kit.sealer, turn.speaker) is not None:
        return []
    return await (_erase(call, turn) if part == "question" else _redact(call, turn))


async def _rewrite(call: Call, turn: TurnRow, said: dict[str, Any], text: str) -> list[Record]:
    ask = ask_again(said, call.ref, text=text)
    call.say(
        "I changed that message in our history. My answers after it stay as they are.",
        private=True,
        buttons=(Button("Answer again from here", "retry", ("turn", turn.id)),),
    )
    return [
        call.guard(),
        *await _with_items(call, turn, role="user", text=str(user_item(ask, said["name"])["content"])),
        _turn_with(call, turn, {**said, "said": text}, edited=1),
        BumpRevision(turn.session),
    ]


async def _erase(call: Call, turn: TurnRow) -> list[Record]:
    session = call.scene.session
    records: list[Record] = [call.guard()]
    if session.head == turn.id:
        taken = await take_back(call.kit.store, call.kit.sealer, [turn.id], actor=turn.speaker, at=call.event.at)
        move = MoveHead(session.id, session.branch, turn.id, turn.parent, "erase", turn.speaker, call.event.at)
        records += [move, *taken.records]
        asker = call.scene.customer
        records += await preference_records(call.kit.store, call.kit.sealer, asker, [turn], back=False)
    await retract(call, [turn], REMOVED)
    for one in (turn, *await _earlier(call, turn), *await _refused(call, turn)):
        erased = _turn_with(call, one, {}, status=TurnStatus.ERASED)
        records += [DropItems(one.id), erased, BlankDeliveries(one.id)]
    return [
        *records,
        BumpRevision(turn.session),
        call.audit("erase", {"turn": turn.id}),
    ]


async def _earlier(call: Call, turn: TurnRow) -> list[TurnRow]:
    """The turns that asked the same before this one did: the first words of an edited message are in them."""
    ids = _opened(call, turn).get("earlier", [])
    found = [await call.kit.store.read(TurnById(id_)) for id_ in ids]
    return [row for rows in found for row in rows if row.session == turn.session]


async def _refused(call: Call, turn: TurnRow) -> list[TurnRow]:
    """The turns that asked the message again and were not answered: an edit that was blocked leaves its words there."""
    after = [row for row in await call.kit.store.read(TurnsOf(turn.session)) if row.id > turn.id]
    unanswered = [row for row in after if row.status in _UNANSWERED and row.speaker == turn.speaker]
    return [row for row in unanswered if turn.id in _opened(call, row).get("earlier", [])]


async def _redact(call: Call, turn: TurnRow) -> list[Record]:
    said = _opened(call, turn)
    return [
        call.guard(),
        *await _with_items(call, turn, role="assistant", text=REDACTED),
        _turn_with(call, turn, {**said, "answered": REDACTED}),
        BlankDeliveries(turn.id),
        BumpRevision(turn.session),
        call.audit("redact", {"turn": turn.id}),
    ]


async def _turn(call: Call) -> TurnRow | None:
    rows = await call.kit.store.read(TurnById(call.turn)) if call.turn else []
    return rows[0] if rows and rows[0].session == call.scene.session.id else None


def _opened(call: Call, turn: TurnRow) -> dict[str, Any]:
    body: dict[str, Any] = open_json(call.kit.sealer, "turn", turn.speaker, turn.id, turn.body)
    return body


async def _with_items(call: Call, turn: TurnRow, *, role: str, text: str) -> list[Record]:
    """Put other words into the items of a role, each in the form it has."""
    sealer, records = call.kit.sealer, list[Record]()
    for row in await call.kit.store.read(ItemsOf(turn.id)):
        place = item_row(row.turn, row.seq)
        item = open_json(sealer, "item", row.speaker, place, row.body)
        if item.get("role") != role:
            continue
        content = item["content"]
        item["content"] = text if isinstance(content, str) else [{**content[0], "text": text}]
        records.append(RewriteItem(row.turn, row.seq, seal_json(sealer, "item", row.speaker, place, item)))
    return records


def _turn_with(
    call: Call, turn: TurnRow, body: dict[str, Any], *, status: TurnStatus | None = None, edited: int | None = None
) -> RewriteTurn:
    changed = replace(turn, status=status or turn.status, edited=turn.edited if edited is None else edited)
    sealed = seal_json(call.kit.sealer, "turn", turn.speaker, turn.id, body)
    return RewriteTurn(turn.id, str(changed.status), changed.edited, sealed)
