"""What staff read: turns to search through, and the pages of a transcript."""

import pytest

from core.queries.bill import UsageByTurn, UsageOfTurn
from core.queries.said import FeedbackOn
from core.queries.turns import CountOfTurns, PageOf, PlaceOfTurn, TurnsBefore, TurnsOfTicket, TurnsSpokenBefore
from core.records.erasing import ForgetCustomer
from core.records.turns import PutFeedback
from tests.storage.samples import S, change, commit, customer, one, session, ticket, turn, usage

END = "~"
OTHER = b"session-2"


def ids(rows):
    return [row.id for row in rows]


@pytest.fixture
async def two(talk):
    """`talk`, and between its turns those of another workspace and of a standalone session."""
    await commit(talk, *session(OTHER, workspace="x"), turn("t2a", session=OTHER, speaker="d"))
    await commit(talk, *session(b"alone"), turn("t4a", session=b"alone", speaker="session/1"))
    return talk


async def test_a_slice_is_of_the_newest_turns_and_empty_of_what_is_not_searched(two):
    rows = await two.read(TurnsBefore("w", END, 5))
    assert [(row.id, bool(row.body)) for row in rows] == [
        ("t5", True),
        ("t4a", False),
        ("t4", True),
        ("t3", True),
        ("t2a", False),
    ]
    assert ids(await two.read(TurnsBefore("w", "t2a", 5))) == ["t2", "t1"]
    everywhere = await two.read(TurnsBefore(None, END, 9))
    assert [row.id for row in everywhere if not row.body] == ["t4a"]


async def test_a_slice_of_one_speaker_holds_nobody_elses_turns(two):
    assert ids(await two.read(TurnsSpokenBefore("c", "w", END, 3))) == ["t5", "t4", "t3"]
    assert ids(await two.read(TurnsSpokenBefore("c", "w", "t3", 3))) == ["t2", "t1"]
    (row,) = await two.read(TurnsSpokenBefore("d", "w", END, 9))
    assert (row.id, row.body) == ("t2a", b"")
    assert (await two.read(TurnsSpokenBefore("d", "x", END, 9)))[0].body
    assert not await two.read(TurnsSpokenBefore("session/1", None, END, 9))


async def test_the_turns_of_a_ticket_are_those_that_changed_it_and_those_of_its_session(two):
    await commit(two, ticket(), change("a", turn="t2"), change("b", turn="t4", version=2), change("c", turn="t4"))
    assert ids(await two.read(TurnsOfTicket("k1", b"", END, 9))) == ["t4", "t2"]
    assert ids(await two.read(TurnsOfTicket("k1", OTHER, END, 9))) == ["t4", "t2a", "t2"]
    assert ids(await two.read(TurnsOfTicket("k1", b"", "t4", 9))) == ["t2"]
    assert not await two.read(TurnsOfTicket("unknown", b"", END, 9))


async def test_what_was_said_by_one_who_was_forgotten_is_searched_by_nobody(two):
    await commit(two, customer("d"), turn("t6", session=OTHER, speaker="e", parent="t2a", depth=2))
    await commit(two, ForgetCustomer("d"))
    rows = await two.read(TurnsBefore(None, END, 9))
    assert [row.body for row in rows if row.speaker == "d"] == [b""]
    assert next(row.body for row in rows if row.id == "t6")


async def test_a_page_has_the_line_first_with_what_is_beside_it_and_then_all_else(tree):
    await commit(
        tree, turn("f3", parent="t2", depth=3, status="failed"), turn("f5", parent="x4", depth=5, status="stopped")
    )
    rows = await tree.read(PageOf(S, "t5", 0, 99))
    assert [(row.id, row.here) for row in rows] == [
        *((id_, 1) for id_ in ("t1", "t2", "f3", "t3", "t4", "t5")),
        *((id_, 0) for id_ in ("x3", "x4", "f5")),
    ]
    assert [ids(await tree.read(PageOf(S, "t5", skip, 4))) for skip in (0, 4, 8, 12)] == [
        ids(rows)[:4],
        ids(rows)[4:8],
        ids(rows)[8:],
        [],
    ]
    assert (await one(tree, CountOfTurns(S))).number == 9
    for place, row in enumerate(rows):
        assert (await one(tree, PlaceOfTurn(S, "t5", row.id))).number == place
    assert not await tree.read(PlaceOfTurn(S, "t5", "unknown"))


async def test_a_page_of_a_session_without_a_head_has_what_stands_at_its_beginning(tree):
    await commit(tree, *session(OTHER), turn("f1", session=OTHER, status="failed"), turn("u1", session=OTHER))
    assert [(row.id, row.here) for row in await tree.read(PageOf(OTHER, None, 0, 9))] == [("f1", 1), ("u1", 0)]


async def test_usage_and_feedback_are_read_of_one_turn(talk):
    await commit(talk, usage("u1", turn="t1"), usage("u2", turn="t1"), usage("u3", turn="t2"))
    await commit(talk, PutFeedback("t1", "c", "helpful", 1), PutFeedback("t2", "c", "not helpful", 1))
    assert (await one(talk, UsageOfTurn(S, "t1"))).calls == 2
    assert [await one(talk, UsageOfTurn(S, turn)) for turn in ("t1", "t2")] == await talk.read(UsageByTurn(S))
    assert (await one(talk, UsageOfTurn(S, "t2"))).key == "t2"
    assert not await talk.read(UsageOfTurn(S, "t3"))
    assert [(row.turn, row.value) for row in await talk.read(FeedbackOn("t1"))] == [("t1", "helpful")]
