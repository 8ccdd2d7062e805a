import json
from dataclasses import fields, replace

from core.queries.log import AuditLines
from core.queries.outbox import DeliveryRow
from core.queries.people import Customers
from core.replies import open_delivery, seal_delivery

THREAD = {"channel": "c", "thread": "t"}


async def exported(talk, user):
    (said,) = await talk.command(user, "export")
    return said, json.loads(talk.last.file.content)


async def test_an_export_holds_all_that_is_kept_of_a_person_and_nothing_of_another(talk):
    await talk.say("alice", "open a ticket: no ink")
    await talk.say("alice", "remember that I prefer mornings")
    await talk.say("bob", "my invoice number is INV-7")
    said, found = await exported(talk, "alice")
    assert said == "This is all I keep of you: 2 turns, 1 ticket."
    assert found["person"]["name"] == "Alice"
    assert found["person"]["remembered"] == {"prefer": "mornings"}
    assert found["person"]["identities"] == [{"platform": "terminal", "workspace": "local", "user": "alice"}]
    assert [turn["said"] for turn in found["turns"]] == ["open a ticket: no ink", "remember that I prefer mornings"]
    assert "TKT-1001" in found["turns"][0]["answered"]
    assert [item.get("name") for item in found["turns"][1]["items"]][1] == "remember_preference"
    assert [(ticket["id"], ticket["subject"]) for ticket in found["tickets"]] == [("TKT-1001", "no ink")]
    assert found["usage"]["requests"] > 2
    assert "INV-7" not in talk.last.file.content


async def test_an_export_holds_what_was_taken_back_and_leaves_out_what_was_deleted(talk):
    await talk.say("alice", "one")
    await talk.command("alice", "undo")
    await talk.say("alice", "two", id_="m9")
    await talk.delete("alice", "m9")
    _, found = await exported(talk, "alice")
    assert [(turn["said"], turn["status"]) for turn in found["turns"]] == [("one", "done")]
    assert "two" not in talk.last.file.content


async def test_an_export_holds_ones_own_turns_of_a_shared_thread_only(talk):
    await talk.say("alice", "hello from alice", **THREAD)
    await talk.say("bob", "hello from bob", **THREAD)
    _, found = await exported(talk, "bob")
    assert [(turn["said"], turn["conversation"]) for turn in found["turns"]] == [("hello from bob", None)]


async def test_an_export_is_refused_where_others_read_it(talk):
    assert await talk.command("alice", "export", **THREAD) == [
        "Others read this place. Say `export` in a direct message to me."
    ]
    assert talk.last.file is None


async def test_an_export_leaves_an_audit_line(talk):
    await exported(talk, "alice")
    assert [line.action for line in await talk.store.read(AuditLines(9))] == ["export"]


async def test_a_file_is_sealed_with_its_reply_and_opened_as_it_was(talk):
    await exported(talk, "alice")
    (owner,) = [row.id for row in await talk.store.read(Customers())]
    sealed = seal_delivery(talk.sealer, owner, talk.last)
    row = DeliveryRow(*range(len(fields(DeliveryRow))))
    row = replace(row, key=talk.last.key, owner=owner, body=sealed)
    assert open_delivery(talk.sealer, row) == talk.last
    assert b"deskmate-export" not in sealed
