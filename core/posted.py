"""What stands on a platform of a turn's answer: taken back, brought back, or removed and posted again."""

from collections.abc import Sequence
from dataclasses import dataclass

from core.call import Call
from core.models import Delivery
from core.queries.outbox import DeliveriesOf
from core.queries.turns import TurnRow
from core.replies import open_delivery


@dataclass(frozen=True, slots=True)
class Posted:
    """The pieces of a turn's answer, each as it was posted last; `removed` are the keys of those that are gone."""

    pieces: tuple[Delivery, ...]
    removed: frozenset[str]

    @property
    def standing(self) -> tuple[Delivery, ...]:
        """The pieces that stand on the platform, whatever they say there now."""
        return tuple(piece for piece in self.pieces if piece.key not in self.removed)


async def posted_of(call: Call, turn: TurnRow) -> Posted:
    """Read what became of a turn's answer. What was erased of it is left out."""
    rows = await call.kit.store.read(DeliveriesOf(turn.id))
    sent = [open_delivery(call.kit.sealer, row) for row in rows if row.body]
    replies = [delivery for delivery in sent if delivery.kind == "reply"]
    brought_back = {reply.message for reply in replies}
    changes = {change.message or "": change for change in sent if change.kind != "reply"}
    return Posted(
        tuple(reply for reply in replies if reply.key not in brought_back),
        frozenset(key for key, newest in changes.items() if newest.removes),
    )


async def retract(call: Call, turns: Sequence[TurnRow], text: str, *, removes: bool = False) -> bool:
    """Let each turn's first message say `text`, and empty its further ones, or remove them; False: there are none."""
    posted = [(await posted_of(call, turn)).standing for turn in turns]
    for pieces in posted:
        call.mail.retract(pieces, text, removes=removes)
    return any(posted)


async def restore(call: Call, turns: Sequence[TurnRow]) -> bool:
    """Bring the text of each turn's messages back, posted again where they were removed; False: there are none."""
    posted = [await posted_of(call, turn) for turn in turns]
    for one in posted:
        for piece in one.pieces:
            if piece.key in one.removed:
                call.mail.post_again(piece)
            else:
                call.mail.change("restore", piece, piece.text)
    return any(one.pieces for one in posted)
