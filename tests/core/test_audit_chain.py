import asyncio
import random
import sqlite3
from contextlib import asynccontextmanager, closing
from dataclasses import fields, replace

import pytest

from adapters.anchors import AnchorFile, read_anchors
from adapters.sealing import MasterKey, open_sealer
from adapters.storage import open_store
from core.audit import DESK, audit_record
from core.audit_chain import Anchored, AuditChain
from core.audit_check import ChainCheck, Verdict, all_lines, check_audit
from core.audit_cut import Cut, cut_off
from core.errors import BadInputError, ChangedError
from core.queries.log import AuditEndRow, AuditRow, AuditStart, AuditStartRow
from core.records.guards import CustomerAt
from core.writer import GroupWriter

MUTATIONS = 10_000


@asynccontextmanager
async def log_in(url="memory:", *, keyring=":memory:", anchor=None, key=bytes(32)):
    async with (
        open_store(url) as store,
        open_sealer(keyring, MasterKey(key), fresh=True) as sealer,
        GroupWriter(AuditChain(store, sealer, anchor)) as writer,
    ):
        await sealer.prepare(("c",))
        yield store, sealer, writer


def line(sealer, number=1, action="review"):
    return audit_record(sealer, actor="sam", action=action, subject="s", owner="c", detail={"n": number}, at=number)


async def verdict(store, sealer, anchors=()):
    return await check_audit(store, sealer, anchors)


async def rows_of(store):
    return [row async for row in all_lines(store)]


def checked(sealer, rows, end, anchors, start):
    check = ChainCheck(sealer, anchors, start)
    for row in rows:
        check.line(row)
    return check.verdict(end)


async def test_lines_written_at_once_follow_each_other():
    async with log_in() as (store, sealer, writer):
        await asyncio.gather(*(writer.commit((line(sealer, number),)) for number in range(50)))
        assert await verdict(store, sealer) == Verdict(lines=50, problems=())


async def test_several_lines_of_one_commit_follow_each_other():
    async with log_in() as (store, sealer, writer):
        await writer.commit((line(sealer, 1), line(sealer, 2)))
        found = await verdict(store, sealer)
        assert (found.lines, found.holds) == (2, True)


async def test_a_refused_commit_leaves_no_gap():
    async with log_in() as (store, sealer, writer):
        said = [
            writer.commit((line(sealer, 1),)),
            writer.commit((CustomerAt("nobody", 1), line(sealer, 2))),
            writer.commit((line(sealer, 3),)),
        ]
        _, refused, _ = await asyncio.gather(*said, return_exceptions=True)
        assert isinstance(refused, ChangedError)
        found = await verdict(store, sealer)
        assert (found.lines, found.holds) == (2, True)


async def test_two_processes_write_one_chain(tmp_path):
    url, keyring = f"sqlite:///{tmp_path}/desk.db", tmp_path / "keys"
    async with (
        log_in(url, keyring=keyring) as (store, sealer, one),
        log_in(url, keyring=keyring) as (_, other_sealer, other),
    ):
        for number in range(20):
            await asyncio.gather(one.commit((line(sealer, number),)), other.commit((line(other_sealer, number),)))
        found = await verdict(store, sealer)
        assert (found.lines, found.holds) == (40, True)


# --- what is noticed --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cut_at", [0, 9])
async def test_ten_thousand_changes_are_all_noticed(cut_at):
    async with log_in() as (store, sealer, writer):
        for number in range(1, 21):
            await writer.commit((line(sealer, number, action=random.Random(number).choice(["review", "undo"])),))
        everything = await rows_of(store)
        if cut_at:
            await cut(store, sealer, writer, at=cut_at)
            await writer.commit((line(sealer, 22),))
        rows, (start,) = await rows_of(store), await store.read(AuditStart())
        assert start.seq == cut_at
        end = AuditEndRow(rows[-1].seq, rows[-1].link)
        anchors = [Anchored(row.seq, row.link) for row in (*everything[:cut_at], *rows)]
        assert checked(sealer, rows, end, anchors, start).holds
        chance = random.Random(8)
        missed = []
        for _ in range(MUTATIONS):
            changed, begins = mutated(rows, chance), start
            if cut_at and chance.random() < 0.2:
                changed, begins = moved_start(rows, everything, start, chance)
            ends = AuditEndRow(changed[-1].seq, changed[-1].link)
            if checked(sealer, changed, ends, anchors, begins).holds:
                missed.append((begins, changed))
        assert missed == []


