import asyncio
import json
from collections import Counter
from dataclasses import replace
from itertools import count

import pytest

from adapters.anchors import AnchorFile
from core import auditing
from core.audit import DESK, audit_lines, audit_record
from core.audit_chain import AuditChain
from core.audit_check import all_lines
from core.auditing import HOW, MOST, TOO_LONG
from core.clock import now
from core.desk import Desk
from core.models import Command, Profile, UserMessage
from core.noted import OTHERS_READ
from core.offline import OfflineModel
from core.people import find_person
from core.queries.log import AuditEnd
from core.records.log import CutAudit
from core.turnstile import FEW
from tests.core.talk import open_talk, place

ROLES = {f"terminal/{workspace}/{name}": role for workspace in ("local", "other")
         for name, role in (("sue", "supervisor"), ("sam", "agent"))}  # fmt: skip
WHY = ("a", "complaint")


def elsewhere(user):
    return replace(place(user), workspace="other")


async def planted(talk):
    """What is done and read here, and in the other workspace."""
    await talk.say("alice", "the weather is fine")
    await talk.say("alice", "open a ticket: no ink")
    await talk.command("alice", "undo")
    await talk.command("sam", "review", "alice", *WHY)
    for number, text in enumerate(("so it is", "open a ticket: no paper")):
        await talk.hand_in(UserMessage(f"b{number}", elsewhere("bob"), text, Profile("Bob")))
    await talk.hand_in(Command("b2", elsewhere("bob"), "undo"))
    await talk.hand_in(Command("b3", elsewhere("sam"), "review", ("bob", "xylophone")))
    await talk.hand_in(Command("b4", elsewhere("sam"), "search", ("paper", "--reason", "xylophone")))


@pytest.fixture
async def talk():
    async with open_talk(roles=ROLES) as talk:
        await planted(talk)
        yield talk


async def asked(talk, *args, ref=None):
    (text,) = await talk.hand_in(Command(talk.next_id(), ref or place("sue"), "audit", args))
    return text


async def looks(talk):
    return [line for line in await audit_lines(talk.store, talk.sealer, 999) if line.action == "audit_list"]


async def add_lines(talk, number, **changes):
    await talk.sealer.prepare((DESK,))
    columns = {"actor": "fsck", "action": "repair", "subject": "a row", "owner": DESK, "detail": {}, "at": now()}
    lines = tuple(audit_record(talk.sealer, **columns | changes) for _ in range(number))
    await talk.desk.writer.commit(lines)


async def test_the_newest_lines_say_who_did_what_and_why(talk):
    title, undone, read = (await asked(talk)).splitlines()
    assert title == "The newest 2 lines about this workspace:"
    assert "UTC, Alice: undo of " in undone
    assert "UTC, terminal/local/sam (agent): review of " in read
    assert read.endswith("(a complaint)")


async def test_nothing_of_another_workspace_is_shown(talk):
    here, there = await asked(talk), await asked(talk, ref=elsewhere("sue"))
    assert not [word for word in ("Bob", "other", "xylophone", "search") if word in here]
    assert not [word for word in ("Alice", "local", "complaint") if word in there]
    assert [line.split(": ")[1].split()[0] for line in there.splitlines()[1:]] == ["undo", "review", "search"]


async def test_what_operators_and_the_desk_do_for_all_is_shown_to_no_workspace(talk):
    await add_lines(talk, 1)
    await add_lines(talk, 1, detail={"by": "os/local/root"})
    await add_lines(talk, 1, actor=DESK, action="expire")
    assert "newest 2 lines" in await asked(talk)


async def test_an_operator_who_read_somebody_of_the_workspace_is_shown_without_their_account(talk):
    alice = next(line.owner for line in await audit_lines(talk.store, talk.sealer, 99) if line.action == "undo")
    await add_lines(talk, 1, owner=alice, action="review", detail={"by": "os/local/root", "role": "admin"})
    text = await asked(talk)
    assert "an operator of the desk: review of a row" in text
    assert "root" not in text


async def test_as_many_are_shown_as_were_asked_for_and_those_the_newest(talk):
    await asked(talk)
    await asked(talk, "5")
    assert "audit_list" in (await asked(talk, "1")).splitlines()[1]
    assert len((await asked(talk, "3")).splitlines()) == 4


async def test_lines_between_those_of_others_are_found_and_no_more_than_a_bound_is_looked_through(talk, monkeypatch):
    monkeypatch.setattr(auditing, "PAGE", 10)
    await add_lines(talk, 65)
    assert "newest 2 lines" in await asked(talk)
    monkeypatch.setattr(auditing, "PAGES", 2)
    title, line, bound = (await asked(talk)).splitlines()
    assert "audit_list" in line
    assert bound == "I looked through the newest 20 lines of the desk."


async def test_a_log_that_was_cut_off_is_listed_from_where_it_begins(talk, monkeypatch):
    monkeypatch.setattr(auditing, "PAGE", 2)
    row = [line async for line in all_lines(talk.store) if line.owner != DESK][1]
    await talk.desk.writer.commit((CutAudit(row.seq, row.link),))
    assert await asked(talk) == "Nothing about this workspace."


async def test_who_was_forgotten_is_not_named(talk):
    await talk.command("alice", "forget", "confirm")
    text = await asked(talk)
    assert "Alice" not in text and "complaint" not in text
    assert "(erased): forget of (erased)" in text


