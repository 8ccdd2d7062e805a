"""What customers asked the desk to remember, taken back and brought back with the turns that did it."""

from collections.abc import Sequence
from typing import Any

from core.customers import customer_records, open_customer
from core.models import Customer
from core.ports import Sealer, Store
from core.queries.people import CustomerById
from core.queries.turns import TurnRow
from core.records.record import Record
from core.sealed import open_json


def forget(sealer: Sealer, customer: Customer, turns: Sequence[TurnRow]) -> None:
    """Take back what these turns of the customer remembered, where nothing later changed it."""
    for turn in reversed(turns):
        for key, before, after in reversed(_remembered(sealer, customer, turn)):
            _swap(customer, key, after, before)


def remember_again(sealer: Sealer, customer: Customer, turns: Sequence[TurnRow]) -> None:
    """Bring back what `forget` took of these turns of the customer, where nothing later changed it."""
    for turn in turns:
        for key, before, after in _remembered(sealer, customer, turn):
            _swap(customer, key, before, after)


async def preference_records(
    store: Store, sealer: Sealer, asker: Customer, turns: Sequence[TurnRow], *, back: bool
) -> list[Record]:
    """Write what undo (or with `back` redo) of these turns does to the preferences of everybody who spoke in them."""
    records: list[Record] = []
    for speaker in sorted({turn.speaker for turn in turns}):
        customer = asker
        if speaker != asker.id:
            (row,) = await store.read(CustomerById(speaker))
            customer = open_customer(row, sealer)
        (remember_again if back else forget)(sealer, customer, turns)
        records += customer_records(customer, sealer) if customer.changed else []
    return records


def _remembered(sealer: Sealer, customer: Customer, turn: TurnRow) -> list[Any]:
    if turn.speaker != customer.id or turn.status != "done":
        return []
    body = open_json(sealer, "turn", turn.speaker, turn.id, turn.body)
    return list(body.get("remembered", ()))


def _swap(customer: Customer, key: str, now: str | None, then: str | None) -> None:
    if customer.preferences.get(key) != now:
        return
    if then is None:
        customer.preferences.pop(key, None)
    else:
        customer.preferences[key] = then
    customer.changed = True