def moved_start(rows, everything, start, chance):
    """A start that somebody wrote by hand: further on, with the lines up to it gone; earlier, with lines put back; with
    another link."""
    kind = chance.choice(["further", "earlier", "whole", "link"])
    if kind == "further":
        gone = chance.randrange(1, len(rows))
        return rows[gone:], AuditStartRow(rows[gone - 1].seq, rows[gone - 1].link)
    if kind == "earlier":
        back = chance.randrange(start.seq - 1)
        return [*everything[back + 1 : start.seq], *rows], AuditStartRow(everything[back].seq, everything[back].link)
    if kind == "whole":
        return [*everything[: start.seq], *rows], AuditStartRow(0, b"")
    return rows, replace(start, link=bytes([chance.randrange(256)]) + start.link[1:] + b"x")


async def cut(store, sealer, writer, *, at):
    """Cut the log off up to and with a line, as retention does."""
    rows = await rows_of(store)
    await sealer.prepare((DESK,))
    last = next(row for row in rows if row.seq == at)
    await writer.commit(cut_off(Cut(last, {"": at}, ()), sealer, at=99))


def mutated(rows, chance):
    """One change: a column of a line, a line gone, one twice, two swapped, the tail cut, one put in."""
    changed, at = list(rows), chance.randrange(len(rows))
    kind = chance.choice(["column"] * 5 + ["gone", "twice", "swapped", "cut", "renumbered"])
    if kind == "gone":
        del changed[at]
    elif kind == "twice":
        changed.insert(at, changed[at])
    elif kind == "swapped":
        other = (at + 1 + chance.randrange(len(rows) - 1)) % len(rows)
        changed[at], changed[other] = changed[other], changed[at]
    elif kind == "cut":
        del changed[max(1, at) :]
    elif kind == "renumbered":
        del changed[at]
        changed = [replace(row, seq=seq) for seq, row in enumerate(changed, 1)]
    else:
        changed[at] = with_other_column(changed[at], chance)
    return changed


def with_other_column(row, chance):
    name = chance.choice([field.name for field in fields(AuditRow)])
    value = getattr(row, name)
    if isinstance(value, int):
        return replace(row, **{name: value ^ 1 << chance.randrange(16)})
    if isinstance(value, str):
        return replace(row, **{name: value + chance.choice("x /\0")})
    place = chance.randrange(len(value))
    return replace(row, **{name: value[:place] + bytes([value[place] ^ 1 << chance.randrange(8)]) + value[place + 1 :]})


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT OR REPLACE INTO audit SELECT seq, id, 'bob', action, subject, owner, at, body, digest, link "
        "FROM audit WHERE seq = 2",
        "UPDATE audit SET body = x'00' WHERE seq = 2",
        "UPDATE audit SET body = x'00', digest = x'00' WHERE seq = 2",
        "DELETE FROM audit WHERE seq = 2",
        "DELETE FROM audit WHERE seq = 3",
        "INSERT INTO audit SELECT 4, 'other', actor, action, subject, owner, at, body, digest, link FROM audit "
        "WHERE seq = 3",
        "UPDATE audit_end SET seq = 2, link = (SELECT link FROM audit WHERE seq = 2)",
        "UPDATE audit SET link = x''",
    ],
)
async def test_who_writes_to_the_file_by_hand_is_found_out(tmp_path, statement):
    path = tmp_path / "desk.db"
    async with log_in(f"sqlite:///{path}") as (store, sealer, writer):
        for number in range(3):
            await writer.commit((line(sealer, number),))
        assert (await verdict(store, sealer)).holds
        with closing(sqlite3.connect(path, isolation_level=None)) as by_hand:
            by_hand.execute(statement)
        assert not (await verdict(store, sealer)).holds