@pytest.mark.parametrize("args", [("0",), (str(MOST + 1),), ("all",), ("verify", "now"), ("9" * 5000,), ("-1",)])
async def test_what_cannot_be_read_is_answered_with_how_to_say_it_and_not_noted(talk, args):
    assert await asked(talk, *args) == HOW
    assert await looks(talk) == []


@pytest.mark.parametrize("args", [(), ("20",), ("verify",), ("Verify",)])
async def test_each_look_is_for_the_asker_alone_and_noted_with_what_was_asked(talk, args):
    await asked(talk, *args)
    assert talk.last.private
    (line,) = await looks(talk)
    detail = {"by": "terminal/local/sue", "role": "supervisor", "asked": "".join(args).lower()}
    assert (line.detail, line.owner) == (detail, DESK)


@pytest.mark.parametrize("args", [(), ("verify",)])
@pytest.mark.parametrize("who", ["sam", "alice"])
async def test_below_a_supervisor_nobody_looks(talk, who, args):
    assert await talk.command(who, "audit", *args) == ["You may not do that here."]
    assert await looks(talk) == []


# --- verify -----------------------------------------------------------------------------------------------------------


async def test_a_log_as_it_was_written_holds(talk):
    assert await asked(talk, "verify") == "The audit log holds: no line was changed, added or taken away."


async def test_a_line_that_was_written_past_the_chain_is_named(talk):
    (end,) = await talk.store.read(AuditEnd())
    chain = AuditChain(talk.store, _Forged(talk.sealer))
    await talk.sealer.prepare((DESK,))
    line = audit_record(talk.sealer, actor="x", action="review", subject="", owner=DESK, detail={}, at=now())
    await chain.write([(line,)])
    text = await asked(talk, "verify")
    assert text.splitlines()[0] == "The audit log does not hold:"
    assert f"line {end.seq + 1} was changed" in text


async def test_a_log_cut_short_is_found_out_by_its_anchors(talk, tmp_path):
    anchors = AnchorFile(str(tmp_path / "anchors"), every=1)
    await anchors.keep(99, b"x", always=True)
    assert "it once reached up to 99" in (await with_anchor(talk, anchors))


async def test_anchors_that_cannot_be_read_are_said_to_be_so(talk, tmp_path):
    (tmp_path / "anchors").write_text("hello\n")
    text = await with_anchor(talk, AnchorFile(str(tmp_path / "anchors"), every=1000))
    assert text == auditing.NO_ANCHORS


async def test_a_log_too_long_to_wait_for_is_left_to_the_command(talk, monkeypatch):
    monkeypatch.setattr(auditing, "CHECKED", 3)
    assert await asked(talk, "verify") == TOO_LONG
    assert await looks(talk) == []


async def with_anchor(talk, anchor):
    """What `audit verify` says on a desk that keeps the log's end."""
    kit = talk.desk._kit
    desk = Desk(
        settings=kit.settings, store=kit.store, sealer=kit.sealer, model=OfflineModel(), platforms=[talk.street],
        anchor=anchor,
    )  # fmt: skip
    async with desk:
        await desk.accept(Command("v", place("sue"), "audit", ("verify",)))
        await desk.drain()
    return talk.last.text


class _Forged:
    """A sealer of somebody who can write to the store and has no key of the chain."""

    def __init__(self, sealer):
        self._sealer = sealer

    def lookup(self, kind, value):
        return b"forged link 1234"


async def test_the_lines_of_the_workspace_alone_are_sent_as_a_file_and_that_is_noted(talk):
    assert "about this workspace" in await asked(talk, "export")
    assert talk.last.private
    lines = [json.loads(line) for line in talk.last.file.content.splitlines()]
    assert {line["who"] for line in lines if line["action"] == "undo"} == {"Alice"}
    assert [line["reason"] for line in lines if line["action"] == "review"] == ["a complaint"]
    assert "xylophone" not in talk.last.file.content
    noted = [line for line in await audit_lines(talk.store, talk.sealer, 999) if line.action == "audit_export"]
    assert [line.detail for line in noted] == [{"by": "terminal/local/sue", "role": "supervisor"}]


async def test_no_file_is_sent_where_others_read(talk):
    said = await asked(talk, "export", ref=place("sue", channel="c", thread="t"))
    assert (said, talk.last.file) == (OTHERS_READ, None)
    assert not [line for line in await audit_lines(talk.store, talk.sealer, 999) if line.action == "audit_export"]


async def test_a_long_file_is_written_in_many_rounds_of_the_loop(talk, monkeypatch):
    alice = (await find_person(talk.store, talk.sealer, "terminal/local/alice")).id
    await add_lines(talk, 10 * FEW, actor=alice, subject=alice)
    rounds, lines, write = count(), Counter(), json.dumps
    now_is = [next(rounds)]

    async def tick():
        while True:
            await asyncio.sleep(0)
            now_is[0] = next(rounds)

    def counted(*given, **how):
        # Others write JSON too: how times are written tells the lines of the file.
        lines[now_is[0]] += "default" in how
        return write(*given, **how)

    ticking = asyncio.create_task(tick())
    monkeypatch.setattr(auditing.json, "dumps", counted)
    await asked(talk, "export")
    ticking.cancel()
    assert lines.total() > 10 * FEW
    # Whoever ticks may see the end of one round and the beginning of the next as one.
    assert max(lines.values()) <= 2 * FEW
