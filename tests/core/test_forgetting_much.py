"""Forgetting somebody who said a great deal."""

import time

from core.audit import DESK
from core.forgetting import NOTICED_SECONDS, Forgetting, Order
from core.people import find_person
from core.queries.counts import HeldOf
from core.queries.people import Sessions
from core.records.turns import AddItem, AddTurn
from core.sealed import item_row, seal_json
from tests.core.books import open_books

TURNS, ITEMS = 2_000, 5
"""Together 10,000 items."""
SECONDS = 60


async def talked(books, customer):
    session = await books.session("terminal/local/dm/alice", customer)
    records, parent = [], None
    for depth in range(1, TURNS + 1):
        turn = f"{depth:032x}"
        body = seal_json(books.sealer, "turn", customer.id, turn, {"said": "hello", "answered": "hello"})
        records.append(AddTurn(turn, session.id, parent, depth, "done", customer.id, "triage", turn, books.at, body))
        for seq in range(ITEMS):
            sealed = seal_json(books.sealer, "item", customer.id, item_row(turn, seq), {"role": "user", "content": "x"})
            records.append(AddItem(turn, seq, sealed))
        parent = turn
    await books.commit(*records)


async def test_ten_thousand_items_of_a_person_are_forgotten_within_a_minute(tmp_path):
    async with open_books(f"sqlite:///{tmp_path}/desk.db") as books:
        await talked(books, await books.customer("alice"))
        await books.sealer.prepare((DESK,))
        person = await find_person(books.store, books.sealer, "terminal/local/alice")
        assert {row.table: row.rows for row in await books.store.read(HeldOf(person.id))}["item"] == TURNS * ITEMS
        began = time.perf_counter()
        forgetting = Forgetting(books.store, books.sealer, books.writer, noticed=NOTICED_SECONDS)
        await books.commit(*await forgetting.order(person, Order(person.id, by="o")))
        (done,) = await forgetting.resume()
        assert time.perf_counter() - began < SECONDS
        assert done.gone["item"] == TURNS * ITEMS
        assert {row.table for row in await books.store.read(HeldOf(person.id)) if row.rows} <= {"usage", "audit"}
        assert await books.store.read(Sessions(9)) == []