async def test_a_log_cut_short_with_its_end_is_found_out_by_its_anchor(tmp_path):
    path, anchors = tmp_path / "desk.db", str(tmp_path / "elsewhere")
    async with log_in(f"sqlite:///{path}", anchor=AnchorFile(anchors, every=1)) as (store, sealer, writer):
        for number in range(5):
            await writer.commit((line(sealer, number),))
        with closing(sqlite3.connect(path, isolation_level=None)) as by_hand:
            by_hand.execute("DELETE FROM audit WHERE seq > 3")
            by_hand.execute("UPDATE audit_end SET seq = 3, link = (SELECT link FROM audit WHERE seq = 3)")
        assert (await verdict(store, sealer)).holds
        found = await verdict(store, sealer, read_anchors(anchors))
        assert found.problems == ("the log ends in line 3, and it once reached up to 5",)


async def test_an_old_copy_that_was_gone_on_with_is_found_out_by_its_anchor(tmp_path):
    anchors = str(tmp_path / "elsewhere")
    for copy in ("first", "again"):
        async with log_in(anchor=AnchorFile(anchors, every=1)) as (store, sealer, writer):
            await writer.commit((line(sealer, action=copy),))
            found = await verdict(store, sealer, read_anchors(anchors))
    assert found.problems == ("line 1 is not the one that was anchored",)


async def test_a_line_from_before_the_chain_is_said_to_be_one(tmp_path):
    path = tmp_path / "desk.db"
    async with log_in(f"sqlite:///{path}") as (store, sealer, writer):
        with closing(sqlite3.connect(path, isolation_level=None)) as by_hand:
            by_hand.execute(
                "INSERT INTO audit (id, actor, action, subject, owner, at, body) VALUES ('a', '', '', '', '', 1, x'')"
            )
            by_hand.execute("UPDATE audit_end SET seq = 1")
        await writer.commit((line(sealer),))
        found = await verdict(store, sealer)
        assert found.problems == ("line 1 has no link: it is from before the chain, or somebody took it off",)


# --- a log that was cut off -------------------------------------------------------------------------------------------


async def test_a_log_that_was_cut_off_holds_and_goes_on():
    async with log_in() as (store, sealer, writer):
        for at in (4, 9):
            for number in range(5):
                await writer.commit((line(sealer, number),))
            await cut(store, sealer, writer, at=at)
            await writer.commit((line(sealer),))
        assert await verdict(store, sealer) == Verdict(lines=5, problems=(), cut=9)


async def test_the_line_about_a_cut_is_anchored_whenever_it_comes(tmp_path):
    anchors = str(tmp_path / "anchors")
    async with log_in(anchor=AnchorFile(anchors, every=100)) as (store, sealer, writer):
        for number in range(5):
            await writer.commit((line(sealer, number),))
        await cut(store, sealer, writer, at=3)
        assert [anchor.seq for anchor in read_anchors(anchors)] == [6]
        assert (await verdict(store, sealer, read_anchors(anchors))).holds


@pytest.mark.parametrize(
    "statements",
    [
        # More is cut off by hand, and the start moved after it.
        (
            "UPDATE audit_start SET seq = 4, link = (SELECT link FROM audit WHERE seq = 4)",
            "DELETE FROM audit WHERE seq <= 4",
        ),
        # The same, with a line about it that is the desk's own, from another place.
        (
            "UPDATE audit_start SET seq = 4, link = (SELECT link FROM audit WHERE seq = 4)",
            "DELETE FROM audit WHERE seq <= 4",
            "UPDATE audit SET action = 'cut', body = (SELECT body FROM audit WHERE seq = 7), "
            "digest = (SELECT digest FROM audit WHERE seq = 7) WHERE seq = 8",
        ),
        # The line about the cut is taken away, with all after it.
        (
            "DELETE FROM audit WHERE seq >= 7",
            "UPDATE audit_end SET seq = 6, link = (SELECT link FROM audit WHERE seq = 6)",
        ),
        ("UPDATE audit_start SET seq = 0, link = x''",),
        ("UPDATE audit SET action = 'show' WHERE seq = 7",),
        ("UPDATE audit SET body = (SELECT body FROM audit WHERE seq = 6) WHERE seq = 7",),
    ],
)
async def test_a_forged_cut_is_found_out(tmp_path, statements):
    path = tmp_path / "desk.db"
    async with log_in(f"sqlite:///{path}") as (store, sealer, writer):
        for number in range(6):
            await writer.commit((line(sealer, number),))
        await cut(store, sealer, writer, at=3)
        await writer.commit((line(sealer),))
        assert (await verdict(store, sealer)).holds
        with closing(sqlite3.connect(path, isolation_level=None)) as by_hand:
            for statement in statements:
                by_hand.execute(statement)
        assert not (await verdict(store, sealer)).holds


async def test_the_copy_from_before_a_cut_is_found_out_by_the_anchor_of_the_cut(tmp_path):
    path, anchors = tmp_path / "desk.db", str(tmp_path / "elsewhere")
    async with log_in(f"sqlite:///{path}", anchor=AnchorFile(anchors, every=100)) as (store, sealer, writer):
        for number in range(5):
            await writer.commit((line(sealer, number),))
        with closing(sqlite3.connect(path)) as now, closing(sqlite3.connect(tmp_path / "copy")) as copy:
            now.backup(copy)
        await cut(store, sealer, writer, at=3)
        with closing(sqlite3.connect(path)) as now, closing(sqlite3.connect(tmp_path / "copy")) as copy:
            copy.backup(now)
        found = await verdict(store, sealer, read_anchors(anchors))
        assert found.problems == ("the log ends in line 5, and it once reached up to 6",)


# --- anchors ----------------------------------------------------------------------------------------------------------


async def test_the_end_is_anchored_every_so_many_lines(tmp_path):
    anchors = str(tmp_path / "anchors")
    async with log_in(anchor=AnchorFile(anchors, every=4)) as (store, sealer, writer):
        for number in range(10):
            await writer.commit((line(sealer, number),))
        rows = await rows_of(store)
    assert read_anchors(anchors) == [Anchored(row.seq, row.link) for row in rows if row.seq in (4, 8)]


async def test_an_anchor_that_cannot_be_kept_stops_nobody(tmp_path, caplog):
    async with log_in(anchor=AnchorFile(str(tmp_path / "gone" / "anchors"), every=1)) as (store, sealer, writer):
        await writer.commit((line(sealer),))
        assert (await verdict(store, sealer)).lines == 1
    assert "cannot be kept" in caplog.text


def test_a_last_anchor_cut_off_by_a_crash_is_left_out(tmp_path):
    path = tmp_path / "anchors"
    path.write_text("1 aa\n2 bb\n3 c")
    assert read_anchors(str(path)) == [Anchored(1, b"\xaa"), Anchored(2, b"\xbb")]


@pytest.mark.parametrize("text", ["hello\n", "1\n", "x aa\n", "1 zz\n"])
def test_a_file_that_holds_no_anchors_is_refused_in_one_line(tmp_path, text):
    path = tmp_path / "anchors"
    path.write_text(text)
    with pytest.raises(BadInputError, match=r"anchors at .* hold"):
        read_anchors(str(path))
